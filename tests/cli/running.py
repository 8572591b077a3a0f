"""Runs commands in this process, and reads what they wrote as strictly as JSON can be read."""

import json
from dataclasses import dataclass
from typing import Any

from click.testing import CliRunner

from histjax.cli import main

COMPUTING = ("fit", "interval", "scan", "contour", "ranking", "gof", "cls", "limit", "significance")
COMMANDS = ("inspect", "validate", "digest", *COMPUTING)
REQUIRED = {
    "scan": ("--scan", "mu=0:1:2"),
    "contour": ("--parameters", "mu", "uncorr_bkguncrt[0]", "--points", "4"),
}
"""What some commands cannot do without, for the model of two bins."""


@dataclass(frozen=True)
class Outcome:
    """How a command ended: its exit status, and what it wrote."""

    status: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """Standard output as strict JSON; a success says nothing on standard error but warnings."""
        assert self.status == 0, self.stderr
        assert all(line.startswith("histjax: warning: ") for line in self.stderr.splitlines())
        return strict_json(self.stdout)

    @property
    def error(self) -> str:
        """The one message of a failure with exit status 2, which wrote nothing."""
        assert (self.status, self.stdout) == (2, ""), self
        lines = [line for line in self.stderr.splitlines() if not line.startswith("histjax: warning: ")]
        assert lines[0].startswith("histjax: error: "), self.stderr
        assert all(line.startswith("  ") for line in lines[1:]), self.stderr
        assert "Traceback" not in self.stderr
        return self.stderr.removeprefix("histjax: error: ")


def run(*args: Any, stdin: str | bytes | None = None) -> Outcome:
    """Run `histjax ARGS`; a document (a `dict`) among the arguments is given on standard input."""
    documents = [each for each in args if isinstance(each, dict)]
    if documents:
        stdin = json.dumps(documents[0])
    words = [str(each) for each in args if not isinstance(each, dict)]
    if words and words[0] in COMPUTING:
        words.append("--no-cache")  # it is a setting of the process, and this one has other tests to run
    result = CliRunner().invoke(main, words, input=stdin)
    if not isinstance(result.exception, SystemExit | None):
        raise result.exception
    return Outcome(result.exit_code, result.stdout, result.stderr)


def strict_json(text: str) -> Any:
    """Parsed JSON; `NaN` and `Infinity`, which Python would read, are refused."""

    def refuse(literal: str):
        raise AssertionError(f"not JSON: {literal}")

    return json.loads(text, parse_constant=refuse)


def uncorrelated_background(signal, background, uncertainty, observed) -> dict:
    """A counting experiment with an uncertainty per bin, as pyhf's simple model of that name."""
    samples = [
        {"name": "signal", "data": signal, "modifiers": [{"name": "mu", "type": "normfactor", "data": None}]},
        {
            "name": "background",
            "data": background,
            "modifiers": [{"name": "uncorr_bkguncrt", "type": "shapesys", "data": uncertainty}],
        },
    ]
    return workspace(samples, observed)


def workspace(samples: list[dict], observed: list[float], poi: str = "mu") -> dict:
    """A workspace of one channel."""
    return {
        "channels": [{"name": "singlechannel", "samples": samples}],
        "observations": [{"name": "singlechannel", "data": observed}],
        "measurements": [{"name": "Measurement", "config": {"poi": poi, "parameters": []}}],
        "version": "1.0.0",
    }


def only_signal(names: tuple[str, ...] = ("mu",), poi: str = "mu") -> dict:
    """One bin in which a signal is all there is: without it, the observed count is impossible."""
    modifiers = [{"name": name, "type": "normfactor", "data": None} for name in names]
    return workspace([{"name": "signal", "data": [5.0], "modifiers": modifiers}], [6.0], poi)
