"""The Spey plugin: `spey.get_backend("histjax")`, with `histjax.interop.spey.backends` behind it.

Spey finds the backends by the entry points of the installed package; nothing here is imported before it asks.

    workspaces  from what Spey's users have (background and patch, arrays) to a `Workspace`
    signals     what is signal in it, and which values of the parameter of interest leave expectations positive
    subjects    the compiled model with its datasets and names
    fits        fits and Asimov data on flat vectors
    functions   densities, derivatives and draws on flat vectors, compiled
    backends    the two classes that Spey sees
"""
