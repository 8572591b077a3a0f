"""Large layouts: cells in pieces, histosys templates entry by entry, and no array of modifiers x samples x bins."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.extend.core import jaxprs_in_params

import histjax
from histjax.lower import structure
from tests.model.test_derivatives import assert_equal_derivatives
from tests.workspaces import BY_SLUG, points

SLUGS = ("everything", "two-factors", "shared-shapefactor", "staterror-two-channels", "negative-yields")


def in_pieces(monkeypatch, document, **options):
    """The same model, as if it were too large to be held as a whole."""
    monkeypatch.setattr(structure, "LARGEST", 2)
    return histjax.compile(histjax.read(document), **options)


@pytest.mark.parametrize("slug", SLUGS)
def test_the_same_model_in_pieces(slug, compile_case, monkeypatch):
    """Yields, value, gradient and Hessian at several points."""
    whole, case = compile_case(slug), BY_SLUG[slug]
    model = in_pieces(monkeypatch, case.document)
    assert whole.layout.piece is None and model.layout.piece < model.layout.n_cells
    for vector in points(case, model.parameters):
        one, other = (each.expected_flat(jnp.asarray(vector)) for each in (whole, model))
        np.testing.assert_allclose(one, other, rtol=1e-13)
        one, other = (each.nll_derivatives(jnp.asarray(vector), each.ravel_data(each.data)) for each in (whole, model))
        for a, b in zip(one, other, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-9)


def test_against_automatic_differentiation(monkeypatch):
    """In pieces, with a factor that is a function of parameters and clipped samples."""
    document = BY_SLUG["everything"].document
    sample = document["channels"][0]["samples"][0]["name"]
    factor = histjax.Factor(lambda c, jes: 1 + 0.3 * c * c + 0.1 * c * jes, ("c", "jes"), samples=[sample])
    options = dict(factors=[factor], parameters={"c": histjax.NewParameter(0.7)}, clip_sample_data=0.1)
    model = in_pieces(monkeypatch, document, **options)
    init = np.asarray(model.parameters.init)
    assert_equal_derivatives(model, np.stack([init, init + 0.05]))


def test_fits_are_the_same(compile_case, monkeypatch):
    """The same minimum, and derivatives with respect to templates through it."""
    whole = compile_case("everything")
    model = in_pieces(monkeypatch, BY_SLUG["everything"].document)
    one, other = histjax.fit(whole), histjax.fit(model)
    np.testing.assert_allclose(one.vector, other.vector, rtol=1e-8, atol=1e-9)

    def minimum(scale, model):
        templates = eqx.tree_at(lambda t: t.histosys_hi, model.templates, scale * model.templates.histosys_hi)
        return histjax.fit(model.with_templates(templates)).twice_nll

    slopes = [eqx.filter_jit(jax.grad(minimum))(jnp.array(1.0), each) for each in (whole, model)]
    assert float(slopes[0]) == pytest.approx(float(slopes[1]), rel=1e-7)


def narrow_and_wide(model):
    """Names of the components of each kind."""
    names = np.array(model.parameters.component_names)
    wide = sorted(set(model.layout.locals_) - set(model.layout.narrow))
    return names[list(model.layout.narrow)].tolist(), names[wide].tolist()


def test_narrow_parameters(compile_case):
    """One factor of each bin is eliminated; one that acts in two channels is not."""
    assert narrow_and_wide(compile_case("two-bins")) == (["uncorr_bkguncrt[0]", "uncorr_bkguncrt[1]"], [])
    narrow, wide = narrow_and_wide(compile_case("shared-shapefactor"))
    assert wide and all(name.split("[")[0] not in {each.split("[")[0] for each in wide} for name in narrow)


@pytest.mark.parametrize("slug", SLUGS)
def test_narrow_parameters_never_meet(slug, compile_case):
    """Their second derivatives with each other vanish: by automatic differentiation."""
    model = compile_case(slug)
    place = np.array(model.layout.narrow, int)
    vector = jnp.asarray(points(BY_SLUG[slug], model.parameters)[1])
    hessian = np.asarray(jax.hessian(model.nll)(vector, model.ravel_data(model.data)))
    block = hessian[np.ix_(place, place)]
    np.testing.assert_array_equal(block, np.diag(np.diagonal(block)))


def large_document(n_channels: int = 40, n_bins: int = 30, n_systematics: int = 60) -> dict:
    """Many bins and systematics; each acts on few samples."""
    rng = np.random.default_rng(5)
    channels = []
    for c in range(n_channels):
        samples = []
        for s in range(4):
            yields = rng.uniform(20, 50, n_bins)
            modifiers = [{"name": f"stat{c}", "type": "staterror", "data": (0.1 * yields).tolist()}]
            for k in rng.choice(n_systematics, 3, replace=False):
                hi, lo = (1.02 * yields).tolist(), (0.97 * yields).tolist()
                modifiers.append({"name": f"s{k}", "type": "histosys", "data": {"hi_data": hi, "lo_data": lo}})
            samples.append({"name": f"sample{s}", "data": yields.tolist(), "modifiers": modifiers})
        samples[0]["modifiers"].append({"name": "mu", "type": "normfactor", "data": None})
        channels.append({"name": f"c{c}", "samples": samples})
    observations = [
        {"name": c["name"], "data": np.round(np.sum([s["data"] for s in c["samples"]], axis=0)).tolist()}
        for c in channels
    ]
    measurements = [{"name": "m", "config": {"poi": "mu", "parameters": []}}]
    return {"channels": channels, "observations": observations, "measurements": measurements, "version": "1.0.0"}


def sizes(jaxpr) -> list[int]:
    """Elements of every array that a program makes, those of inner programs included."""
    found = []
    for equation in jaxpr.eqns:
        found += [int(np.prod(each.aval.shape)) for each in equation.outvars if hasattr(each.aval, "shape")]
        for inner in jaxprs_in_params(equation.params):
            found += sizes(inner)
    return found


def test_no_array_of_modifiers_samples_and_bins(monkeypatch):
    """Neither the model nor the program of its Hessian has an array of (cells x alphas) elements, and nothing grows
    with the square of the number of gammas.
    """
    monkeypatch.setattr(structure, "LARGEST", 40_000)
    model = histjax.compile(histjax.read(large_document()))
    layout = model.layout
    assert layout.piece is not None and len(layout.narrow) == layout.n_bins == 1200
    limit = layout.n_cells * len(layout.alphas)
    assert max(leaf.size for leaf in jax.tree.leaves(model)) < limit / 4
    arrays, static = eqx.partition(model, eqx.is_array)
    program = jax.make_jaxpr(lambda m, x, d: eqx.combine(m, static).nll_curvature(x, d))(
        arrays, model.templates.init, model.ravel_data(model.data)
    )
    dense = layout.n_parameters - len(layout.narrow)
    assert max(sizes(program.jaxpr)) <= max(layout.n_bins * dense, limit // 3)
