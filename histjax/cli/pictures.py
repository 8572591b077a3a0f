"""Files of pictures: checked before the work, drawn after it, whole or not there."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from histjax.cli.messages import say
from histjax.cli.output import Output, write_file
from histjax.errors import InvalidPlot


@dataclass(frozen=True)
class Picture:
    """Where a plot goes: a path, or `None` where none is wanted."""

    plot: str | None

    @property
    def is_wanted(self) -> bool:
        """Whether there is anything to draw."""
        return self.plot is not None

    def check(self) -> None:
        """Raise before the work where the file could not be written after it: `InvalidPlot` for its ending,
        `MissingPackage`, `CannotWrite`.
        """
        if self.plot is None:
            return
        from histjax.plotting.saving import picture_format
        from histjax.plotting.style import mplhep, pyplot

        picture_format(self.plot)
        Output(self.plot, False).check()
        pyplot().switch_backend("agg")  # no window, whatever the user's settings say
        mplhep()

    def write(self, draw: Callable[[bool], Any], converged: bool = True) -> None:
        """Draw and write, if it is wanted.

        **Arguments:** `draw`: gets whether the file can have many pages, and gives `Axes` or an iterator of them;
        `converged`: if not, what cannot be drawn is only a warning, since worse is about to be said.
        """
        if self.plot is None:
            return
        from histjax.plotting.saving import picture, picture_format

        kind = picture_format(self.plot)
        try:
            contents = picture(draw(kind == "pdf"), kind)
        except InvalidPlot as error:
            if converged:
                raise
            say("warning", f"{self.plot} is not written: {error}")
            return
        write_file(self.plot, contents)
