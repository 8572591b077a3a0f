"""`combine`, `prune`, `rename`, `sort`: workspaces from workspaces. Imports no JAX.

Options are those of pyhf's commands of the same names. The document that is written is a workspace; what was done to
get it is said to who watches standard error, and what was dropped on the way always.
"""

import re
from collections.abc import Callable

import click

from histjax.cli import options
from histjax.cli.documents import read
from histjax.cli.messages import progress, say
from histjax.cli.output import Output
from histjax.errors import InvalidOperation
from histjax.readers import load_json, write_workspace
from histjax.spec import Workspace
from histjax.spec.operations import Edited, Join
from histjax.spec.operations import combine as combined
from histjax.spec.operations import prune as pruned
from histjax.spec.operations import rename as renamed
from histjax.spec.operations import sort as in_order
from histjax.spec.operations.pruning import MODIFIER_TYPES

output_file = click.option("--output-file", metavar="FILE", help="Write the JSON to a file instead.")


@click.command()
@click.argument("workspaces", nargs=-1, required=True)
@click.option(
    "-j",
    "--join",
    type=click.Choice([each.value for each in Join]),
    default=Join.NONE.value,
    show_default=True,
    help="What becomes of channels, observations and measurements that have the same name.",
)
@click.option("--merge-channels/--no-merge-channels", default=False, help="Make one channel of two with one name.")
@click.option(
    "--correlations",
    metavar="FILE",
    help="JSON: {name of a parameter of the result: [its name in each workspace, or null]}.",
)
@output_file
def combine(
    workspaces: tuple[str, ...], join: str, merge_channels: bool, correlations: str | None, output_file: str | None
) -> None:
    """Combine two or more workspaces.

    Modifiers of one name share one parameter, also across workspaces. With the join 'none' nothing else may have the
    same name; 'outer' keeps one of two things that are the same; 'left outer' and 'right outer' keep one of two that
    are not, and say what they drop.
    """
    if [*workspaces, correlations].count("-") > 1:
        raise click.UsageError("standard input ('-') can be read only once", click.get_current_context(silent=True))
    _write(
        output_file,
        lambda: combined(
            *map(_read_one, workspaces),
            join=Join(join),
            merge_channels=merge_channels,
            correlated=None if correlations is None else _correlations(correlations),
        ),
    )


@click.command(short_help="Take channels, samples, modifiers, measurements out.")
@options.source()
@click.option("-c", "--channel", metavar="NAME", multiple=True, help="Remove a channel. May be repeated.")
@click.option("-s", "--sample", metavar="NAME", multiple=True, help="Remove a sample. May be repeated.")
@click.option(
    "-m", "--modifier", metavar="NAME", multiple=True, help="Remove the modifiers of a name. May be repeated."
)
@click.option(
    "-t",
    "--modifier-type",
    type=click.Choice(sorted(MODIFIER_TYPES)),
    multiple=True,
    help="Remove the modifiers of a type. May be repeated.",
)
@click.option("--measurement", metavar="NAME", multiple=True, help="Remove a measurement. May be repeated.")
@click.option("--regex", is_flag=True, help="The names are regular expressions, which match whole names.")
@output_file
def prune(
    source: options.Source,
    channel: tuple[str, ...],
    sample: tuple[str, ...],
    modifier: tuple[str, ...],
    modifier_type: tuple[str, ...],
    measurement: tuple[str, ...],
    regex: bool,
    output_file: str | None,
) -> None:
    """Remove channels, samples, modifiers or measurements from a workspace.

    The settings of a parameter go when its last modifier does.
    """
    select = _expressions if regex else tuple
    selected = {"channels": channel, "samples": sample, "modifiers": modifier, "measurements": measurement}
    names = {kind: select(each) for kind, each in selected.items()}
    _write(output_file, lambda: pruned(_read(source), **names, modifier_types=modifier_type))


def _pairs(short: str | None, kind: str, also: str = "") -> Callable:
    """An option that takes an old and a new name, and may be repeated."""
    names = [each for each in (short, f"--{kind}") if each]
    return click.option(
        *names,
        type=(str, str),
        metavar="OLD NEW",
        multiple=True,
        callback=options.as_mapping,
        help=f"Rename a {kind}{also}. May be repeated.",
    )


@click.command(short_help="Give them other names.")
@options.source()
@_pairs("-c", "channel")
@_pairs("-s", "sample")
@_pairs("-m", "modifier", " and its parameter")
@_pairs(None, "measurement")
@output_file
def rename(
    source: options.Source,
    channel: dict[str, str],
    sample: dict[str, str],
    modifier: dict[str, str],
    measurement: dict[str, str],
    output_file: str | None,
) -> None:
    """Rename channels, samples, modifiers or measurements of a workspace.

    Two things never get one name: that is an error.
    """
    names = {"channels": channel, "samples": sample, "modifiers": modifier, "measurements": measurement}
    _write(output_file, lambda: renamed(_read(source), **names))


@click.command(short_help="Put a workspace in the order of names.")
@options.source()
@output_file
def sort(source: options.Source, output_file: str | None) -> None:
    """Put a workspace in the order of names, so that equal ones have equal digests."""
    _write(output_file, lambda: in_order(_read(source)))


def _write(output_file: str | None, operation: Callable[[], Edited]) -> None:
    output = Output(output_file, False)
    output.check()
    with progress() as stage:
        stage("reading")
        edited = operation()
    for each in edited.report:
        if each.action == "dropped":
            say("warning", str(each))
    output.write(write_workspace(edited.workspace), lambda: str(edited))


def _read(source: options.Source) -> Workspace:
    return read(source)[0]


def _read_one(path: str) -> Workspace:
    return _read(options.Source(path, None, None, ()))


def _correlations(path: str) -> dict:
    document, name = load_json(path)
    lists = isinstance(document, dict) and all(
        isinstance(each, list) and all(isinstance(old, str | None) for old in each) for each in document.values()
    )
    if not lists:
        raise InvalidOperation(
            f"{name}: correlated parameters", ["expected {name: [its name in each workspace or null]}"]
        )
    return document


def _expressions(texts: tuple[str, ...]) -> tuple[re.Pattern, ...]:
    try:
        return tuple(re.compile(each) for each in texts)
    except re.error as error:
        message = f"{error.pattern!r} is no regular expression: {error}"
        raise click.UsageError(message, click.get_current_context(silent=True)) from None
