"""The files of an archive in a folder: all of them, or none."""

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from histjax.errors import HistjaxError


class CannotUnpack(HistjaxError):
    """The folder cannot be made."""


def write_folder(contents: Mapping[str, bytes], directory: str | os.PathLike) -> tuple[Path, ...]:
    """Write files, by their paths, into a new folder; an empty one may be there.

    They are written under another name beside it, which is then changed, so that a folder is whole or not there.

    **Raises:** `CannotUnpack` where there is something already, where a path leads out of the folder, or where it
    cannot be written.
    """
    target = Path(os.path.abspath(directory))
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise CannotUnpack(f"{os.fspath(directory)!r} is there already; name a folder that is new or empty")
    try:
        temporary = Path(tempfile.mkdtemp(prefix=".histjax-", dir=target.parent))
    except OSError as error:
        raise _failure(directory, error) from None
    try:
        for path, content in contents.items():
            place = Path(os.path.abspath(temporary / path))
            if not place.is_relative_to(temporary):
                raise CannotUnpack(f"{path!r} leads out of the folder")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        temporary.chmod(0o755)
        if target.exists():
            target.rmdir()
        temporary.rename(target)
    except OSError as error:
        raise _failure(directory, error) from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)  # it is there only if something failed
    return tuple(target / path for path in contents)


def _failure(directory: str | os.PathLike, error: OSError) -> CannotUnpack:
    return CannotUnpack(f"cannot write {os.fspath(directory)!r}: {error.strerror or error}")
