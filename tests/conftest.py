"""Settings of the test session: types are checked, warnings are errors, and programs are compiled once.

The shapes in the annotations are executed: jaxtyping's import hook has to be in place before histjax is imported, so it
stands at the top.
"""

import functools
import json
import os
import tempfile
from importlib.metadata import version
from pathlib import Path

from jaxtyping import install_import_hook

CHECKED = ["histjax.model"]
install_import_hook(CHECKED, "beartype.beartype")
os.environ.setdefault("SPEY_CHECKUPDATE", "OFF")  # spey asks the network for updates when it is imported

# Compiling takes most of the time: in this series of XLA a third of it, on a CPU, goes into one way of fusing loops. A
# series that does not know the option would end the process.
if version("jaxlib").startswith("0.10."):
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_use_fusion_emitters=false")

import jax  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402

import histjax  # noqa: E402

# Compiling is nine tenths of the run time. The folder outlives the session: entries are keyed by program and version.
jax.config.update("jax_compilation_cache_dir", str(Path(tempfile.gettempdir()) / "histjax-tests-compiled"))
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.3)

CORPUS = Path(__file__).parents[1] / "../shared/corpus"


def pytest_configure(config):
    """Warnings are errors, but for a document's doubts and what other packages warn of."""
    for line in (
        "error",
        "ignore::histjax.errors.DocumentWarning",
        "ignore::DeprecationWarning:(pyhf|jsonschema|uproot|click|tqdm|xdist|execnet).*",
        "ignore:.*jsonschema.*:DeprecationWarning",
    ):
        config.addinivalue_line("filterwarnings", line)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Tests of one workspace run in one process, where its compiled programs are."""
    from xdist.scheduler import LoadScopeScheduling

    class ByWorkspace(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file, _, rest = nodeid.partition("::")
            slug = rest.partition("[")[2].rstrip("]").partition("@")[0]
            return slug if slug in known else file

    from tests.reference.corpus import GROUPS
    from tests.workspaces import BY_SLUG

    known = {*BY_SLUG, *GROUPS}
    return ByWorkspace(config, log)


MOST_MAPS = 30_000
"""Memory maps of a process (Linux, by default: at most 65530) at which its compiled programs are dropped: each program
holds some, and XLA ends the process where it can have no more."""


@pytest.fixture(scope="module", autouse=True)
def few_maps():
    """A process does not hold more compiled programs than the system allows it to."""
    maps = Path("/proc/self/maps")
    if maps.exists() and maps.read_bytes().count(b"\n") > MOST_MAPS:
        jax.clear_caches()


@functools.cache
def compiled_case(slug: str) -> "histjax.Model":
    """The model of one entry of the table."""
    from tests.workspaces import BY_SLUG

    case = BY_SLUG[slug]
    return histjax.compile(histjax.read(case.document), measurement=case.measurement)


@pytest.fixture(scope="session")
def compile_case():
    """A function from a slug of the table to its model, which is compiled once."""
    return compiled_case


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of the corpus of published models."""
    if not CORPUS.is_dir():
        pytest.skip("the corpus of published models is not here")
    return CORPUS


@pytest.fixture(scope="session")
def manifest(corpus) -> dict:
    """What the corpus says of itself."""
    return json.loads((corpus / "manifest.json").read_text())


@pytest.fixture
def rng() -> np.random.Generator:
    """Random numbers, the same in every run."""
    return np.random.default_rng(20240117)
