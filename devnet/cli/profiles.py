"""`devnet profiles`, `devnet profiles measure`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from devnet.cli import terminal
from devnet.cli.numbers import Whole
from devnet.cli.options import cluster_option, json_option, set_option

if TYPE_CHECKING:
    from cluster.profiles import Profile
    from devnet.runs.profiling import Profiling
    from devnet.spec.network import NetworkSpec

SLOT = "profiles"
DEFAULT_NETWORK = "small"  # whose scale counts where none is named
MOST_ROUNDS = 99
MEASURE = "measure"


@click.command("profiles")
@click.argument("action", required=False, type=click.Choice([MEASURE]), metavar="[measure]")
@click.option(
    "--network",
    metavar="NETWORK",
    help="Also the profiles of this network; measure: at its scale, else at 1/16.",
)
@click.option(
    "--rounds",
    type=Whole(1, MOST_ROUNDS),
    default=5,
    show_default=True,
    metavar="N",
    help="measure: how often each is measured; the median counts.",
)
@cluster_option
@set_option
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    action: str | None,
    network: str | None,
    rounds: int,
    cluster: str,
    overrides: dict[str, str],
    as_json: bool,
) -> None:
    """List the hardware profiles a network file can name, unscaled, or measure them.

    `devnet profiles measure` raises a node of each on a cluster of its own and measures them in
    turn, with nothing else on them: claimed beside measured. Exit 1 where a figure is off by more
    than a tenth, 3 where nothing holds a node to its profile.
    """
    from devnet.cli.files import network_file
    from devnet.cli.group import tell_unused
    from devnet.spec.loading import load_network

    if action is None:
        _refuse_what_measures(ctx)
        if network is None:
            tell_unused(ctx.command)
        spec = load_network(network_file(network), overrides) if network else None
        _list(spec, as_json)
        return
    spec = load_network(network_file(network or DEFAULT_NETWORK), overrides)
    found = _measured(spec, rounds, cluster)
    if as_json:
        terminal.print_json(found.to_json())
    else:
        _print(found)
    if found.broken:
        from devnet.base import CheckFailed

        raise SystemExit(CheckFailed.exit_code)


def _refuse_what_measures(ctx: click.Context) -> None:
    """Nothing that was asked for is passed over in silence."""
    given = click.core.ParameterSource.COMMANDLINE
    for name in ("rounds", "cluster"):
        if ctx.get_parameter_source(name) is given:
            raise click.UsageError(f"--{name} is for `devnet profiles {MEASURE}`", ctx)
    if ctx.params["overrides"] and not ctx.params["network"]:
        raise click.UsageError("--set needs the network it changes: --network NETWORK", ctx)


def _list(spec: NetworkSpec | None, as_json: bool) -> None:
    from devnet.runs.profiling import profiles_of

    profiles = profiles_of(spec)
    if as_json:
        terminal.print_json({profile.name: asdict(profile) for profile in profiles})
        return
    titles = ("profile", "CPUs", "memory", "storage", "writes", "network", "EPC", "what it is")
    terminal.print_table(titles, [_row(profile) for profile in profiles], right=titles[1:6])


def _row(profile: Profile) -> tuple[str, ...]:
    size = profile.capacity
    return (
        profile.name,
        f"{size.milli_cpu / 1000:g}",
        f"{size.memory_bytes / 2**30:g} GiB",
        f"{size.storage_bytes // 10**9} GB",
        f"{size.disk_write_bytes_per_second // 10**6} MB/s",
        f"{size.network_bits_per_second // 10**6} Mbit/s",
        f"{size.sgx_epc_bytes // 2**20} MiB" if size.sgx_epc_bytes else "-",
        profile.description,
    )


def _measured(spec: NetworkSpec, rounds: int, cluster: str) -> Profiling:
    import logging

    from devnet.base import Toolchain, UsageError
    from devnet.base.folder import STATE
    from devnet.cli.slots import held_slot
    from devnet.runs.clusters import choose, making_of
    from devnet.runs.profiling import measure_profiles, one_of_each

    toolchain = Toolchain(say=terminal.say)
    kind, reason = choose(cluster, toolchain)
    if kind.modelled:
        raise UsageError(
            f"{kind.name} measures nothing: its figures are the profiles' own, and nothing holds "
            f"its pods to them ({reason})",
            hint="devnet doctor says what this machine lacks for native",
        )
    terminal.say(f"cluster {reason}")
    with held_slot(SLOT, kind.name) as folder:
        state = folder.path / STATE / MEASURE
        state.mkdir(parents=True, exist_ok=True)
        log = logging.getLogger(f"kompute.cluster.{folder.id}")
        log.setLevel(logging.INFO)
        log.propagate = False
        log.addHandler(logging.FileHandler(state / "cluster.log"))
        each = one_of_each(spec)
        terminal.say(f"raising a node of each profile: {', '.join(w.name for w in each.workers)}")
        with kind.make(making_of(each, state, folder.id, toolchain, log)) as running:
            return measure_profiles(running, spec, rounds, terminal.say)


def _print(found: Profiling) -> None:
    titles = ("profile", "factor", "claimed", "measured", "measured/claimed", "")
    rows = [
        (
            each.profile,
            each.factor,
            f"{each.claimed / 1e6:.3f}",
            f"{each.measured / 1e6:.3f}",
            f"{float(each.over):.3f}",
            "" if each.holds else "off by more than a tenth",
        )
        for each in found.compared
    ]
    terminal.print_table(titles, rows, right=titles[2:5])
    terminal.print_text(
        f"C1 over that of standard in the same round; a core makes "
        f"{found.core_steps_per_second / 1e6:.2f} million links a second here."
    )
    terminal.print_text(  # nothing on a shared machine holds them there (Transcript.measurement)
        "C3 and B are cut at what a profile claims: they show that a node has no less."
    )
    verdict = "do not hold" if found.broken else "hold"
    terminal.print_text(
        f"profiles {verdict} on {found.cluster} at {found.scale}: median of {found.rounds}",
        "red" if found.broken else "green",
        head=f"profiles {verdict}",
    )
