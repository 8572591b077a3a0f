"""What an operation on workspaces returns: the new workspace and the list of what was done."""

from dataclasses import dataclass
from typing import NamedTuple

from histjax.errors import InvalidDocument
from histjax.spec.check import check
from histjax.spec.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that was done: `action` (a past participle) to the `kind` of thing called `name`, and where or how."""

    action: str
    kind: str
    name: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.action} {self.kind} {self.name!r} {self.detail}".rstrip()


class Edited(NamedTuple):
    """A new workspace, and what was done to get it."""

    workspace: Workspace
    report: tuple[Change, ...]

    def __str__(self) -> str:
        return "\n".join(map(str, self.report)) or "nothing to do"


def edited(workspace: Workspace, report: list[Change], what: str) -> Edited:
    """The result of an operation whose workspace has been checked; `what` to call it in messages.

    **Raises:** `InvalidDocument` with all that is wrong in it.
    """
    errors = [problem for problem in check(workspace) if not problem.is_warning]
    if errors:
        raise InvalidDocument(what, errors)
    return Edited(workspace, tuple(report))
