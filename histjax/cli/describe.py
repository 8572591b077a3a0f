"""`inspect`, `validate`, `digest`: what a document is, without computing anything. Imports no JAX."""

import hashlib
from collections import Counter

import click

from histjax.cli import options
from histjax.cli.documents import checked, read_document
from histjax.cli.hs3 import doubts_of_hs3, inspect_hs3
from histjax.cli.messages import progress
from histjax.cli.output import Output, plain
from histjax.errors import Problem
from histjax.readers import is_hs3
from histjax.spec import Measurement, Workspace

ALGORITHMS = sorted(each for each in hashlib.algorithms_guaranteed if not each.startswith("shake"))


@click.command()
@options.source()
@options.measurement
@options.output
def inspect(source: options.Source, measurement: str | None, output: Output) -> None:
    """Tell what is in a workspace.

    Of an HS3 document: its version, distributions, functions, domains,
    parameter_points, data, likelihoods and analyses, each a list.

    \b
    Keys of the JSON:
      channels      list of {name, bins, samples: [names]}
      samples       names of all samples
      parameters    list of {name, components, constraint (none, normal or
                    poisson), modifiers: [types], init, bounds, fixed}, the
                    last three per component, as the measurement sets them
      systematics   names of the parameters that have a constraint
      modifiers     number of modifiers of each type
      measurement   name of the measurement used
      poi           its parameter of interest, or null
      measurements  list of {name, poi, parameters: [names that it sets]}
      version       of the workspace's format
    """
    output.check()
    with progress() as stage:
        stage("reading")
        document, name = read_document(source)
        if is_hs3(document):
            return inspect_hs3(document, name, output)
        workspace, _ = checked(document, name, measurement)
        description = describe(workspace, workspace.measurement(measurement))
    output.write(description, lambda: _inspection_table(plain(description)))


def describe(workspace: Workspace, measurement: Measurement) -> dict:
    """What `inspect` writes."""
    from histjax.lower.parameters import parameter_sets, settings

    sets = parameter_sets(workspace)
    chosen = settings(sets, measurement)
    samples = [sample for channel in workspace.channels for sample in channel.samples]
    return {
        "channels": [
            {"name": each.name, "bins": each.n_bins, "samples": [sample.name for sample in each.samples]}
            for each in workspace.channels
        ],
        "samples": sorted({sample.name for sample in samples}),
        "parameters": [
            {
                "name": each.name,
                "components": each.size,
                "constraint": each.constraint,
                "modifiers": each.modifiers,
                "init": chosen.init[each.slice],
                "bounds": list(zip(chosen.lower[each.slice], chosen.upper[each.slice], strict=True)),
                "fixed": chosen.fixed[each.slice],
            }
            for each in sets
        ],
        "systematics": [each.name for each in sets if each.constraint != "none"],
        "modifiers": dict(sorted(Counter(each.type for sample in samples for each in sample.modifiers).items())),
        "measurement": measurement.name,
        "poi": measurement.poi,
        "measurements": [
            {"name": each.name, "poi": each.poi, "parameters": [settings.name for settings in each.parameters]}
            for each in workspace.measurements
        ],
        "version": workspace.version,
    }


@click.command()
@options.source()
@options.measurement
@options.output
def validate(source: options.Source, measurement: str | None, output: Output) -> None:
    """Check a workspace and report all that is wrong with it.

    \b
    Keys of the JSON:
      valid     true; for a document that is not valid, all problems are on
                standard error, nothing is written and the exit status is 2
      warnings  list of {path, message}: what is doubtful but usable, and
                where, as a JSON pointer
    """
    output.check()
    with progress() as stage:
        stage("reading")
        document, name = read_document(source)
        doubts = doubts_of_hs3(document, name) if is_hs3(document) else checked(document, name, measurement)[1]
    warnings = [{"path": doubt.path, "message": doubt.message} for doubt in doubts]
    output.write({"valid": True, "warnings": warnings}, lambda: _verdict(doubts))


@click.command()
@options.source(with_short_patch=False)
@click.option(
    "-a",
    "--algorithm",
    "algorithms",
    type=click.Choice(ALGORITHMS),
    multiple=True,
    default=("sha256",),
    show_default=True,
    help="Hash algorithm. May be repeated.",
)
@click.option(
    "-p/-j",
    "--plaintext/--json",
    "text",
    default=False,
    help="Print lines such as sha256:<digest>, or JSON.  [default: JSON]",
)
@click.option("--output-file", metavar="FILE", help="Write the JSON to a file instead.")
def digest(source: options.Source, algorithms: tuple[str, ...], text: bool, output_file: str | None) -> None:
    """Compute the digest by which patch sets name a workspace.

    It is pyhf's: of the document as it is after the patches, whatever the order of its keys. Here -p is --plaintext,
    as in pyhf; patches are given with --patch.

    \b
    Keys of the JSON: the algorithms; the values are hexadecimal digests.
    """
    from histjax.readers import digest as digest_of

    output = Output(output_file, text)
    output.check()
    with progress() as stage:
        stage("reading")
        document, name = read_document(source)
        if not is_hs3(document):
            checked(document, name)
    digests = {algorithm: digest_of(document, algorithm) for algorithm in algorithms}
    output.write(digests, lambda: "\n".join(f"{algorithm}:{value}" for algorithm, value in digests.items()))


def _inspection_table(description: dict) -> str:
    """What `inspect --text` prints."""
    from rich.table import Table

    from histjax.fitting.printing import rendered

    def table(*columns: str) -> Table:
        made = Table(box=None, pad_edge=False)
        for column in columns:
            made.add_column(column, overflow="fold")
        return made

    channels = table("channel", "bins", "samples")
    for each in description["channels"]:
        channels.add_row(each["name"], str(each["bins"]), ", ".join(each["samples"]))
    parameters = table("parameter", "components", "constraint", "modifiers", "")
    for each in description["parameters"]:
        note = "parameter of interest" if each["name"] == description["poi"] else "fixed" if all(each["fixed"]) else ""
        kinds = ", ".join(each["modifiers"])
        parameters.add_row(each["name"], str(each["components"]), each["constraint"], kinds, note)
    measurements = table("measurement", "parameter of interest", "parameters set")
    for each in description["measurements"]:
        note = " (used)" if each["name"] == description["measurement"] else ""
        measurements.add_row(each["name"] + note, each["poi"] or "none", ", ".join(each["parameters"]) or "none")
    return rendered(channels, "", parameters, "", measurements)


def _verdict(doubts: list[Problem]) -> str:
    """What `validate --text` prints."""
    return "valid" if not doubts else f"valid, with {len(doubts)} warning{'s' if len(doubts) > 1 else ''}"
