"""`devnet accounts`."""

from __future__ import annotations

import click

from devnet.cli import terminal
from devnet.cli.options import json_option, name_option


@click.command("accounts")
@click.option("--keys", is_flag=True, help="Their private keys as well.")
@name_option
@json_option
def command(keys: bool, name: str, as_json: bool) -> None:
    """List the accounts of the running devnet by their names: clients, node keys, owners, …

    Everything on a devnet comes from its mnemonic, so keys are no secret here.
    """
    from devnet.cli.inspecting import Inspected

    accounts = Inspected.of(name).accounts()
    if as_json:
        terminal.print_json(
            {
                account.name: {"address": account.address}
                | ({"private_key": account.private_key} if keys else {})
                for account in accounts
            }
        )
        return
    for account in accounts:
        terminal.print_line(f"{account.address}  {account.name}")
        if keys:
            terminal.print_line(f"  {account.private_key}")
