"""A folder that is complete or not there, and that takes the place of nothing but an earlier one of its kind."""

import contextlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from histjax.errors import HistjaxError

_OURS = re.compile(r"[^/]+\.xml|config/[^/]+\.xml|config/HistFactorySchema\.dtd|data/data\.root")


class CannotWriteFolder(HistjaxError):
    """A folder that cannot be written."""


@contextlib.contextmanager
def replacing(directory: Path, prefix: str, overwrite: bool) -> Iterator[Path]:
    """Yields an empty folder beside `directory`, which gets its name at the end; if anything fails it is removed.

    **Raises:** `CannotWriteFolder` for a prefix that is no beginning of a file's name, for a folder that is not empty
    unless `overwrite` and nothing else is in it than what was written here before, and where the system refuses.
    """
    check_prefix(prefix)
    target = Path(os.path.realpath(directory))
    _check(target, directory, overwrite)
    temporary, old = (target.parent / f".histjax-{secrets.token_hex(8)}.tmp" for _ in range(2))
    try:
        temporary.mkdir()
        yield temporary
        if target.exists():
            target.rename(old)
        temporary.rename(target)
    except OSError as error:
        raise CannotWriteFolder(f"cannot write {directory}: {error.strerror or error}") from None
    finally:
        if old.exists() and not target.exists():  # it ended between the two, perhaps by an interrupt
            old.rename(target)
        for each in (temporary, old):
            shutil.rmtree(each, ignore_errors=True)


def check_prefix(prefix: str) -> None:
    """Raises `CannotWriteFolder` for a prefix that is no beginning of a file's name."""
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,99}", prefix):
        raise CannotWriteFolder(f"prefix {prefix!r}: expected letters, digits and '_', '.', '-'")


def _check(target: Path, directory: Path, overwrite: bool) -> None:
    """Raise where the folder must stay as it is."""
    if not target.exists():
        return
    if not target.is_dir():
        raise CannotWriteFolder(f"cannot write {directory}: it is a file, expected a folder")
    if Path.cwd().is_relative_to(target):
        raise CannotWriteFolder(f"cannot write {directory}: the working directory is in it; give a folder of its own")
    files = [
        each.relative_to(target).as_posix() for each in target.rglob("*") if not each.is_dir() or each.is_symlink()
    ]
    if files and not overwrite:
        raise CannotWriteFolder(f"cannot write {directory}: the folder is not empty; overwrite it, or give another one")
    strange = [each for each in files if not _OURS.fullmatch(each)]
    if strange:
        raise CannotWriteFolder(f"cannot overwrite {directory}: it holds other things, such as {strange[0]}")
