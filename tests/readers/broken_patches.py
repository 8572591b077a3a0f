"""Patches and patch sets that cannot be read or applied, and the words that their messages must have."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from histjax.readers import digest
from tests.readers import good


@dataclass(frozen=True)
class BrokenPatch:
    """A patch that cannot be applied to the document with everything."""

    slug: str
    patch: Any
    words: tuple[str, ...]


@dataclass(frozen=True)
class BrokenPatchSet:
    """A patch set that cannot be read: an edit of a good one."""

    slug: str
    edit: Callable[[dict], Any]
    words: tuple[str, ...]

    def document(self) -> dict:
        """The patch set as a document."""
        document = good.patchset_for(digest(good.minimal()))
        self.edit(document)
        return document


def _operation(slug: str, op: Any, path: Any, *words: str, **others: Any) -> BrokenPatch:
    test = {"op": "test", "path": "/version", "value": "1.0.0"}
    return BrokenPatch(slug, [test, {"op": op, "path": path, **others}], words)


PATCHES = (
    BrokenPatch("number", 3, ("found 3", "an array of operations")),
    BrokenPatch("object", {"op": "remove"}, ("found an object", "an array of operations")),
    BrokenPatch("patch-set", {"patches": []}, ("patch set", "name the one")),
    BrokenPatch("texts", ["remove"], ("/0", "found 'remove'", "expected an object")),
    BrokenPatch("no-path", [{"op": "remove"}], ("/0", "'path' is missing")),
    BrokenPatch("no-op", [{"path": "/channels"}], ("/0", "'op' is missing")),
    _operation("unknown-op", "delete", "/channels/0", "/1", "unknown operation 'delete'", "add, replace, test"),
    _operation("op-list", ["add"], "/channels/0", "/1", "unknown operation an array"),
    _operation("path-number", "remove", 3, "/1/path", "found 3", "expected a string"),
    _operation("no-value", "add", "/channels/0", "/1", "'value' is missing"),
    _operation("no-from", "move", "/channels/0", "/1", "'from' is missing"),
    _operation("relative", "add", "channels/0", "operation 1 (add channels/0)", "must start with /", value=1),
    _operation("escape", "add", "/~2", "operation 1 (add /~2)", "escape", value=1),
    _operation("index-missing", "remove", "/channels/7", "operation 1 (remove /channels/7)", "has /channels but"),
    _operation("index-negative", "remove", "/channels/-1", "operation 1", "has /channels but"),
    _operation("index-text", "replace", "/channels/SR", "operation 1", "has /channels but", value=1),
    _operation("index-endless", "remove", "/channels/" + "9" * 5000, "operation 1", "has /channels but"),
    _operation("index-beyond", "add", "/channels/7", "operation 1 (add /channels/7)", "outside of list", value=1),
    _operation("key-missing", "remove", "/channel", "operation 1 (remove /channel)", "has its top but"),
    _operation("parent-missing", "add", "/a/b", "operation 1 (add /a/b)", "has its top but", value=1),
    _operation("into-number", "add", "/channels/0/samples/0/data/0/1", "operation 1", "data/0 but", value=1),
    _operation("into-text", "add", "/version/0", "operation 1", "has /version but", value=1),
    _operation("from-missing", "copy", "/a", "operation 1 (copy /a from /b)", "has its top but", **{"from": "/b"}),
    _operation("into-itself", "move", "/channels/0", "operation 1", "own children", **{"from": "/channels"}),
    _operation("test-fails", "test", "/version", "operation 1 (test /version)", "not equal", value="2.0.0"),
    _operation("remove-all", "remove", "", "operation 1 (remove )", "whole document"),
)


def _metadata(key: str, value: Any) -> Callable[[dict], None]:
    return lambda document: document["metadata"].update({key: value})


def _second(key: str, value: Any) -> Callable[[dict], None]:
    return lambda document: document["patches"][1]["metadata"].update({key: value})


PATCHSETS = (
    BrokenPatchSet("no-version", lambda document: document.pop("version"), ("'version' is missing",)),
    BrokenPatchSet("other-version", lambda document: document.update(version="2"), ("/version", "found '2'")),
    BrokenPatchSet("no-patches", lambda document: document.update(patches=[]), ("/patches", "at least 1")),
    BrokenPatchSet("unknown-key", lambda document: document.update(extra=1), ("unknown key 'extra'",)),
    BrokenPatchSet("no-digest", _metadata("digests", {}), ("/metadata/digests", "found 0 keys")),
    BrokenPatchSet("bad-digest", _metadata("digests", {"md5": "xyz"}), ("/metadata/digests/md5", "found 'xyz'")),
    BrokenPatchSet("unknown-digest", _metadata("digests", {"sha1": "0"}), ("unknown key 'sha1'", "md5, sha256")),
    BrokenPatchSet("bad-label", _metadata("labels", ["a b", "c"]), ("/metadata/labels/0", "found 'a b'")),
    BrokenPatchSet("no-reference", _metadata("references", {}), ("/metadata/references", "at least 1")),
    BrokenPatchSet("bad-reference", _metadata("references", {"hepdata": "1"}), ("/hepdata", "found '1'")),
    BrokenPatchSet("name-number", _second("name", 3), ("/patches/1/metadata/name", "patch 1", "found 3")),
    BrokenPatchSet("bad-name", _second("name", "a b"), ("/patches/1/metadata/name", "patch 'a b'", "matches")),
    BrokenPatchSet("values-null", _second("values", [1, None]), ("patch 'M200'", "null", "a number or a string")),
    BrokenPatchSet("same-name", _second("name", "M100"), ("/patches/1/metadata/name", "'M100'", "patch 0")),
    BrokenPatchSet("same-values", _second("values", [100, 1.5]), ("/patches/1/metadata/values", "'M200'", "patch 0")),
    BrokenPatchSet("few-values", _second("values", [200]), ("'M200'", "found 1 values", "mass, width")),
    BrokenPatchSet(
        "bad-operation",
        lambda document: document["patches"][1]["patch"][0].update(op="put"),
        ("/patches/1/patch/0", "patch 'M200'", "unknown operation 'put'"),
    ),
    BrokenPatchSet(
        "many",
        lambda document: (_second("name", "M100")(document), _second("values", [100])(document)),
        ("2 problems", "'M100'", "found 1 values"),
    ),
)
