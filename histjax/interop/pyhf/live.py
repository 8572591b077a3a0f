"""`from_pyhf`: the model that a live `pyhf.Model` is."""

import numpy as np

from histjax.errors import InvalidModel
from histjax.interop.pyhf.pdf import Model

MODIFIERS = {"histosys", "lumi", "normfactor", "normsys", "shapefactor", "shapesys", "staterror"}


def from_pyhf(pdf) -> Model:
    """Translate a `pyhf.Model`: its specification, interpolation codes, clipping and parameter of interest.

    pyhf is not imported; what is asked of `pdf` is `spec`, `config` and `main_model`. Names, starting values, bounds
    and auxiliary data of the translation are compared with those of `pdf`.

    **Raises:** `InvalidModel` for a batched model, for modifiers that are not HistFactory's, for a floor on samples
    that some channels do not have, and where the translation has other parameters or auxiliary data (a parameter set
    that was changed by hand).

    ::

        import pyhf
        from histjax.interop.pyhf import from_pyhf, infer

        pdf = pyhf.simplemodels.uncorrelated_background([12.0], [50.0], [3.0])
        infer.hypotest(1.0, [51.0, *pdf.config.auxdata], from_pyhf(pdf))
    """
    for name in ("spec", "config", "main_model"):
        if not hasattr(pdf, name):
            raise InvalidModel(f"expected a pyhf.Model, found {type(pdf).__name__} without {name!r}")
    if pdf.batch_size is not None:
        raise InvalidModel(f"the model has batch_size {pdf.batch_size}; translate one without, and map with jax.vmap")
    _refuse_custom(pdf)
    _refuse_floor(pdf)
    model = Model(
        pdf.spec,
        poi_name=pdf.config.poi_name,
        modifier_settings=pdf.config.modifier_settings,
        clip_sample_data=pdf.main_model.clip_sample_data,
        clip_bin_data=pdf.main_model.clip_bin_data,
    )
    _compare(model, pdf)
    return model


def _refuse_custom(pdf) -> None:
    appliers = pdf.main_model.modifiers_appliers
    custom = [name for name, each in appliers.items() if not type(each).__module__.startswith("pyhf.modifiers")]
    custom += [name for name in appliers if name not in MODIFIERS]
    if custom:
        raise InvalidModel(
            f"the model has modifiers that are not HistFactory's: {', '.join(sorted(set(custom)))}; "
            "write them as histjax.Factor"
        )


def _refuse_floor(pdf) -> None:
    """pyhf lifts a sample to the floor in channels that do not have it, too."""
    floor, channels = pdf.main_model.clip_sample_data, pdf.spec["channels"]
    held = [{sample["name"] for sample in channel["samples"]} for channel in channels]
    if floor and any(each != held[0] for each in held):
        raise InvalidModel(
            f"clip_sample_data = {floor} adds that much, in pyhf, for every sample that a channel does not have, which "
            "is not what histjax does; give every channel the same samples, or leave it out"
        )


def _compare(model: Model, pdf) -> None:
    ours, theirs = model.config, pdf.config
    if ours.par_names != list(theirs.par_names):
        raise InvalidModel(f"the translation has parameters {ours.par_names}, the model {list(theirs.par_names)}")
    numbers = {
        "starting values": (ours.suggested_init(), theirs.suggested_init()),
        "bounds": (ours.suggested_bounds(), theirs.suggested_bounds()),
        "auxiliary data": (ours.auxdata, list(theirs.auxdata)),
    }
    for what, (mine, other) in numbers.items():
        if not np.allclose(mine, other, rtol=1e-9, atol=0):
            raise InvalidModel(f"{what} are {other}, the specification says {mine}; put them into its 'parameters'")
