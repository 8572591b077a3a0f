"""The ranks of the packages, and what keeps the source readable: checked on the syntax tree, nothing is imported."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "histjax"
FILES = sorted(PACKAGE.rglob("*.py"))
MOST_LINES = 320

RANKS = {
    "errors": 0,
    "_typing": 0,
    "caching": 1,
    "spec": 1,
    "examples": 1,
    "readers": 2,
    "lower": 2,
    "model": 3,
    "counting": 3,
    "histograms": 3,
    "constraints": 2,
    "interpolation": 4,
    "compiling": 4,
    "spectra": 4,
    "building": 4,
    "fitting": 4,
    "inference": 5,
    "hs3": 5,
    "bayes": 6,
    "losses": 6,
    "pipeline": 6,
    "grids": 7,
    "plotting": 7,
    "tables": 7,
    "interop": 7,
    "cli": 8,
    "__main__": 9,
    "__init__": 10,
}
"""A package may import what ranks below it, and itself."""


def package_of(path: Path) -> str:
    """First part of a file's place: its package, or the module directly in histjax."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> list[tuple[str, str, int]]:
    """`(module, name, line)` of every import of ours, function bodies included; `name` is empty for `import module`."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute"
            if (node.module or "").split(".")[0] == "histjax":
                found += [(node.module, alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.Import):
            found += [(alias.name, "", node.lineno) for alias in node.names if alias.name.split(".")[0] == "histjax"]
    return found


def parts_of(module: str, name: str) -> list[str]:
    """The path of an import below histjax, e.g. `["model", "density"]`."""
    parts = module.split(".")[1:]
    return parts or [name]


def shown(paths: list[Path]) -> list[str]:
    """Ids of the parametrised tests."""
    return [str(path.relative_to(PACKAGE)) for path in paths]


def test_every_package_has_a_rank():
    """A new room needs a place in the order."""
    assert {package_of(path) for path in FILES} <= set(RANKS)


@pytest.mark.parametrize("path", FILES, ids=shown(FILES))
def test_imports_point_one_way(path):
    """A package imports only what ranks below it."""
    own = package_of(path)
    for module, name, line in imports(path):
        other = parts_of(module, name)[0]
        if other != own and other in RANKS:
            assert RANKS[other] < RANKS[own], f"{path}:{line}: {own} imports {other}"


@pytest.mark.parametrize("path", FILES, ids=shown(FILES))
def test_private_names_stay_at_home(path):
    """A name with an underscore is used in its own module only, or, for a module, in its own package."""
    for module, name, line in imports(path):
        private_name = name.startswith("_") and not name.startswith("__") and module != "histjax"
        assert not private_name, f"{path}:{line}: imports {name} from {module}"
        parts = parts_of(module, name)
        if any(part.startswith("_") for part in parts[1:]):
            assert parts[0] == package_of(path), f"{path}:{line}: reaches into {module}"


def test_the_model_knows_no_document():
    """What `model` imports, directly or through others, never leads to `spec` or `readers`."""
    todo, seen = [path for path in FILES if package_of(path) == "model"], set()
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        for module, name, line in imports(path):
            assert parts_of(module, name)[0] not in ("spec", "readers"), f"{path}:{line}: {module}"
            for candidate in (f"{module}.{name}", module):
                place = PACKAGE.parent.joinpath(*candidate.split("."))
                if place.with_suffix(".py").is_file():
                    todo.append(place.with_suffix(".py"))
                    break
    lowered = {path.name for path in seen if package_of(path) == "lower"}
    assert lowered <= {"layout.py", "templates.py"}


def public_functions() -> set[str]:
    """Names of functions (lower case) that `import histjax` offers; what it imports from itself are its modules."""
    names = set()
    for node in ast.parse((PACKAGE / "__init__.py").read_text()).body:
        if isinstance(node, ast.ImportFrom) and node.module != "histjax":
            names |= {alias.asname or alias.name for alias in node.names if alias.name.islower()}
    return {name for name in names if not name.startswith("_")}


def test_no_module_hides_a_function():
    """`import histjax.fit` would replace `histjax.fit`: no file or folder bears the name of a public function."""
    places = {package_of(path) for path in FILES}
    assert not places & public_functions()
    assert {"fit", "read", "compile"} <= public_functions()


@pytest.mark.parametrize("path", FILES, ids=shown(FILES))
def test_everything_public_is_documented(path):
    """Modules, classes, functions and methods; not what is private or defined inside a function."""
    tree = ast.parse(path.read_text())
    missing = [] if ast.get_docstring(tree) or not tree.body else ["module"]
    todo = list(tree.body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
            if not ast.get_docstring(node):
                missing.append(node.name)
            if isinstance(node, ast.ClassDef):
                todo += node.body
    assert not missing, f"{path}: without docstring: {', '.join(missing)}"


@pytest.mark.parametrize("path", FILES, ids=shown(FILES))
def test_annotations_are_objects(path):
    """The tests run the annotations, so they may not be postponed to strings."""
    nodes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
    assert not any(node.module == "__future__" and any(a.name == "annotations" for a in node.names) for node in nodes)


@pytest.mark.parametrize("path", FILES, ids=shown(FILES))
def test_files_are_short(path):
    """One idea a file."""
    assert len(path.read_text().splitlines()) <= MOST_LINES
