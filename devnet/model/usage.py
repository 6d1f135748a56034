"""What of an order runs when: statements, and the replica-seconds they make (M6)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

MOST_STATEMENTS: Final = 200  # applied by one settlement


@dataclass(frozen=True, slots=True)
class Statement:
    """`replicas` run from second `at` on."""

    at: int
    replicas: int


@dataclass(frozen=True, slots=True)
class Usage:
    """The replicas that accrue at `settledUntil`, and the statements made for later."""

    running: int = 0
    pending: tuple[Statement, ...] = ()

    def stated(self, statement: Statement) -> Usage:
        """With one more; of two for one second the later holds."""
        earlier = self.pending
        if earlier and earlier[-1].at == statement.at:
            earlier = earlier[:-1]
        return replace(self, pending=(*earlier, statement))

    def accrued(self, start: int, until: int) -> Accrual:
        """The seconds [start, until), or as far as the statements of one settlement reach."""
        reached = tuple(statement for statement in self.pending if statement.at <= until)
        applied = reached[:MOST_STATEMENTS]
        if applied != reached:
            until = applied[-1].at
        used = replica_seconds((Statement(start, self.running), *applied), start, until)
        running = applied[-1].replicas if applied else self.running
        return Accrual(Usage(running, self.pending[len(applied) :]), used, until)


@dataclass(frozen=True, slots=True)
class Accrual:
    """What a settlement covers: `usage` is what remains, `until` where the next one begins."""

    usage: Usage
    replica_seconds: int
    until: int


UNUSED: Final = Usage()


def replica_seconds(statements: Iterable[Statement], start: int, until: int) -> int:
    """Σ over [start, until) of the replicas of the last statement made for that second."""
    steps = [*statements, Statement(until, 0)]
    total = 0
    for current, following in pairwise(steps):
        seconds = min(following.at, until) - max(current.at, start)
        total += current.replicas * max(seconds, 0)
    return total
