"""`devnet abi`."""

from __future__ import annotations

import click

from devnet.cli import terminal
from devnet.cli.options import json_option, name_option


@click.command("abi")
@click.argument("contract")
@name_option
@json_option
def command(contract: str, name: str, as_json: bool) -> None:
    """Print the ABI of CONTRACT as JSON: Staking, Feed:komp_usd, Pool:1, …

    It is the ABI of what runs, whatever the sources say by now. With --json: name, address and
    ABI in one object.
    """
    from devnet.cli.inspecting import Inspected

    inspected = Inspected.of(name)
    abi = inspected.abi(contract)
    if as_json:
        address = inspected.contracts.get(contract)
        terminal.print_json({"name": contract, "address": address, "abi": abi})
    else:
        terminal.print_json(abi)
