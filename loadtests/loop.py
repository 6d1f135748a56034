"""A user that goes through the whole loop: stake, measure, publish, order, invoke, fail, claim."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any, ClassVar, Final

from locust import User, task
from locust.env import Environment
from locust.exception import StopUser

from devnet.chain import keccak, sign_digest
from devnet.protocol import Contracts, Domains, Event
from devnet.protocol.states import UNLIMITED
from loadtests.pacing import Pacer
from loadtests.plan import Plan, ServicePlan, UserAccounts
from loadtests.pulse import Pulse
from loadtests.rpc import LoadPortal, PortalRefused, fire
from loadtests.sender import Sender, TransactionFailed
from loadtests.tally import Tally
from loadtests.watcher import Watcher

EVENT_SECONDS: Final = 30.0
CYCLE_SECONDS: Final = 120.0
PUBLISH_BLOCKS: Final = 8  # a measurement is published in its own cycle (W4): room for that
OUTAGE_BLOCKS: Final = 2
OUTAGE_EVERY: Final = 3  # loops
STAKE_WEI: Final = 500 * 10**18  # S1
CONTAINER, SERVERLESS = 0, 1  # IMarket.Kind


class StageFailed(Exception):
    """What a stage waited for did not come; Locust has been told."""


@dataclass(slots=True)
class Bench:
    """What all users of the process share."""

    plan: Plan
    accounts: list[UserAccounts]
    contracts: Contracts
    sender: Sender
    watcher: Watcher
    portal: LoadPortal
    tally: Tally
    cycle_blocks: int
    genesis_block: int
    pulse: Pulse = field(default_factory=Pulse)
    pacers: list[Pacer] = field(default_factory=list)
    numbers: count[int] = field(default_factory=count)
    closing: bool = False  # no step begins any more

    def cycle_of(self, block: int) -> int:
        """C1."""
        return (block - self.genesis_block) // self.cycle_blocks

    def first_block(self, cycle: int) -> int:
        return self.genesis_block + cycle * self.cycle_blocks


class LoopUser(User):
    """One owner, one node and one client, each with an account of its own."""

    bench: ClassVar[Bench]

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self._number = next(self.bench.numbers)
        self._mine = self.bench.accounts[self._number]
        self._random = random.Random(f"{self.bench.plan.seed}:{self._number}")
        self._pacer = Pacer(
            self.bench.plan.step_milliseconds / 1000,
            self.bench.plan.most_late_steps,
            time.perf_counter,
            self._dropped,
        )
        self.bench.pacers.append(self._pacer)
        self._loop = -1
        self._place = 0
        self._steps: list[Callable[[], None]] = []
        self._staked = False
        self._excused = 0.0
        self._due = 0.0
        self._published_cycle: int | None = None
        self._order: int | None = None
        self._function: int | None = None

    # Locust's side

    def wait_time(self) -> float:
        return self._pacer.seconds_to_due()

    @task
    def step(self) -> None:
        """The next step; one that fails ends the loop it belongs to."""
        if self.bench.closing:
            raise StopUser()
        if self._place == len(self._steps):
            self._begin_loop()
        self._due, self._excused = self._pacer.begin(), 0.0
        self.bench.tally.busy += 1  # stays so where Locust gives up on this user
        try:
            self._steps[self._place]()
            self._place += 1
        except (TransactionFailed, PortalRefused, StageFailed):
            self._place, self._steps = 0, []
        self.bench.tally.busy -= 1
        self._pacer.done(self._excused)

    def _begin_loop(self) -> None:
        self._loop += 1
        self._place = 0
        self._steps = [] if self._staked else [self._approve, self._stake]
        self._steps += [self._publish, self._start, self._end]
        if self._function is None:
            self._steps.append(self._subscribe)
        self._steps.append(self._invoke)
        if (self._loop + self._number) % OUTAGE_EVERY == 0:
            self._steps.append(self._outage)
        self._steps.append(self._claim)

    def _dropped(self, steps: int) -> None:
        self.bench.tally.dropped += steps

    # Steps

    def _send(self, role: str, contract: str, function: str, *args: Any, name: str = "") -> Any:
        events = self.bench.sender.send(
            getattr(self._mine, role), contract, function, *args, due=self._due, name=name
        )
        self._due = time.perf_counter()  # what follows within the step is due now
        return events

    def _stage(self, name: str, event: str, key: object, excused: bool = False) -> Event:
        """Await what others do on chain for this user."""
        started, stalled = self._moment()
        found = self.bench.watcher.event(event, key, EVENT_SECONDS)
        error = None if found else StageFailed(f"no {event} in {EVENT_SECONDS:g} s")
        fire(self.environment, "STAGE", name, started, 0, error)
        self._due = time.perf_counter()
        if excused:
            self._excuse(started, stalled)
        if found is None:
            raise StageFailed(name)
        return found

    def _await_block(self, number: int) -> None:
        """A wait that the protocol asks for: no fault of anybody."""
        started, stalled = self._moment()
        if not self.bench.watcher.block(number, CYCLE_SECONDS):
            error = StageFailed(f"no block {number} in {CYCLE_SECONDS:g} s")
            fire(self.environment, "STAGE", "block", started, 0, error)
            raise error
        self._excuse(started, stalled)

    def _moment(self) -> tuple[float, float]:
        return time.perf_counter(), self.bench.pulse.stalled_seconds()

    def _excuse(self, started: float, stalled: float) -> None:
        """What follows was due when the protocol's own wait was over: a stall is no part of it."""
        now, stalled_now = self._moment()
        self._due = max(started, now - (stalled_now - stalled))
        self._excused += self._due - started

    def _approve(self) -> None:
        contracts = self.bench.contracts
        staking, market = contracts.address("Staking"), contracts.address("Market")
        self._send("owner", "Kompute", "approve", staking, UNLIMITED)
        self._send("client", "Kompute", "approve", market, UNLIMITED)

    def _stake(self) -> None:
        node = self._mine.node.address
        hardware_id = keccak(b"load:" + bytes.fromhex(node[2:]))
        admission = self.bench.portal.post(
            "/admissions",
            {
                "node": node,
                "owner": self._mine.owner.address,
                "hardware_id": "0x" + hardware_id.hex(),
            },
        )
        deadline = admission["deadline"]
        domains = Domains.of(self.bench.contracts.deployment)
        agreed = domains.admission(node, self._mine.owner.address, hardware_id, deadline)
        self._send(
            "owner",
            "Staking",
            "stake",
            node,
            hardware_id,
            self.bench.plan.stake_months,
            deadline,
            bytes.fromhex(admission["signatures"][2:]),
            sign_digest(self._mine.node, agreed),  # S6
        )
        self._staked = True

    def _publish(self) -> None:
        bench = self.bench
        following = bench.first_block(bench.cycle_of(bench.watcher.head) + 1)
        if following - bench.watcher.head < PUBLISH_BLOCKS:
            self._await_block(following)
        measured = bench.portal.post("/measurements", {"node": self._mine.node.address})
        result = [
            bytes.fromhex(value[2:]) if place == 4 else value  # IRewards.Result.measuredHash
            for place, value in enumerate(measured["result"])
        ]
        signatures = bytes.fromhex(measured["signatures"][2:])
        events = self._send("node", "Rewards", "publish", tuple(result), signatures)
        self._published_cycle = int(events["Published"].args["cycle"])

    def _start(self) -> None:
        """An order for a container: created, accepted by a worker, stated to run."""
        self._order = self._create(CONTAINER, self.bench.plan.container, "createOrder")
        self._stage("accept", "OrderAccepted", self._order)
        self._stage("running", "UsageReported", self._order)

    def _end(self) -> None:
        self._send("client", "Market", "close", self._order)

    def _subscribe(self) -> None:
        """An order for a function, to invoke in this loop and those after."""
        function = self._create(SERVERLESS, self.bench.plan.serverless, "createOrder")
        self._stage("accept", "OrderAccepted", function)
        self._function = function

    def _create(self, kind: int, service: ServicePlan, name: str) -> int:
        plan = self.bench.plan
        resources = (0, 1) if kind == CONTAINER else (5, 4)  # IPricing.Resource
        prices = self.bench.sender.read("Pricing", "pricesInKomp", *resources)
        first, second = prices.values()
        if kind == CONTAINER:
            first = service.milli_cpu * first // 1000 + service.memory_mib * second // 1024
            second = 0
        request = (
            kind,
            bytes.fromhex(service.spec[2:]),
            service.milli_cpu,
            service.memory_mib,
            0,  # storage: of virtual machines
            1,
            plan.order_seconds,
            plan.deposit_wei,
            first * 2,  # prices move with utilization until it is mined (O3)
            second * 2,
        )
        events = self._send("client", "Market", "createOrder", request, name=name)
        return int(events["OrderCreated"].args["id"])

    def _invoke(self) -> None:
        """M5: from the client's transaction to its own, the result checked in between."""
        payload = self._random.randbytes(32)
        events = self._send("client", "Market", "invoke", self._function, keccak(payload))
        invocation = int(events["Invoked"].args["invocation"])
        portal = self.bench.portal
        portal.post("/payloads", {"invocation": invocation, "payload": "0x" + payload.hex()})
        served = portal.get(f"/results/{invocation}", "/results")
        output = bytes.fromhex(served["output"][2:])
        started = time.perf_counter()
        result_hash = keccak(output)
        if "0x" + result_hash.hex() != served["result_hash"]:
            error = StageFailed("a result differs from its hash")
            fire(self.environment, "STAGE", "result", started, len(output), error)
            raise error
        self._due = time.perf_counter()
        exit_code = served["exit_code"]
        self._send("client", "Market", "complete", invocation, exit_code, result_hash)

    def _outage(self) -> None:
        """The node is gone for two blocks; the incident is executed, the stake filled up (S4)."""
        node = self._mine.node.address
        portal = self.bench.portal
        portal.post("/outages", {"node": node, "offline": True})
        self._await_block(self.bench.watcher.head + OUTAGE_BLOCKS)
        portal.post("/outages", {"node": node, "offline": False})
        reported = self._stage("report", "IncidentReported", node)
        self._stage("execute", "IncidentExecuted", reported.args["id"], excused=True)
        missing = STAKE_WEI - int(self.bench.sender.read("Staking", "stakeOf", node))
        self._send("owner", "Staking", "topUp", node, missing)

    def _claim(self) -> None:
        """Once the cycle published in has ended (C3)."""
        assert self._published_cycle is not None
        self._await_block(self.bench.first_block(self._published_cycle + 1))
        self._send("owner", "Rewards", "claimAll", self._mine.node.address)
