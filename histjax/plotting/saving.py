"""From figures to the bytes of a file."""

import io
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from histjax.errors import InvalidPlot
from histjax.plotting.style import pyplot, styled

FORMATS = ("pdf", "svg", "png")
"""Endings of files of pictures; a PDF may have many pages."""

_METADATA = {
    "pdf": {"CreationDate": None, "Creator": "histjax"},
    "svg": {"Date": None, "Creator": "histjax"},
    "png": {"Software": "histjax"},
}
"""No time of day: the same result gives the same file."""


def picture_format(path: str | Path) -> str:
    """The format that the ending of a file asks for; raises `InvalidPlot`.

    >>> picture_format("limits.pdf")
    'pdf'
    """
    ending = Path(path).suffix.removeprefix(".").lower()
    if ending not in FORMATS:
        raise InvalidPlot(f"{path}: a picture is a .pdf, .svg or .png file, found {Path(path).suffix or 'no ending'!r}")
    return ending


@styled()
def picture(drawn, kind: str) -> bytes:
    """The contents of a file of this kind with the figure of an `Axes`, or of an array of `Axes`; the figure is closed.

    For a PDF `drawn` may be an iterator of them, one for each page.
    """
    pages = [drawn] if hasattr(drawn, "figure") or isinstance(drawn, np.ndarray) else drawn
    return _pdf(pages) if kind == "pdf" else _single(pages, kind)


def _figure(drawn):
    return np.ravel(drawn)[0].figure


def _single(pages: Iterable, kind: str) -> bytes:
    (figure,) = (_figure(each) for each in pages)
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, metadata=_METADATA[kind])
    pyplot().close(figure)
    return buffer.getvalue()


def _pdf(pages: Iterable) -> bytes:
    from matplotlib.backends.backend_pdf import PdfPages

    buffer = io.BytesIO()
    with PdfPages(buffer, metadata=_METADATA["pdf"]) as file:
        for page in pages:
            figure = _figure(page)
            file.savefig(figure)
            pyplot().close(figure)
    return buffer.getvalue()
