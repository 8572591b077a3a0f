"""Stacked yields, before or after a fit, with their uncertainty, the data, and the ratio of the two."""

from collections.abc import Iterator, Sequence

import numpy as np

from histjax.errors import InvalidPlot, UnknownName
from histjax.plotting.style import BLACK, GREY, LIGHT, STACK, all_shown, mplhep, numbers, panels, shown, styled

MOST_SAMPLES = 9
"""Samples with a colour of their own; the smallest are taken together."""
MOST_BINS = 60
"""Bins that are drawn side by side."""
LONGEST_CHANNEL = 34
ONE_SIGMA_TAIL = 0.15865525393145707


@styled()
def stacked_yields(
    result,
    *,
    channels: Sequence[str] | None = None,
    prefit=None,
    logarithmic: bool = False,
    most_samples: int = MOST_SAMPLES,
    ax=None,
):
    """Expected counts, sample on sample, with the uncertainty of their sum, and the observed counts; below them the
    ratio of observed and expected.

    **Arguments:**

    - `result`: `Yields`, prefit or postfit.
    - `channels`: which ones, side by side; by default all, and of more than 60 bins the first channels (`yield_pages`
      draws all).
    - `prefit`: `Yields` whose sum is drawn as a dashed line for comparison.
    - `logarithmic`: the vertical axis.
    - `most_samples`: samples with a colour of their own, the largest; the others are taken together.
    - `ax`: two axes.

    Error bars of counts are central 68.3 % intervals of a Poisson mean (F. Garwood, Biometrika 28 (1936) 437). Bins are
    numbered: a workspace does not know their edges.

    **Returns:** an array of the two `Axes`. **Raises:** `UnknownName`, `InvalidPlot`.
    """
    channels = _channels(result, channels)
    sizes = {name: np.size(result.expected.bins[name]) for name in channels}
    upper, lower = both = panels(ax, 2, nrows=2, sharex=True, figsize=_size(sizes), height_ratios=(3, 1))
    expected, sigma, observed = (
        np.concatenate([numbers(table[name]) for name in channels])
        for table in (result.expected.bins, result.uncertainty.bins, result.observed)
    )
    if expected.ndim != 1 or not np.isfinite(expected).any():
        raise InvalidPlot("yields of one result are drawn, and they are finite; is this a batch, or did the fit fail?")
    edges = np.arange(expected.size + 1.0)
    _stack(upper, result, channels, edges, most_samples)
    _uncertainty(upper, edges, expected, sigma)
    if prefit is not None:
        before = np.concatenate([numbers(prefit.expected.bins[name]) for name in channels])
        upper.stairs(before, edges, color=BLACK, ls="--", lw=1.1, label="prefit, sum")
    _data(upper, edges, observed, np.ones_like(observed), "observed")
    _heights(upper, expected, sigma, observed, logarithmic)
    upper.set_title("postfit" if result.is_postfit else "prefit")
    upper.set_ylabel("events per bin")
    _legend(upper)
    _ratio(lower, edges, expected, sigma, observed)
    _horizontal(both, sizes)
    return both


def yield_pages(result, *, prefit=None, logarithmic: bool = False) -> Iterator:
    """All channels, as many on a figure as fit; yields the pairs of `Axes`, one after the other."""
    left = list(result.expected.bins)
    while left:
        page = _fitting(result, left)
        left = left[len(page) :]
        yield stacked_yields(result, channels=page, prefit=prefit, logarithmic=logarithmic)


def _channels(result, channels: Sequence[str] | None) -> list[str]:
    known = list(result.expected.bins)
    if channels is None:
        return _fitting(result, known)
    for name in channels:
        if name not in known:
            raise UnknownName("channel", name, known)
    if not channels:
        raise InvalidPlot("there is no channel to draw")
    return list(channels)


def _fitting(result, channels: list[str]) -> list[str]:
    """The first channels, one at least, that have at most `MOST_BINS` bins together."""
    total = np.cumsum([np.size(result.expected.bins[name]) for name in channels])
    return channels[: max(int(np.sum(total <= MOST_BINS)), 1)]


def _size(sizes: dict[str, int]) -> tuple[float, float]:
    """Of the figure in inches, with room for the names of the channels where they stand upright."""
    longest = max(map(len, all_shown(sizes, LONGEST_CHANNEL)))
    return (9.0 if sum(sizes.values()) > 30 else 7.2), 4.8 + (0.06 * longest if len(sizes) > 12 else 0.0)


def _stack(ax, result, channels: list[str], edges: np.ndarray, most_samples: int) -> None:
    """The samples, the largest at the bottom."""
    rows: dict[str, list[np.ndarray]] = {}
    cells = result.expected.sample_bins
    for name in dict.fromkeys(sample for channel in channels for sample in cells[channel]):
        nothing = {channel: np.zeros(np.size(result.expected.bins[channel])) for channel in channels}
        rows[name] = [numbers(cells[channel].get(name, nothing[channel])) for channel in channels]
    values = {name: np.concatenate(parts) for name, parts in rows.items()}
    order = sorted(values, key=lambda name: -float(np.nansum(values[name])))
    kept = order if len(order) <= most_samples else order[: most_samples - 1]
    heights, labels = [values[name] for name in kept], [shown(name, 28) for name in kept]
    colours = [STACK[i % len(STACK)] for i in range(len(kept))]
    if rest := order[len(kept) :]:
        heights.append(sum(values[name] for name in rest))
        labels.append(f"{len(rest)} other samples")
        colours.append(LIGHT)
    mplhep().histplot(heights, edges, stack=True, histtype="fill", label=labels, color=colours, ax=ax, lw=0)


def _uncertainty(ax, edges, expected, sigma) -> None:
    known = np.where(np.isfinite(sigma), sigma, 0.0)
    low, high = (np.append(each, each[-1]) for each in (expected - known, expected + known))
    style = dict(step="post", hatch="////", facecolor="none", edgecolor=GREY, lw=0, label="uncertainty")
    ax.fill_between(edges, low, high, **style)
    ax.stairs(expected, edges, color=BLACK, lw=0.8)


def _data(ax, edges, observed, scale, label: str | None) -> None:
    """Counts over `scale` as points with their intervals."""
    centres = (edges[1:] + edges[:-1]) / 2
    good = np.isfinite(observed) & (scale > 0)
    low, high = poisson_intervals(observed[good])
    errors = np.stack([observed[good] - low, high - observed[good]]) / scale[good]
    ax.errorbar(centres[good], observed[good] / scale[good], errors, fmt="o", color=BLACK, ms=3.5, lw=1.1, label=label)


def poisson_intervals(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Central intervals of a Poisson mean, 68.3 %, by Garwood: quantiles of gamma distributions.

    >>> low, high = poisson_intervals(np.array([0.0, 4.0]))
    >>> print(low.round(3), high.round(3))
    [0.    2.086] [1.841 7.163]
    """
    from scipy.special import gammaincinv

    counts = np.maximum(counts, 0.0)
    low = np.where(counts > 0, gammaincinv(np.maximum(counts, 1e-9), ONE_SIGMA_TAIL), 0.0)
    return low, gammaincinv(counts + 1, 1 - ONE_SIGMA_TAIL)


def _heights(ax, expected, sigma, observed, logarithmic: bool) -> None:
    top = np.nanmax(np.concatenate([expected + np.where(np.isfinite(sigma), sigma, 0.0), observed]))
    top += np.sqrt(max(top, 1.0))
    if logarithmic:
        smallest = expected[np.isfinite(expected) & (expected > 0)]
        ax.set_yscale("log")
        ax.set_ylim(max(0.1 * float(smallest.min(initial=top)), 1e-3), 3 * top)
    else:
        ax.set_ylim(0, 1.08 * top)


def _legend(ax) -> None:
    """Beside the axes, where it covers nothing; the data first."""
    handles, labels = ax.get_legend_handles_labels()
    order = sorted(range(len(labels)), key=lambda i: {"observed": 0, "uncertainty": 2}.get(labels[i], 1))
    chosen = [handles[i] for i in order], [labels[i] for i in order]
    ax.legend(*chosen, loc="upper left", bbox_to_anchor=(1.0, 1.03), handlelength=1.4, borderaxespad=0.4)


def _ratio(ax, edges, expected, sigma, observed) -> None:
    scale = np.where(expected > 0, expected, np.nan)
    band = np.where(np.isfinite(sigma), sigma, 0.0) / scale
    low, high = (np.append(each, each[-1]) for each in (1 - band, 1 + band))
    ax.fill_between(edges, low, high, step="post", hatch="////", facecolor="none", edgecolor=GREY, lw=0)
    ax.axhline(1.0, color=BLACK, lw=0.8)
    _data(ax, edges, observed, np.nan_to_num(scale), None)
    ends = [end / scale - 1 for end in poisson_intervals(observed)]
    away = np.nanmax(abs(np.concatenate([*ends, band, [0.0]])))
    half = float(np.clip(1.15 * away, 0.1, 1.0))
    ax.set_ylim(1 - half, 1 + half)
    beyond = np.flatnonzero(observed / scale > 1 + half)  # half is 1 then, and nothing lies below 0
    ax.plot(beyond + 0.5, np.full(beyond.size, 1.9), "^", color=BLACK, ms=5)
    ax.set_ylabel("obs. / exp.")


def _horizontal(both, sizes: dict[str, int]) -> None:
    """Numbers of bins under one channel; under several their names, and lines between them."""
    ends = np.cumsum([0, *sizes.values()])
    lower = both[1]
    lower.set_xlim(0, ends[-1])
    if len(sizes) == 1:
        step = max(ends[-1] // 15, 1)
        places = np.arange(0, ends[-1], step)
        lower.set_xticks(places + 0.5, [str(place) for place in places])
        lower.set_xlabel(f"bin of {shown(next(iter(sizes)))}")
    else:
        centres = (ends[1:] + ends[:-1]) / 2
        is_tight = max(len(name) / size for name, size in sizes.items()) > 75 / ends[-1]
        style = dict(rotation=90 if len(sizes) > 12 else 30, ha="center" if len(sizes) > 12 else "right")
        names = all_shown(sizes, LONGEST_CHANNEL)
        lower.set_xticks(centres, names, fontsize=7.5, **(style if is_tight else {}))
        if is_tight and len(sizes) <= 12:
            for label in lower.get_xticklabels():
                label.set_rotation_mode("anchor")
        for ax in both:
            for end in ends[1:-1] if ends[-1] > len(sizes) else []:
                ax.axvline(end, color=GREY, lw=0.7, ls=":")
    for ax in both:
        ax.tick_params(axis="x", length=0)
