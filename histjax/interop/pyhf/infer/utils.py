"""Test statistics by pyhf's names."""

from histjax.errors import UnknownName
from histjax.inference import statistics
from histjax.inference.statistics import Statistic

STATISTICS = {"q0": statistics.q0, "q": statistics.qmu, "qtilde": statistics.qmu_tilde}


def statistic_called(name: str) -> Statistic:
    """The statistic that pyhf calls `name`; raises `UnknownName`."""
    if name not in STATISTICS:
        raise UnknownName("test statistic", name, STATISTICS)
    return STATISTICS[name]


def all_pois_floating(pdf, fixed_params) -> bool:
    """Whether the parameter of interest is free."""
    return not fixed_params[pdf.config.poi_index]
