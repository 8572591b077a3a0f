"""The files in an archive or a folder, read into memory: nothing is unpacked, and nothing hostile is read.

An archive is refused as a whole where one of its members would lie outside a folder that it is unpacked into, is a link
or a device, or where it holds more than it should.
"""

import io
import lzma
import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from histjax.errors import InvalidArchive

MOST_BYTES = 2 * 1024**3
"""Most bytes that the members of an archive may have in all."""
MOST_MEMBERS = 10_000
SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".zip")
DEPTH = 2
"""How deep archives may be in archives: HEPData packs the archives of a record into one."""

_ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")
_ZIP_SYSTEM_UNIX = 3
_DAMAGE = (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, NotImplementedError)


def read_members(source: str | os.PathLike) -> dict[str, bytes]:
    """The contents of a tar or zip archive, or of a folder, by the path of each file in it.

    Archives in the archive are opened, too; their files are under the archive's own path without its suffix.

    **Raises:** `InvalidArchive` with all that is wrong.
    """
    path, name = Path(source), os.fsdecode(source)
    if path.is_dir():
        return _folder(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidArchive(name, [f"it cannot be read: {error.strerror or error}"]) from None
    return _opened(content, name, _Budget(name))


class _Budget:
    """What may still be read of an archive, those inside it included."""

    def __init__(self, name: str):
        self.name, self.bytes, self.members = name, MOST_BYTES, MOST_MEMBERS

    def spend(self, size: int) -> None:
        """One more member of so many bytes."""
        self.bytes, self.members = self.bytes - size, self.members - 1
        if self.bytes < 0:
            raise InvalidArchive(self.name, [f"its files have more than {MOST_BYTES // 1024**2} MiB"])
        if self.members < 0:
            raise InvalidArchive(self.name, [f"it has more than {MOST_MEMBERS} files"])


def _folder(path: Path) -> dict[str, bytes]:
    """The files of a folder; links to files are followed, since the user has put them there."""
    budget, found = _Budget(str(path)), {}
    try:
        for each in sorted(path.rglob("*")):
            if each.is_file():
                budget.spend(each.stat().st_size)
                found |= _nested(each.relative_to(path).as_posix(), each.read_bytes(), budget, DEPTH)
    except OSError as error:
        raise InvalidArchive(str(path), [f"{error.filename}: {error.strerror or error}"]) from None
    return found


def _opened(content: bytes, name: str, budget: _Budget, depth: int = DEPTH) -> dict[str, bytes]:
    """The members of an archive in memory."""
    try:
        if content[:4] in _ZIP_STARTS:
            members = list(_zip_members(content, name, budget))
        else:
            members = list(_tar_members(content, name, budget))
    except _DAMAGE as error:
        cause = str(error).partition(":\n")[0]  # tarfile lists what it tried
        reason = f"it is no tar or zip archive that can be read, or is damaged ({cause})"
        raise InvalidArchive(name, [reason]) from None
    found: dict[str, bytes] = {}
    for path, data in members:
        found |= _nested(path, data, budget, depth)
    return found


def _nested(path: str, data: bytes, budget: _Budget, depth: int) -> dict[str, bytes]:
    """One member, or the members of the archive that it is."""
    suffix = next((each for each in sorted(SUFFIXES, key=len, reverse=True) if path.lower().endswith(each)), None)
    if suffix is None or depth == 0:
        return {path: data}
    inner = _opened(data, f"{budget.name}, {path}", budget, depth - 1)
    return {f"{path[: -len(suffix)]}/{each}": content for each, content in inner.items()}


def _tar_members(content: bytes, name: str, budget: _Budget) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        members, problems = [], []
        for each in archive:
            budget.spend(each.size)
            problems += _wrong_path(each.name)
            if not (each.isreg() or each.isdir()):
                problems.append(f"{each.name!r} is a link or a device")
            members.append(each)
        if problems:
            raise InvalidArchive(name, problems)
        for each in members:
            if each.isreg():
                yield _clean(each.name), archive.extractfile(each).read()


def _zip_members(content: bytes, name: str, budget: _Budget) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        problems = [problem for each in archive.infolist() for problem in _wrong_path(each.filename)]
        for each in archive.infolist():
            mode = each.external_attr >> 16 if each.create_system == _ZIP_SYSTEM_UNIX else 0
            if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
                problems.append(f"{each.filename!r} is a link or a device")
            if each.flag_bits & 1:
                problems.append(f"{each.filename!r} is encrypted")
            budget.spend(each.file_size)
        if problems:
            raise InvalidArchive(name, problems)
        for each in archive.infolist():
            if not each.is_dir():
                with archive.open(each) as file:  # zipfile stops at the size that was declared
                    yield _clean(each.filename), file.read()


def _wrong_path(path: str) -> list[str]:
    """Why a path may not be in an archive."""
    parts = PurePosixPath(path.replace("\\", "/")).parts
    absolute = path.startswith(("/", "\\")) or path[1:2] == ":"
    return [f"{path!r} leads out of the archive"] if absolute or ".." in parts or "\0" in path else []


def _clean(path: str) -> str:
    """The path without a leading `./`."""
    return PurePosixPath(path.replace("\\", "/")).as_posix()
