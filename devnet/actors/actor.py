"""The base of every actor."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from devnet.actors.messages import Ask, Wish
from devnet.actors.operations import Fail, Operation, Refusal, Send
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

    @property
    def account(self) -> str:
        """Whose transactions it sends when it is asked for one."""
        return self.name

    def otherwise(self, message: object) -> list[Operation]:
        """Of what an actor has no case for: what is asked for is sent as it stands, any other
        wish fails, and anything else is not its concern."""
        if isinstance(message, Ask):
            call = message.contract, message.function, message.args
            return [Send(self.account, *call, message.id)]
        if not isinstance(message, Wish):
            return []
        reason = f"{type(message).__name__} is not a wish it serves"
        return [Fail(message.id, reason, Refusal.NOT_SERVED)]
