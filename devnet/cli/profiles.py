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
        size = profile.capacity
        rows.append(
            (
                name,
                f"{size.milli_cpu / 1000:g}",
                f"{size.memory_bytes / 2**30:g} GiB",
                f"{size.storage_bytes // 10**9} GB",
                f"{size.disk_write_bytes_per_second // 10**6} MB/s",
                f"{size.network_bits_per_second // 10**6} Mbit/s",
                f"{size.sgx_epc_bytes // 2**20} MiB" if size.sgx_epc_bytes else "-",
                profile.description,
            )
        )
    titles = ("profile", "CPUs", "memory", "storage", "writes", "network", "EPC", "what it is")
    terminal.print_table(
        titles,
        rows,
        right=(
            "CPUs",
            "memory",
            "storage",
            "writes",
            "network",
        ),
    )
