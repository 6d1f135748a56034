"""`devnet economics`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from devnet.cli import terminal
from devnet.cli.numbers import SEED, Whole
from devnet.cli.options import json_option, set_option

if TYPE_CHECKING:
    from devnet.economics.result import Result

SLOT = "economics"
DEFAULT_YEAR = "year"
ROWS = 13  # of the table over time, about one a month
WEI = 10**18


@click.command("economics")
@click.argument("network", default=DEFAULT_YEAR)
@click.option(
    "--years",
    type=Whole(1, 20),
    default=1,
    show_default=True,
    metavar="N",
    help="How long.",
)
@click.option("--seed", type=SEED, default=0, metavar="N", help="Of everything random.")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Where the report goes; else .devnet/economics/.",
)
@set_option
@json_option
def command(
    network: str,
    years: int,
    seed: int,
    out: Path | None,
    overrides: dict[str, str],
    as_json: bool,
) -> None:
    """Live through years of NETWORK by the protocol's rules alone, and report with plots.

    No chain runs. What people do is assumed by the section `economics` of the network; a year of
    weekly cycles with 10 000 nodes takes less than a minute. Ends with the books: exit 1 when the
    balances do not sum to the supply or an invariant does not hold.
    """
    from devnet.base import CheckFailed
    from devnet.cli.files import network_file
    from devnet.spec.loading import load_network

    spec = load_network(network_file(network), overrides, of_year=True)
    target = out or _default_target(spec.name, seed)
    _check_writable(target)

    from devnet.economics.page import write_page
    from devnet.economics.year import simulate

    result = simulate(spec, years=years, seed=seed, say=terminal.say)
    write_page(target, result, spec)
    if as_json:
        terminal.print_json({**result.to_json(), "report": str(target)})
    else:
        print_result(result, target)
    if not result.ok:
        raise SystemExit(CheckFailed.exit_code)


def print_result(result: Result, report: Path) -> None:
    """All of it in 80 columns."""
    _print_groups(result)
    terminal.print_line()
    _print_cycles(result)
    terminal.print_line()
    rows = [(holder, _whole(wei)) for holder, wei in result.balances.items()]
    terminal.print_table(("balances", "KOMP"), rows, right=("KOMP",))
    for violation in result.violations:
        terminal.print_text(violation, "red")
    from devnet.spec.units import komp_text

    verdict, colour = ("it adds up", "green") if result.ok else ("it does NOT add up", "red")
    terminal.print_text(
        f"{verdict}: balances {komp_text(result.total)}, supply {komp_text(result.supply)}",
        colour,
        head=verdict,
    )
    terminal.print_text(
        f"{result.nodes:,} nodes, {len(result.cycles)} cycles, {result.calls:,} calls, "
        f"{result.incidents:,} incidents"
    )
    if result.pools.pools:
        pools = result.pools
        terminal.print_text(
            f"{pools.pools:,} pools harvested {_whole(pools.harvested)} KOMP, "
            f"{_whole(pools.commission)} of it commission; {pools.closed} closed"
        )
    terminal.print_text(f"report     {report}")


def _print_groups(result: Result) -> None:
    rows = [
        (
            row.group.title,
            f"{row.nodes:,}",
            _whole(row.earned),
            _whole(row.lost),
            _per_cent(row.mean),
            _per_cent(row.low),
            _per_cent(row.high),
        )
        for row in result.groups
    ]
    titles = ("profile, period", "nodes", "rewards", "lost", "a year", "10th", "90th")
    terminal.print_table(titles, rows, right=titles[1:])
    terminal.print_line("KOMP; a year: mean return in % of the stake, and its percentiles")


def _print_cycles(result: Result) -> None:
    cycles = result.cycles
    shown = sorted({(len(cycles) - 1) * place // (ROWS - 1) for place in range(ROWS)})
    rows = [
        (
            str(row.cycle),
            f"{row.publishers:,}",
            f"{row.utilization * 1000 // WEI / 10:.1f} %",
            f"{row.price_usd * 10**6 // WEI / 10**6:.5f}",
            f"{row.price_komp * 10**6 // WEI / 10**6:.5f}",
            _whole(row.added.get("incentives", 0)),
            _whole(row.added.get("consumption", 0)),
            _whole(sum(row.slashed.values())),
        )
        for row in (cycles[place] for place in shown)
    ]
    titles = ("cycle", "nodes", "used", "USD/vCPUh", "KOMP", "incentive", "consumed", "slashed")
    terminal.print_table(titles, rows, right=titles)


def _whole(wei: int) -> str:
    """KOMP without its fraction."""
    return f"{wei // WEI:,}"


def _per_cent(bps: int) -> str:
    sign, whole = ("-" if bps < 0 else ""), abs(bps)
    return f"{sign}{whole // 100:,}.{whole % 100 // 10}"


def _default_target(name: str, seed: int) -> Path:
    from devnet.base.folder import DevnetFolder

    return DevnetFolder.open(SLOT).path / f"{name}-seed-{seed}.html"


def _check_writable(target: Path) -> None:
    """Found out before the year, not after it."""
    from devnet.base import MachineLacks

    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=target.parent):
            pass
    except OSError as error:
        raise MachineLacks(
            f"the report cannot be written to {target}: {error.strerror}",
            hint="name another file with --out",
        ) from error
