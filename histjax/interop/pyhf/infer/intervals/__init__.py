"""Intervals of the parameter of interest."""

from histjax.interop.pyhf.infer.intervals import upper_limits as upper_limits
