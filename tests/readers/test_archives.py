"""Published archives: what is found in them, and that nothing hostile gets in or out."""

import io
import json
import os
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

import histjax
from histjax.errors import InvalidArchive, UnknownName
from histjax.readers import members
from histjax.readers.unpacking import CannotUnpack, write_folder
from tests.cli.running import run

TWO_BINS = histjax.examples.path("two_bins").read_bytes()
SIGNALS = histjax.examples.patchset_path("two_bins").read_bytes()
PATCH = json.dumps(json.loads(SIGNALS)["patches"][0]["patch"]).encode()
README = "Likelihoods of a search – see the paper".encode()
FILES = {"A/BkgOnly.json": TWO_BINS, "A/patchset.json": SIGNALS, "A/README.md": README}


def tar(files: dict[str, bytes], compression: str = "gz", extra=()) -> bytes:
    """A tar archive of files, and of further members made by hand."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=f"w:{compression}") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for info in extra:
            archive.addfile(info)
    return stream.getvalue()


def zipped(files: dict[str, bytes], extra=()) -> bytes:
    """A zip archive; `extra` are `ZipInfo` records of members made by hand."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        for info in extra:
            archive.writestr(info, "/etc/passwd")
    return stream.getvalue()


def kept(tmp_path: Path, content: bytes, name: str = "download.tar.gz") -> Path:
    """The archive in a file."""
    path = tmp_path / name
    path.write_bytes(content)
    return path


KINDS = {
    "tar": ("d.tar", tar(FILES, "")),
    "tar.gz": ("d.tar.gz", tar(FILES)),
    "tar.xz": ("d.tar.xz", tar(FILES, "xz")),
    "zip": ("d.zip", zipped(FILES)),
    "another name": ("d.download", zipped(FILES)),
    "tar with a zip at its end": ("d.tar", tar({**FILES, "A/zz.notes": zipped({"x": b"1"})}, "")),
}


@pytest.mark.parametrize("kind", KINDS)
def test_kinds(kind, tmp_path):
    """One likelihood with its patches, whatever it is packed in."""
    name, content = KINDS[kind]
    archive = histjax.read_archive(kept(tmp_path, content, name))
    assert archive.names == ("A",)
    likelihood = archive["A"]
    assert (likelihood.path, likelihood.doubts) == ("A/BkgOnly.json", ())
    assert likelihood.background == json.loads(TWO_BINS)
    assert likelihood.signals == ("Z_300_10", "Z_400_10", "Z_500_25")
    assert archive.readme == README.decode()
    assert likelihood.workspace() == histjax.read(json.loads(TWO_BINS))
    patched = histjax.read_patchset(json.loads(SIGNALS)).apply(json.loads(TWO_BINS), "Z_300_10")
    assert likelihood.workspace("Z_300_10") == histjax.read(patched)
    with pytest.raises(UnknownName, match="no signal named 'Z'"):
        likelihood.workspace("Z")
    with pytest.raises(UnknownName, match="no likelihood named 'B'; there is: A"):
        archive["B"]


def test_a_folder_and_archives_in_an_archive(tmp_path):
    """HEPData packs all archives of a record into one zip file."""
    inner = {"r1.tar.gz": tar(FILES), "r2.zip": zipped({"BkgOnly.json": TWO_BINS, "patch.s.json": PATCH})}
    archive = histjax.read_archive(kept(tmp_path, zipped({**inner, "submission.yaml": b"x"}), "record.zip"))
    assert archive.names == ("r1/A", "r2")
    assert archive["r2"].signals == ("patch.s",)
    assert archive["r2"].workspace("patch.s") == archive["r1/A"].workspace("Z_300_10")
    files = histjax.readers.archives.read_members(tmp_path / "record.zip")
    write_folder(files, tmp_path / "folder")
    assert histjax.read_archive(tmp_path / "folder").names == archive.names
    grid = histjax.compile_grid(archive["r1/A"].background, archive["r1/A"].patchset)
    assert len(grid.points) == 3


def test_several_workspaces_in_one_folder(tmp_path):
    """A patch set goes to the workspace with its digest."""
    other = json.loads(TWO_BINS) | {"observations": [{"name": "singlechannel", "data": [1.0, 1.0]}]}
    files = {"one.json": json.dumps(other).encode(), "two.json": TWO_BINS, "signals.json": SIGNALS}
    archive = histjax.read_archive(kept(tmp_path, tar(files)))
    assert {each.name: len(each.signals) for each in archive} == {"one": 0, "two": 3}


def test_what_does_not_fit_is_said(tmp_path):
    """A patch set for another document, and a file that is cut off, do not hide the rest."""
    changed = json.loads(TWO_BINS) | {"observations": [{"name": "singlechannel", "data": [1.0, 1.0]}]}
    files = {"BkgOnly.json": json.dumps(changed).encode(), "patchset.json": SIGNALS, "more.json": PATCH[:-9]}
    likelihood = histjax.read_archive(kept(tmp_path, tar(files)))["download"]
    assert len(likelihood.doubts) == 2
    assert "digest in the patch set is not that of the workspace" in likelihood.doubts[0]
    assert "it seems to be cut off" in likelihood.doubts[1]


def link(name: str, kind: bytes) -> tarfile.TarInfo:
    """A link to a file of the system, or a device."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, "/etc/passwd"
    return info


def zip_link(name: str) -> zipfile.ZipInfo:
    """A symbolic link as Unix zips keep it."""
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return info


HOSTILE = {
    "tar: parent": (tar({**FILES, "../evil.json": b"{}"}), "'../evil.json' leads out"),
    "tar: inner parent": (tar({**FILES, "A/../../evil.json": b"{}"}), "leads out"),
    "tar: absolute": (tar({**FILES, "/tmp/evil.json": b"{}"}), "'/tmp/evil.json' leads out"),
    "tar: symbolic link": (tar(FILES, extra=[link("A/l.json", tarfile.SYMTYPE)]), "'A/l.json' is a link or a device"),
    "tar: hard link": (tar(FILES, extra=[link("A/h.json", tarfile.LNKTYPE)]), "is a link or a device"),
    "tar: device": (tar(FILES, extra=[link("A/d", tarfile.CHRTYPE)]), "is a link or a device"),
    "zip: parent": (zipped({**FILES, "../evil.json": b"{}"}), "'../evil.json' leads out"),
    "zip: backslashes": (zipped({**FILES, "..\\evil.json": b"{}"}), "leads out"),
    "zip: drive": (zipped({**FILES, "C:evil.json": b"{}"}), "leads out"),
    "zip: link": (zipped(FILES, extra=[zip_link("A/l.json")]), "'A/l.json' is a link or a device"),
    "inner archive": (zipped({"in.tar.gz": tar({"../evil.json": b"{}"})}), "in.tar.gz: '../evil.json' leads out"),
    "no archive": (b"hello", "no tar or zip archive that can be read"),
    "empty": (b"", "no tar or zip archive that can be read"),
    "cut off tar": (tar(FILES)[:-400], "damaged"),
    "cut off zip": (zipped(FILES)[:-60], "damaged"),
    "no workspace": (tar({"README.md": README}), "holds no workspace"),
    "damaged deflate": (tar(FILES)[:60] + b"\x00" * 300 + tar(FILES)[360:], "damaged"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_refused(kind, tmp_path):
    """With one message that names the member, exit status 2, and nothing written anywhere."""
    content, message = HOSTILE[kind]
    path = kept(tmp_path, content)
    with pytest.raises(InvalidArchive) as caught:
        histjax.read_archive(path)
    assert message in str(caught.value)
    for words in (("inspect", path), ("extract", path, "--output-directory", tmp_path / "out"), ("workspace", path)):
        assert message in run("archive", *words).error
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_too_much(tmp_path, monkeypatch):
    """A bomb is refused by the sizes that it declares, before anything is unpacked."""
    path = kept(tmp_path, zipped({"BkgOnly.json": TWO_BINS, "zeros.json": b"0" * 10_000_000}))
    monkeypatch.setattr(members, "MOST_BYTES", 1_000_000)
    with pytest.raises(InvalidArchive, match="more than 0 MiB"):
        histjax.read_archive(path)
    monkeypatch.undo()
    monkeypatch.setattr(members, "MOST_MEMBERS", 1)
    with pytest.raises(InvalidArchive, match="more than 1 files"):
        histjax.read_archive(path)


def test_unpacking(tmp_path):
    """All files or none, in a new folder only."""
    (tmp_path / "empty").mkdir()
    paths = write_folder(FILES, tmp_path / "empty")
    assert [path.read_bytes() for path in paths] == list(FILES.values())
    with pytest.raises(CannotUnpack, match="is there already"):
        write_folder(FILES, tmp_path / "empty")
    with pytest.raises(CannotUnpack, match="leads out of the folder"):
        write_folder({**FILES, "../x": b""}, tmp_path / "new")
    with pytest.raises(CannotUnpack, match="No such file"):
        write_folder(FILES, tmp_path / "no" / "parent")
    assert os.listdir(tmp_path) == ["empty"]


def test_commands(tmp_path):
    """inspect, workspace and extract."""
    path = kept(tmp_path, tar(FILES))
    found = run("archive", "inspect", path).json
    assert found["files"] == list(FILES)
    assert found["likelihoods"][0] | {"signals": 3} == {
        "name": "A",
        "path": "A/BkgOnly.json",
        "channels": 1,
        "bins": 2,
        "labels": ["mass", "width"],
        "signals": 3,
        "doubts": [],
    }
    assert "BkgOnly.json" in run("archive", "inspect", path, "--text").stdout
    expected = run(
        "patchset",
        "apply",
        histjax.examples.path("two_bins"),
        histjax.examples.patchset_path("two_bins"),
        "--name",
        "Z_400_10",
    )
    assert run("archive", "workspace", path, "--signal", "Z_400_10").json == expected.json
    assert run("archive", "workspace", path, "--likelihood", "A").json == json.loads(TWO_BINS)
    assert "no signal named 'Z'" in run("archive", "workspace", path, "--signal", "Z").error
    written = run("archive", "extract", path, "--output-directory", tmp_path / "out").json["files"]
    assert [Path(each).read_bytes() for each in written] == list(FILES.values())
    both = kept(tmp_path, tar({"A/b.json": TWO_BINS, "B/b.json": TWO_BINS}), "both.tar.gz")
    assert "choose one with --likelihood: A, B" in run("archive", "workspace", both).error
