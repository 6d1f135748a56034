"""`devnet version`."""

from __future__ import annotations

import click

from devnet import __version__
from devnet.cli import terminal
from devnet.cli.options import json_option


@click.command("version")
@json_option
def command(as_json: bool) -> None:
    """Show the version, as --version does."""
    if as_json:
        terminal.print_json({"version": __version__})
    else:
        terminal.print_line(f"devnet {__version__}")
