"""What a year came to, frozen, and as JSON: the same seed gives the same text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from devnet.economics.economy import Economy
from devnet.economics.owners import EXCHANGE
from devnet.economics.population import Group, Worker
from devnet.economics.tally import SOURCES, CycleFigures, Tally
from devnet.model.parameters import STAKE_WEI
from devnet.model.shares import is_closed
from devnet.spec.economics import SECONDS_PER_YEAR

BPS: Final = 10_000
SAFE: Final = 2**53  # JSON readers keep integers up to it


@dataclass(frozen=True, slots=True)
class GroupFigures:
    """One group of nodes. Amounts are wei over the whole time; returns are bps of 500 KOMP a year.

    A node's return is (earned - lost to slashes and bonds) over its stake and over the time from
    registration to its exit request, at least a year or all the time there was: a few days are not
    told as a year. `low`, `middle` and `high` are the 10th, 50th and 90th percentile of the group's
    nodes; `mean` is what all of them earned less what all lost over all their time.
    """

    group: Group
    nodes: int
    earned: int
    lost: int
    low: int
    middle: int
    high: int
    mean: int


@dataclass(frozen=True, slots=True)
class PoolFigures:
    """All pools together (S7): how many, how many closed for ever; wei harvested, and of it the
    operators' commission."""

    pools: int
    closed: int
    harvested: int
    commission: int


@dataclass(frozen=True, slots=True)
class Result:
    """All figures, amounts in wei.

    `balances` are by who holds them and sum to `supply`, or a violation says so; `bonds_lost` are
    those of appeals (L6); `refused` counts refusals by function and error, `calls` all calls.
    """

    network: str
    seed: int
    seconds: int
    nodes: int
    cycles: tuple[CycleFigures, ...]
    groups: tuple[GroupFigures, ...]
    balances: Mapping[str, int]
    supply: int
    added: Mapping[str, int]
    incidents: int
    bonds_lost: int
    pools: PoolFigures
    refused: Mapping[str, int]
    calls: int
    violations: tuple[str, ...]

    @property
    def total(self) -> int:
        """Σ balances, wei."""
        return sum(self.balances.values())

    @property
    def ok(self) -> bool:
        return not self.violations and self.total == self.supply

    @property
    def slashed(self) -> int:
        """Wei, over all levels."""
        return sum(sum(cycle.slashed.values()) for cycle in self.cycles)

    def to_json(self) -> dict[str, Any]:
        """Plain values; integers above 2^53 as decimal strings."""
        return {
            "ok": self.ok,
            "network": self.network,
            "seed": self.seed,
            "seconds": self.seconds,
            "nodes": self.nodes,
            "groups": [
                {**_plain(asdict(row.group)), **_plain(_fields(row, without="group"))}
                for row in self.groups
            ],
            "cycles": [
                {
                    **_plain(_fields(row, without="shares")),
                    "shares": {group.title: _plain(wei) for group, wei in row.shares.items()},
                }
                for row in self.cycles
            ],
            "balances": _plain(dict(self.balances)),
            "total": _plain(self.total),
            "supply": _plain(self.supply),
            "added": _plain(dict(self.added)),
            "incidents": self.incidents,
            "bonds_lost": _plain(self.bonds_lost),
            "pools": _plain(asdict(self.pools)),
            "refused": dict(self.refused),
            "calls": self.calls,
            "violations": list(self.violations),
        }


def result_of(
    economy: Economy,
    workers: Sequence[Worker],
    tally: Tally,
    seed: int,
    cycles: int,
    violations: tuple[str, ...],
) -> Result:
    """At the first block after the last cycle."""
    return Result(
        network=economy.spec.name,
        seed=seed,
        seconds=cycles * economy.cycle_seconds,
        nodes=len(workers),
        cycles=tuple(tally.cycles),
        groups=_groups(economy, workers, tally),
        balances=_balances(economy, workers),
        supply=economy.parameters.supply,
        added={source: tally.added[source] for source in SOURCES},
        incidents=len(economy.state.incidents),
        bonds_lost=tally.bonds_lost,
        pools=_pools(economy, tally),
        refused={
            f"{function}: {error}": count
            for (function, error), count in sorted(economy.refused.items())
        },
        calls=economy.sent,
        violations=violations,
    )


def yearly_return(earned: int, lost: int, seconds: int) -> int:
    """Bps of the stake (S1) a year, rounded towards minus infinity; `seconds` of all nodes."""
    return (earned - lost) * BPS * SECONDS_PER_YEAR // (STAKE_WEI * max(1, seconds))


def _groups(economy: Economy, workers: Sequence[Worker], tally: Tally) -> tuple[GroupFigures, ...]:
    members: dict[Group, list[Worker]] = {}
    for worker in workers:
        members.setdefault(worker.group, []).append(worker)
    made = []
    for group in sorted(members, key=lambda g: (g.profile, g.months, g.pooled)):
        mine = members[group]
        earned = sum(tally.earned[worker.index] for worker in mine)
        lost = sum(tally.lost[worker.index] for worker in mine)
        present = sum(_seconds_of(economy, worker) for worker in mine)
        returns = sorted(_return_of(economy, worker, tally) for worker in mine)
        made.append(
            GroupFigures(
                group=group,
                nodes=len(mine),
                earned=earned,
                lost=lost,
                low=_at(returns, 10),
                middle=_at(returns, 50),
                high=_at(returns, 90),
                mean=yearly_return(earned, lost, present),
            )
        )
    return tuple(made)


def _pools(economy: Economy, tally: Tally) -> PoolFigures:
    state = economy.state
    return PoolFigures(
        pools=len(state.pools),
        closed=sum(is_closed(state, pool) for _, pool in state.pools.items()),
        harvested=tally.harvested,
        commission=tally.commission,
    )


def _return_of(economy: Economy, worker: Worker, tally: Tally) -> int:
    whole = economy.now - economy.state.nodes[worker.node].registered_at
    seconds = max(_seconds_of(economy, worker), min(whole, SECONDS_PER_YEAR))
    return yearly_return(tally.earned[worker.index], tally.lost[worker.index], seconds)


def _seconds_of(economy: Economy, worker: Worker) -> int:
    """From its registration to its exit request, or to now."""
    node = economy.state.nodes[worker.node]
    return (node.exit_requested_at or economy.now) - node.registered_at


def _at(ascending: Sequence[int], per_cent: int) -> int:
    """A percentile: the smallest value with so many per cent at or below it."""
    return ascending[max(0, -(-len(ascending) * per_cent // 100) - 1)]


def _balances(economy: Economy, workers: Sequence[Worker]) -> dict[str, int]:
    named = dict.fromkeys((m for worker in workers for m in worker.members), "pool members")
    named |= dict.fromkeys((worker.operator for worker in workers), "owners")
    named |= dict.fromkeys(economy.state.pools, "pools")
    named |= {economy.accounts[client.name]: "clients" for client in economy.spec.clients}
    named |= {economy.accounts[name]: name for name in ("treasury", "company", EXCHANGE)}
    named |= {address: name for name, address in economy.parameters.addresses.items()}
    found: dict[str, int] = {}
    for address, amount in economy.state.balances.items():
        if amount:
            holder = named.get(address, "others")
            found[holder] = found.get(holder, 0) + amount
    return dict(sorted(found.items()))


def _fields(row: GroupFigures | CycleFigures, *, without: str) -> dict[str, Any]:
    return {f.name: getattr(row, f.name) for f in fields(row) if f.name != without}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    return str(value) if isinstance(value, int) and abs(value) > SAFE else value
