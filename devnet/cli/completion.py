"""`devnet completion`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from devnet.cli import terminal


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the completion script of SHELL, for example: eval "$(devnet completion bash)"."""
    from devnet.cli.ape import cli

    complete = get_completion_class(shell)
    assert complete is not None
    terminal.print_line(complete(cli, {}, "devnet", "_DEVNET_COMPLETE").source())
