"""Histograms for ROOT: doubles, one unit wide bin for each number, with the names under which XML finds them."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from histjax.readers.xml.histograms import uproot

_LONGEST = 120


@dataclass
class HistogramWriter:
    """Collects histograms under names that are made of the names of what they belong to."""

    histograms: dict[str, tuple[tuple[float, ...], tuple[float, ...] | None]] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)

    def add(self, *parts: str, contents: tuple[float, ...], errors: tuple[float, ...] | None = None) -> str:
        """Keep a histogram, and return the name it got: letters, digits and underscores, unlike all others.

        >>> writer = HistogramWriter()
        >>> writer.add("SR a/b", "signal", contents=(1.0,)), writer.add("SR a.b", "signal", contents=(1.0,))
        ('SR_a_b_signal', 'SR_a_b_signal_2')
        """
        name = unique(slug("_".join(parts)), self.taken)
        self.histograms[name] = contents, errors
        return name

    def write(self, path: Path) -> None:
        """Write a new file with all of them."""
        with open(path, "x+b") as stream, uproot().recreate(stream) as file:
            for name, (contents, errors) in self.histograms.items():
                file[name] = _root_histogram(name, contents, errors)


def slug(text: str) -> str:
    """Text as a name that every file system and ROOT can hold."""
    return re.sub(r"[^A-Za-z0-9_]", "_", text)[:_LONGEST] or "_"


def unique(name: str, taken: set[str]) -> str:
    """The name, with a number behind it where it is taken; takes it. Case does not count, as in some file systems."""
    found, number = name, 1
    while found.lower() in taken:
        number += 1
        found = f"{name}_{number}"
    taken.add(found.lower())
    return found


def _root_histogram(name: str, contents: tuple[float, ...], errors: tuple[float, ...] | None) -> Any:
    """A TH1D; bins 0 and n + 1 are for what is outside of the axis, and empty."""
    identify = uproot().writing.identify
    values, n = np.pad(np.asarray(contents, float), 1), len(contents)
    squares = np.pad(np.asarray(errors, float) ** 2, 1) if errors is not None else np.zeros(0)
    centres = np.arange(n) + 0.5
    sums = values.sum(), squares.sum(), values[1:-1] @ centres, values[1:-1] @ centres**2
    axis = identify.to_TAxis("xaxis", "", n, 0.0, float(n))
    total, total_squares, first, second = map(float, sums)
    return identify.to_TH1x(name, "", values, total, total, total_squares, first, second, squares, axis)
