"""Tables of results: what of a record goes where."""

import numpy as np

from histjax.errors import InvalidPlot
from histjax.fitting.printing import HELD, component_notes, pdg_rounded
from histjax.tables.table import PLUS_MINUS, Table


def fit_table(result) -> Table:
    """Best-fit values and uncertainties of a `FitResult`, free parameters first.

    >>> import histjax
    >>> model = histjax.compile(histjax.read(histjax.examples.path("two_bins")))
    >>> print(fit_table(histjax.fit(model)))
    | parameter | best fit | prefit width | note |
    |:--|--:|--:|--:|
    | mu | 0 |  | at bound |
    | uncorr_bkguncrt[0] | 1.00 ± 0.06 | 0.06 |  |
    | uncorr_bkguncrt[1] | 0.96 ± 0.09 | 0.135 |  |
    """
    _one(np.shape(result.status), "fit")
    parameters, notes = result.parameters, component_notes(result)
    values, sigmas = np.asarray(result.vector), np.sqrt(np.diagonal(np.asarray(result.covariance)))
    rows = []
    for i in np.argsort(parameters.constrained, kind="stable"):
        width = float(parameters.widths[i])
        best = f"{values[i]:.6g}" if notes[i] in HELD else measured(values[i], sigmas[i])
        rows.append((parameters.component_names[i], best, "" if np.isnan(width) else f"{width:.3g}", notes[i]))
    n_free = int(np.sum(~np.asarray(parameters.constrained)))
    return Table(("parameter", "best fit", "prefit width", "note"), tuple(rows), frozenset({n_free}))


def pulls_table(result) -> Table:
    """`Pulls`: best fit, pull and the ratio of postfit and prefit width."""
    _one(np.shape(result.pull)[:-1], "pulls")
    fields = (np.asarray(getattr(result, name)) for name in ("best", "uncertainty", "pull", "width_ratio", "held"))
    rows = []
    for name, best, sigma, pull, ratio, held in zip(result.names, *fields, strict=True):
        shown = f"{best:.6g}" if held else measured(best, sigma)
        rows.append((name, shown, _plain(pull, "+.2f"), "held" if held else _plain(ratio, ".2f")))
    return Table(("parameter", "best fit", "pull", "width ratio"), tuple(rows))


def ranking_table(result, *, rows: int | None = None) -> Table:
    """A `Ranking`: impacts, pull and width ratio, the largest postfit impact first; `rows` says how many, or all."""
    _one(np.shape(result.linear)[:-1], "ranking")
    names = ("postfit_up", "postfit_down", "prefit_up", "prefit_down")
    impacts = [np.asarray(getattr(result, name)) for name in names]
    table = []
    for i in np.asarray(result.order)[:rows]:
        numbers = [_plain(each[i], "+.3g") for each in impacts]
        numbers += [_plain(result.pull[i], "+.2f"), _plain(result.width_ratio[i], ".2f")]
        table.append((result.names[i], *numbers))
    head = ("postfit +1σ", "postfit -1σ", "prefit +1σ", "prefit -1σ", "pull", "width ratio")
    return Table((f"impact on {result.poi}", *head), tuple(table))


def yields_table(result, *, per_bin: bool = False) -> Table:
    """`Yields`: a row for each sample, then their sum and the data; a column for each channel, or for each bin."""
    first = next(iter(result.expected.channels.values()))
    _one(np.shape(first), "yields")
    columns = [(channel, i) for channel in result.expected.bins for i in _places(result, channel, per_bin)]
    names = dict.fromkeys(sample for samples in result.expected.samples.values() for sample in samples)
    rows = [(name, *(_cell(result, name, *column) for column in columns)) for name in names]
    rows.append(("sum", *(_cell(result, None, *column) for column in columns)))
    rows.append(("observed", *(_observed(result, *column) for column in columns)))
    kind = "postfit" if result.is_postfit else "prefit"
    heads = (channel if i is None else f"{channel}, bin {i}" for channel, i in columns)
    return Table((f"{kind} yields", *heads), tuple(rows), frozenset({len(names)}))


def limit_table(result) -> Table:
    """An `UpperLimit`, observed and expected."""
    _one(np.shape(result.observed), "limit")
    expected, errors = np.asarray(result.expected), np.asarray(result.expected_uncertainty)
    limits = [_limit(*each) for each in zip(expected, errors, strict=True)]
    row = (result.poi, _limit(float(result.observed), float(result.uncertainty)), *limits)
    heads = ("-2σ", "-1σ", "median", "+1σ", "+2σ")
    level = f"upper limit, {100 * float(result.confidence_level):g} % CL"
    return Table((level, "observed", *(f"expected {head}" for head in heads)), (row,))


def measured(value: float, uncertainty: float) -> str:
    """A value and its uncertainty by the PDG rule.

    >>> measured(0.827, 0.119), measured(3.0, 0.0)
    ('0.83 ± 0.12', '3')
    """
    if uncertainty == 0:
        return f"{float(value):.6g}"
    return f" {PLUS_MINUS} ".join(pdg_rounded(float(value), float(uncertainty)))


def _limit(value: float, uncertainty: float) -> str:
    return measured(value, uncertainty) if uncertainty > 0 else f"{value:.4g}"


def _places(result, channel: str, per_bin: bool) -> list[int | None]:
    return list(range(np.size(result.expected.bins[channel]))) if per_bin else [None]


def _cell(result, sample: str | None, channel: str, i: int | None) -> str:
    """What is expected of a sample, or of all of them; nothing where the channel does not have it."""
    values = []
    for table in (result.expected, result.uncertainty):
        if sample is None:
            values.append(table.channels[channel] if i is None else table.bins[channel][i])
        elif sample not in table.samples[channel]:
            return ""
        else:
            values.append(table.samples[channel][sample] if i is None else table.sample_bins[channel][sample][i])
    return measured(*map(float, values))


def _observed(result, channel: str, i: int | None) -> str:
    counts = np.asarray(result.observed[channel])
    return f"{float(counts.sum() if i is None else counts[i]):.10g}"


def _plain(value, form: str) -> str:
    return "" if np.isnan(value) else format(float(value), form)


def _one(shape: tuple[int, ...], what: str) -> None:
    if shape:
        raise InvalidPlot(f"a table is of one {what}, this is a batch of shape {shape}; take one of them")
