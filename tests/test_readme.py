"""The Python of the README runs as it stands there."""

import re
import shlex
import shutil
from pathlib import Path

from tests.cli.running import run

ROOT = Path(__file__).parents[1]


def test_readme(monkeypatch):
    """All blocks, in order, in one namespace, from the root of the repository."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert len(blocks) >= 2
    monkeypatch.chdir(ROOT)
    namespace = {}
    exec("\n".join(blocks), namespace)
    assert bool(namespace["best"].converged)


def test_pictures(monkeypatch, tmp_path):
    """The commands of the first five minutes draw the pictures beside them, which are kept in notebooks/pictures."""
    text = (ROOT / "README.md").read_text()
    section = text.partition("## The first five minutes")[2].partition("\n## ")[0]
    shown = set(re.findall(r"\]\(notebooks/pictures/(\S+)\)", section))
    lines = re.search(r"```\n(.*?)```", section, re.DOTALL).group(1).replace(" && ", "\n").splitlines()
    shutil.copytree(ROOT / "histjax" / "examples", tmp_path / "histjax" / "examples")
    monkeypatch.chdir(tmp_path)
    for line in lines:
        assert run(*shlex.split(line)[1:]).status == 0, line
    assert shown == {path.name for path in (ROOT / "notebooks" / "pictures").iterdir()}
    assert shown == {path.name for path in tmp_path.glob("*.svg")}
    for name in shown:
        assert len((tmp_path / name).read_text()) > 10_000
