"""What goes to standard error: errors, warnings, and the name of the stage while one waits."""

import contextlib
import sys
import warnings
from collections.abc import Callable, Iterator

import click


def say(kind: str, text: str) -> None:
    """Write one message, e.g. `histjax: error: ...`; a standard error that is closed is nobody's concern."""
    with contextlib.suppress(OSError, ValueError):
        click.echo(f"histjax: {kind}: {text}", err=True)


@contextlib.contextmanager
def warnings_said() -> Iterator[None]:
    """Within it, Python's warnings are messages of one line, without the file and the line that they come from."""

    def show(message, category, filename, lineno, file=None, line=None):
        del category, filename, lineno, file, line
        say("warning", str(message))

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield


@contextlib.contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Yields a function that names the stage under way: a spinner where standard error is a terminal, else nothing."""
    if not _is_terminal(sys.stderr):
        yield lambda stage: None
        return
    from rich.console import Console  # half of the time that `--help` takes

    with Console(stderr=True).status("starting") as status:
        yield lambda stage: status.update(stage)


def standard_error_is_free() -> bool:
    """Whether a person watches standard error while standard output goes elsewhere."""
    return _is_terminal(sys.stderr) and not _is_terminal(sys.stdout)


def _is_terminal(stream) -> bool:
    return stream is not None and stream.isatty()
