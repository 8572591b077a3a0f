"""Where the files are that an XML document names: beneath one folder, or beneath folders that are mounted."""

import os
from dataclasses import dataclass
from pathlib import Path

from histjax.errors import HistjaxError


class Outside(HistjaxError):
    """A file that is named in a document and lies outside of all that the document may reach."""


@dataclass(frozen=True)
class Places:
    """The folder that relative paths start from, and what absolute paths mean.

    **Fields:**

    - `root_directory`: relative paths start here, as ROOT's start from the working directory.
    - `mounts`: pairs `(host, mount)`: a path that begins with `mount` in a document is one that begins with `host`
      here. The first pair that fits counts.
    """

    root_directory: Path
    mounts: tuple[tuple[Path, str], ...] = ()

    def find(self, named: str) -> Path:
        """The file that a document names; whether it exists is not asked.

        Links are followed. **Raises:** `Outside` for a file that is neither beneath the root directory nor beneath the
        host folder of a mount, by an absolute path, by `..` or through a link.

        >>> Places(Path("/data")).find("../etc/passwd")
        Traceback (most recent call last):
        ...
        histjax.readers.xml.places.Outside: '../etc/passwd' is outside the root directory /data and the mounts (none)
        >>> Places(Path("/data"), ((Path("/scratch"), "/eos"),)).find("/eos/in.root").as_posix()
        '/scratch/in.root'
        """
        found = Path(os.path.realpath(self._mounted(named)))
        allowed = [self.root_directory, *(host for host, _ in self.mounts)]
        if not any(found.is_relative_to(os.path.realpath(each)) for each in allowed):
            mounts = ", ".join(f"{host}:{mount}" for host, mount in self.mounts) or "none"
            raise Outside(f"{named!r} is outside the root directory {self.root_directory} and the mounts ({mounts})")
        return found

    def _mounted(self, named: str) -> Path:
        for host, mount in self.mounts:
            rest = os.path.relpath(named, mount) if os.path.isabs(named) == os.path.isabs(mount) else ".."
            if rest != ".." and not rest.startswith("../"):
                return host / rest
        return self.root_directory / named
