"""`archive`: a published likelihood as HEPData lets one download it. Imports no JAX."""

import click

from histjax.cli import options
from histjax.cli.messages import progress, say
from histjax.cli.output import Output
from histjax.readers import Archive, read_archive
from histjax.readers.unpacking import write_folder


@click.group(no_args_is_help=False, short_help="Open published likelihoods as HEPData has them.")
def archive() -> None:
    """Open published likelihoods: archives with a background workspace and its signals, as HEPData has them.

    An archive is a tar or zip file, also one of archives, or a folder.
    """


@archive.command()
@click.argument("archive")
@options.output
def inspect(archive: str, output: Output) -> None:
    """Tell what is in an archive.

    \b
    Keys of the JSON:
      likelihoods  list of {name, path: of the workspace, channels, bins,
                   labels: what the values of a patch are, signals: [names],
                   doubts: [what does not fit together]}
      files        paths of all files
      readme       text of the README, or null
    """
    output.check()
    with progress() as stage:
        stage("reading")
        found = read_archive(archive)
    described = describe(found)
    output.write(described, lambda: _table(found.source, described))


@archive.command()
@click.argument("archive")
@click.option("--output-directory", metavar="DIR", required=True, help="A folder that is new or empty.")
def extract(archive: str, output_directory: str) -> None:
    """Unpack an archive, and the archives in it, into a folder.

    \b
    Keys of the JSON:
      files  paths of the files that were written
    """
    with progress() as stage:
        stage("reading")
        found = read_archive(archive)
        stage("writing")
        paths = write_folder(found.contents, output_directory)
    Output(None, False).write({"files": [str(each) for each in paths]}, lambda: f"{len(paths)} files")


@archive.command()
@click.argument("archive")
@click.option("--likelihood", metavar="NAME", help="Which likelihood.  [default: the only one]")
@click.option("--signal", metavar="NAME", help="Apply the patch of this name.  [default: no signal]")
@click.option("--output-file", metavar="FILE", help="Write the JSON to a file instead.")
def workspace(archive: str, likelihood: str | None, signal: str | None, output_file: str | None) -> None:
    """Write the workspace of a likelihood, with a signal or without.

    \b
        histjax archive workspace FILE --signal NAME | histjax cls
    """
    output = Output(output_file, False)
    output.check()
    with progress() as stage:
        stage("reading")
        found = read_archive(archive)
        if likelihood is None and len(found) > 1:
            message = f"there are several likelihoods; choose one with --likelihood: {', '.join(found.names)}"
            raise click.UsageError(message, click.get_current_context(silent=True))
        chosen = found[found.names[0] if likelihood is None else likelihood]
        document = chosen.document(signal)
    for doubt in chosen.doubts:
        say("warning", doubt)
    output.write(document, str)


def describe(found: Archive) -> dict:
    """What `archive inspect` writes."""
    likelihoods = [
        {
            "name": each.name,
            "path": each.path,
            "channels": len(each.background["channels"]),
            "bins": sum(len(observation["data"]) for observation in each.background.get("observations", ())),
            "labels": list(each.patchset.labels) if each.patchset else [],
            "signals": list(each.signals),
            "doubts": list(each.doubts),
        }
        for each in found
    ]
    return {"likelihoods": likelihoods, "files": list(found.files), "readme": found.readme}


def _table(source: str, described: dict) -> str:
    """What `archive inspect --text` prints."""
    from rich.table import Table

    from histjax.fitting.printing import rendered

    table = Table(box=None, pad_edge=False)
    for column in ("likelihood", "workspace", "channels", "bins", "signals", "labels"):
        table.add_column(column, overflow="fold")
    for each in described["likelihoods"]:
        numbers = (str(each["channels"]), str(each["bins"]), str(len(each["signals"])))
        table.add_row(each["name"], each["path"], *numbers, ", ".join(each["labels"]))
    doubts = [doubt for each in described["likelihoods"] for doubt in each["doubts"]]
    return rendered(f"{source}: {len(described['files'])} files", "", table, *doubts)
