"""`convert`, and what `inspect` and `validate` say of HS3 documents."""

from typing import Any

import click

from histjax.cli import options
from histjax.cli.documents import checked, read_document
from histjax.cli.messages import progress, say
from histjax.cli.output import Output, plain
from histjax.readers import is_hs3, write_workspace


@click.command()
@options.source()
@click.option("--to", "target", type=click.Choice(["hs3", "pyhf"]), required=True, help="The format to write.")
@click.option("--analysis", metavar="NAME", help="HS3: the analysis to convert.  [default: the first]")
@click.option("--output-file", metavar="FILE", help="Write the JSON to a file instead.")
def convert(source: options.Source, target: str, analysis: str | None, output_file: str | None) -> None:
    """Convert between workspaces of pyhf's format and HS3 documents.

    From pyhf to HS3 and back loses nothing. A document that is in the format already is written in one order: equal
    documents give equal bytes. An HS3 document that says what pyhf's format cannot is refused, with all the reasons.
    """
    output = Output(output_file, False)
    output.check()
    with progress() as stage:
        stage("reading")
        document, name = read_document(source)
        stage("converting")
        converted = (_from_hs3 if is_hs3(document) else _from_pyhf)(document, name, target, analysis)
    output.write(converted, str)


def _from_pyhf(document: Any, name: str, target: str, analysis: str | None) -> dict:
    if analysis is not None:
        raise click.UsageError("--analysis is for HS3 documents", click.get_current_context(silent=True))
    workspace, _ = checked(document, name)
    if target == "pyhf":
        return write_workspace(workspace)
    from histjax.hs3.histfactory import document_of

    return document_of(workspace)


def _from_hs3(document: Any, name: str, target: str, analysis: str | None) -> dict:
    from histjax.hs3 import Workspace
    from histjax.hs3.histfactory import workspace_of
    from histjax.hs3.writing import sorted_document

    Workspace.from_document(document, name)  # raises with all that is wrong
    if target == "pyhf":
        return write_workspace(workspace_of(document, analysis, source=name))
    if analysis is not None:
        raise click.UsageError(
            "an HS3 document is written whole, without --analysis", click.get_current_context(silent=True)
        )
    return sorted_document(document)


def describe_hs3(document: Any, name: str) -> dict:
    """What `inspect` writes of an HS3 document."""
    from histjax.hs3 import Workspace

    found = Workspace.from_document(document, name)
    return {
        "hs3_version": found.metadata.hs3_version,
        "distributions": [{"name": each.name, "type": each.type} for each in found.distributions],
        "functions": [{"name": each.name, "type": each.type} for each in found.functions],
        "domains": [{"name": each.name, "axes": len(each.axes)} for each in found.domains],
        "parameter_points": [
            {"name": each.name, "parameters": len(each.parameters)} for each in found.parameter_points
        ],
        "data": [
            {"name": each.name, "type": each.type, "axes": [axis.name for axis in each.axes]} for each in found.data
        ],
        "likelihoods": [
            {
                "name": each.name,
                "distributions": each.distributions,
                "data": each.data,
                "aux_distributions": each.aux_distributions,
            }
            for each in found.likelihoods
        ],
        "analyses": [
            {
                "name": each.name,
                "likelihood": each.likelihood,
                "parameters_of_interest": each.parameters_of_interest,
                "domains": each.domains,
                "init": each.init,
            }
            for each in found.analyses
        ],
        "overview": str(found),
    }


def inspect_hs3(document: Any, name: str, output: Output) -> None:
    """Write it."""
    description = describe_hs3(document, name)
    overview = description.pop("overview")
    output.write(plain(description), lambda: overview)


def doubts_of_hs3(document: Any, name: str) -> list:
    """What is doubtful in an HS3 document, said on standard error; raises `InvalidDocument` for what is wrong."""
    from histjax.hs3.reading import read_records

    _, doubts = read_records(document, name)
    for doubt in doubts:
        say("warning", f"{name}: {doubt}")
    return doubts
