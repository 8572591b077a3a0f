"""Test statistics by pyhf's names."""

import warnings

from histjax._typing import is_traced
from histjax.errors import HistjaxWarning, UnknownName
from histjax.inference import statistics
from histjax.inference.statistics import Statistic
from histjax.interop.pyhf.vectors import number

STATISTICS = {"q0": statistics.q0, "q": statistics.qmu, "qtilde": statistics.qmu_tilde}


def statistic_called(name: str) -> Statistic:
    """The statistic that pyhf calls `name`; raises `UnknownName`."""
    if name not in STATISTICS:
        raise UnknownName("test statistic", name, STATISTICS)
    return STATISTICS[name]


def tested_value(statistic: Statistic, poi_test):
    """What is tested: `poi_test`, but 0 for q0, whatever is asked for. **Warns:** `HistjaxWarning` where it was not."""
    value = number(poi_test)
    if statistic.discovery and not is_traced(value) and value != 0:
        text = f"q0 tests the absence of a signal: {value:g} is taken as 0, as pyhf does"
        warnings.warn(text, HistjaxWarning, stacklevel=4)
    return 0.0 if statistic.discovery else value


def all_pois_floating(pdf, fixed_params) -> bool:
    """Whether the parameter of interest is free."""
    return not fixed_params[pdf.config.poi_index]
