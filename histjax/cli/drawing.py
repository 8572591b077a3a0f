"""What `--plot` of the commands draws. Plots are imported where one is wanted."""

from collections.abc import Callable

from histjax.errors import InvalidPlot

TESTED = 31
"""Values that are tested for the plot of a limit."""
PROFILED = 41
"""Points of the profile likelihood around an interval."""


def pulls(model, result, paged: bool):
    """Of a fit."""
    import histjax
    from histjax import plotting

    return (plotting.pull_pages if paged else plotting.pull_chart)(histjax.pulls(model, result))


def ranking(result, paged: bool):
    """Impacts and pulls."""
    from histjax import plotting

    return (plotting.ranking_pages if paged else plotting.ranking_chart)(result)


def goodness(result):
    """The statistic in its distribution."""
    from histjax import plotting

    return plotting.goodness_chart(result)


def scan(result):
    """A curve, or the plane of two parameters."""
    from histjax import plotting

    return (plotting.likelihood_scan if len(result.names) == 1 else plotting.likelihood_surface)(result)


def intervals(model, result, settings: dict, paged: bool):
    """The profile likelihood of each component over half as much again as its interval, with the ends marked."""
    if len(result.names) > 1 and not paged:
        raise InvalidPlot(
            f"a .svg or .png file shows one parameter, found {len(result.names)}; a .pdf has a page for each"
        )
    pages = (_profile(model, result, place, settings) for place in range(len(result.names)))
    return pages if paged else next(pages)


def _profile(model, result, place: int, settings: dict):
    """One page of it."""
    import numpy as np

    import histjax
    from histjax import plotting

    best, *ends = (float(each[place]) for each in (result.best, result.lower, result.upper))
    known = [abs(end - best) for end in ends if np.isfinite(end) and end != best]
    if not known:
        raise InvalidPlot(
            f"{result.names[place]!r} has no interval to draw: both its ends are at the best fit, or endless"
        )
    steps = [abs(end - best) if np.isfinite(end) else max(known) for end in ends]
    name = result.names[place]
    lowest, highest = (
        float(each[model.parameters.index(name)][0]) for each in (model.parameters.lower, model.parameters.upper)
    )
    values = np.linspace(max(best - 1.5 * steps[0], lowest), min(best + 1.5 * steps[1], highest), PROFILED)
    settings = settings | {"init": result.fit, "throw": False}
    ax = plotting.likelihood_scan(histjax.scan(model, values={name: values}, **settings))
    for end in ends:
        if np.isfinite(end):
            ax.axvline(end, color="black", lw=0.8, ls=":")
    return ax


def contour(result):
    """Contours of the profile likelihood."""
    from histjax import plotting

    return plotting.likelihood_contours(result)


def posterior(samples, names: tuple[str, ...], paged: bool):
    """A corner plot; where there are pages, one with traces, too, for draws of chains."""
    from histjax import plotting

    chosen = names or None
    if not paged or len(samples.vectors) == 1:
        return plotting.corner_plot(samples, names=chosen)
    return (draw(samples, names=chosen) for draw in (plotting.corner_plot, plotting.trace_plot))


def hypothesis(result):
    """The p-values of a test, or how its toys are distributed."""
    from histjax import plotting

    return (plotting.p_value_bars if result.toys is None else plotting.toy_distributions)(result)


def toys(entries: dict):
    """How the toys of a test are distributed, from what is written of all of them as one slice."""
    from histjax import plotting
    from histjax.plotting import documents

    return plotting.toy_distributions(documents.read(entries, documents.Kind.TOYS))


def limits(result, tests: list):
    """The Brazil band, or where there is no limit to speak of, what is there of them."""
    from histjax import plotting

    tests = [each for each in tests if bool(each.fits.converged)]
    if not tests and result.toys is None:
        return plotting.limit_bars(result)
    return plotting.brazil_band(tests or result, limit=result)


def tested_values(model, result) -> list:
    """Tests of values around the limits, for their plot; none where no limit is finite."""
    import numpy as np

    import histjax

    ends = np.append(result.expected, result.observed)
    if not np.isfinite(ends).any():
        return []
    values = np.linspace(min(0.0, 1.2 * float(np.nanmin(ends))), 1.2 * float(np.nanmax(ends)), TESTED)
    settings = dict(poi=result.poi, statistic=getattr(histjax, result.statistic_name), throw=False)
    return [histjax.hypotest(model, model.data, poi_value=value, **settings) for value in values]


def entry_of_test(test) -> dict:
    """What is written of one of them."""
    names = {"poi_value": "poi_value", "CLs": "CLs_obs", "CLs_expected": "CLs_exp", "CLsb": "CLsb", "CLb": "CLb"}
    names |= {"CLsb_expected": "CLsb_exp", "CLb_expected": "CLb_exp"}
    entries = {word: getattr(test, name) for name, word in names.items()}
    return entries | {"converged": bool(test.fits.converged)}


def of_grid(grid) -> Callable:
    """The function that draws the results of a grid: a band over one label, contours in the plane of two.

    **Raises:** `InvalidPlot` before the work, where other numbers of labels have several values.
    """
    from histjax import plotting

    columns = zip(*(point.values for point in grid.points), strict=True)
    varying = [label for label, column in zip(grid.labels, columns, strict=True) if len(set(column)) > 1]
    if len(varying) not in (1, 2):
        raise InvalidPlot(
            f"--plot is for signals that differ in one label or two, these differ in {len(varying)} of "
            f"{', '.join(grid.labels)}; choose some with --name, or write JSON and draw it with histjax plot"
        )
    return plotting.limit_band if len(varying) == 1 else plotting.exclusion_contours
