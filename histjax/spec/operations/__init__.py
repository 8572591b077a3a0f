"""Workspaces from workspaces: combine, prune, rename, sort. Each returns a new workspace and tells what it did."""

from histjax.spec.operations.combining import Join as Join
from histjax.spec.operations.combining import combine as combine
from histjax.spec.operations.pruning import prune as prune
from histjax.spec.operations.renaming import rename as rename
from histjax.spec.operations.report import Change as Change
from histjax.spec.operations.report import Edited as Edited
from histjax.spec.operations.sorting import sort as sort
