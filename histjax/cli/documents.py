"""From the options to a checked workspace. Imports no JAX."""

import sys
from typing import Any

import click

from histjax.cli.messages import say
from histjax.cli.options import Source
from histjax.errors import Problem
from histjax.readers import PatchSet, apply_patch, load_json, read_patch, read_patchset, read_workspace
from histjax.spec import Workspace


def read_document(source: Source) -> tuple[Any, str]:
    """The document with its patches applied, not yet checked, and its name for messages."""
    if source.workspace == "-" and sys.stdin is not None and sys.stdin.isatty():
        say("reading", "a workspace from standard input; end it with Ctrl-D")
    document, name = load_json(source.workspace)
    if source.patchset is not None:
        document = read_patchset(source.patchset).apply(document, source.patch_name)
    for each in source.patch:
        operations, patch_name = read_patch(each)
        document = apply_patch(document, operations, patch_name)
    return document, name


def read_pair(background: str, patchset: str) -> tuple[Any, str, PatchSet]:
    """A document, its name for messages, and its patch set; raises `click.UsageError` where both are '-'."""
    if background == patchset == "-":
        raise click.UsageError("standard input ('-') can be read only once", click.get_current_context(silent=True))
    return *load_json(background), read_patchset(patchset)


def read(source: Source, measurement: str | None = None) -> tuple[Workspace, list[Problem], Any]:
    """The checked workspace, what is doubtful about it (said on standard error), and its document.

    **Raises:** `InvalidDocument`, `InvalidPatch`, and `UnknownName` for a measurement or a patch that is not there.
    """
    document, name = read_document(source)
    return *checked(document, name, measurement), document


def checked(document: Any, name: str, measurement: str | None = None) -> tuple[Workspace, list[Problem]]:
    """The workspace of a document, and what is doubtful about it (said on standard error)."""
    workspace, doubts = read_workspace(document, name)
    for doubt in doubts:
        say("warning", f"{name}: {doubt}")
    workspace.measurement(measurement)
    return workspace, doubts
