"""The grid: one model for each patch, all of one layout, and what can be asked of all of them at once."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jax.typing import ArrayLike

from histjax._typing import float_dtype
from histjax.errors import HistjaxError, MissingPOI, Problem, UnknownName
from histjax.fitting.newton import Newton
from histjax.fitting.problem import Minimiser
from histjax.grids.results import GridResult, PointResult, PointStatus
from histjax.grids.running import Loop, answers
from histjax.grids.tasks import HypotestTask, LimitTask, Task
from histjax.inference.asymptotic import Asymptotic
from histjax.inference.poi import poi_name
from histjax.inference.statistics import Statistic, qmu_tilde
from histjax.lower.layout import Layout
from histjax.lower.templates import Tables, Templates
from histjax.model.functions import Functions
from histjax.model.histfactory import Model


@dataclass(frozen=True)
class Point:
    """One patch of a grid.

    **Fields:** `name` and `values` of the patch; `labels`: what its parameters are called in the grid, by their own
    names; `doubts`: warnings about it; `error`: why it has no model, or `None`.
    """

    name: str
    values: tuple[float | str, ...]
    labels: Mapping[str, str] = field(repr=False)
    doubts: tuple[Problem, ...] = field(default=(), repr=False)
    error: HistjaxError | None = None


@dataclass(frozen=True, repr=False)
class Grid:
    """The signals of a patch set as models of one layout; make it with `histjax.compile_grid`.

    **Fields:** `labels` say what the values of a patch are; `points` are all patches, those without a model too;
    `layout`, `tables` and `functions` are those of every model; `templates` have a leading axis, in the order of the
    points that have a model, and are NumPy arrays.
    """

    labels: tuple[str, ...]
    points: tuple[Point, ...]
    layout: Layout
    tables: Tables
    functions: Functions
    templates: Templates

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all patches, in order."""
        return tuple(point.name for point in self.points)

    @property
    def values(self) -> tuple[tuple, ...]:
        """The values of all patches, in order."""
        return tuple(point.values for point in self.points)

    def __len__(self) -> int:
        return len(self.points)

    def __iter__(self) -> Iterator[Point]:
        return iter(self.points)

    def __getitem__(self, key: str | tuple | list) -> Point:
        """The point with this name, or with these values; raises `UnknownName`."""
        for point in self.points:
            if key == point.name or (isinstance(key, tuple | list) and tuple(key) == point.values):
                return point
        raise UnknownName("patch", key, self.names if isinstance(key, str) else self.values)

    def model(self, key: str | tuple | list) -> Model:
        """The model of one patch, by name or values; raises `UnknownName`, or what is wrong with the patch.

        Where patches differ in structure, it has samples without yield, channels without weight and parameters that
        are fixed where they have no effect; `Point.labels` tells which parameters are the patch's own.

        >>> import histjax
        >>> grid = histjax.compile_grid(histjax.examples.path("two_bins"), histjax.examples.patchset_path("two_bins"))
        >>> model = grid.model("Z_500_25")
        >>> print(model.expected_yields(model.init)["singlechannel"])
        [55. 60.]
        """
        point = self[key]
        if point.error is not None:
            raise point.error
        return self._model(self._usable.index(point))

    def with_weights(self, weights: Mapping[str, ArrayLike]) -> "Grid":
        """The same grid with the Poisson terms of some channels taken to a power, as `Model.with_weights`: 0 masks a
        channel or a bin. A channel that a patch does not have stays without weight.
        """
        whole = self._model(0)
        ones = eqx.tree_at(lambda each: each.templates.weights, whole, np.ones(self.layout.n_bins))
        factors = np.asarray(ones.with_weights(weights).templates.weights)
        templates = eqx.tree_at(lambda each: each.weights, self.templates, self.templates.weights * factors)
        return replace(self, templates=templates)

    def map(self, function: Callable[[Model], Any]):
        """`function` of every model, as one batch: what it returns, with a leading axis over the patches that have a
        model. The function is traced once, as under `jax.vmap`.

        >>> import histjax
        >>> grid = histjax.compile_grid(histjax.examples.path("two_bins"), histjax.examples.patchset_path("two_bins"))
        >>> print(grid.map(lambda model: model.logpdf(model.init, model.data)).round(3))
        [-16.236 -16.099 -13.839]
        """
        templates = jax.device_put(self.templates)
        return eqx.filter_vmap(lambda each: function(self._of(each)))(templates)

    def hypotest(
        self,
        poi_value=1.0,
        data=None,
        *,
        poi: str | None = None,
        statistic: Statistic = qmu_tilde,
        calculator: Asymptotic = Asymptotic(),
        minimiser: Minimiser = Newton(),
        threads: int | None = None,
        batched: bool | None = None,
        report: Callable[[], None] | None = None,
    ) -> GridResult:
        """Test a value of the parameter of interest for every patch.

        **Arguments:**

        - `poi_value`, `poi`, `statistic`, `calculator`, `minimiser`: as for `histjax.hypotest`.
        - `data`: a dataset for all patches, or counts `{channel: (bins,)}` with the auxiliary data of each; the
          observed ones by default.
        - `threads`: how many threads share out the patches on a CPU, all cores by default.
        - `batched`: whether all patches are one batch of one program instead; by default where there is an
          accelerator.
        - `report`: called after each patch, for a progress bar.

        A fit that is not certified is repeated from other starting points; a patch for which that does not help is
        reported with its status. Nothing is raised for it.

        **Returns:** a `GridResult`. **Raises:** `MissingPOI` where no patch has the parameter, `UnknownName`.

        >>> import histjax
        >>> grid = histjax.compile_grid(histjax.examples.path("two_bins"), histjax.examples.patchset_path("two_bins"))
        >>> print(grid.hypotest(poi_value=1.0)[300.0, 10.0].result.CLs.round(6))
        0.051
        """
        poi = self._poi(poi)
        statistic.check_value(poi_value)
        value = jax.device_put(np.asarray(poi_value, float_dtype()))  # as an array, another one is no other program
        task = HypotestTask(value, data, calculator, statistic, poi)
        return self._ask("CLs", task, minimiser, Loop(threads, batched, report))

    def upper_limit(
        self,
        data=None,
        *,
        confidence_level: float = 0.95,
        poi: str | None = None,
        statistic: Statistic = qmu_tilde,
        minimiser: Minimiser = Newton(),
        threads: int | None = None,
        batched: bool | None = None,
        report: Callable[[], None] | None = None,
    ) -> GridResult:
        """Observed and expected CLs upper limits for every patch; arguments as for `hypotest` and
        `histjax.upper_limit`.

        >>> import histjax
        >>> grid = histjax.compile_grid(histjax.examples.path("two_bins"), histjax.examples.patchset_path("two_bins"))
        >>> print(grid.upper_limit().observed.round(4))
        [1.0048 1.1089 1.7756]
        """
        task = LimitTask(data, confidence_level, statistic, self._poi(poi))
        return self._ask("upper limit", task, minimiser, Loop(threads, batched, report))

    @property
    def _usable(self) -> tuple[Point, ...]:
        return tuple(point for point in self.points if point.error is None)

    def _model(self, index: int) -> Model:
        return self._of(jax.device_put(jax.tree.map(lambda leaf: leaf[index], self.templates)))

    def _of(self, templates: Templates) -> Model:
        return Model.from_templates(self.layout, templates, self.tables, self.functions)

    def _poi(self, poi: str | None) -> str:
        """The name of the parameter of interest, which some patch must have."""
        name = poi_name(self._model(0), poi)
        if not any(self._has(point, name) for point in self._usable):
            raise MissingPOI(f"no patch has the parameter {name!r}")
        return name

    def _has(self, point: Point, poi: str) -> bool:
        return poi.partition("[")[0] in point.labels.values() or poi in point.labels.values()

    def _ask(self, quantity: str, task: Task, minimiser: Minimiser, loop: Loop) -> GridResult:
        """Ask every model that has the parameter of interest, and put the answers beside the patches."""
        usable = self._usable
        asked = [index for index, point in enumerate(usable) if self._has(point, task.poi)]
        chosen = self if len(asked) == len(usable) else self._only(asked)
        points = [usable[index] for index in asked]
        found = answers(
            task,
            chosen.map,
            [lambda index=index: self._model(index) for index in asked],
            nearest([point.values for point in points], [point.name for point in points]),
            minimiser,
            loop,
        )
        by_name = {
            point.name: PointResult.of(point.name, point.values, task, answer)
            for point, answer in zip(points, found, strict=True)
        }
        rest = (by_name.get(point.name) or self._without(point, task.poi) for point in self.points)
        return GridResult(quantity, self.labels, task.poi, tuple(rest))

    def _only(self, chosen: list[int]) -> "Grid":
        templates = jax.tree.map(lambda leaf: leaf[chosen], self.templates)
        points = tuple(self._usable[index] for index in chosen)
        return Grid(self.labels, points, self.layout, self.tables, self.functions, templates)

    def _without(self, point: Point, poi: str) -> PointResult:
        if point.error is not None:
            return PointResult.failed(point.name, point.values, PointStatus.NO_MODEL, str(point.error))
        message = f"the patched workspace has no parameter {poi!r}"
        return PointResult.failed(point.name, point.values, PointStatus.NO_POI, message)

    def __repr__(self) -> str:
        layout, labels = self.layout, ", ".join(self.labels)
        return (
            f"Grid: {len(self)} patches ({labels}), {len(self._usable)} of them with a model\n"
            f"  layout: {len(layout.channels)} channels, {layout.n_bins} bins, {len(layout.rows)} samples, "
            f"{layout.n_parameters} parameters, poi {layout.poi!r}"
        )


def nearest(values: list[tuple], names: list[str]) -> list[list[int]]:
    """For each patch the others, the nearest in its values first.

    Each label counts in units of its range; a label that is no number, by whether it is the same. Equal distances are
    in the order of the names.

    >>> nearest([(100, 1), (300, 1), (120, 1)], ["a", "b", "c"])
    [[2, 1], [2, 0], [0, 1]]
    """
    columns = [_coordinates(column) for column in zip(*values, strict=True)]
    places = np.array(columns, float).T.reshape(len(values), len(columns))
    result = []
    for index, place in enumerate(places):
        distance = np.sum(np.abs(places - place) ** 2, axis=1).round(12)
        order = sorted(range(len(values)), key=lambda each: (distance[each], names[each]))
        result.append([each for each in order if each != index])
    return result


def _coordinates(column: tuple) -> list[float]:
    if all(isinstance(each, int | float) for each in column):
        span = max(column) - min(column)
        return [float(each) / span if span else 0.0 for each in column]
    words = sorted({str(each) for each in column})
    return [float(words.index(str(each))) for each in column]
