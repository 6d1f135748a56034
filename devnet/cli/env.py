"""`devnet env`."""

from __future__ import annotations

import click

from devnet.cli import terminal
from devnet.cli.options import json_option, name_option


@click.command("env")
@name_option
@json_option
def command(name: str, as_json: bool) -> None:
    """Print the running devnet as variables of a shell: eval "$(devnet env)".

    RPC URL, chain id, the run's folder, KUBECONFIG where there is a Kubernetes API, and an
    address for each contract, such as KOMPUTE_ADDRESS_STAKING.
    """
    from devnet.cli.inspecting import Inspected, export_lines

    variables = Inspected.of(name).variables()
    if as_json:
        terminal.print_json(variables)
        return
    for line in export_lines(variables):
        terminal.print_line(line)
