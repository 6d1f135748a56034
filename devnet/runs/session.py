"""A devnet being driven step by step: by a scenario, by the CLI's verbs, by Locust."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from cluster.interface import Cluster, ClusterEvent, EventKind
from devnet.actors.attestations import QueuedCall
from devnet.actors.messages import CreatePool, PlaceOrder, Wish
from devnet.actors.operations import Send
from devnet.actors.scheduler import Scheduler
from devnet.actors.sources import Sources
from devnet.actors.view import Directory, owner_of
from devnet.base import CheckFailed, UsageError
from devnet.chain import Block
from devnet.checking.checks import Checks
from devnet.protocol import Contracts, ProtocolError
from devnet.runs.pace import Pace
from devnet.runs.world import World
from devnet.spec.network import NetworkSpec
from devnet.spec.registry import Step
from devnet.spec.scenario import step_mapping
from devnet.steps.protocol import PERFORMERS
from devnet.steps.readings import Readings


class StepRejected(CheckFailed):
    """The protocol refused what a step asked for; `error` is the contract's named error."""

    def __init__(self, message: str, error: str) -> None:
        super().__init__(message)
        self.error = error


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """An order as steps know it."""

    id: int
    name: str
    client: str
    service: str


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """What became of one step. `did` says it in one line; `failure` is empty when it held."""

    index: int
    line: int
    verb: str
    text: str
    did: str
    failure: str
    error: str
    milliseconds: int
    first_block: int
    last_block: int

    @property
    def ok(self) -> bool:
        return not self.failure

    @property
    def seconds(self) -> float:
        """Of the wall clock."""
        return self.milliseconds / 1000


class Session:
    """Carries out steps on a `World`; every step is followed by all checks."""

    def __init__(self, world: World, pace: Pace) -> None:
        self._world = world
        self._pace = pace
        self._wishes = 0
        self._orders: dict[str, OpenOrder] = {}
        self._pools: dict[str, str] = {}  # contract names by the names of steps
        self._nodes: dict[str, EventKind] = {}
        self.last_error = ""
        self.proposals: dict[str, tuple[QueuedCall, ...]] = {}  # by name, what was queued of them
        self.outcomes: list[StepOutcome] = []
        world.cluster.subscribe(self._see)

    # --- what performers and expectations use ------------------------------------------------

    @property
    def spec(self) -> NetworkSpec:
        return self._world.spec

    @property
    def cluster(self) -> Cluster:
        return self._world.cluster

    @property
    def sources(self) -> Sources:
        return self._world.sources

    @property
    def scheduler(self) -> Scheduler:
        return self._world.scheduler

    @property
    def contracts(self) -> Contracts:
        return self._world.contracts

    @property
    def directory(self) -> Directory:
        return self._world.directory

    @property
    def ledger(self) -> Readings:
        return self._world.readings

    @property
    def checks(self) -> Checks:
        return self._world.checks

    @property
    def head(self) -> Block:
        return self._world.chain.head

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
        return self._nodes.get(node)

    def registered(self) -> tuple[str, tuple[str, ...]]:
        """The gatekeeper that proposes, and its peers of those still on chain (R3).

        Raises UsageError where the one that hosts the control plane is none any more.
        """
        lead = self.directory.lead_gatekeeper()
        names = [keeper.name for keeper in self.spec.gatekeepers]
        left = [name for name in names if self.ledger.is_gatekeeper(name)]
        if lead not in left:
            raise UsageError(
                f"{lead} hosts the control plane and is no gatekeeper any more (R3): "
                "nobody proposes anything",
                hint="start a devnet again; governance may appoint it, with a send step",
            )
        return lead, tuple(name for name in left if name != lead)

    def next_wish(self) -> int:
        self._wishes += 1
        return self._wishes

    def wish_all(self, wishes: Sequence[tuple[str, Wish]]) -> None:
        """Ask, and wait until all is served; raises `StepRejected` with every refusal.

        Raises UsageError on an idle network, where nobody acts in their names.
        """
        if self.spec.idle:
            names = ", ".join(dict.fromkeys(actor for actor, _ in wishes))
            raise UsageError(f"{names}: nobody acts on an idle network", hint="send acts for them")
        for actor, wish in wishes:
            self.scheduler.wish(actor, wish)
        self._await([(actor, wish.id) for actor, wish in wishes])

    def send(self, operation: Send) -> None:
        """Send one transaction of any account; raises `StepRejected` where it was refused."""
        self.scheduler.send(operation)
        self._await([(operation.account, operation.wish)])

    def _await(self, wishes: Sequence[tuple[str, int]]) -> None:
        states = {wish: self.scheduler.wishes[wish] for _, wish in wishes}
        self._pace.settle(
            lambda: all(state.outcome != "open" for state in states.values()),
            lambda: f"{sum(s.outcome == 'open' for s in states.values())} of {len(states)} open",
        )
        failed = [
            (actor, states[wish]) for actor, wish in wishes if states[wish].outcome == "failed"
        ]
        if failed:
            errors = {state.error for _, state in failed}
            reasons = (f"{actor}: {state.reason or state.error}" for actor, state in failed)
            error = errors.pop() if len(errors) == 1 and len(failed) == len(wishes) else "mixed"
            raise StepRejected("; ".join(reasons), error)

    def settle(self) -> None:
        """Let everyone finish what is due."""
        self._pace.settle(lambda: True, lambda: "")

    def place_order(self, client: str, name: str, wish: PlaceOrder) -> int:
        """Create an order under a name of its own; returns its id on chain."""
        if name in self._orders:
            raise UsageError(
                f"an order named '{name}' exists (order {self._orders[name].id})",
                hint=f"name this one, for example {name}-2",
            )
        before = self.ledger.orders_of(client)
        self.wish_all([(client, wish)])
        created = [order for order in self.ledger.orders_of(client) if order not in before]
        self._orders[name] = OpenOrder(created[-1], name, client, wish.service)
        return created[-1]

    def has_order(self, name: str) -> bool:
        return name in self._orders

    def order(self, name: str) -> OpenOrder:
        if name not in self._orders:
            known = ", ".join(self._orders) or "none was made yet"
            raise UsageError(f"no order named '{name}'", hint=f"known: {known}")
        return self._orders[name]

    def orders(self) -> tuple[OpenOrder, ...]:
        return tuple(self._orders.values())

    def create_pool(self, operator: str, name: str, wish: CreatePool) -> str:
        """Open a pool under a name of its own; returns its contract name."""
        if name in self._pools:
            raise UsageError(
                f"a pool named '{name}' exists ({self._pools[name]})",
                hint=f"name this one, for example {name}-2",
            )
        self.wish_all([(operator, wish)])
        self._pools[name] = self.ledger.last_pool_of(operator)
        return self._pools[name]

    def pool(self, name: str) -> str:
        """The contract name of a pool, `Pool:<n>`."""
        if name not in self._pools:
            known = ", ".join(self._pools) or "none was created yet"
            raise UsageError(f"no pool named '{name}'", hint=f"known: {known}")
        return self._pools[name]

    def gateway_url(self, order: int) -> str | None:
        return self._world.gateway.url(order)

    def gateway_counts(self, order: int) -> dict[str, int]:
        return self._world.gateway.counts(order)

    # --- steps --------------------------------------------------------------------------------

    def perform(self, step: Step) -> StepOutcome:
        """Carry out one step and all checks; the outcome is recorded and returned, not raised.

        Raises what is not a matter of the step: a part that died, an interruption.
        """
        started = time.monotonic()
        first = self.head.number
        did, failure, error = "", "", ""
        try:
            did = PERFORMERS[step.verb](self, step)
        except StepRejected as rejected:
            failure, error = str(rejected), rejected.error
        except ProtocolError as refused:  # a view that the step reads
            failure, error = str(refused), refused.name
        except CheckFailed as failed:
            failure = str(failed)
        except UsageError as wrong:
            failure = f"{wrong} ({wrong.hint})" if wrong.hint else str(wrong)
        self.last_error = error
        if step.expect_error is not None:
            did, failure = _as_expected(step.expect_error, did, failure, error)
        if not failure:
            failure = "; ".join(self.checks.after_step())
        outcome = StepOutcome(
            index=len(self.outcomes) + 1,
            line=step.line,
            verb=step.verb,
            text=_text(step),
            did=did,
            failure=failure,
            error=error,
            milliseconds=int((time.monotonic() - started) * 1000),
            first_block=first,
            last_block=self.head.number,
        )
        self.outcomes.append(outcome)
        self._world.record_step(outcome)
        return outcome

    def _see(self, event: ClusterEvent) -> None:
        if event.kind in (EventKind.NODE_LOST, EventKind.NODE_READY):
            # After the scheduler's own subscription: whoever waits for this finds it delivered.
            self._nodes[event.subject] = event.kind


def _as_expected(expected: str, did: str, failure: str, error: str) -> tuple[str, str]:
    if error == expected:
        return f"rejected with {expected}, as expected", ""
    if failure:
        return did, f"expected {expected}, but: {failure}"
    return did, f"expected {expected}, but it was accepted: {did}"


def _text(step: Step) -> str:
    """The step as a line of its file."""
    values = step_mapping(step)[step.verb]
    inner = ", ".join(f"{key}: {_flow(value)}" for key, value in values.items())
    return f"{step.verb}: {{{inner}}}"


def _flow(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(entry)}" for key, entry in value.items()) + "}"
    return str(value)
