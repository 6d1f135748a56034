"""`devnet config`."""

from __future__ import annotations

import click

from devnet.cli import terminal
from devnet.cli.options import json_option, set_option


@click.command("config")
@click.argument("network", default="small")
@set_option
@json_option
def command(network: str, overrides: dict[str, str], as_json: bool) -> None:
    """Print NETWORK whole: every default filled in, every override applied.

    NETWORK is a file, or the name of one that comes with devnet (small, tiny).
    """
    from devnet.cli.files import network_file
    from devnet.spec.loading import load_network, resolved_yaml

    spec = load_network(network_file(network), overrides)
    if as_json:
        terminal.print_json(spec.document())
    else:
        terminal.print_line(resolved_yaml(spec).rstrip("\n"))
