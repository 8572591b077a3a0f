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


@contextlib.contextmanager
def progress_bar(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """Yields `advance(n=1)`, which counts up to `total`: a bar with rate and remaining time where standard error is a
    terminal, else nothing. It may be called from any thread; no `progress` may be under way.
    """
    if not _is_terminal(sys.stderr):
        yield lambda n=1: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}")
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=total, rate="")

        def advance(n: int = 1) -> None:
            bar.advance(task, n)
            speed = bar.tasks[0].speed
            bar.update(task, rate=f"{speed:.3g}/s" if speed else "")

        yield advance


def standard_error_is_free() -> bool:
    """Whether a person watches standard error while standard output goes elsewhere."""
    return _is_terminal(sys.stderr) and not _is_terminal(sys.stdout)


def _is_terminal(stream) -> bool:
    return stream is not None and stream.isatty()
