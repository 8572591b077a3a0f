"""Likelihoods of events, bins and points: closed forms, and the same model as HistFactory bins."""

import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import histjax
from histjax.errors import InvalidModel, UnknownName
from histjax.hs3 import Events, Workspace


def assert_close(found, expected, rel=0.0, abs=0.0):
    """Each number within tolerance."""
    np.testing.assert_allclose(np.asarray(found), np.asarray(expected), rtol=rel, atol=abs)


RANGE = {"name": "x", "min": 0.0, "max": 2.0}
COUNTS = (27, 18)
VALUES = {"mu": 1.0, "s": 8.0, "b": 40.0, "alpha": 0.0, "nominal_alpha": 0.0, "width": 1.0}
RANGES = {"mu": (0.0, 10.0), "alpha": (-5.0, 5.0)}
CONSTANT = ("s", "b", "nominal_alpha", "width")


def events(counts=COUNTS) -> list[list[float]]:
    """So many events in (0, 1) and in (1, 2)."""
    rows = [np.linspace(i + 0.01, i + 0.99, n) for i, n in enumerate(counts)]
    return [[float(x)] for x in np.concatenate(rows)]


def search(data: dict, **more) -> dict:
    """Signal in one of two bins over background with a normalisation uncertainty of 10 %, as densities."""
    histogram = {"type": "histogram_dist"}
    axes = [RANGE | {"nbins": 2}]
    return {
        "metadata": {"hs3_version": "0.2"},
        "distributions": [
            histogram | {"name": "signal", "data": {"axes": axes, "contents": [1.0, 0.0]}},
            histogram | {"name": "background", "data": {"axes": axes, "contents": [1.0, 1.0]}},
            {
                "name": "model",
                "type": "mixture_dist",
                "summands": ["signal", "background"],
                "coefficients": ["n_signal", "n_background"],
                "extended": True,
            },
            {"name": "constraint", "type": "gaussian_dist", "x": "nominal_alpha", "mean": "alpha", "sigma": "width"},
        ],
        "functions": [
            {"name": "n_signal", "type": "product", "factors": ["mu", "s"]},
            {"name": "shift", "type": "polynomial", "x": "alpha", "coefficients": [1.0, 0.1]},
            {"name": "n_background", "type": "product", "factors": ["b", "shift"]},
        ],
        "data": [data],
        "likelihoods": [
            {"name": "L", "distributions": ["model"], "data": [data["name"]], "aux_distributions": ["constraint"]}
        ],
        "domains": [
            {
                "name": "default_domain",
                "type": "product_domain",
                "axes": [{"name": name, "min": low, "max": high} for name, (low, high) in RANGES.items()],
            }
        ],
        "parameter_points": [
            {
                "name": "default_values",
                "parameters": [
                    {"name": name, "value": value, "const": name in CONSTANT} for name, value in VALUES.items()
                ],
            }
        ],
        "analyses": [{"name": "A", "likelihood": "L", "parameters_of_interest": ["mu"], "domains": ["default_domain"]}],
    } | more


UNBINNED = {"name": "observed", "type": "unbinned", "axes": [RANGE], "entries": events()}
BINNED = {"name": "observed", "type": "binned", "axes": [RANGE | {"nbins": 2}], "contents": list(COUNTS)}


def histfactory() -> dict:
    """The same as a pyhf workspace; a histosys with symmetric variations is linear in alpha."""
    alpha = {"name": "alpha", "type": "histosys", "data": {"lo_data": [18.0, 18.0], "hi_data": [22.0, 22.0]}}
    mu = {"name": "mu", "type": "normfactor", "data": None}
    samples = [
        {"name": "signal", "data": [8.0, 0.0], "modifiers": [mu]},
        {"name": "background", "data": [20.0, 20.0], "modifiers": [alpha]},
    ]
    return {
        "channels": [{"name": "SR", "samples": samples}],
        "observations": [{"name": "SR", "data": list(COUNTS)}],
        "measurements": [{"name": "A", "config": {"poi": "mu", "parameters": []}}],
        "version": "1.0.0",
    }


@pytest.fixture(scope="module")
def bins():
    return histjax.compile(histjax.read(histfactory()))


@pytest.fixture(scope="module")
def unbinned():
    return histjax.compile(histjax.read(search(UNBINNED)))


@pytest.fixture(scope="module", params=["unbinned", "integrals", "centres"])
def other(request, unbinned):
    """Events, and counts in two ways."""
    if request.param == "unbinned":
        return unbinned
    return histjax.compile(histjax.read(search(BINNED)), binned=request.param)


def test_parameters(unbinned):
    assert unbinned.parameters.names == ("mu", "alpha", "s", "b", "width")
    assert unbinned.poi == "mu"
    assert unbinned.parameters.fixed.tolist() == [False, False, True, True, True]
    assert unbinned.parameters["alpha"].bounds == (-5.0, 5.0)
    assert unbinned.parameters["alpha"].width == 1.0 and jnp.isnan(unbinned.parameters["mu"].width)
    assert unbinned.data.aux == {"nominal_alpha": 0.0}


def test_log_density(unbinned):
    """N ln(mu s f_s + b f_b) - nu over the events, and the constraint term."""
    mu, alpha = 1.3, -0.4
    low, high = (mu * 8 + 20 * (1 + 0.1 * alpha), 20 * (1 + 0.1 * alpha))
    expected = COUNTS[0] * np.log(low) + COUNTS[1] * np.log(high) - low - high
    expected += -0.5 * alpha**2 - 0.5 * np.log(2 * np.pi)
    point = unbinned.init | {"mu": jnp.array(mu), "alpha": jnp.array(alpha)}
    assert_close(unbinned.logpdf(point, unbinned.data), expected, rel=1e-13)
    terms = unbinned.logpdf_terms(point, unbinned.data)
    assert sum(terms.values()) == pytest.approx(expected, rel=1e-13) and set(terms) == {"model", "constraint"}


def test_same_as_bins(bins, other):
    """Differences of the log density, the minimum, its uncertainties, CLs with its band, and the limit."""
    points = [{"mu": 0.2, "alpha": 1.0}, {"mu": 3.0, "alpha": -2.0}]
    found, expected = (
        float(jnp.subtract(*[m.logpdf(m.init | {k: jnp.array(v) for k, v in p.items()}, m.data) for p in points]))
        for m in (other, bins)
    )
    assert_close(found, expected, rel=1e-12)
    fits = [histjax.fit(m) for m in (other, bins)]
    for name in ("mu", "alpha"):
        assert_close(fits[0].params[name], fits[1].params[name], abs=1e-7)
        assert_close(fits[0].uncertainty[name], fits[1].uncertainty[name], rel=1e-7)
    tests = [histjax.hypotest(m, poi_value=2.0) for m in (other, bins)]
    assert_close(tests[0].CLs, tests[1].CLs, rel=1e-7)
    assert_close(tests[0].CLs_expected, tests[1].CLs_expected, rel=1e-6)
    limits = [histjax.upper_limit(m) for m in (other, bins)]
    assert_close(limits[0].observed, limits[1].observed, rel=1e-7)
    assert_close(limits[0].expected, limits[1].expected, rel=1e-6)


def test_transformations(unbinned):
    """jit, vmap over points, grad with respect to a parameter and to an event's weight; it can be sent elsewhere."""
    value = float(unbinned.logpdf(unbinned.init, unbinned.data))
    assert float(jax.jit(unbinned.logpdf)(unbinned.init, unbinned.data)) == pytest.approx(value, rel=1e-14)
    points = jax.tree.map(lambda x: jnp.stack([x, x]), unbinned.init)
    mapped = jax.vmap(unbinned.logpdf, (0, None))(points, unbinned.data)
    assert_close(mapped, [value, value], rel=1e-14)
    slopes, by_data = jax.jit(jax.grad(unbinned.logpdf, (0, 1)))(unbinned.init, unbinned.data)
    # d/dmu of 27 ln(8 mu + 20) - 8 mu at mu = 1, and ln(28) for the weight of an event in the first bin
    assert float(slopes["mu"]) == pytest.approx(27 * 8 / 28 - 8, rel=1e-12)
    assert float(by_data.main["observed"].weights[0]) == pytest.approx(np.log(28.0), rel=1e-12)
    copied = pickle.loads(pickle.dumps(unbinned))
    assert float(copied.logpdf(copied.init, copied.data)) == value


def test_narrow_peaks_are_told():
    """Expected events at 4096 nodes do not see a peak of a hundred thousandth of the range."""
    data = {"name": "d", "type": "unbinned", "axes": [{"name": "x", "min": 0, "max": 1}], "entries": [[0.5]]}
    document = simple({"type": "gaussian_dist", "x": "x", "mean": "m", "sigma": 1e-5}, data, {"m": 0.5})
    with pytest.warns(histjax.errors.DocumentWarning, match="a peak is too narrow for its range"):
        histjax.compile(histjax.read(document))


def test_derivatives(unbinned):
    """The sums piece by piece against automatic differentiation of the whole."""
    vector = unbinned.parameters.init
    value, gradient, hessian = unbinned.nll_derivatives(vector, unbinned.data)
    assert_close(value, unbinned.nll(vector, unbinned.data), rel=1e-14)
    assert_close(gradient, jax.jit(jax.grad(unbinned.nll))(vector, unbinned.data), rel=1e-12)
    assert_close(hessian, jax.jit(jax.hessian(unbinned.nll))(vector, unbinned.data), rel=1e-11, abs=1e-11)


def test_many_events_in_pieces(monkeypatch, unbinned):
    vector, whole = unbinned.parameters.init, unbinned.nll_derivatives(unbinned.parameters.init, unbinned.data)
    monkeypatch.setattr(histjax.hs3.likelihood, "CHUNK", 7)
    assert_close(unbinned.nll(vector, unbinned.data), whole[0], rel=1e-14)
    for found, expected in zip(unbinned.nll_derivatives(vector, unbinned.data), whole, strict=True):
        assert_close(found, expected, rel=1e-12, abs=1e-12)


def test_weights(unbinned):
    """A weight counts like so many events; an event of weight 0 not at all, wherever it lies."""
    twice = Events(jnp.array([[0.5], [1.5], [77.0]]), jnp.array([27.0, 18.0, 0.0]))
    data = type(unbinned.data)({"observed": twice}, unbinned.data.aux)
    assert_close(unbinned.logpdf(unbinned.init, data), unbinned.logpdf(unbinned.init, unbinned.data), rel=1e-14)
    gradient = jax.grad(lambda x: unbinned.nll(x, data))(unbinned.parameters.init)
    assert jnp.isfinite(gradient).all()


def test_toys(unbinned, bins):
    """Counting the same toys' statistic in events as in bins: within three standard deviations of the difference."""
    calculator = histjax.Toys(jax.random.key(3), 400)
    found, expected = (histjax.hypotest(m, poi_value=2.0, calculator=calculator) for m in (unbinned, bins))
    error = np.hypot(*(float(each.toys.tested.p_uncertainty) for each in (found, expected)))
    assert_close(found.CLsb, expected.CLsb, abs=3 * error)
    assert found.toys.tested.n_failed == 0


def test_drawn_events(unbinned):
    """Numbers are Poisson, places follow the density, the auxiliary datum is drawn."""
    point = unbinned.init | {"mu": jnp.array(1.0)}
    drawn = jax.vmap(lambda key: unbinned.draw(key, point))(jax.random.split(jax.random.key(0), 4000))
    numbers = jnp.sum(drawn.main["observed"].weights, axis=1)
    assert numbers.mean() == pytest.approx(48.0, abs=4 * np.sqrt(48 / 4000))
    assert_close(numbers.var(), 48.0, rel=0.1)
    low = jnp.sum(drawn.main["observed"].weights * (drawn.main["observed"].entries[..., 0] < 1), axis=1)
    assert low.mean() == pytest.approx(28.0, abs=4 * np.sqrt(28 / 4000))
    assert drawn.aux["nominal_alpha"].mean() == pytest.approx(0.0, abs=4 / np.sqrt(4000))
    assert_close(drawn.aux["nominal_alpha"].std(), 1.0, rel=0.05)


def test_too_many_events_are_no_silent_loss(unbinned):
    """More than there are places for: not a number, so that no fit of it is certified."""
    drawn = unbinned.draw(jax.random.key(0), unbinned.init | {"mu": jnp.array(1000.0)})
    assert jnp.isnan(drawn.main["observed"].weights).all()
    assert not histjax.fit(unbinned, drawn, throw=False).converged


def test_unknown_data(unbinned):
    with pytest.raises(UnknownName, match="no data named 'observed'"):
        unbinned.logpdf(unbinned.init, type(unbinned.data)({"other": unbinned.data.main["observed"]}, {}))


def simple(distribution: dict, data: dict | float, values: dict, axes: list | None = None) -> dict:
    """One distribution and its data."""
    is_number = not isinstance(data, dict)
    return {
        "metadata": {"hs3_version": "0.2"},
        "distributions": [{"name": "p"} | distribution],
        "data": [] if is_number else [data],
        "likelihoods": [{"name": "L", "distributions": ["p"], "data": [data if is_number else data["name"]]}],
        "domains": [{"name": "default_domain", "type": "product_domain", "axes": axes or []}],
        "parameter_points": [
            {"name": "default_values", "parameters": [{"name": k, "value": v} for k, v in values.items()]}
        ],
    }


TIMES = [0.3, 1.9, 0.7, 4.1, 0.2, 1.1, 2.6, 0.9]


def test_exponential_lifetimes():
    """On (0, infinity): c = 1/mean with uncertainty c/sqrt(n)."""
    data = {"name": "t", "type": "unbinned", "axes": [{"name": "x", "min": 0.0}], "entries": [[t] for t in TIMES]}
    model = histjax.compile(histjax.read(simple({"type": "exponential_dist", "x": "x", "c": "c"}, data, {"c": 1.0})))
    found = histjax.fit(model)
    c = len(TIMES) / sum(TIMES)
    assert_close(found.params["c"], c, rel=1e-9)
    assert_close(found.uncertainty["c"], c / np.sqrt(len(TIMES)), rel=1e-9)


@pytest.mark.parametrize("as_number", [True, False])
def test_points(as_number):
    """A number in place of data, and point data: the density there."""
    data = 3.4 if as_number else {"name": "d", "type": "point", "value": 3.4}
    document = simple({"type": "gaussian_dist", "x": "x", "mean": "m", "sigma": 0.5}, data, {"m": 3.0})
    model = histjax.compile(histjax.read(document))
    assert model.logpdf(model.init, model.data) == pytest.approx(-0.5 * 0.8**2 - np.log(0.5 * np.sqrt(2 * np.pi)))
    found = histjax.fit(model)
    assert found.params["m"] == pytest.approx(3.4) and found.uncertainty["m"] == pytest.approx(0.5)


def test_centres_of_bins():
    """What ROOT 6.40 gives for N(0.5, 1) on (-5, 5) and contents 3, 5, 2: -ln L = 39.88379560980594."""
    data = {
        "name": "d",
        "type": "binned",
        "axes": [{"name": "x", "min": -5, "max": 5, "nbins": 3}],
        "contents": [3, 5, 2],
    }
    document = simple({"type": "gaussian_dist", "x": "x", "mean": "m", "sigma": 1.0}, data, {"m": 0.5})
    model = histjax.compile(histjax.read(document), binned="centres")
    assert_close(-model.logpdf(model.init, model.data), 39.88379560980594, rel=1e-13)


def test_multinomial_bins():
    """Without a rate, counts are multinomial: probabilities from the error function."""
    from math import erf, lgamma, log

    data = {"name": "d", "type": "binned", "axes": [{"name": "x", "edges": [-5, 0, 1, 5]}], "contents": [3, 5, 2]}
    document = simple({"type": "gaussian_dist", "x": "x", "mean": "m", "sigma": 1.0}, data, {"m": 0.5})
    model = histjax.compile(histjax.read(document))
    cumulative = [0.5 * (1 + erf((edge - 0.5) / 2**0.5)) for edge in (-5, 0, 1, 5)]
    inside = np.diff(cumulative) / (cumulative[-1] - cumulative[0])
    expected = (
        lgamma(11) - lgamma(4) - lgamma(6) - lgamma(3) + 3 * log(inside[0]) + 5 * log(inside[1]) + 2 * log(inside[2])
    )
    assert_close(model.logpdf(model.init, model.data), expected, rel=1e-12)


def test_expected_number_is_that_of_the_data():
    """Without a rate, expected counts add up to those of the data that were fitted, not of the document's."""
    data = {"name": "d", "type": "binned", "axes": [{"name": "x", "edges": [-5, 0, 1, 5]}], "contents": [3, 5, 2]}
    document = simple({"type": "gaussian_dist", "x": "x", "mean": "m", "sigma": 1.0}, data, {"m": 0.5})
    model = histjax.compile(histjax.read(document))
    other = type(model.data)({"d": jnp.array([30.0, 40.0, 30.0])}, {})
    asimov = histjax.asimov_data(model, other, poi="m", poi_value=0.4)
    assert float(asimov.main["d"].sum()) == pytest.approx(100.0, rel=1e-12)


def test_bincounts():
    """nu_i = rate times the integral over the bin: Poisson counts."""
    from math import exp, lgamma, log

    axes = [{"name": "x", "min": 0.0, "max": 3.0, "nbins": 3}]
    data = {"name": "d", "type": "binned", "axes": axes, "contents": [5, 2, 1]}
    document = simple(
        {"type": "bincounts_extended_dist", "rate": "n", "distribution": "e", "axes": axes}, data, {"n": 7.0}
    )
    document["distributions"].append({"name": "e", "type": "exponential_dist", "x": "x", "c": 0.8})
    model = histjax.compile(histjax.read(document))
    expected = [7.0 * (exp(-0.8 * i) - exp(-0.8 * (i + 1))) / (1 - exp(-2.4)) for i in range(3)]
    logs = [n * log(nu) - nu - lgamma(n + 1) for n, nu in zip((5, 2, 1), expected, strict=True)]
    assert_close(model.logpdf(model.init, model.data), sum(logs), rel=1e-13)
    assert_close(model.expected_data(model.init).main["d"], np.array(expected), rel=1e-13)


def test_with_a_histfactory_channel(bins):
    """A counting channel beside events that share mu and alpha: the sum of the log densities, their fit and limit."""
    channel = {
        "name": "SR",
        "type": "histfactory_dist",
        "axes": [{"name": "bin", "min": 0, "max": 2, "nbins": 2}],
        "samples": [
            {
                "name": "signal",
                "data": {"contents": [8.0, 0.0]},
                "modifiers": [{"type": "normfactor", "name": "mu", "parameter": "mu"}],
            },
            {"name": "background", "data": {"contents": [20.0, 20.0]}, "modifiers": []},
        ],
    }
    counts = {"name": "counts", "type": "binned", "axes": channel["axes"], "contents": list(COUNTS)}
    document = search(UNBINNED)
    document["distributions"].append(channel)
    document["data"].append(counts)
    likelihood = document["likelihoods"][0]
    likelihood["distributions"].append("SR")
    likelihood["data"].append("counts")
    model = histjax.compile(histjax.read(document))
    assert isinstance(model, histjax.hs3.HS3Likelihood) and model.histfactory is not None
    alone = histjax.compile(histjax.read(search(UNBINNED)))
    point = {"mu": 1.7, "alpha": 0.3}
    vector = {name: jnp.asarray(point.get(name, value)) for name, value in model.init.items()}
    nu = np.array([1.7 * 8 + 20, 20.0])
    poisson = float(jnp.sum(jax.scipy.stats.poisson.logpmf(jnp.array(COUNTS), nu)))
    events = alone.logpdf({name: vector[name] for name in alone.init}, alone.data)
    assert_close(model.logpdf(vector, model.data), float(events) + poisson, rel=1e-13)
    flat = model.parameters.ravel(vector)
    _, gradient, hessian = model.nll_derivatives(flat, model.data)
    assert_close(gradient, jax.jit(jax.grad(model.nll))(flat, model.data), rel=1e-11, abs=1e-11)
    assert_close(hessian, jax.jit(jax.hessian(model.nll))(flat, model.data), rel=1e-10, abs=1e-10)
    limit = histjax.upper_limit(model)
    assert_close(histjax.hypotest(model, poi_value=limit.observed).CLs, 0.05, rel=1e-6)
    drawn = model.draw(jax.random.key(1), model.init)
    assert set(drawn.main) == {"observed", "counts"} and histjax.fit(model, drawn).converged


def test_what_a_distribution_does_not_depend_on():
    data = {"name": "d", "type": "unbinned", "axes": [{"name": "y", "min": 0, "max": 1}], "entries": [[0.5]]}
    document = simple({"type": "gaussian_dist", "x": "x", "mean": "m", "sigma": 1.0}, data, {"m": 0.5, "x": 0.0})
    with pytest.raises(InvalidModel, match="of 'y', which distribution 'p' does not depend on; it depends on x, m"):
        histjax.compile(histjax.read(document))


def test_parameters_without_values():
    data = {"name": "d", "type": "unbinned", "axes": [{"name": "x", "min": 0, "max": 1}], "entries": [[0.5]]}
    document = simple({"type": "gaussian_dist", "x": "x", "mean": "m", "sigma": "w"}, data, {"m": 0.5})
    with pytest.raises(InvalidModel, match="no parameter point gives a value to 'w'"):
        histjax.compile(histjax.read(document))


def test_choices(unbinned):
    workspace = Workspace(**search(UNBINNED))
    assert histjax.compile(workspace, analysis="A", poi="alpha").poi == "alpha"
    with pytest.raises(UnknownName, match="no analysis named 'B'; there is: A"):
        histjax.compile(workspace, analysis="B")
    with pytest.raises(UnknownName, match="no parameter named 'nu'"):
        histjax.compile(workspace, poi="nu")
    assert histjax.compile(workspace, likelihood="L").poi is None
