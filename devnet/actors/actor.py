"""The base of every actor."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from devnet.actors.operations import Operation
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
