"""Inference, with pyhf's arguments and return values."""

from histjax.interop.pyhf.infer import calculators as calculators
from histjax.interop.pyhf.infer import intervals as intervals
from histjax.interop.pyhf.infer import mle as mle
from histjax.interop.pyhf.infer import test_statistics as test_statistics
from histjax.interop.pyhf.infer import utils as utils
from histjax.interop.pyhf.infer.hypotests import hypotest as hypotest
