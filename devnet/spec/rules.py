"""The rules between values of a network file, each with the id of the rule it keeps."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from devnet.spec.autoscale import autoscale_problems
from devnet.spec.behaviours import SWAPPED_NODE
from devnet.spec.document import Loc
from devnet.spec.economics import WHOLE_PPM
from devnet.spec.fields import MAX_SECONDS
from devnet.spec.network import (
    CONTAINER_RESOURCES,
    OWNER_SUFFIX,
    RESERVED_NAMES,
    SECONDS_PER_DAY,
    SERVERLESS_RESOURCES,
    VIRTUAL_MACHINE_RESOURCES,
    NetworkSpec,
    Service,
    Worker,
    each_of,
)
from devnet.spec.units import (
    WEI_PER_KOMP,
    did_you_mean,
    duration_text,
    komp_text,
    memory_text,
    share_text,
)
from devnet.spec.validation import Problem

MAX_WORKERS = 10_000
LEAST_OPERATOR_PPM = 200_000  # S7
STAKE_WEI = 500 * WEI_PER_KOMP  # S1
OWNER_WEI = 2_000 * WEI_PER_KOMP  # what a worker's owner begins with: a stake, room for top-ups
# O1: nodes look two blocks before a heartbeat ends. What they store takes a block each for KOMP/USD
# and utilization and two for the clouds' feeds (a round, a poke): 4 of any `heartbeat - 2` blocks.
HEARTBEAT_BLOCKS = 8
IDLE_BLOCKS = 4  # of a cycle, in which no node publishes while `devnet economics` goes on
GIB = 2**30
_MNEMONIC_LENGTHS = (12, 15, 18, 21, 24)


def network_problems(
    network: NetworkSpec, profiles: Collection[str], *, of_year: bool = False
) -> Iterator[Problem]:
    """Every broken rule between the values of a network; `of_year`: of `devnet economics`, too."""
    yield from check_cycle(network)
    yield from check_gap(network)
    yield from check_publishing_pace(network)
    yield from check_quorum(network)
    yield from check_exit_delay(network)
    yield from check_max_age(network)
    yield from check_oracles(network)
    yield from check_control_plane(network)
    yield from check_names(network)
    yield from check_profiles(network, profiles)
    yield from check_light(network)
    yield from check_swapped(network)
    yield from check_resources(network)
    yield from check_services(network)
    yield from check_incentives(network)
    yield from check_supply(network, of_year=of_year)
    yield from check_mnemonic(network)
    yield from check_economics(network)


def check_cycle(network: NetworkSpec) -> Iterator[Problem]:
    """A cycle is a duration like any other (D1)."""
    blocks, block = network.cycle.blocks, network.chain.block_seconds
    if blocks * block > MAX_SECONDS:
        yield Problem(
            ("cycle", "blocks"),
            f"a cycle lasts at most {duration_text(MAX_SECONDS)} (D1); "
            f"seen {duration_text(blocks * block)}, block_seconds {block}",
            f"at most {MAX_SECONDS // block}",
            reads=(("chain", "block_seconds"),),
        )


def check_gap(network: NetworkSpec) -> Iterator[Problem]:
    gap, blocks = network.cycle.gap_blocks, network.cycle.blocks
    if 2 * gap * 7 > blocks:
        yield Problem(
            ("cycle", "gap_blocks"),
            f"2 * gap_blocks must be at most blocks / 7 (W4); seen gap_blocks {gap}, "
            f"blocks {blocks}",
            f"at most {blocks // 14}" if blocks >= 14 else "blocks must be at least 14",
            reads=(("cycle", "blocks"),),
        )


def check_publishing_pace(network: NetworkSpec) -> Iterator[Problem]:
    gap_seconds = network.cycle.gap_blocks * network.chain.block_seconds
    if network.publishes_per_day * gap_seconds > SECONDS_PER_DAY:
        yield Problem(
            ("publishes_per_day",),
            f"two publications are at least gap_blocks apart (W4), {duration_text(gap_seconds)}; "
            f"seen {network.publishes_per_day} a day",
            f"at most {SECONDS_PER_DAY // gap_seconds}",
            reads=(("cycle", "gap_blocks"), ("chain", "block_seconds")),
        )


def check_quorum(network: NetworkSpec) -> Iterator[Problem]:
    quorum, count = network.parameters.perf_quorum, len(network.gatekeepers)
    if quorum and not count < 2 * quorum <= 2 * count:
        yield Problem(
            ("parameters", "perf_quorum"),
            f"must be above half of the gatekeepers and at most all of them (R4); "
            f"seen {quorum} of {count}",
            f"from {count // 2 + 1} to {count}" if count else "",
            reads=(("gatekeepers",),),
        )


def check_exit_delay(network: NetworkSpec) -> Iterator[Problem]:
    delay, age = network.parameters.exit_delay, network.parameters.incident_max_age
    if delay <= age:
        yield Problem(
            ("parameters", "exit_delay"),
            f"must be longer than incident_max_age (L5); seen {duration_text(delay)}, "
            f"incident_max_age {duration_text(age)}",
            reads=(("parameters", "incident_max_age"),),
        )


def check_max_age(network: NetworkSpec) -> Iterator[Problem]:
    age, block = network.parameters.incident_max_age, network.chain.block_seconds
    if age < 4 * block:
        yield Problem(
            ("parameters", "incident_max_age"),
            f"an outage is reported before half of it is over, in whole blocks (L5); "
            f"seen {duration_text(age)}, block_seconds {block}",
            f"at least {duration_text(4 * block)}",
            reads=(("chain", "block_seconds"),),
        )


def check_oracles(network: NetworkSpec) -> Iterator[Problem]:
    oracles = network.oracles
    if 3 * oracles.faulty >= oracles.nodes:
        yield Problem(
            ("oracles", "faulty"),
            f"3 * faulty must be below nodes; seen faulty {oracles.faulty}, nodes {oracles.nodes}",
            f"at most {(oracles.nodes - 1) // 3}",
            reads=(("oracles", "nodes"),),
        )
    for key in ("heartbeat", "komp_usd_heartbeat", "utilization_heartbeat"):
        seconds, least = getattr(oracles, key), HEARTBEAT_BLOCKS * network.chain.block_seconds
        if seconds < least:
            yield Problem(
                ("oracles", key),
                f"must be at least {HEARTBEAT_BLOCKS} blocks, or storing an answer makes the next "
                f"one due, for ever (O1, O2); seen {duration_text(seconds)}, "
                f"block_seconds {network.chain.block_seconds}",
                f"at least {duration_text(least)}",
                reads=(("chain", "block_seconds"),),
            )


def check_control_plane(network: NetworkSpec) -> Iterator[Problem]:
    if not any(gatekeeper.control_plane for gatekeeper in network.gatekeepers):
        yield Problem(
            ("gatekeepers",),
            "no gatekeeper hosts the control plane (R3)",
            "set 'control_plane: true' on one",
        )


def check_names(network: NetworkSpec) -> Iterator[Problem]:
    """No two actors share a name, since a name is an account; nor do two services."""
    if sum(entry.count or 1 for entry in network.workers) > MAX_WORKERS:
        yield Problem(("workers",), f"more than {MAX_WORKERS} workers")
        return
    named: list[tuple[Loc, str]] = []
    for n, gatekeeper in enumerate(network.gatekeepers):
        named.append((("gatekeepers", n, "name"), gatekeeper.name))
    for n, entry in enumerate(network.workers):
        named += [(("workers", n, "name"), worker.name) for worker in each_of(entry)]
    for n, client in enumerate(network.clients):
        named.append((("clients", n, "name"), client.name))
    named += [((), name) for name in network.oracles.node_names()]
    yield from _duplicates(sorted(named, key=lambda entry: entry[0] != ()))
    services = network.services
    yield from _duplicates([(("services", n, "name"), s.name) for n, s in enumerate(services)])


def _duplicates(named: list[tuple[Loc, str]]) -> Iterator[Problem]:
    first: dict[str, Loc] = {}
    for loc, name in named:
        if name in RESERVED_NAMES or name.endswith(OWNER_SUFFIX):
            yield Problem(loc, f"the name is reserved; seen '{name}'")
        elif name in first:
            owner = f"{first[name][0]}[{first[name][1]}]" if first[name] else "an oracle node"
            yield Problem(loc, f"duplicate name; seen '{name}', taken by {owner}")
        else:
            first[name] = loc


def check_profiles(network: NetworkSpec, profiles: Collection[str]) -> Iterator[Problem]:
    known = set(profiles)
    for n, own in enumerate(network.profiles):
        if own.name in known:
            first = "comes with the project" if own.name in profiles else "is in the list already"
            yield Problem(
                ("profiles", n, "name"),
                f"a profile of that name {first}; seen '{own.name}'",
                "name it, or its file, otherwise",
            )
        known.add(own.name)
    for n, worker in enumerate(network.workers):
        if worker.profile not in known:
            yield Problem(
                ("workers", n, "profile"),
                f"unknown profile; seen '{worker.profile}'",
                did_you_mean(worker.profile, known) or f"known: {', '.join(sorted(known))}",
                reads=(("profiles",),),
            )


def check_light(network: NetworkSpec) -> Iterator[Problem]:
    """A light node is no worker (R2): it stakes nothing and does nothing."""
    for n, entry in enumerate(network.workers):
        if not entry.light:
            continue
        reads: tuple[Loc, ...] = (("workers", n, "light"),)
        if entry.stake_months != Worker.model_fields["stake_months"].default:
            message = f"a light node stakes nothing (R2); seen {entry.stake_months}"
            yield Problem(("workers", n, "stake_months"), message, "leave it out", reads)
        if entry.behaviour is not None:
            message = "a light node does nothing, in no way"
            yield Problem(("workers", n, "behaviour"), message, "leave it out", reads)
    if all(entry.light for entry in network.workers):
        yield Problem(("workers",), "all are light, and a network has a worker (R2)", "add one")


def check_swapped(network: NetworkSpec) -> Iterator[Problem]:
    """Where no other node answers, a swapped one would be measured as an honest one is (W3)."""
    workers = [n for n, entry in enumerate(network.workers) if not entry.light]
    if len(workers) == 1 and network.workers[workers[0]].count in (None, 1):
        entry = network.workers[workers[0]]
        if entry.behaviour == SWAPPED_NODE.name:
            message = f"no other worker could answer in its place; seen '{SWAPPED_NODE.name}'"
            yield Problem(("workers", workers[0], "behaviour"), message, "add a worker")


def check_resources(network: NetworkSpec) -> Iterator[Problem]:
    """A service is billed by these resources, so their feeds must exist (O1, M3)."""
    needed = {
        "container": CONTAINER_RESOURCES,
        "serverless": SERVERLESS_RESOURCES,
        "virtual_machine": VIRTUAL_MACHINE_RESOURCES,
    }
    for n, service in enumerate(network.services):
        missing = [r for r in needed[service.kind] if r not in network.oracles.resources]
        if missing:
            yield Problem(
                ("services", n, "kind"),
                f"a {service.kind} service is billed by resources without a feed (M3); "
                f"missing in oracles.resources: {', '.join(missing)}",
                reads=(("oracles", "resources"),),
            )


def check_services(network: NetworkSpec) -> Iterator[Problem]:
    for n, service in enumerate(network.services):
        if service.min_replicas > service.max_replicas:
            yield Problem(
                ("services", n, "min_replicas"),
                f"must be at most max_replicas; seen {service.min_replicas}, "
                f"max_replicas {service.max_replicas}",
                reads=(("services", n, "max_replicas"),),
            )
        yield from _storage_problems(n, service)
        if service.autoscale is not None:
            yield from autoscale_problems(
                n,
                service.autoscale,
                kind=service.kind,
                least=service.min_replicas,
                most=service.max_replicas,
            )
        if not service.readiness.startswith("/"):
            yield Problem(
                ("services", n, "readiness"),
                f"a path starts with '/'; seen '{service.readiness}'",
                f"did you mean '/{service.readiness}'?",
            )


def _storage_problems(n: int, service: Service) -> Iterator[Problem]:
    """A virtual machine is billed by whole GiB of storage (M1, O1), the others for none."""
    virtual, storage = service.kind == "virtual_machine", service.storage
    loc, kind = ("services", n, "storage"), (("services", n, "kind"),)
    if storage is None:
        if virtual:
            yield Problem(loc, "is missing: a virtual machine has storage (M1)", "for example 10Gi")
    elif not virtual:
        message = f"only a virtual machine has storage (M1); seen {memory_text(storage)}"
        yield Problem(loc, message, reads=kind)
    elif storage % GIB:
        message = f"storage is billed by whole GiB (M1); seen {memory_text(storage)}"
        yield Problem(loc, message, f"for example {storage // GIB + 1}Gi")


def check_incentives(network: NetworkSpec) -> Iterator[Problem]:
    incentives = network.incentives
    if incentives is None:
        return
    least = incentives.cycles * (incentives.cycles + 1)
    if not least <= incentives.total < 2**128:
        yield Problem(
            ("incentives", "total"),
            f"at least N(N+1) = {least} wei for {incentives.cycles} cycles, and below 2^128 (I1); "
            f"seen {komp_text(incentives.total)}",
            reads=(("incentives", "cycles"),),
        )


def check_supply(network: NetworkSpec, *, of_year: bool) -> Iterator[Problem]:
    """T1: the treasury begins with the supply, and pays out of it what all others begin with."""
    workers = sum(entry.count or 1 for entry in network.workers if not entry.light)
    vault = network.incentives.total if network.incentives else 0  # I1
    others = sum(client.balance for client in network.clients) + vault
    needed = workers * OWNER_WEI + others
    reads: list[Loc] = [("workers",), ("clients",), ("incentives",)]
    what = f"{komp_text(OWNER_WEI)} for each worker, clients' balances, incentives.total"
    assumed = network.economics
    each, exchange = STAKE_WEI + assumed.stakes.reserve, assumed.demand.exchange
    if of_year and needed < workers * each + exchange + others:
        needed = workers * each + exchange + others
        reads += [("economics", "stakes", "reserve"), ("economics", "demand", "exchange")]
        what = (
            f"{komp_text(each)} for each worker, economics.demand.exchange {komp_text(exchange)}, "
            "clients' balances, incentives.total"
        )
    if network.supply < needed:
        yield Problem(
            ("supply",),
            f"is less than what everybody begins with, {komp_text(needed)}: {what}; "
            f"seen {komp_text(network.supply)}",
            f"at least {komp_text(needed)}",
            reads=tuple(reads),
        )


def check_mnemonic(network: NetworkSpec) -> Iterator[Problem]:
    words = len(network.accounts.mnemonic.split())
    if words not in _MNEMONIC_LENGTHS:
        yield Problem(
            ("accounts", "mnemonic"), f"a mnemonic has 12, 15, 18, 21 or 24 words; seen {words}"
        )


def check_economics(network: NetworkSpec) -> Iterator[Problem]:
    """Shares of one whole, and the bounds the contracts would refuse anyway."""
    assumed = network.economics
    stakes, incidents = assumed.stakes, assumed.incidents
    for section, first, second, ppm in (
        ("stakes", "renew", "leave", stakes.renew + stakes.leave),
        ("incidents", "overturn", "ignore", incidents.overturn + incidents.ignore),
    ):
        if ppm > WHOLE_PPM:
            yield Problem(
                ("economics", section, first),
                f"{first} and {second} are shares of one whole; seen {share_text(ppm)} together",
                reads=(("economics", section, second),),
            )
    if assumed.pools.operator < LEAST_OPERATOR_PPM:
        yield Problem(
            ("economics", "pools", "operator"),
            f"an operator holds at least 20% of the shares (S7); "
            f"seen {share_text(assumed.pools.operator)}",
        )
    room = network.cycle.blocks - IDLE_BLOCKS
    if assumed.publications > 1 and room // assumed.publications < network.cycle.gap_blocks:
        yield Problem(
            ("economics", "publications"),
            f"two publications are at least gap_blocks apart (W4); "
            f"seen {assumed.publications} in {room} blocks",
            f"at most {room // network.cycle.gap_blocks}",
            reads=(("cycle", "gap_blocks"), ("cycle", "blocks")),
        )
