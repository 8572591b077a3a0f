"""`patchset`: what is in a patch set, whether it is for a workspace, and its patches one by one. Imports no JAX.

Arguments are those of pyhf's commands of the same names.
"""

import click

from histjax.cli import grids, options
from histjax.cli.documents import read_pair
from histjax.cli.messages import progress
from histjax.cli.output import Output
from histjax.readers import PatchSet, read_patchset


@click.group(no_args_is_help=False, short_help="Work with patch sets, the signals of a search.")
def patchset() -> None:
    """Work with patch sets: the signals that were published for one background workspace.

    A patch set or a workspace may be read from standard input, as '-'.
    """


background = click.argument("background")
patch_set = click.argument("patchset")
one_name = click.option("--name", required=True, metavar="NAME", help="Which patch.")
output_file = click.option("--output-file", metavar="FILE", help="Write the JSON to a file instead.")


@patchset.command()
@click.argument("patchset", default="-")
@output_file
@click.option("--text", is_flag=True, help="Print a table instead of JSON; besides it, with --output-file.")
def inspect(patchset: str, output_file: str | None, text: bool) -> None:
    """Tell what is in a patch set.

    \b
    Keys of the JSON:
      description  what the patches are
      labels       what the values of a patch are
      digests      {algorithm: digest} of the workspace that they are for
      references   {kind: where it was published}
      patches      list of {name, values, operations: how many}
    """
    output = Output(output_file, text)
    output.check()
    with progress() as stage:
        stage("reading")
        read = read_patchset(patchset)
    described = {key: read.metadata[key] for key in ("description", "labels", "digests", "references")}
    patches = [{"name": each.name, "values": each.values, "operations": len(each.operations)} for each in read]
    output.write(described | {"patches": patches}, lambda: _inspection_table(read))


@patchset.command()
@background
@patch_set
@output_file
@click.option("--text", is_flag=True, help="Print a line instead of JSON; besides it, with --output-file.")
def verify(background: str, patchset: str, output_file: str | None, text: bool) -> None:
    """Ask whether a patch set is for a workspace: the digests of the workspace are those of the set.

    \b
    Keys of the JSON:
      verified  true; where it is for another workspace, the exit status is 2
      digests   {algorithm: digest} that were compared
    """
    output = Output(output_file, text)
    output.check()
    with progress() as stage:
        stage("reading")
        document, name, read = read_pair(background, patchset)
        read.verify(document)
    entries = {"verified": True, "digests": read.metadata["digests"]}
    output.write(entries, lambda: f"{read.source} is for {name}: {', '.join(entries['digests'])} agree")


@patchset.command()
@background
@patch_set
@one_name
@options.no_verify
@output_file
def apply(background: str, patchset: str, name: str, no_verify: bool, output_file: str | None) -> None:
    """Write the workspace with one patch applied. It is not checked: see 'histjax validate'."""
    output = Output(output_file, False)
    output.check()
    with progress() as stage:
        stage("reading")
        document, _, read = read_pair(background, patchset)
        patched = read.apply(document, name, verify=not no_verify)
    output.write(patched, str)


@patchset.command()
@click.argument("patchset", default="-")
@one_name
@click.option("--with-metadata/--without-metadata", default=False, help="Write an object with metadata and patch.")
@output_file
def extract(patchset: str, name: str, with_metadata: bool, output_file: str | None) -> None:
    """Write one patch by itself: a JSON Patch, as 'histjax fit --patch' takes it.

    \b
    Keys of the JSON, with --with-metadata:
      metadata  {name, values} of the patch and the metadata of the set
      patch     list of operations
    """
    output = Output(output_file, False)
    output.check()
    with progress() as stage:
        stage("reading")
        read = read_patchset(patchset)
        patch, operations = read[name], read.extract(name)
    metadata = {"name": patch.name, "values": patch.values} | read.metadata
    output.write({"metadata": metadata, "patch": operations} if with_metadata else operations, str)


def _inspection_table(read: PatchSet) -> str:
    """What `patchset inspect --text` prints."""
    from rich.table import Table

    from histjax.fitting.printing import rendered

    table = Table(box=None, pad_edge=False)
    for column in ("patch", *read.labels, "operations"):
        table.add_column(column, overflow="fold")
    for each in read:
        table.add_row(each.name, *map(str, each.values), str(len(each.operations)))
    digests = ", ".join(f"{algorithm}:{value}" for algorithm, value in read.metadata["digests"].items())
    return rendered(read.metadata["description"], f"for the workspace {digests}", "", table)


for command in (grids.cls, grids.limit):
    patchset.add_command(command)
