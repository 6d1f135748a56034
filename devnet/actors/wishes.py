"""What became of what steps wished for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from devnet.protocol import Event


@dataclass(slots=True)
class WishState:
    """`outcome`: open, ok or failed; `error` is the contract's named error where there is one.

    `events` are those of the transactions that served it, in their order.
    `place` is that of the transaction which was mined for it last: its block, and where in it.
    """

    outcome: str = "open"
    error: str = ""
    reason: str = ""
    place: tuple[int, int] | None = None
    events: list[Event] = field(default_factory=list)

    def values(self, event: str, key: str) -> list[Any]:
        """An argument of every event of that name; KeyError where there is no such argument."""
        return [seen.args[key] for seen in self.events if seen.name == event]
