"""Workspaces of different structure as one structure, the neutral union: what one of them lacks has no effect there."""

from histjax.spec.union.union import Union as Union
from histjax.spec.union.union import unite as unite
