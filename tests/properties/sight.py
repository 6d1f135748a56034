"""What a move may look at and draw from: the model's state, who is who, and a source of chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, TypeVar

from devnet.actors.view import Directory
from devnet.chain import Block
from devnet.model import Model
from devnet.model.gatekeepers import Quorum, needed
from devnet.model.rewards import cycle_of
from devnet.model.rows import Node
from devnet.model.state import State
from devnet.protocol import Deployment, ObservedTransaction
from devnet.spec.network import NetworkSpec

from .action import Action

T = TypeVar("T")
KOMP = 10**18
STAKE = 500 * KOMP


class Draw:
    """Chance in the few forms that moves want it.

    From a seed and not a strategy a choice: a draw of Hypothesis costs as much as a transaction.
    """

    def __init__(self, seed: str) -> None:
        self._random = Random(seed)

    def integer(self, low: int, high: int) -> int:
        return low + int(self._random.random() * (high - low + 1))

    def one(self, *values: Any) -> Any:
        """One of a few values."""
        return values[self.integer(0, len(values) - 1)]

    def of(self, values: Sequence[T]) -> T:
        """One of a list."""
        return values[self.integer(0, len(values) - 1)]

    def rarely(self, times: int = 8) -> bool:
        """Once in so many times."""
        return self.integer(1, times) == times


@dataclass(frozen=True, slots=True)
class Sight:
    """The world as it is when a move is drawn; `next` is the block of the transaction to come.

    `history` are the actions so far, with what the contracts made of each.
    """

    spec: NetworkSpec
    directory: Directory
    deployment: Deployment
    names: Mapping[str, str]
    model: Model
    next: Block
    history: Sequence[tuple[Action, ObservedTransaction | None]]

    @property
    def state(self) -> State:
        return self.model.state

    @property
    def now(self) -> int:
        return self.next.timestamp

    @property
    def cycle(self) -> int:
        p = self.model.parameters
        return cycle_of(self.next.number, p.genesis_block, p.cycle_blocks)

    @property
    def workers(self) -> list[str]:
        return [worker.name for worker in self.spec.workers]

    @property
    def clients(self) -> list[str]:
        return [client.name for client in self.spec.clients]

    def address(self, name: str) -> str:
        """Of an account or a contract; an address stands for itself."""
        if name.startswith("0x"):
            return name
        return self.deployment.address(name) or self.directory.address(name)

    def name(self, address: str) -> str:
        """Of an account or a contract; a stranger's is the address itself."""
        return self.names.get(address, address)

    def node(self, worker: str) -> Node:
        return self.state.nodes[self.address(worker)]

    def account(self, address: str, otherwise: str) -> str:
        """The account at an address; a stranger's and a contract's transactions nobody can send."""
        name = self.name(address)
        return name if name in self.directory.accounts else otherwise

    def staked(self) -> list[str]:
        """Workers that ever registered."""
        return [self.name(node) for node in self.state.nodes]

    def owned(self) -> list[str]:
        """Those of them that an account owns, and no pool."""
        rows = self.state.nodes
        return [self.name(node) for node in rows if rows[node].owner in self.directory.names]

    def balance(self, name: str) -> int:
        return self.state.balances[self.address(name)]

    def members(self) -> list[str]:
        return sorted(self.name(member) for member in self.state.registry.value.members)

    def needed(self, quorum: Quorum) -> int:
        return needed(self.state.registry.value, quorum)
