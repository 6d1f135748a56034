"""The base of every actor."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from devnet.actors.messages import Wish
from devnet.actors.operations import Fail, Operation, Refusal
from devnet.actors.view import View


class Actor(ABC):
    """A deterministic state machine: the same messages and views give the same operations.

    `due()` is the chain second at which it wants to act by itself, None for only on messages;
    `act` gets the messages that came since and must not block, read a clock or draw at random.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    def due(self) -> int | None: ...

    @abstractmethod
    def act(self, view: View, messages: Sequence[object]) -> list[Operation]: ...

    def refuse(self, message: object) -> list[Operation]:
        """Of what an actor has no use for: a wish fails, anything else is not its concern."""
        if not isinstance(message, Wish):
            return []
        reason = f"{type(message).__name__} is not a wish it serves"
        return [Fail(message.id, reason, Refusal.NOT_SERVED)]
