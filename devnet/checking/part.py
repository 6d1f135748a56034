"""What the parts of the facts have alike: folds by event name, and news until the next check."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from devnet.checking.amounts import cycle_at
from devnet.model import Parameters
from devnet.protocol import Event, ObservedTransaction

Args = Mapping[str, Any]
Fold = Callable[[ObservedTransaction, Event], None]


class Part:
    """What the events of one contract say. A part keeps its facts, and its news: lists of frozen
    rows with all that must have held at that moment, which `mark` empties.

    Parts are folded one event after the other, so that a part may look at another's facts.
    """

    folds: Mapping[str, Fold]

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters

    def mark(self) -> None:
        """All news is checked."""

    def address(self, contract: str) -> str:
        """Of a contract by name."""
        return self.parameters.addresses[contract]

    def cycle(self, transaction: ObservedTransaction) -> int:
        """C1: the cycle it is mined in."""
        return cycle_at(
            transaction.block, self.parameters.genesis_block, self.parameters.cycle_blocks
        )
