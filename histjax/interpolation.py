"""The interpolation codes, as values for `histjax.compile` (see `histjax.model.interpolation` for their formulae)."""

from histjax.model.interpolation import code0 as code0
from histjax.model.interpolation import code1 as code1
from histjax.model.interpolation import code2 as code2
from histjax.model.interpolation import code2_pyhf as code2_pyhf
from histjax.model.interpolation import code4 as code4
from histjax.model.interpolation import code4p as code4p
