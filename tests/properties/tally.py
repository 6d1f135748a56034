"""What became of the steps: a machine that is only refused proves nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from devnet.protocol import ObservedTransaction

from .action import Action, Advance, Send

NUMBERS = ("sequences", "advances", "joined")
COUNTERS = ("accepted", "refused", "errors")


@dataclass(slots=True)
class Tally:
    """Counts by verb, and by error."""

    sequences: int = 0
    advances: int = 0
    accepted: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    joined: int = 0  # transactions that are not the first of their block

    @property
    def steps(self) -> int:
        return self.advances + self.accepted.total() + self.refused.total()

    @property
    def transactions(self) -> int:
        return self.accepted.total() + self.refused.total()

    def dumped(self) -> dict[str, Any]:
        """Plain values, for another process."""
        counters = {name: dict(getattr(self, name)) for name in COUNTERS}
        plain = {name: getattr(self, name) for name in NUMBERS}
        return {**plain, **counters}

    def add(self, other: Mapping[str, Any]) -> None:
        """Another's, as `dumped`."""
        for name in NUMBERS:
            setattr(self, name, getattr(self, name) + other[name])
        for name in COUNTERS:
            getattr(self, name).update(other[name])

    def note(self, action: Action, seen: ObservedTransaction | None) -> None:
        """One more step."""
        if isinstance(action, Advance) or seen is None:
            self.advances += 1
            return
        assert isinstance(action, Send)
        (self.accepted if seen.ok else self.refused)[action.verb] += 1
        self.joined += action.joins
        if seen.error:
            self.errors[seen.error] += 1

    def lines(self) -> Iterator[str]:
        """For people."""
        share = 100 * self.accepted.total() // max(self.transactions, 1)
        yield (
            f"state machine: {self.steps:,} steps in {self.sequences:,} sequences: "
            f"{self.transactions:,} transactions, {share} % of them accepted, "
            f"{self.joined:,} in the block of the one before, {self.advances:,} jumps of time"
        )
        yield f"{'verb':30} {'accepted':>9} {'refused':>9}"
        for verb in sorted(self.accepted.keys() | self.refused.keys()):
            yield f"{verb:30} {self.accepted[verb]:9,} {self.refused[verb]:9,}"
        yield f"{len(self.errors)} kinds of error: " + ", ".join(
            f"{name} {count}" for name, count in self.errors.most_common()
        )
