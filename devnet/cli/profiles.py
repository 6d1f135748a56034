"""`devnet profiles`."""

from __future__ import annotations

from dataclasses import asdict

import click

from devnet.cli import terminal
from devnet.cli.options import json_option


@click.command("profiles")
@json_option
def command(as_json: bool) -> None:
    """List the hardware profiles a network file can name, unscaled."""
    from cluster.profiles import load_profile, profile_names

    profiles = {name: load_profile(name) for name in profile_names()}
    if as_json:
        terminal.print_json({name: asdict(profile) for name, profile in profiles.items()})
        return
    rows = []
    for name, profile in profiles.items():
        values = asdict(profile)
        values.pop("name", None)
        rows.append((name, ", ".join(f"{key} {value}" for key, value in values.items())))
    terminal.print_table(("profile", "what it is"), rows)
