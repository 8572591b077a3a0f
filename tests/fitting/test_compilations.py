"""What is compiled, and what is not compiled again: other numbers never cost a compilation."""

import contextlib

import equinox as eqx
import jax
import numpy as np
import pytest

import histjax
from tests.workspaces import counting

EVENTS: list[str] = []
KINDS = ("jaxpr_trace_duration", "backend_compile_duration")


def _listen(name: str, duration: float, **details) -> None:
    del duration, details
    EVENTS.append(name.rsplit("/", 1)[-1])


jax.monitoring.register_event_duration_secs_listener(_listen)


@contextlib.contextmanager
def nothing_compiled(kinds: tuple[str, ...] = KINDS):
    """Inside, no function is traced and no program compiled."""
    start = len(EVENTS)
    yield
    found = [each for each in EVENTS[start:] if each in kinds]
    assert not found, f"{len(found)} traces or compilations: {sorted(set(found))}"


def compiled(*arguments, **settings) -> histjax.Model:
    """A counting model."""
    return histjax.compile(histjax.read(counting(*arguments, **settings)))


@pytest.fixture(scope="module")
def model():
    """Three counting bins: a layout of its own, so that this file compiles it."""
    return compiled([5.0, 4.0, 3.0], [50.0, 40.0, 30.0], [5.0, 4.0, 3.0], [55.0, 41.0, 33.0])


@pytest.fixture(scope="module")
def fitted(model):
    """The first fit, which compiles."""
    params, data = model.init, model.data
    before = len(EVENTS)
    result = histjax.fit(model, data)
    assert any(each in KINDS for each in EVENTS[before:])  # the counter counts
    return params, data, result


def other_data(model, counts):
    """New counts, made without a program."""
    return histjax.Data({"singlechannel": jax.device_put(np.array(counts, float))}, model.data.aux)


def test_second_call_of_the_log_density(model):
    """By itself, and under the user's own jit."""
    params, data = model.init, model.data
    jitted = jax.jit(model.logpdf)
    model.logpdf(params, data), jitted(params, data)
    with nothing_compiled():
        model.logpdf(params, data).block_until_ready()
        jitted(params, data).block_until_ready()
    with nothing_compiled(("backend_compile_duration",)):  # a new jit traces its one call of our program
        jax.jit(model.logpdf)(params, data).block_until_ready()


def test_second_fit(model, fitted):
    """The same again."""
    _, data, _ = fitted
    with nothing_compiled():
        histjax.fit(model, data)


def test_fit_to_other_data(model, fitted):
    """Data are an argument."""
    data = other_data(model, [60, 30, 30])
    with nothing_compiled():
        histjax.fit(model, data)


@pytest.mark.parametrize(
    "options",
    [
        {"fixed": {"mu": 1.0}},
        {"fixed": {"mu": 0.5}},
        {"fixed": {"uncorr_bkguncrt[1]": 1.1}},
        {"fixed": {"uncorr_bkguncrt": np.array([1.0, 1.1, 0.9]), "mu": 2.0}},
        {"bounds": {"mu": (-1.0, 3.0)}},
        {"init": {"mu": 2.0}},
    ],
    ids=str,
)
def test_fit_with_other_options(model, fitted, options):
    """Which parameters are fixed, at what values, within what bounds and from where: all arguments."""
    _, data, _ = fitted
    with nothing_compiled():
        histjax.fit(model, data, **options)


def test_other_templates(model, fitted):
    """Another workspace with the same structure shares every program, from `compile` to the fit."""
    document = counting([1.0, 2.0, 3.0], [90.0, 80.0, 70.0], [9.0, 8.0, 7.0], [95.0, 81.0, 77.0])
    workspace = histjax.read(document)
    model.logpdf(model.init, model.data)
    with nothing_compiled():
        other = histjax.compile(workspace)
        other.logpdf(other.init, other.data).block_until_ready()
        histjax.fit(other, other.data)
    assert other.layout == model.layout and hash(other.layout) == hash(model.layout)


def test_other_yields(model, fitted):
    """`with_yields` of new numbers: once its own little programs exist, nothing more."""
    first, second = (jax.device_put(np.array(values)) for values in ([6.0, 5.0, 4.0], [7.0, 1.0, 2.0]))
    data = model.data
    histjax.fit(model.with_yields({("singlechannel", "signal"): first}), data)
    with nothing_compiled():
        histjax.fit(model.with_yields({("singlechannel", "signal"): second}), data)


def test_the_result_compiles_once(model, fitted):
    """Uncertainties and correlations of a second fit."""
    _, _, result = fitted
    result.uncertainty, result.correlation, str(result)
    again = histjax.fit(model, other_data(model, [50, 44, 31]))
    with nothing_compiled():
        again.uncertainty, again.correlation, str(again)


def test_a_scan_is_one_program(model, fitted):
    """Traced fixed values: a function that fits is traced once, whatever it is called with."""
    _, data, _ = fitted
    scan = jax.jit(lambda value: histjax.fit(model, data, fixed={"mu": value}).twice_nll)
    scan(jax.device_put(np.array(0.5)))
    with nothing_compiled():
        scan(jax.device_put(np.array(1.5))).block_until_ready()


@pytest.mark.parametrize("slug", ["everything", "coupled-histosys"])
def test_no_constants_are_captured(slug, compile_case):
    """The model is an argument and not a constant: none above 1 kB in the log density (jax issue 10596)."""
    model = compile_case(slug)
    arrays, rest = eqx.partition(model, eqx.is_array)

    def logpdf(arrays, params, data):
        return eqx.combine(arrays, rest).logpdf(params, data)

    closed = jax.make_jaxpr(logpdf)(arrays, model.init, model.data)
    assert all(size <= 1024 for size in constants(closed))


def constants(closed) -> list[int]:
    """Bytes of the constants of a program and of those inside it."""
    sizes, todo = [np.asarray(each).nbytes for each in closed.consts], [closed.jaxpr]
    while todo:
        for equation in todo.pop().eqns:
            for value in equation.params.values():
                if isinstance(value, jax.extend.core.ClosedJaxpr):
                    sizes += [np.asarray(each).nbytes for each in value.consts]
                    todo.append(value.jaxpr)
    return sizes


def test_everything_that_fits_again_is_one_program(model, fitted):
    """After one free fit: conditional fits, a masked channel, a scan, impacts, intervals and other starts."""
    *_, best = fitted
    masked = model.with_weights({"singlechannel": np.array([1.0, 0.0, 1.0])})
    with nothing_compiled(("backend_compile_duration",)):
        conditional = histjax.fit(model, fixed={"mu": 0.5, "uncorr_bkguncrt[1]": 1.1}, init=best)
        histjax.fit(masked, fixed={"mu": 0.5})
    assert bool(conditional.converged)
    histjax.scan(model, values={"mu": np.linspace(0.5, 2.0, 4)}, init=best)  # what is not a fit compiles once
    histjax.ranking(model, init=best)
    histjax.interval(model, parameters="mu", init=best)
    with nothing_compiled():
        scan = histjax.scan(masked, values={"mu": np.linspace(0.0, 1.0, 7)}, init=best)
        ranking = histjax.ranking(masked, init=best)
        interval = histjax.interval(masked, parameters=["mu", "uncorr_bkguncrt[0]"], init=best)
    assert np.all(scan.converged) and np.all(np.asarray(ranking.status) <= 1) and np.all(interval.converged)
