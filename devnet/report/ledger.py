"""Everybody's KOMP at the end, by the token's own Transfer events and nothing else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from devnet.report.events import Told

CURRENCY: Final = "Kompute"  # the contract
NOBODY: Final = "0x" + "0" * 40


@dataclass(frozen=True, slots=True)
class Holder:
    """An address and what it was sent and sent on, wei."""

    address: str
    received: int
    sent: int

    @property
    def balance(self) -> int:
        return self.received - self.sent


@dataclass(frozen=True, slots=True)
class Ledger:
    """Holders, richest first; `supply` is what was minted less what was burnt (T1)."""

    holders: tuple[Holder, ...]
    supply: int

    @property
    def total(self) -> int:
        """Σ balances, which §11.1 wants equal to the supply."""
        return sum(holder.balance for holder in self.holders)

    @property
    def adds_up(self) -> bool:
        """Invariant 1, and nobody below zero (which tells of events that are missing)."""
        return self.total == self.supply and all(h.balance >= 0 for h in self.holders)


def read_ledger(events: Iterable[Told]) -> Ledger:
    """Of a run's events, the mint at deployment included."""
    received: dict[str, int] = defaultdict(int)
    sent: dict[str, int] = defaultdict(int)
    supply = 0
    for event in events:
        if event.name != "Transfer" or event.contract != CURRENCY:
            continue
        source, target, value = event.text["from"], event.text["to"], event.number["value"]
        if source == NOBODY:
            supply += value
        else:
            sent[source] += value
        if target == NOBODY:
            supply -= value
        else:
            received[target] += value
    holders = [Holder(a, received[a], sent[a]) for a in sorted({*received, *sent})]
    holders.sort(key=lambda holder: -holder.balance)
    return Ledger(tuple(holders), supply)
