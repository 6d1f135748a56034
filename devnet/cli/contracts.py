"""`devnet contracts`."""

from __future__ import annotations

import click

from devnet.cli import terminal
from devnet.cli.options import json_option, name_option


@click.command("contracts")
@name_option
@json_option
def command(name: str, as_json: bool) -> None:
    """List the contracts of the running devnet: address and name, pools among them."""
    from devnet.cli.inspecting import Inspected

    contracts = Inspected.of(name).contracts
    if as_json:
        terminal.print_json(contracts)
        return
    for contract, address in contracts.items():
        terminal.print_line(f"{address}  {contract}")
