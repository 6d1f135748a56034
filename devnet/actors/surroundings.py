"""What the scheduler stands between: the run's history, and what actors ask of the outside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from devnet.actors.operations import External, Send
from devnet.protocol import ObservedTransaction


class Journal(Protocol):
    """What the scheduler tells the run's history, as it happens."""

    def invoked(self, identity: int, send: Send, block: int) -> None: ...
    def completed(self, identity: int, observed: ObservedTransaction) -> None: ...
    def refused(self, identity: int, block: int, reason: str) -> None: ...
    def told(self, block: int, to: str, message: object) -> None: ...


class Outside(Protocol):
    """Performs what actors ask of cluster, sources and stores."""

    def perform(
        self, asked: Sequence[tuple[str, External]], answer: Callable[[str, object], None]
    ) -> None:
        """Call `answer(actor, message)` for each that has one, in order where the run waits."""

    def busy(self) -> bool:
        """Whether an answer is still to come."""
