"""Arguments and options that commands share, and the records in which their values arrive."""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, fields

import click

from histjax.cli.output import Output


class Finite(click.ParamType):
    """A finite number, between bounds that are themselves excluded where they are given."""

    name = "number"

    def __init__(self, above: float = -math.inf, below: float = math.inf):
        self.above, self.below = above, below

    def convert(self, value, param, ctx) -> float:
        """The number that a text says."""
        try:
            number = float(value)
        except ValueError:
            self.fail(f"{value!r} is not a number", param, ctx)
        if not self.above < number < self.below:
            limits = "finite" if math.isinf(self.above) else f"between {self.above:g} and {self.below:g}"
            self.fail(f"{value} is not {limits}", param, ctx)
        return number


class Assignment(click.ParamType):
    """`NAME=VALUE`, as a pair; the last `=` counts, since a name may have others."""

    name = "NAME=VALUE"

    def convert(self, value, param, ctx) -> tuple[str, float]:
        """The name, and the number that is assigned to it."""
        if isinstance(value, tuple):
            return value
        name, equals, number = value.rpartition("=")
        if not (name.strip() and equals):
            self.fail(f"{value!r} is not of the form NAME=VALUE, such as mu=1.0", param, ctx)
        return name.strip(), Finite().convert(number, param, ctx)


def as_mapping(context: click.Context, parameter: click.Parameter, pairs: tuple[tuple[str, float], ...]) -> dict:
    """Assignments as a dictionary; a name may occur once."""
    values: dict[str, float] = {}
    for name, value in pairs:
        if name in values:
            raise click.BadParameter(f"{name!r} is given twice", ctx=context, param=parameter)
        values[name] = value
    return values


@dataclass(frozen=True)
class Source:
    """Which document to read: a path or `"-"`, a patch of a patch set, and patches, applied in this order."""

    workspace: str
    patchset: str | None
    patch_name: str | None
    patch: tuple[str, ...]

    def __post_init__(self):
        if (self.patchset is None) != (self.patch_name is None):
            raise click.UsageError("--patchset and --patch-name go together", click.get_current_context(silent=True))
        if [self.workspace, self.patchset, *self.patch].count("-") > 1:
            raise click.UsageError("standard input ('-') can be read only once", click.get_current_context(silent=True))


@dataclass(frozen=True)
class Modelling:
    """How to compile: the measurement, the interpolation codes by name, and where compiled programs are kept."""

    measurement: str | None
    normsys: str
    histosys: str
    cache_dir: str | None
    no_cache: bool


def _packed(argument: str, record: type, *options: Callable) -> Callable:
    """A decorator that gives a command some options, and hands it their values as one record."""
    names = [field.name for field in fields(record)]

    def decorate(command: Callable) -> Callable:
        @functools.wraps(command)
        def packing(**values):
            return command(**{argument: record(**{name: values.pop(name) for name in names})}, **values)

        for option in reversed(options):
            packing = option(packing)
        return packing

    return decorate


def source(with_short_patch: bool = True) -> Callable:
    """Gives a command the workspace and its patches, as `source`."""
    patch_names = ("-p", "--patch") if with_short_patch else ("--patch",)
    return _packed(
        "source",
        Source,
        click.argument("workspace", default="-"),
        click.option(*patch_names, metavar="FILE", multiple=True, help="Apply a JSON Patch first. May be repeated."),
        click.option("--patchset", metavar="FILE", help="Apply a patch of this patch set, before any --patch."),
        click.option("--patch-name", metavar="NAME", help="Which patch of the patch set."),
    )


measurement = click.option("--measurement", metavar="NAME", help="The measurement to use.  [default: the first]")

modelling = _packed(
    "modelling",
    Modelling,
    measurement,
    click.option(
        "--normsys",
        type=click.Choice(["code0", "code1", "code2", "code4", "code4p"]),
        default="code4",
        show_default=True,
        help="Interpolation of normsys.",
    ),
    click.option(
        "--histosys",
        type=click.Choice(["code0", "code2", "code4p"]),
        default="code4p",
        show_default=True,
        help="Interpolation of histosys.",
    ),
    click.option(
        "--cache-dir",
        metavar="DIR",
        envvar="HISTJAX_CACHE_DIR",
        show_envvar=True,
        help="Keep compiled programs here, for the next run.  [default: histjax in the user's cache directory]",
    ),
    click.option("--no-cache", is_flag=True, help="Keep no compiled programs, and use none."),
)

output = _packed(
    "output",
    Output,
    click.option("--output-file", metavar="FILE", help="Write the JSON to a file instead."),
    click.option("--text", is_flag=True, help="Print a table instead of JSON; besides it, with --output-file."),
)

poi = click.option("--poi", metavar="NAME", help="The parameter of interest.  [default: the measurement's]")
