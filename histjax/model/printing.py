"""A model in a few lines."""


def summary(model) -> str:
    """What printing a `Model` shows."""
    layout, sets = model.layout, model.layout.parameters
    free = sum(each.size for each in sets if each.constraint == "none")
    normsys = _names(code for code, _, _ in layout.normsys_codes)
    functions = [f"  functions of parameters: {len(model.functions)}"] if model.functions else []
    lines = [
        f"Model: {len(layout.channels)} channels, {layout.n_bins} bins, {len(layout.rows)} samples, "
        f"{layout.n_modifiers} modifiers",
        f"  parameters: {layout.n_parameters} in {len(sets)} sets, {free} without constraint, poi {layout.poi!r}",
        f"  histosys: {_names(layout.histosys_codes)}; normsys: {normsys}",
        *functions,
        f"  arrays: {layout.n_cells} cells x {len(layout.alphas)} interpolating parameters, "
        f"{model.templates.init.dtype}",
    ]
    return "\n".join(lines)


def _names(codes) -> str:
    return ", ".join(dict.fromkeys(code.__name__ for code in codes)) or "none"
