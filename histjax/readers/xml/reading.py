"""`read_xml`: a Combination, its channel files and their histograms."""

import contextlib
import os
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from histjax.errors import DocumentWarning, InvalidDocument, Problem
from histjax.readers.xml.channels import ChannelReader, Parts
from histjax.readers.xml.configuration import XMLConfiguration
from histjax.readers.xml.elements import Node, Notes
from histjax.readers.xml.histograms import HistogramFiles, uproot
from histjax.readers.xml.measurements import MeasurementReader
from histjax.readers.xml.names import root_names
from histjax.readers.xml.parsing import Element, read_element
from histjax.readers.xml.places import Outside, Places
from histjax.spec import HistoSys, NormSys, Workspace
from histjax.spec.check import check

FolderPairs = Iterable[tuple[str | os.PathLike, str]]


def read_xml(
    path: str | os.PathLike | IO,
    *,
    root_directory: str | os.PathLike | None = None,
    mounts: FolderPairs = (),
    normalise_by_theory: bool = True,
) -> XMLConfiguration:
    """Read HistFactory's XML with its ROOT histograms.

    OverallSys is read as normsys, HistoSys as histosys, NormFactor as normfactor, ShapeFactor as shapefactor, ShapeSys
    as shapesys (relative uncertainties times the nominal yields), an active StatError as `staterror_<channel>` (the
    errors of the histogram, or a histogram of relative ones), and a sample that is normalised by theory gets `lumi`.
    Bins below the `RelErrorThreshold` of a channel have no statistical uncertainty, as in ROOT, where their gammas are
    constant. ROOT's defaults hold: Poisson terms and 5 % for StatError, Gaussian ones for ShapeSys.

    **Arguments:**

    - `path`: the file with the Combination, an open one, or `"-"` for the standard input.
    - `root_directory`: where relative paths start; by default the working directory, as in ROOT. Files outside of it
      are refused, by whatever path or link.
    - `mounts`: pairs `(host, mount)` of folders: a path in the document that begins with `mount` is looked for in
      `host`, which may be outside.
    - `normalise_by_theory`: what a Sample without `NormalizeByTheory` is; pyhf takes it to be `False`, ROOT's parser
      `True`. (ROOT 6.40 multiplies by the luminosity even where the attribute is `False`; here it does not.)

    **Returns:** an `XMLConfiguration`; `histjax.compile_xml` makes its models.

    **Raises:** `InvalidDocument` with *all* problems, each with file and line: XML that is not well-formed or has
    entities, attributes that are missing or unknown, files and histograms that are not there, numbers of bins that
    differ, Functions, a missing POI or Data; `MissingExtra` without uproot. What is doubtful is a `DocumentWarning`.
    """
    uproot()
    source, notes = _name(path), Notes()
    places = Places(
        Path(os.fspath(root_directory) if root_directory is not None else os.curdir),
        tuple((Path(host), os.fspath(mount)) for host, mount in mounts),
    )
    read = read_element(path if path == "-" or hasattr(path, "read") else Path(source), source)
    top = Node(_rooted(read, "Combination", source), notes).check()
    parts = _channels(top, places, normalise_by_theory)
    _refuse_functions(top, parts)
    reader = _measurement_reader(parts)
    measurements = tuple(reader.read(each) for each in top.all("Measurement"))
    if not measurements:
        top.wrong("there is no Measurement")
    if notes.errors:
        raise InvalidDocument(source, notes.errors)
    workspace = Workspace(tuple(parts.channels), tuple(parts.observations), measurements)
    doubts = [*notes.problems, *_left_out(parts), *_checked(workspace, source)]
    for doubt in doubts:
        warnings.warn(f"{source}: {doubt}", DocumentWarning, stacklevel=2)
    return XMLConfiguration(workspace, reader.constraints, reader.terms, tuple(doubts))


def _name(path: str | os.PathLike | IO) -> str:
    """What to call the file in messages."""
    if hasattr(path, "read"):
        name = getattr(path, "name", None)
        return name if isinstance(name, str) else "<stream>"
    return "<stdin>" if path == "-" else os.fspath(path)


def _rooted(element: Element, tag: str, source: str) -> Element:
    if element.tag != tag:
        hint = "; give the file with the Combination" if element.tag == "Channel" else ""
        raise InvalidDocument(source, [Problem(element.place, f"expected a {tag}, found a {element.tag}{hint}")])
    return element


def _channels(top: Node, places: Places, normalised: bool) -> Parts:
    parts = Parts()
    if not top.all("Input"):
        top.wrong("there is no Input: no channel file is named")
    with contextlib.ExitStack() as stack:
        reader = ChannelReader(places, HistogramFiles(stack), parts, normalised)
        for each in top.all("Input"):
            named = each.element.text.strip()
            element = _channel_element(each, named, places) if named else None
            if element is not None:
                reader.read(Node(element, top.notes).check())
    return parts


def _channel_element(node: Node, named: str, places: Places) -> Element | None:
    """The channel in a file; what is wrong with it is noted."""
    try:
        path = places.find(named)
        if not path.is_file():
            node.wrong(
                f"there is no file {named!r} in {os.path.realpath(places.root_directory)}{_elsewhere(node, named)}"
            )
            return None
        return _rooted(read_element(path, named), "Channel", named)
    except InvalidDocument as error:
        node.notes.problems += [Problem(f"{named} {each.path}".strip(), each.message) for each in error.problems]
    except (Outside, ValueError) as error:  # a path with a null character
        node.wrong(str(error))
    return None


def _elsewhere(node: Node, named: str) -> str:
    """A hint where the file would be found."""
    here = Path(os.path.abspath(node.element.file)).parent
    for folder in (here, here.parent):
        if (folder / named).is_file():
            return f"; it is in {folder}: give that as the root directory"
    return "; relative paths start from the root directory"


def _refuse_functions(top: Node, parts: Parts) -> None:
    for each in top.all("Function"):
        name = each.text("Name")
        if name in parts.factors:
            each.wrong(
                f"the NormFactor {name!r} is the expression {each.text('Expression')!r}, which is not supported; write "
                "it as a NormFactor of its own and use histjax.Factor"
            )
        else:
            each.doubt(f"{name!r} is ignored: no NormFactor has that name")


def _measurement_reader(parts: Parts) -> MeasurementReader:
    workspace = Workspace(tuple(each for each in parts.channels if each.samples), (), ())
    names = root_names(workspace)
    sizes: dict[str, int] = {}
    for name, _ in names.values():
        sizes[name] = sizes.get(name, 0) + 1
    modifiers = [m for channel in parts.channels for sample in channel.samples for m in sample.modifiers]
    with_factor, with_templates = ({m.name for m in modifiers if isinstance(m, kind)} for kind in (NormSys, HistoSys))
    return MeasurementReader(parts, names, sizes, with_factor, with_templates)


def _left_out(parts: Parts) -> list[Problem]:
    """What the workspace by itself does not say."""
    kinds = ((parts.poisson_staterrors, "Poisson", "Gaussian"), (parts.gaussian_shapesys, "Gaussian", "Poisson"))
    return [
        Problem(
            "",
            f"{', '.join(names)}: the constraint is {found} (as histjax.compile_xml makes it); in the workspace by "
            f"itself it is {implied}",
            is_warning=True,
        )
        for names, found, implied in kinds
        if names
    ]


def _checked(workspace: Workspace, source: str) -> list[Problem]:
    problems = check(workspace)
    errors = [each for each in problems if not each.is_warning]
    if errors:
        raise InvalidDocument(f"{source}: the workspace that it describes", errors)
    return problems
