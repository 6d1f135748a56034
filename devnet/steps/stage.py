"""What performers may use: the parts of a running devnet, wishes to its actors, and the names
that steps gave to orders, pools and proposals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from cluster.interface import Cluster, EventKind
from devnet.actors.attestations import QueuedCall
from devnet.actors.messages import Ask, PlaceOrder, Wish
from devnet.actors.operations import Send
from devnet.actors.scheduler import Scheduler
from devnet.actors.sources import Sources
from devnet.actors.view import Directory, owner_of
from devnet.actors.wishes import WishState
from devnet.base import CheckFailed, UsageError
from devnet.chain import Block, Chain
from devnet.checking.checks import Checks
from devnet.gateway import Gateway
from devnet.protocol import Contracts
from devnet.spec.network import NetworkSpec
from devnet.steps.readings import Readings


class StepRejected(CheckFailed):
    """The protocol refused what a step asked for; `error` is the contract's named error."""

    def __init__(self, message: str, error: str) -> None:
        super().__init__(message)
        self.error = error


@dataclass(frozen=True, slots=True)
class Asked:
    """One call of a contract, by an account or by the worker whose owner sends it."""

    who: str
    contract: str
    function: str
    args: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """An order as steps know it."""

    id: int
    name: str
    client: str
    service: str


class Parts(Protocol):
    """A raised devnet: what `devnet.runs.world.World` is once it is entered."""

    spec: NetworkSpec
    chain: Chain
    cluster: Cluster
    sources: Sources
    gateway: Gateway
    scheduler: Scheduler
    readings: Readings
    checks: Checks
    contracts: Contracts
    directory: Directory


class Pace(Protocol):
    """How a step waits for what it asked for."""

    def settle(self, done: Callable[[], bool], seen: Callable[[], str]) -> None:
        """Until `done`, and until nobody has anything to do."""


class Stage:
    """One devnet, driven by steps; `last_error` is the contract's of the step before, or empty."""

    def __init__(self, parts: Parts, pace: Pace) -> None:
        self.spec = parts.spec
        self.cluster = parts.cluster
        self.sources = parts.sources
        self.scheduler = parts.scheduler
        self.contracts = parts.contracts
        self.directory = parts.directory
        self.ledger = parts.readings
        self.checks = parts.checks
        self.last_error = ""
        self.proposals: dict[str, tuple[QueuedCall, ...]] = {}  # by name, what was queued of them
        self._chain, self._gateway, self._pace = parts.chain, parts.gateway, pace
        self._wishes = 0
        self._orders: dict[str, OpenOrder] = {}
        self._pools: dict[str, str] = {}  # contract names by the names of steps

    # The devnet

    @property
    def head(self) -> Block:
        return self._chain.head

    @staticmethod
    def owner_of(worker: str) -> str:
        return owner_of(worker)

    def cycle(self) -> int:
        """C1, at the head block."""
        return self.scheduler.view().cycle_of(self.head.number)

    def blocks_to_cycle(self, cycles: int) -> int:
        """How many blocks to the first block of the n-th next cycle."""
        view = self.scheduler.view()
        first = view.genesis_block + (self.cycle() + cycles) * view.cycle_blocks
        return first - self.head.number

    def seen_of(self, node: str) -> EventKind | None:
        """What the control plane last said of a node, None before it said anything."""
        return self.scheduler.nodes.said(node)

    def registered(self) -> tuple[str, tuple[str, ...]]:
        """The gatekeeper that proposes, and its peers of those still on chain (R3).

        Raises UsageError where the one that hosts the control plane is none any more.
        """
        lead = self.scheduler.lead()
        names = [keeper.name for keeper in self.spec.gatekeepers]
        left = [name for name in names if self.ledger.is_gatekeeper(name)]
        if lead not in left:
            raise UsageError(
                f"{lead} hosts the control plane and is no gatekeeper any more (R3): "
                "nobody proposes anything",
                hint="start a devnet again; governance may appoint it, with a send step",
            )
        return lead, tuple(name for name in left if name != lead)

    def gateway_url(self, order: int) -> str | None:
        return self._gateway.url(order)

    def gateway_counts(self, order: int) -> dict[str, int]:
        return self._gateway.counts(order)

    # Wishes and transactions

    def next_wish(self) -> int:
        self._wishes += 1
        return self._wishes

    def wish_all(self, wishes: Sequence[tuple[str, Wish]]) -> list[WishState]:
        """Ask, and wait until all is served; gives what became of each, in order.

        Raises `StepRejected` with every refusal.

        Raises UsageError on an idle network, where nobody acts in their names.
        """
        if self.spec.idle:
            names = ", ".join(dict.fromkeys(actor for actor, _ in wishes))
            raise UsageError(f"{names}: nobody acts on an idle network", hint="send acts for them")
        for actor, wish in wishes:
            self.scheduler.wish(actor, wish)
        return self._await([(actor, wish.id) for actor, wish in wishes])

    def ask(self, who: str, contract: str, function: str, *args: object) -> WishState:
        """`ask_all` of one."""
        (state,) = self.ask_all([Asked(who, contract, function, args)])
        return state

    def ask_all(self, calls: Sequence[Asked]) -> list[WishState]:
        """Have contracts called, and wait until it is done; raises `StepRejected` likewise.

        Whoever acts in the account's name is asked, and may refuse; where nobody does, the call
        is sent.
        """
        workers = {worker.name for worker in self.spec.workers}
        asked = []
        for call in calls:
            ask = Ask(self.next_wish(), call.contract, call.function, call.args)
            self.scheduler.ask(owner_of(call.who) if call.who in workers else call.who, ask)
            asked.append((call.who, ask.id))
        return self._await(asked)

    def send(self, operation: Send) -> WishState:
        """Send one transaction of any account; raises `StepRejected` where it was refused."""
        self.scheduler.send(operation)
        (state,) = self._await([(operation.account, operation.wish)])
        return state

    def send_together(self, operations: Sequence[Send]) -> tuple[WishState, ...]:
        """Send transactions that the next block has in this order; what became of each.

        Raises CheckFailed where those that the chain took are not in one block in this order.
        """
        for operation in operations:
            self.scheduler.send(operation)
        states = tuple(self._served([operation.wish for operation in operations]).values())
        places = [state.place for state in states if state.place is not None]
        if places != sorted(places) or len({block for block, _ in places}) > 1:
            told = ", ".join(f"block {block} [{index}]" for block, index in places)
            raise CheckFailed(f"they were mined in {told}, not in one block in their order")
        return states

    def _served(self, wishes: Sequence[int]) -> dict[int, WishState]:
        """Their states, none of them open any more."""
        states = {wish: self.scheduler.wishes[wish] for wish in wishes}
        self._pace.settle(
            lambda: all(state.outcome != "open" for state in states.values()),
            lambda: f"{sum(s.outcome == 'open' for s in states.values())} of {len(states)} open",
        )
        return states

    def _await(self, wishes: Sequence[tuple[str, int]]) -> list[WishState]:
        states = self._served([wish for _, wish in wishes])
        failed = [
            (actor, states[wish]) for actor, wish in wishes if states[wish].outcome == "failed"
        ]
        if failed:
            errors = {state.error for _, state in failed}
            reasons = (f"{actor}: {state.reason or state.error}" for actor, state in failed)
            error = errors.pop() if len(errors) == 1 and len(failed) == len(wishes) else "mixed"
            raise StepRejected("; ".join(reasons), error)
        return list(states.values())

    def settle(self) -> None:
        """Let everyone finish what is due."""
        self._pace.settle(lambda: True, lambda: "")

    # Orders and pools by their names

    def place_order(self, client: str, name: str, wish: PlaceOrder) -> int:
        """Create an order under a name of its own; returns its id on chain."""
        if name in self._orders:
            raise UsageError(
                f"an order named '{name}' exists (order {self._orders[name].id})",
                hint=f"name this one, for example {name}-2",
            )
        (state,) = self.wish_all([(client, wish)])
        (order,) = state.values("OrderCreated", "id")
        self._orders[name] = OpenOrder(order, name, client, wish.service)
        return self._orders[name].id

    def has_order(self, name: str) -> bool:
        return name in self._orders

    def order(self, name: str) -> OpenOrder:
        if name not in self._orders:
            known = ", ".join(self._orders) or "none was made yet"
            raise UsageError(f"no order named '{name}'", hint=f"known: {known}")
        return self._orders[name]

    def orders(self) -> tuple[OpenOrder, ...]:
        return tuple(self._orders.values())

    def create_pool(self, operator: str, name: str, commission_bps: int) -> str:
        """Open a pool under a name of its own; returns its contract name."""
        if name in self._pools:
            raise UsageError(
                f"a pool named '{name}' exists ({self._pools[name]})",
                hint=f"name this one, for example {name}-2",
            )
        created = self.ask(operator, "PoolFactory", "create", commission_bps)
        (address,) = created.values("PoolCreated", "pool")
        self._pools[name] = self.contracts.names[address]
        return self._pools[name]

    def pool(self, name: str) -> str:
        """The contract name of a pool, `Pool:<n>`."""
        if name not in self._pools:
            known = ", ".join(self._pools) or "none was created yet"
            raise UsageError(f"no pool named '{name}'", hint=f"known: {known}")
        return self._pools[name]
