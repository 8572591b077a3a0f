"""`schema`: the definitions of pyhf's documents, and `validate`, which holds a document to one of them.

    import histjax.interop.pyhf as pyhf

    pyhf.schema.validate(document, "workspace.json")
    with pyhf.schema(folder):  # definitions of your own, in folder/VERSION/NAME.json
        pyhf.schema.validate(document, "workspace.json", version="1.1.0")

As in pyhf the module is called to choose a folder. The choice is that of the thread (or task) that makes it, and only
`validate` and `load_schema` heed it: what is read here are documents of version 1.0.0.
"""

import sys
from collections.abc import Iterator
from contextvars import ContextVar
from functools import partial
from importlib.resources import files
from pathlib import Path
from types import ModuleType
from typing import Any

from jsonschema import Draft6Validator, SchemaError
from referencing import Registry, Resource
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT6

from histjax.errors import InvalidDocument, Problem, UnknownName
from histjax.interop.pyhf.documents import plain
from histjax.readers import load_json
from histjax.readers.documents import pointer
from histjax.readers.validation import subject
from histjax.readers.validation import validate as problems_of

BASE = "https://scikit-hep.org/pyhf/schemas/"
DIALECT = "http://json-schema.org/draft-06/schema#"
VERSION = "1.0.0"
DEFINITIONS = ("workspace", "model", "measurement", "patchset", "jsonpatch")
OURS = Path(str(files("histjax.readers").joinpath("schemas")))
_LONGEST = 300
_folder: ContextVar[Path] = ContextVar("folder of schemas", default=OURS)


class SchemaNotFound(UnknownName, FileNotFoundError):
    """A schema, or a version of it, that is not there."""


def load_schema(schema_id: str) -> dict:
    """A schema by its place in the folder, a new copy: `load_schema("1.0.0/defs.json")`.

    **Raises:** `SchemaNotFound`; `InvalidDocument` where the file is no JSON.

    >>> load_schema("1.0.0/model.json")["$ref"]
    'defs.json#/definitions/model'
    """
    return _loaded(_folder.get(), str(schema_id))


def validate(spec: Any, schema_name: str, *, version: str | None = None, allow_tensors: bool = True) -> None:
    """Hold a document to a schema.

    **Arguments:**

    - `spec`: the parsed document.
    - `schema_name`: `"workspace.json"`, `"model.json"`, `"measurement.json"`, `"patchset.json"` or `"jsonpatch.json"`,
      or a file of the folder that was chosen.
    - `version`: 1.0.0 by default.
    - `allow_tensors`: whether arrays pass as lists.

    **Raises:** `InvalidDocument` with *all* problems and their JSON paths; `SchemaNotFound`.

    >>> validate([{"op": "move", "path": "/channels/0"}], "jsonpatch.json")
    Traceback (most recent call last):
    ...
    histjax.errors.InvalidDocument: jsonpatch.json: 1 problem
      /0: 'from' is missing
    """
    folder, version = _folder.get(), version or VERSION
    document = plain(spec) if allow_tensors else spec
    if folder == OURS:
        _loaded(folder, f"{version}/{schema_name}")
        problems = problems_of(document, schema_name.removesuffix(".json"), version)
    else:
        problems = list(_problems(document, folder, f"{version}/{schema_name}"))
    if problems:
        raise InvalidDocument(schema_name, problems)


def _loaded(folder: Path, schema_id: str) -> dict:
    version, _, name = schema_id.rpartition("/")
    derived = name.removesuffix(".json")
    if folder == OURS and version == VERSION and derived in DEFINITIONS:
        return {"$schema": DIALECT, "$id": f"{BASE}{schema_id}", "$ref": f"defs.json#/definitions/{derived}"}
    path = (folder / schema_id).resolve()
    if not path.is_relative_to(folder.resolve()) or not path.is_file():
        known = sorted(each.relative_to(folder).as_posix() for each in folder.glob("*/*.json"))
        if folder == OURS:
            known += [f"{VERSION}/{each}.json" for each in DEFINITIONS]
        raise SchemaNotFound("schema", schema_id, known)
    return load_json(path)[0]


def _problems(document: Any, folder: Path, schema_id: str) -> Iterator[Problem]:
    """Differences from a schema of someone else's; files that it refers to are looked for in the folder alone."""
    registry = Registry(retrieve=partial(_resource, folder))
    try:
        Draft6Validator.check_schema(_loaded(folder, schema_id))
        validator = Draft6Validator({"$ref": schema_id}, registry=registry)
        for error in validator.iter_errors(document):
            said = error.message if len(error.message) <= _LONGEST else f"{error.message[:_LONGEST]} ..."
            yield Problem(pointer(error.absolute_path), subject(document, error.absolute_path) + said)
    except SchemaError as error:
        raise InvalidDocument(schema_id, [Problem(pointer(error.path), error.message)]) from None
    except Unresolvable as error:
        raise SchemaNotFound("schema", error.ref, [schema_id]) from None


def _resource(folder: Path, uri: str) -> Resource:
    return Resource(_loaded(folder, uri.removeprefix(BASE)), DRAFT6)


class _Callable(ModuleType):
    """The module, which is called to choose a folder and says which one is chosen."""

    version = VERSION

    @property
    def path(self) -> Path:
        """The folder that schemas are in."""
        return _folder.get()

    def __call__(self, new_path: str | Path) -> "_Chosen":
        return _Chosen(_folder.set(Path(new_path)))


class _Chosen:
    """As a context manager it puts back, at its end, the folder that was chosen before."""

    def __init__(self, token):
        self._token = token

    def __enter__(self) -> None:
        pass

    def __exit__(self, *error) -> None:
        _folder.reset(self._token)


sys.modules[__name__].__class__ = _Callable
