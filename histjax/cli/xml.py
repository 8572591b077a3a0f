"""`xml2json`, `json2xml`: between HistFactory's XML with ROOT histograms and pyhf's JSON. Imports no JAX.

Arguments are those of pyhf's commands of the same names, where they mean the same.
"""

from pathlib import Path

import click

from histjax.cli import options
from histjax.cli.documents import read
from histjax.cli.messages import progress
from histjax.cli.output import Output
from histjax.readers import write_workspace
from histjax.spec import Workspace


class Mount(click.ParamType):
    """`HOST:MOUNT`, a folder here and what a document calls it, as a pair; the last `:` counts."""

    name = "HOST:MOUNT"

    def convert(self, value, param, ctx) -> tuple[str, str]:
        """The two folders."""
        if isinstance(value, tuple):
            return value
        host, _, mount = value.rpartition(":")
        if not host or not mount:
            self.fail(f"{value!r} is not of the form {self.name}, such as /scratch/inputs:/eos/inputs", param, ctx)
        return host, mount


@click.command()
@click.argument("file")
@click.option(
    "--root-directory",
    "--basedir",
    metavar="DIR",
    default=".",
    help="Where relative paths start.  [default: the working directory]",
)
@click.option(
    "-v",
    "--mount",
    "mounts",
    type=Mount(),
    multiple=True,
    help="A path in the XML that begins with MOUNT is looked for in HOST. May be repeated.",
)
@click.option(
    "--normalise-by-theory/--no-normalise-by-theory",
    default=True,
    show_default=True,
    help="Whether a Sample without NormalizeByTheory has the luminosity: so in ROOT, not so in pyhf.",
)
@click.option("--track-progress/--hide-progress", default=True, hidden=True)
@options.output
def xml2json(
    file: str,
    root_directory: str,
    mounts: tuple[tuple[str, str], ...],
    normalise_by_theory: bool,
    track_progress: bool,
    output: Output,
) -> None:
    """Read HistFactory XML and write the workspace.

    FILE has the Combination; '-' is standard input. Files outside of the root directory and the mounts are refused.
    What JSON cannot say (Poisson terms of staterrors, Gaussian ones of shapesys, ConstraintTerms) is said on standard
    error; histjax.read_xml and histjax.compile_xml keep it.
    """
    del track_progress  # pyhf's: here a terminal decides
    from histjax.readers.xml import read_xml

    output.check()
    with progress() as stage:
        stage("reading")
        workspace = read_xml(
            file, root_directory=root_directory, mounts=mounts, normalise_by_theory=normalise_by_theory
        ).workspace
    output.write(write_workspace(workspace), lambda: _summary(workspace))


@click.command()
@options.source()
@click.option("--output-directory", "--output-dir", metavar="DIR", required=True, help="The folder to write.")
@click.option("--prefix", "--resultprefix", default="FitConfig", show_default=True, help="How names of files begin.")
@click.option("--overwrite", is_flag=True, help="Put it in the place of what was written there before.")
@click.option("--specroot", type=click.Choice(["config"]), default="config", hidden=True)
@click.option("--dataroot", type=click.Choice(["data"]), default="data", hidden=True)
def json2xml(
    source: options.Source, output_directory: str, prefix: str, overwrite: bool, specroot: str, dataroot: str
) -> None:
    """Write a workspace as HistFactory XML, which ROOT reads.

    In the folder there are then PREFIX.xml with the Combination, config/ with the channels and data/data.root.

    \b
    Keys of the JSON on standard output:
      combination  path of the file with the Combination
    """
    del specroot, dataroot  # pyhf's names of the folders are the ones there are
    from histjax.readers.xml import write_xml

    with progress() as stage:
        stage("reading")
        workspace, _, _ = read(source)
        stage("writing")
        path: Path = write_xml(workspace, output_directory, prefix=prefix, overwrite=overwrite)
    Output(None, False).write({"combination": str(path)}, lambda: f"written: {path}")


def _summary(workspace: Workspace) -> str:
    """What `xml2json --text` prints."""
    bins = sum(each.n_bins for each in workspace.channels)
    names = ", ".join(each.name for each in workspace.measurements)
    return f"{len(workspace.channels)} channels with {bins} bins; measurements: {names}"
