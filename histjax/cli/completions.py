"""`completions`: the script by which a shell completes the commands and options of this program."""

import click
from click.shell_completion import get_completion_class

from histjax.cli.output import write_standard_output


@click.command(short_help="Write the script that completes commands in a shell.")
@click.argument("shell", type=click.Choice(["bash", "fish", "zsh"]))
@click.pass_context
def completions(context: click.Context, shell: str) -> None:
    """Write the script that makes a shell complete commands and options.

    \b
    For this session:  eval "$(histjax completions bash)"
    For all:           histjax completions bash > ~/.local/share/bash-completion/completions/histjax
    """
    script = get_completion_class(shell)(context.find_root().command, {}, "histjax", "_HISTJAX_COMPLETE").source()
    write_standard_output(script)
