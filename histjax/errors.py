"""What can go wrong, as one small family of exceptions and warnings.

Every exception carries a message that a user can act on: where, what was found, what was expected, one thing to try.
The command line prints that message and exits with `exit_status`; it never shows a traceback for one of these.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, or doubtful, in a document.

    **Fields:**

    - `path`: JSON pointer to the place, e.g. `"/channels/0/samples/1/data"` (empty for the whole document).
    - `message`: one sentence with the names involved, what was found and what was expected.
    - `is_warning`: `True` where the document can still be used.
    """

    path: str
    message: str
    is_warning: bool = False

    def __str__(self) -> str:
        return f"{self.path or '/'}: {self.message}"


class HistjaxError(Exception):
    """Base class of everything that histjax raises on purpose."""

    exit_status = 2


class InvalidDocument(HistjaxError):
    """A document that cannot be read; `problems` lists *all* that was found.

    >>> print(InvalidDocument("ws.json", [Problem("/version", "expected '1.0.0', found '2'")]))
    ws.json: 1 problem
      /version: expected '1.0.0', found '2'
    """

    def __init__(self, source: str, problems: list[Problem]):
        self.source = source
        self.problems = tuple(problems)
        count = f"{len(problems)} problem" + ("s" if len(problems) != 1 else "")
        lines = [f"  {problem}" for problem in problems[:20]]
        if len(problems) > 20:
            lines.append(f"  and {len(problems) - 20} more")
        super().__init__("\n".join([f"{source}: {count}", *lines]))


class InvalidPatch(HistjaxError):
    """A JSON Patch or a patch set that cannot be read or does not apply."""


class InvalidOperation(HistjaxError):
    """An operation on workspaces that has no result; `problems` lists *all* that stands in its way.

    >>> print(InvalidOperation("names must differ", ["channel 'a' and channel 'b' would both be called 'c'"]))
    names must differ:
      channel 'a' and channel 'b' would both be called 'c'
    """

    def __init__(self, message: str, problems: list[str]):
        self.problems = tuple(problems)
        lines = [f"  {problem}" for problem in problems[:20]]
        if len(problems) > 20:
            lines.append(f"  and {len(problems) - 20} more")
        super().__init__("\n".join([f"{message}:", *lines]))


class InvalidModel(HistjaxError):
    """A model that cannot be compiled, or data that it cannot have produced."""


class InvalidSpectrum(HistjaxError):
    """A spectrum, a response or a file of one that makes no sense; `problems` lists *all* that was found.

    >>> print(InvalidSpectrum("spectrum", ["counts must be finite numbers >= 0, found -1 at [0]"]))
    spectrum: counts must be finite numbers >= 0, found -1 at [0]
    """

    def __init__(self, what: str, problems: list[str]):
        self.problems = tuple(problems)
        lines = problems[:20] + ([f"and {len(problems) - 20} more"] if len(problems) > 20 else [])
        super().__init__(f"{what}: " + "\n  ".join(lines))


class InvalidExpression(HistjaxError):
    """A text that is no expression of HS3's language; `column` is the place in it, counted from 1.

    >>> print(InvalidExpression("2 x + 1", 3, "expected an operator, found 'x'", "write * for a product"))
    expression, column 3: expected an operator, found 'x'; write * for a product
      2 x + 1
        ^
    """

    def __init__(self, text: str, column: int, message: str, advice: str):
        self.column = column
        start, stop = max(0, column - 61), column + 59
        shown = "".join(each if each.isprintable() else " " for each in text[start:stop])
        before, after = "..." if start else "", "..." if stop < len(text) else ""
        caret = " " * (len(before) + column - 1 - start) + "^"
        super().__init__(f"expression, column {column}: {message}; {advice}\n  {before}{shown}{after}\n  {caret}")


class UnknownName(HistjaxError):
    """A measurement, channel, sample or parameter that the model does not have."""

    def __init__(self, kind: str, name, known):
        known = [str(each) for each in known]
        listed = ", ".join(known[:12]) + (f", ... ({len(known)} in all)" if len(known) > 12 else "")
        self.kind, self.name = kind, name
        super().__init__(f"no {kind} named {name!r}; there {'is' if len(known) == 1 else 'are'}: {listed or 'none'}")


class MissingPOI(HistjaxError):
    """A parameter of interest is needed and the model has none, or does not have the one that was named."""


class FailedFit(HistjaxError):
    """A fit that did not converge. `result` holds the whole `FitResult`."""

    exit_status = 1

    def __init__(self, message: str, result=None):
        self.result = result
        super().__init__(message)


class InvalidHistogram(HistjaxError):
    """Events, weights and edges that make no histogram."""


class InvalidArchive(HistjaxError):
    """An archive or a folder of published likelihoods that is not read; `problems` lists all reasons."""

    def __init__(self, source: str, problems: list[str]):
        self.source, self.problems = source, tuple(problems)
        lines = problems[:20] + ([f"and {len(problems) - 20} more"] if len(problems) > 20 else [])
        super().__init__(f"{source}: " + "\n  ".join(lines))


class MissingExtra(HistjaxError):
    """A package that is installed on request only."""


class InvalidStore(HistjaxError):
    """Toys or draws that were kept and cannot be used: of something else, incomplete, overlapping, or unreadable."""


class InvalidPlot(HistjaxError):
    """A result that cannot be drawn or tabulated that way, or a file that cannot hold a picture."""


class MissingPackage(HistjaxError, ImportError):
    """A package that histjax needs for this and that is not installed; the message says how to install it."""


class HistjaxWarning(UserWarning):
    """Base class of the warnings."""


class DocumentWarning(HistjaxWarning):
    """A document that can be used, with something in it that its author should know."""


class ManyPrograms(HistjaxWarning):
    """A process that holds almost as many compiled programs as the system lets it."""


class FailedToys(HistjaxWarning):
    """More than one toy in a thousand has no certified fit: p-values are fractions of the others."""


class DamagedStore(HistjaxWarning):
    """A file of stored toys or draws that cannot be read; they are thrown again."""


class ImpreciseLimit(HistjaxWarning):
    """A limit or an end of an interval from toys whose uncertainty is larger than the one asked for."""


class LostWorkers(HistjaxWarning):
    """An executor broke while toys were running; nothing is lost, the process runs the rest by itself."""
