"""Results as strict JSON, on standard output or in a file that is whole or not there at all."""

import json
import math
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from histjax.cli.messages import standard_error_is_free
from histjax.errors import HistjaxError

READER_HAS_GONE = 141
"""Exit status where the other end of a pipe is closed: what a shell reports for a program that SIGPIPE ends."""


class CannotWrite(HistjaxError):
    """The output cannot be written."""


def plain(value: Any) -> Any:
    """A value as JSON has it: arrays as lists, and `None` for a number that is infinite or undefined.

    >>> plain({"a": (1.5, float("inf")), "b": None})
    {'a': [1.5, None], 'b': None}
    """
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def json_text(value: Any) -> str:
    """A value as indented strict JSON in ASCII, in which floats keep all their digits."""
    return json.dumps(plain(value), indent=2, allow_nan=False) + "\n"


@dataclass(frozen=True)
class Output:
    """Where a result goes.

    **Fields:** `output_file`: a path, `"-"` or `None` (standard output) for the JSON; `text`: a table on standard
    output in its place, or besides the file.
    """

    output_file: str | None
    text: bool

    def check(self) -> None:
        """Raise `CannotWrite` before the work, where the file could not be written after it."""
        if self._to_file:
            path = _destination(self.output_file)
            if path.is_dir():
                raise _cannot_write(self.output_file, "it is a directory")
            if not path.parent.is_dir():
                raise _cannot_write(self.output_file, f"there is no directory {str(path.parent)!r}")
            if not os.access(path.parent if not path.exists() or path.is_file() else path, os.W_OK):
                raise _cannot_write(self.output_file, "permission denied")

    def write(self, result: Mapping, table: Callable[[], str]) -> None:
        """Write a result: JSON, and the table to who asked for it or watches standard error."""
        if self._to_file:
            write_file(self.output_file, json_text(result))
        if self.text:
            write_standard_output(table() + "\n")
        elif not self._to_file:
            write_standard_output(json_text(result))
        if not self.text and standard_error_is_free():
            click.echo(table(), err=True)

    @property
    def _to_file(self) -> bool:
        return self.output_file not in (None, "-")


def write_standard_output(text: str) -> None:
    """Write and flush, so that a failure is seen here and not when the interpreter ends.

    **Raises:** `CannotWrite` where there is no standard output or no space; `SystemExit` where the reader has gone.
    """
    if sys.stdout is None:
        raise CannotWrite("cannot write to standard output: it is closed")
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        _drop_standard_output()
        raise SystemExit(READER_HAS_GONE) from None
    except OSError as error:
        _drop_standard_output()
        raise CannotWrite(f"cannot write to standard output: {error.strerror or error}") from None


def write_file(name: str, contents: str | bytes) -> None:
    """Write a file under another name in the same directory, then rename it: nobody ever sees half of it.

    A link is followed, a file that exists keeps its permissions, and what is no file (`/dev/null`) is written to.

    **Raises:** `CannotWrite`.
    """
    path = _destination(name)
    contents = contents.encode("utf-8") if isinstance(contents, str) else contents
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(contents)
        else:
            _replace(path, contents)
    except OSError as error:
        raise _cannot_write(name, error.strerror or str(error)) from None


def _replace(path: Path, contents: bytes) -> None:
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask()
    handle, temporary = tempfile.mkstemp(prefix=".histjax-", suffix=".tmp", dir=path.parent)
    try:
        with open(handle, "wb") as file:
            file.write(contents)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    finally:
        Path(temporary).unlink(missing_ok=True)  # it is there only if something failed


def _destination(name: str) -> Path:
    return Path(os.path.realpath(name))


def _umask() -> int:
    """The permissions that new files lack; it can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _drop_standard_output() -> None:
    """Send what is still buffered nowhere: the interpreter flushes at its end, and would complain."""
    try:
        descriptor = sys.stdout.fileno()
    except (OSError, ValueError):  # a stream that is no file
        return
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), descriptor)


def _cannot_write(name: str, reason: str) -> CannotWrite:
    return CannotWrite(f"cannot write {name}: {reason}")
