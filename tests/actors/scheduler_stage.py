"""A scheduler on a real anvil with the real contracts; its actors follow a script, and the outside
answers what a test says (the real one is in `test_outside`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from devnet.actors.actor import Actor
from devnet.actors.messages import ChainEvent, FeedRead
from devnet.actors.operations import Operation, ReadFeed, Send
from devnet.actors.scheduler import Scheduler
from devnet.actors.view import Directory, View
from devnet.chain import Chain, MinedBlock
from devnet.protocol import Contracts, ObservedTransaction
from devnet.protocol import View as Reads

OBSERVED = (("oracle-1", 1), ("oracle-2", 2), ("oracle-3", 3))
Act = Callable[[View, Sequence[object]], list[Operation]]


@dataclass(frozen=True, slots=True)
class Deployed:
    """small.yaml's contracts on a chain of their own."""

    chain: Chain
    contracts: Contracts
    reads: Reads
    directory: Directory
    genesis_block: int


class Scripted(Actor):
    """Acts by its script, one line a turn; then it only listens."""

    def __init__(self, name: str, *script: Act, due: int | None = None) -> None:
        super().__init__(name)
        self.at = due
        self.turns: list[tuple[int, tuple[object, ...]]] = []  # block, messages
        self._script = list(script)

    def due(self) -> int | None:
        return self.at

    def act(self, view: View, messages: Sequence[object]) -> list[Operation]:
        self.turns.append((view.head.number, tuple(messages)))
        if self.at is not None and view.now >= self.at:
            self.at = None
        return self._script.pop(0)(view, messages) if self._script else []


@dataclass(slots=True)
class Told:
    """The journal: what was invoked, completed and told."""

    invoked_: list[tuple[int, str, int]] = field(default_factory=list)
    completed_: list[tuple[int, bool]] = field(default_factory=list)
    refused_: list[tuple[int, int, str]] = field(default_factory=list)
    told_: list[tuple[int, str, object]] = field(default_factory=list)

    def invoked(self, identity: int, send: Send, block: int) -> None:
        self.invoked_.append((identity, send.function, block))

    def completed(self, identity: int, observed: ObservedTransaction) -> None:
        self.completed_.append((identity, observed.ok))

    def refused(self, identity: int, block: int, reason: str) -> None:
        self.refused_.append((identity, block, reason))

    def told(self, block: int, to: str, message: object) -> None:
        self.told_.append((block, to, message))


@dataclass(slots=True)
class AnsweringOutside:
    """Answers every feed with 1, 2, 3 (the sources are in `test_sources`)."""

    asked: list[tuple[str, object]] = field(default_factory=list)

    def busy(self) -> bool:
        return False

    def perform(
        self, asked: Sequence[tuple[str, object]], answer: Callable[[str, object], None]
    ) -> None:
        for actor, operation in asked:
            self.asked.append((actor, operation))
            if isinstance(operation, ReadFeed):
                answer(actor, FeedRead(operation.feed, OBSERVED))


@dataclass(slots=True)
class Stand:
    """A scheduler over scripted actors."""

    deployed: Deployed
    scheduler: Scheduler
    journal: Told
    outside: AnsweringOutside
    mined: list[tuple[MinedBlock, tuple[ObservedTransaction, ...]]]

    @property
    def head(self) -> int:
        return self.deployed.chain.head.number

    @property
    def now(self) -> int:
        return self.deployed.chain.head.timestamp

    def blocks(self) -> list[tuple[int, int, int]]:
        """(number, run, transactions) of everything mined."""
        return [(m.block.number, m.run, len(transactions)) for m, transactions in self.mined]


Stands = Callable[..., Stand]


def pay(
    stand: Deployed, account: str, to: str, amount: int, wish: int = 0, *, closes: bool = True
) -> Send:
    args = (stand.directory.address(to), amount)
    return Send(account, "Kompute", "transfer", args, wish, closes)


def does(*operations: Operation) -> Act:
    return lambda view, messages: list(operations)


def payments(messages: Sequence[object]) -> list[int]:
    """Amounts of the transfers among these messages."""
    return [m.event.args["value"] for m in messages if isinstance(m, ChainEvent)]
