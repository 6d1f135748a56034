"""`devnet up`."""

from __future__ import annotations

import time

import click

from devnet.cli import terminal
from devnet.cli.numbers import SEED, Seconds
from devnet.cli.options import (
    cluster_option,
    json_option,
    name_option,
    set_option,
    unsandboxed_option,
)


@click.command("up")
@click.argument("network", default="small")
@cluster_option
@name_option
@click.option(
    "--block-time",
    "seconds_per_block",
    type=Seconds(0.05, 86400),
    default=2.0,
    show_default=True,
    metavar="SECONDS",
    help="Seconds of the wall clock a block; protocol time stays the network's block_seconds.",
)
@click.option("--seed", type=SEED, default=0, metavar="N", help="Of everything random.")
@click.option(
    "--open-rpc",
    is_flag=True,
    help="Let the RPC change the chain too (evm_mine, anvil_setBalance, …); a replay may diverge.",
)
@set_option
@unsandboxed_option
@json_option
def command(
    network: str,
    cluster: str,
    name: str,
    seconds_per_block: float,
    seed: int,
    open_rpc: bool,
    overrides: dict[str, str],
    as_json: bool,
) -> None:
    """Start a devnet of NETWORK that stays until `devnet down`.

    NETWORK is a file, or the name of one that comes with devnet (small, tiny).
    """
    from devnet.base.folder import DevnetFolder
    from devnet.cli.files import network_file
    from devnet.cli.status import print_status
    from devnet.daemon import StartOrder, start

    began = time.monotonic()
    path = network_file(network)
    if open_rpc:
        overrides = {**overrides, "chain.open_rpc": "true"}
    order = StartOrder(str(path), cluster, seconds_per_block, seed, overrides)
    status = start(DevnetFolder.open(name), order, terminal.say)
    terminal.say(f"up in {time.monotonic() - began:.1f} s")
    if as_json:
        terminal.print_json(status)
    else:
        print_status(status)
