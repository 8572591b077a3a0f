"""Arguments and options that commands share, and the records in which their values arrive."""

import functools
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from typing import Any

import click

from histjax.cli.option_types import Assignment, Pattern, RegexAssignment
from histjax.cli.output import Output
from histjax.cli.pictures import Picture


def as_mapping(context: click.Context, parameter: click.Parameter, pairs: tuple[tuple[str, Any], ...]) -> dict:
    """Pairs of a name and what is given to it, as a dictionary; a name may occur once."""
    values: dict[str, Any] = {}
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
            raise _wrong_usage("--patchset and --patch-name go together")
        if [self.workspace, self.patchset, *self.patch].count("-") > 1:
            raise _wrong_usage("standard input ('-') can be read only once")


@dataclass(frozen=True)
class Modelling:
    """How to compile: the measurement, the interpolation codes by name, what of an HS3 document is taken, the channels
    left out, and where compiled programs are kept.
    """

    measurement: str | None
    normsys: str | None
    histosys: str | None
    analysis: str | None
    likelihood: str | None
    domain: str | None
    parameter_point: str | None
    binned: str | None
    mask: tuple[str, ...]
    cache_dir: str | None
    no_cache: bool


@dataclass(frozen=True)
class Fitting:
    """How to fit: what is held at a value, by name and by regular expression, and where to start."""

    fixed: dict[str, float]
    fix: tuple[tuple[re.Pattern, float], ...]
    init: dict[str, float]

    def settings(self, parameters, free: Iterable[str] = ()) -> dict[str, dict[str, float]]:
        """`fixed` and `init` as the functions of the package take them; a name goes before an expression.

        **Raises:** `UnknownName` for an expression that matches nothing; `click.UsageError` where one of the parameters
        `free`, which the command varies, would be held.
        """
        fixed = self._matched(parameters) | self.fixed
        held = {*fixed, *(each for name in fixed for each in parameters.component_names[parameters.index(name)])}
        for name in free:
            if name in held:
                raise _wrong_usage(f"{name!r} cannot be held by --fixed or --fix: the command varies it")
        return {"fixed": fixed, "init": self.init}

    def _matched(self, parameters) -> dict[str, float]:
        import histjax

        matched: dict[str, float] = {}
        for expression, value in self.fix:
            for place in histjax.select(parameters, expression):
                name = parameters.component_names[place]
                if matched.setdefault(name, value) != value:
                    raise _wrong_usage(f"--fix holds {name!r} at {matched[name]:g} and at {value:g}")
        return matched


def _wrong_usage(message: str) -> click.UsageError:
    return click.UsageError(message, click.get_current_context(silent=True))


def packed(argument: str, record: type, *options: Callable) -> Callable:
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
    return packed(
        "source",
        Source,
        click.argument("workspace", default="-"),
        click.option(*patch_names, metavar="FILE", multiple=True, help="Apply a JSON Patch first. May be repeated."),
        click.option("--patchset", metavar="FILE", help="Apply a patch of this patch set, before any --patch."),
        click.option("--patch-name", metavar="NAME", help="Which patch of the patch set."),
    )


measurement = click.option("--measurement", metavar="NAME", help="The measurement to use.  [default: the first]")

modelling = packed(
    "modelling",
    Modelling,
    measurement,
    click.option(
        "--normsys",
        type=click.Choice(["code0", "code1", "code2", "code4", "code4p"]),
        help="Interpolation of normsys.  [default: code4]",
    ),
    click.option(
        "--histosys",
        type=click.Choice(["code0", "code2", "code4p"]),
        help="Interpolation of histosys.  [default: code4p]",
    ),
    click.option("--analysis", metavar="NAME", help="HS3: the analysis to use.  [default: the first]"),
    click.option("--likelihood", metavar="NAME", help="HS3: a likelihood in place of that of the analysis."),
    click.option("--domain", metavar="NAME", help="HS3: a domain in place of those of the analysis."),
    click.option("--parameter-point", metavar="NAME", help="HS3: where to start, and what is constant."),
    click.option(
        "--binned",
        type=click.Choice(["integrals", "centres"]),
        help="HS3: binned data against integrals of a density over bins, or its values in the middle, as ROOT does.  "
        "[default: integrals]",
    ),
    click.option(
        "--mask", metavar="CHANNEL", multiple=True, help="Leave a channel out of the likelihood. May be repeated."
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

fitting = packed(
    "fitting",
    Fitting,
    click.option(
        "--fixed",
        type=Assignment(),
        multiple=True,
        callback=as_mapping,
        help="Hold a parameter, or one component NAME[i], at a value. May be repeated.",
    ),
    click.option(
        "--fix",
        type=RegexAssignment(),
        multiple=True,
        help="Hold all parameters and components whose whole name matches, but for those under --fixed. "
        "May be repeated.",
    ),
    click.option(
        "--init",
        type=Assignment(),
        multiple=True,
        callback=as_mapping,
        help="Start a parameter, or one component NAME[i], at a value. May be repeated.",
    ),
)


def patterns(*names: str, text: str) -> Callable:
    """An option that takes parameters by name or pattern, and may be repeated."""
    return click.option(*names, type=Pattern(), multiple=True, help=text)


output = packed(
    "output",
    Output,
    click.option("--output-file", metavar="FILE", help="Write the JSON to a file instead."),
    click.option("--text", is_flag=True, help="Print a table instead of JSON; besides it, with --output-file."),
)

picture = packed(
    "picture",
    Picture,
    click.option("--plot", metavar="FILE", help="Draw it, too: a .pdf, .svg or .png file."),
)

poi = click.option("--poi", metavar="NAME", help="The parameter of interest.  [default: the measurement's]")

no_verify = click.option(
    "--no-verify", is_flag=True, help="Do not ask whether the patch set is for this workspace (its digests)."
)
