"""`devnet load`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from devnet.base.telling import counted
from devnet.cli import terminal
from devnet.cli.numbers import SEED, Duration, Seconds, Whole
from devnet.cli.options import (
    cluster_names,
    json_option,
    known_cluster,
    set_option,
    unsandboxed_option,
)
from devnet.cli.progress import print_remains

if TYPE_CHECKING:
    from devnet.runs.load import LoadResult

SLOT = "load"


@click.command("load")
@click.argument("network", default="load")
@click.option(
    "--users",
    "-u",
    type=Whole(1, 10_000),
    default=50,
    show_default=True,
    metavar="N",
    help="How many at once.",
)
@click.option(
    "--time",
    "-t",
    "seconds",
    type=Duration(1, 86_400),
    default="30s",
    show_default=True,
    help="How long they go on, up to a day.",
)
@click.option(
    "--cluster",
    default="sim",
    callback=known_cluster,
    show_default=True,
    metavar="|".join(cluster_names()),
    help="What the nodes are.",
)
@click.option(
    "--block-time",
    "seconds_per_block",
    type=Seconds(0.05, 60),
    default=0.25,
    show_default=True,
    metavar="SECONDS",
    help="Seconds of the wall clock a block.",
)
@click.option("--seed", type=SEED, default=0, metavar="N", help="Of everything random.")
@set_option
@unsandboxed_option
@json_option
def command(
    network: str,
    users: int,
    seconds: int,
    cluster: str,
    seconds_per_block: float,
    seed: int,
    overrides: dict[str, str],
    as_json: bool,
) -> None:
    """Let many users (Locust) go through the whole loop at once on a devnet of NETWORK.

    Ends in a verdict: what users did and what the chain holds must be equal, service levels and
    all invariants must hold; exit 1 otherwise. Leaves a bundle and a report.
    """
    from devnet.base import CheckFailed, Toolchain
    from devnet.cli.files import network_file
    from devnet.cli.slots import held_slot
    from devnet.spec.loading import load_network

    spec = load_network(network_file(network), overrides)

    from devnet.cli.playing import keeping_what_happened
    from devnet.runs.load import run_load

    with held_slot(SLOT, cluster) as folder, keeping_what_happened(folder):
        result = run_load(
            spec,
            users=users,
            seconds=seconds,
            cluster=cluster,
            seed=seed,
            folder=folder,
            toolchain=Toolchain(say=terminal.say),
            say=terminal.say,
            seconds_per_block=seconds_per_block,
        )
    if as_json:
        terminal.print_json(result.to_json())
    else:
        _print(result)
    if not result.ok:
        raise SystemExit(CheckFailed.exit_code)


def _print(result: LoadResult) -> None:
    verdict = result.verdict
    rows = [
        (
            stage.stage,
            stage.on_chain,
            stage.succeeded,
            stage.failed,
            f"{stage.p50_milliseconds} ms" if stage.timed else "-",
            f"{stage.p95_milliseconds} ms" if stage.timed else "-",
            f"{stage.limit_milliseconds} ms",
        )
        for stage in verdict.stages
    ]
    titles = ("stage", "on chain", "by users", "failed", "p50", "p95", "limit")
    terminal.print_table(titles, rows, right=titles[1:])
    for fault in verdict.faults:
        terminal.print_text(fault, "red")
    rate = ""
    if verdict.load_milliseconds:  # else Locust left no statistics
        rate = f" ({verdict.transactions * 1000 // verdict.load_milliseconds}/s)"
    terminal.print_text(
        f"{verdict.word}: {counted(result.users, 'user')} on {result.cluster}, "
        f"{counted(verdict.transactions, 'transaction')}{rate}, "
        f"{counted(verdict.requests, 'request')}, {result.seconds:.1f} s",
        "green" if verdict.ok else "red",
        head=verdict.word,
    )
    terminal.print_text(f"last block {result.last_block.number} {result.last_block.hash}")
    print_remains(result.remains)
