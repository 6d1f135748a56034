"""Contracts and model side by side: one action for both, and everything compared after it."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from devnet.actors.view import Directory, account_names
from devnet.chain.accounts import derive
from devnet.chain.signer import recover
from devnet.checking import Checker, Verdict, read_ledger
from devnet.checking.parameters import model_parameters
from devnet.model import Ledger, Model
from devnet.model.rewards import cycle_of
from devnet.protocol import ObservedTransaction
from devnet.protocol.artifacts import Artifacts
from devnet.spec import load_network
from devnet.spec.network import NetworkSpec
from devnet.steps.arguments import Arguments, Moment

from .action import Action, Advance, Send
from .chain import EvmChain
from .real import RealChain
from .sight import Sight

NETWORK = Path(__file__).with_name("network.yaml")
MOST_SIGNATURES = 100_000
POOL_CREATED = "PoolFactory.create"


class Disagreement(AssertionError):
    """Contracts and model differ, or an invariant of §11 does not hold; `found` says what."""

    def __init__(self, found: Sequence[object]) -> None:
        super().__init__("\n".join(str(one) for one in found))
        self.found = tuple(found)

    @property
    def invariants(self) -> frozenset[int]:
        """The numbers of those that do not hold."""
        numbers = (getattr(one, "invariant", None) for one in self.found)
        return frozenset(number for number in numbers if number is not None)


def network() -> tuple[NetworkSpec, Directory]:
    """The machine's network, and who is who on it."""
    spec = load_network(NETWORK, environment={})
    return spec, Directory.of(spec, 0, derive(spec.accounts.mnemonic, account_names(spec)))


def in_process(artifacts: Artifacts, *, only: int | None = None) -> Twins:
    """The machine's network in the in-process EVM."""
    return Twins(EvmChain(*network(), artifacts), only=only)


class Twins:
    """One network, played as often as wanted: `begin` goes back to its start.

    `done` are the actions since, with what the contracts made of each. With `only` that invariant
    alone counts, and no difference to the model.
    """

    def __init__(self, chain: EvmChain | RealChain, *, only: int | None = None) -> None:
        self._only = only
        self.chain, self.spec = chain, chain.spec
        self.parameters = model_parameters(chain.given, chain.deployment)
        self.names = ChainMap(dict(chain.directory.names), chain.contracts.names)  # pools to come
        self._recovered: dict[tuple[bytes, bytes], str] = {}
        self.begin()

    def begin(self) -> None:
        """Everybody funded, nothing done yet."""
        self.chain.restore()
        self.checker = Checker(self.parameters, self.chain.block_hash, self.names)
        self.model.state.recover = self._recover
        self.checker.observe(self.chain.prelude)
        self.done: list[tuple[Action, ObservedTransaction | None]] = []

    @property
    def model(self) -> Model:
        return self.checker.model

    @property
    def joinable(self) -> bool:
        """Whether the block at the head has a transaction, so that others may join it.

        Nobody joins a pool's creation: what is sent to the pool needs its name before the block.
        """
        for action, _ in reversed(self.done):
            if not isinstance(action, Send) or action.verb == POOL_CREATED:
                return False
            if not action.joins:
                return True
        return False

    def sight(self, *, joins: bool = False) -> Sight:
        """What the next move may look at; with `joins` it is of the block at the head."""
        return Sight(
            self.spec,
            self.chain.directory,
            self.chain.deployment,
            self.names,
            self.model,
            self.chain.head if joins else self.chain.next,
            self.done,
        )

    def act(self, action: Action) -> ObservedTransaction | None:
        """Do it, and raise Disagreement when anything is wrong; what the contracts made of it."""
        seen = self.do(action)
        self.check()
        return seen

    def check(self) -> None:
        """All values and invariants at the head; raises Disagreement."""
        self._judge(self.checker.check(self.chain, self.chain.head))

    def check_whole(self) -> None:
        """Every value once more, also what nothing has touched; raises Disagreement."""
        self.chain.forget()
        self._judge(self.checker.check(self.chain, self.chain.head, whole=True))

    def ledger(self) -> Ledger:
        """Every value, read from the contracts."""
        return read_ledger(self.chain, self.chain.head, self.checker.facts)

    def _judge(self, verdict: Verdict) -> None:
        violations, differences = verdict.violations, verdict.differences
        if self._only is not None:
            violations, differences = (
                tuple(one for one in violations if one.invariant == self._only),
                (),
            )
        if violations or differences:
            raise Disagreement((*violations, *differences))

    def do(self, action: Action) -> ObservedTransaction | None:
        """Do it on both sides and check nothing yet; what the contracts made of it."""
        seen = None
        if isinstance(action, Send) and action.joins and not self.joinable:
            action = replace(action, joins=False)  # what it joined is gone
        if isinstance(action, Advance):
            self.chain.advance(action.blocks)
        else:
            seen = self.chain.send(
                self.chain.directory.address(action.sender),
                action.contract,
                action.function,
                self.arguments(action),
                joins=action.joins,
            )
            self.checker.observe((seen,))
        self.done.append((action, seen))
        return seen

    def arguments(self, action: Send) -> tuple[object, ...]:
        """The ABI values of an action in the block to come, or the one it joins."""
        p = self.parameters
        following = self.chain.head if action.joins else self.chain.next
        cycle = cycle_of(following.number, p.genesis_block, p.cycle_blocks)
        moment = Moment(following.number, following.timestamp, cycle)
        chain = self.chain
        arguments = Arguments(chain.contracts, chain, chain.directory, moment)
        return arguments.of_call(action.sender, action.contract, action.function, action.args)

    def _recover(self, digest: bytes, signature: bytes) -> str:
        """Once for each signature: reducing plays the same ones again and again."""
        key = digest, signature
        if key not in self._recovered:
            if len(self._recovered) > MOST_SIGNATURES:
                self._recovered.clear()
            self._recovered[key] = recover(digest, signature)
        return self._recovered[key]
