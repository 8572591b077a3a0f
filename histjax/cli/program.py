"""The program: the group of commands, and how it ends.

Exit status: 0 success, 1 a fit that did not converge, 2 wrong input or usage, 130 interrupted, 141 nobody reads the
output. Whatever a user can cause ends in one message on standard error, never in a traceback.
"""

import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version

import click

from histjax.cli.archives import archive
from histjax.cli.bayes import sample, summary
from histjax.cli.completions import completions
from histjax.cli.describe import digest, inspect, validate
from histjax.cli.fitting import fit
from histjax.cli.hs3 import convert
from histjax.cli.messages import say, warnings_said
from histjax.cli.operations import combine, prune, rename, sort
from histjax.cli.patchsets import patchset
from histjax.cli.plot import plot
from histjax.cli.profiling import contour, interval, scan
from histjax.cli.ranking import gof, ranking
from histjax.cli.testing import cls, limit, significance
from histjax.cli.toys import toys
from histjax.cli.xml import json2xml, xml2json
from histjax.errors import HistjaxError

WRONG_USAGE = 2
INTERRUPTED = 130

CHAPTERS = {
    "Look at a document": (inspect, validate, digest),
    "Fit": (fit, interval, scan, contour, ranking, gof),
    "Test hypotheses": (cls, limit, significance, toys),
    "Posteriors": (sample, summary),
    "Draw": (plot,),
    "Many signals": (patchset, archive),
    "Make documents of documents": (combine, prune, rename, sort, convert, xml2json, json2xml),
    "Shell": (completions,),
}
"""The commands, by what one wants to do."""


class Program(click.Group):
    """A group of commands whose every failure is one message and an exit status; its help has chapters."""

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, chapter by chapter."""
        for chapter, commands in CHAPTERS.items():
            with formatter.section(chapter):
                formatter.write_dl([(each.name, each.get_short_help_str(formatter.width - 16)) for each in commands])

    def main(self, args=None, prog_name="histjax", complete_var=None, standalone_mode=True, **extra):
        """Run a command and exit; with `standalone_mode=False` return or raise instead, as `click.Group.main` does."""
        run = super().main
        if not standalone_mode:
            return run(args, prog_name, complete_var, False, **extra)
        with warnings_said():
            status = exit_status(lambda: run(args, prog_name, complete_var, False, **extra))
        sys.exit(status)


def exit_status(run: Callable[[], int | None]) -> int:
    """Run, say what went wrong if anything did, and return the exit status."""
    try:
        return run() or 0
    except HistjaxError as error:
        say("error", str(error))
        return error.exit_status
    except click.UsageError as error:
        say("error", f"{error.format_message()} {_hint(error)}".rstrip())
        return WRONG_USAGE
    except (click.Abort, KeyboardInterrupt):
        say("error", "interrupted")
        return INTERRUPTED


def _hint(error: click.UsageError) -> str:
    return "" if error.ctx is None else f"(see '{error.ctx.command_path} --help')"


def _print_version(context: click.Context, parameter: click.Parameter, asked: bool) -> None:
    """Print the version and exit."""
    del parameter
    if asked and not context.resilient_parsing:
        try:
            found = version("histjax")
        except PackageNotFoundError:  # the source tree, not installed
            found = "of a source tree that is not installed"
        click.echo(f"histjax {found}")
        context.exit()


@click.group(
    "histjax",
    cls=Program,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    no_args_is_help=False,
)
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_print_version, help="Show the version."
)
def main() -> None:
    """Fit HistFactory workspaces and test hypotheses with them.

    Every command reads a workspace in pyhf's JSON format, or an HS3 document, from a file or, for '-' or nothing, from
    standard input, and writes one JSON document to standard output. Numbers have all their digits; one that is infinite
    or undefined is null. Messages go to standard error.

    Exit status: 0 success; 1 a fit did not converge (the JSON is written all the same and says so); 2 wrong input.

    \b
    Begin with
      histjax inspect search.json                  what is in it
      histjax fit search.json --plot pulls.pdf     did it work? what was pulled?
      histjax ranking search.json --text           which uncertainties matter?
      histjax limit search.json --plot limit.pdf   upper limit, with the Brazil band
    and see the options of each with histjax COMMAND --help.
    """


for commands in CHAPTERS.values():
    for command in commands:
        main.add_command(command)
