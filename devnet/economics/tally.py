"""What is counted while a year goes by, beside the model's own books."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from devnet.economics.population import Group, Worker

INCENTIVES, CONSUMPTION, SLASHES = "incentives", "consumption", "slashes"
SOURCES = (INCENTIVES, CONSUMPTION, SLASHES)


@dataclass(frozen=True, slots=True)
class CycleFigures:
    """One ended cycle. Amounts are wei, `utilization` at 1e18: what the feed told, and so the
    part of the capacity that was sold in the cycle before.

    `reward` is what the cycle pays, 0 where nobody published: it goes on to the next one (C4).
    Prices are those of the cycle's orders: `median_usd` and `price_usd` at 1e18 for a vCPU-hour,
    `price_komp` in wei, 0 where none could be had; `komp_usd` at 1e8. `added` is by source,
    `slashed` by level, `shares` what the cycle pays each group; `unmet` vCPU-hours were wanted and
    not sold.
    """

    cycle: int
    publishers: int
    staked: int
    total_v: int
    reward: int
    added: dict[str, int]
    shares: dict[Group, int]
    slashed: dict[int, int]
    utilization: int
    median_usd: int
    price_usd: int
    price_komp: int
    komp_usd: int
    unmet: int


@dataclass(frozen=True, slots=True)
class Quote:
    """What an order of this cycle was to pay, and how much was wanted (see CycleFigures)."""

    utilization: int = 0
    median_usd: int = 0
    price_usd: int = 0
    price_komp: int = 0
    komp_usd: int = 0
    unmet: int = 0


@dataclass(slots=True)
class Running:
    """The cycle at hand."""

    added: Counter[str] = field(default_factory=Counter)
    slashed: Counter[int] = field(default_factory=Counter)
    quote: Quote = Quote()


class Tally:
    """By worker's index: wei `earned` in ended cycles, `paid` out, `lost` to slashes and bonds."""

    def __init__(self, workers: Sequence[Worker]) -> None:
        count = len(workers)
        self.earned = [0] * count
        self.paid = [0] * count
        self.lost = [0] * count
        self.published = [0] * count
        self.index = {worker.node: worker.index for worker in workers}
        self.added: Counter[str] = Counter()
        self.bonds_lost = 0
        self.harvested = self.commission = 0  # by pools, wei
        self.cycles: list[CycleFigures] = []
        self.running = Running()

    def reward(self, source: str, amount: int) -> None:
        """So many wei were added to the rewards (C2)."""
        self.running.added[source] += amount
        self.added[source] += amount

    def slash(self, node: str, level: int, amount: int) -> None:
        """An incident took so many wei."""
        self.running.slashed[level] += amount
        self.lost[self.index[node]] += amount

    def lose_bond(self, node: str, amount: int) -> None:
        """L6: an appeal was lost, and its bond with it."""
        self.bonds_lost += amount
        self.lost[self.index[node]] += amount
