"""V and rewards, cycle by cycle and node by node, by the rules' own arithmetic."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from devnet.report.events import Told


@dataclass(frozen=True, slots=True)
class Cycle:
    """One cycle: `v` and `shares` (C3, wei) by node; `reward` wei, after what was rolled (C4)."""

    number: int
    ended: bool
    reward: int
    v: Mapping[str, int]
    shares: Mapping[str, int]

    @property
    def total_v(self) -> int:
        return sum(self.v.values())


@dataclass(frozen=True, slots=True)
class Cycles:
    """All cycles with a publication or a reward; `nodes` are those that published or staked."""

    cycles: tuple[Cycle, ...]
    nodes: tuple[str, ...]
    paid: Mapping[str, int]
    added: Mapping[str, int]

    def earned(self, node: str) -> int:
        """Σ shares of the node over ended cycles, wei."""
        return sum(cycle.shares.get(node, 0) for cycle in self.cycles)


def read_cycles(events: Iterable[Told], running: int | None) -> Cycles:
    """`running` is the last block's cycle; where it is not known, the last one with anything in it.

    `added` is by payer: the treasury, the market, slashing (L7).
    """
    v: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    reward: dict[int, int] = defaultdict(int)
    paid: dict[str, int] = defaultdict(int)
    added: dict[str, int] = defaultdict(int)
    nodes: dict[str, None] = {}
    for event in events:
        number = event.number
        if event.name == "Staked":
            nodes[event.text["node"]] = None
        elif event.name == "Published":
            nodes[event.text["node"]] = None
            v[number["cycle"]][event.text["node"]] += number["v"]  # W5
        elif event.name == "Voided":
            v[number["cycle"]][event.text["node"]] -= number["v"]  # C7
        elif event.name == "RewardAdded":
            reward[number["cycle"]] += number["amount"]
            added[event.text["from"]] += number["amount"]
        elif event.name == "RewardRolled":
            reward[number["from"]] -= number["amount"]
            reward[number["to"]] += number["amount"]
        elif event.name in ("Claimed", "ClaimedAll"):
            paid[event.text["node"]] += number["amount"]
    numbers = sorted({*v, *reward})
    if running is None:
        running = numbers[-1] if numbers else 0
    return Cycles(
        tuple(_cycle(n, n < running, reward[n], v.get(n, {})) for n in numbers),
        tuple(nodes),
        paid,
        added,
    )


def _cycle(number: int, ended: bool, reward: int, v: Mapping[str, int]) -> Cycle:
    total = sum(v.values())
    shares = {node: reward * own // total for node, own in v.items()} if ended and total else {}
    return Cycle(number, ended, reward, dict(v), shares)
