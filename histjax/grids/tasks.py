"""What is asked of every model of a grid: a test or a limit, how good the answer is, and where its best fit lies."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import equinox as eqx
import numpy as np

from histjax.errors import UnknownName
from histjax.fitting.problem import Minimiser
from histjax.inference.hypotest import hypotest
from histjax.inference.limits import upper_limit
from histjax.inference.statistics import Statistic
from histjax.model.data import Data
from histjax.model.histfactory import Model

BELOW = 1e-7
"""A conditional fit whose deviance is lower than that of the free fit by more than this disproves the free fit."""


class Task(eqx.Module):
    """A question to one model; `data` as for `data_for`."""

    data: eqx.AbstractVar[Any]
    poi: eqx.AbstractVar[str]

    @abstractmethod
    def answer(self, model: Model, minimiser: Minimiser):
        """The result of one model; never raises for a fit that did not converge."""

    @abstractmethod
    def message(self, result) -> str:
        """What is wrong with a result on the host; empty where all of it is certified."""

    @abstractmethod
    def numbers(self, result) -> dict[str, np.ndarray]:
        """`observed` `()`, `expected` `(5,)` and `best` `()`."""

    @abstractmethod
    def best_fit(self, result) -> np.ndarray:
        """The free best fit, `(parameters,)`."""


class HypotestTask(Task):
    """CLs of a value of the parameter of interest."""

    poi_value: Any
    data: Any
    calculator: Any
    statistic: Statistic = eqx.field(static=True)
    poi: str = eqx.field(static=True)

    def answer(self, model: Model, minimiser: Minimiser):
        """A `HypotestResult`."""
        return hypotest(
            model,
            data_for(model, self.data),
            poi_value=self.poi_value,
            poi=self.poi,
            statistic=self.statistic,
            calculator=self.calculator,
            minimiser=minimiser,
            throw=False,
        )

    def message(self, result) -> str:
        """The fits that did not converge."""
        fits = result.fits
        lost = [name for name in ("free", "at_poi", "at_other", "asimov_at_poi") if not getattr(fits, name).converged]
        if not lost and fits.at_poi.deviance < fits.free.deviance - BELOW:
            return "free fit: a conditional fit lies below it"
        return "; ".join(f"{name} fit: {getattr(fits, name).message}" for name in lost)

    def numbers(self, result) -> dict[str, np.ndarray]:
        """CLs, its expected band and mu-hat."""
        return {"observed": result.CLs, "expected": result.CLs_expected, "best": result.best}

    def best_fit(self, result) -> np.ndarray:
        """The free fit."""
        return np.asarray(result.fits.free.vector)


class LimitTask(Task):
    """Upper limits on the parameter of interest."""

    data: Any
    confidence_level: float = eqx.field(static=True)
    statistic: Statistic = eqx.field(static=True)
    poi: str = eqx.field(static=True)

    def answer(self, model: Model, minimiser: Minimiser):
        """An `UpperLimit`."""
        return upper_limit(
            model,
            data_for(model, self.data),
            confidence_level=self.confidence_level,
            poi=self.poi,
            statistic=self.statistic,
            minimiser=minimiser,
            throw=False,
        )

    def message(self, result) -> str:
        """The fits that did not converge, or the limits that were not found."""
        lost = [name for name in ("free", "background") if not getattr(result, name).converged]
        if not lost and result.background.deviance < result.free.deviance - BELOW:
            return "free fit: a conditional fit lies below it"
        if not lost and not np.all(np.asarray(result.converged)):
            return result.message
        return "; ".join(f"{name} fit: {getattr(result, name).message}" for name in lost)

    def numbers(self, result) -> dict[str, np.ndarray]:
        """The limits and mu-hat."""
        return {"observed": result.observed, "expected": result.expected, "best": result.best}

    def best_fit(self, result) -> np.ndarray:
        """The free fit."""
        return np.asarray(result.free.vector)


def data_for(model: Model, data) -> Any:
    """The flat data of one model: its own, a dataset for all models, or counts of some channels with its own auxiliary
    data; raises `UnknownName` and `InvalidModel`.
    """
    if not isinstance(data, Mapping):
        return model.ravel_data(model.data if data is None else data)
    own = model.data
    for name in data:
        if name not in own.main:
            raise UnknownName("channel", name, own.main)
    return model.ravel_data(Data({**own.main, **data}, own.aux))
