"""Demand: what clients want at the price they are asked, ordered, run and paid for (M1 to M6)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from devnet.economics.chance import Chance
from devnet.economics.economy import Economy, added
from devnet.economics.outside import Outside
from devnet.economics.owners import EXCHANGE
from devnet.economics.population import Worker
from devnet.economics.tally import CONSUMPTION, Quote, Tally
from devnet.model import pricing, staking
from devnet.model.gatekeepers import Quorum
from devnet.model.market import HOUR, LONGEST, end_of
from devnet.model.pricing import WAD
from devnet.model.tables import Refused
from devnet.protocol.states import Kind
from devnet.spec.economics import SECONDS_PER_YEAR, WHOLE_PPM
from devnet.spec.network import CONTAINER_RESOURCES, RESOURCES

VCPU_HOUR: Final = RESOURCES.index("vcpu_hour")
UNIT_MILLI_CPU: Final = 50  # of one replica; its memory is the machines' share of it
SPEC_HASH: Final = bytes(32)  # of what runs, which nobody looks at
ANY_RATE: Final = 2**128 - 1


class Clients:
    """All clients, who buy KOMP from the exchange and order containers for a cycle each time."""

    def __init__(
        self,
        economy: Economy,
        workers: Sequence[Worker],
        tally: Tally,
        outside: Outside,
        seed: int,
    ) -> None:
        self._economy, self._workers, self._tally = economy, workers, tally
        self._outside = outside
        self._assumed = economy.spec.economics.demand
        self._walk, self._takers = Chance(seed, "demand"), Chance(seed, "takers")
        self._clients = [economy.accounts[client.name] for client in economy.spec.clients]
        self._first = 0  # milli-CPU at the lowest price, in the first cycle
        self._wanted: int | None = None  # the same in the cycle at hand, once one has begun
        self._utilization = 0  # O3: the part of the capacity that was sold last time, at 1e18
        self._open: list[int] = []
        self.serves = bool(self._clients) and all(
            resource in economy.spec.oracles.resources for resource in CONTAINER_RESOURCES
        )

    def fund(self) -> None:
        """What clients and the exchange begin with."""
        economy, treasury = self._economy, self._economy.accounts["treasury"]
        for client, address in zip(economy.spec.clients, self._clients, strict=True):
            economy.require(
                treasury, "Kompute", "transfer", {"to": address, "value": client.balance}
            )
            economy.allow(address, "Market")
        exchange = {"to": economy.accounts[EXCHANGE], "value": self._assumed.exchange}
        economy.require(treasury, "Kompute", "transfer", exchange)

    def order(self) -> None:
        """Prices go on, feeds tell them; what is wanted at the price of last time is ordered."""
        self._outside.step()
        active = [
            worker
            for worker in self._workers
            if staking.is_active(self._economy.state.nodes[worker.node])
        ]
        capacity = sum(worker.machine.milli_cpu for worker in active)
        wanted = self._next_wanted(capacity)
        self._outside.tell(self._utilization)
        sold = self._sell(active, min(wanted, capacity)) if self.serves and active else 0
        self._quote(max(0, wanted - sold))
        self._utilization = sold * WAD // capacity if capacity else 0

    def settle(self) -> None:
        """M6: what has run so far is paid."""
        for order in self._open:
            self._earn("settle", order)

    def finish(self) -> None:
        """M6: orders that ended are settled to the last second and refunded."""
        orders, now = self._economy.state.orders, self._economy.now
        due = now - self._economy.parameters.halt_delay
        self._open = [
            order
            for order in self._open
            if end_of(orders[order]) > due or not self._earn("finalize", order)
        ]

    def _earn(self, function: str, order: int) -> bool:
        outcome = self._economy.send(self._clients[0], "Market", function, {"id": order})
        self._tally.reward(CONSUMPTION, added(outcome))
        return outcome.ok

    def _next_wanted(self, capacity: int) -> int:
        """The walk of demand, and of it what the dynamic price of last time leaves, milli-CPU."""
        assumed, economy = self._assumed, self._economy
        if self._wanted is None:
            wanted = self._first = capacity * assumed.utilization // WHOLE_PPM
        else:
            yearly = self._first * assumed.growth // WHOLE_PPM
            walked = self._walk.around(self._wanted, assumed.step)
            wanted = walked + yearly * economy.cycle_seconds // SECONDS_PER_YEAR
        self._wanted = wanted
        lowest = pricing.dynamic_price(WAD, 0)
        dearer = pricing.dynamic_price(WAD, self._utilization) - lowest
        gone = wanted * assumed.elasticity * dearer // (lowest * WHOLE_PPM)
        return max(0, wanted - gone)

    def _sell(self, active: Sequence[Worker], milli_cpu: int) -> int:
        """Orders for so much, evenly; gives what was really sold, milli-CPU."""
        cpu = sum(worker.machine.milli_cpu for worker in active)
        memory_mib = sum(worker.machine.memory_mib for worker in active)
        unit_mib = max(1, UNIT_MILLI_CPU * memory_mib // cpu)
        units, orders = milli_cpu // UNIT_MILLI_CPU, self._assumed.orders
        sold = 0
        for place in range(orders):
            replicas = units * (place + 1) // orders - units * place // orders
            if replicas and self._order(place, active, replicas, unit_mib):
                sold += replicas * UNIT_MILLI_CPU
        return sold

    def _order(self, place: int, active: Sequence[Worker], replicas: int, memory_mib: int) -> bool:
        economy = self._economy
        state = economy.state
        client = self._clients[place % len(self._clients)]
        seconds = min(LONGEST, economy.cycle_seconds)  # M1
        deposit = self._deposit(replicas, memory_mib, seconds)
        short = deposit - state.balances[client]
        if deposit == 0 or (
            short > 0 and not economy.pay(economy.accounts[EXCHANGE], client, short).ok
        ):
            return False
        request = {
            "kind": int(Kind.CONTAINER),
            "spec": SPEC_HASH,
            "milliCpu": UNIT_MILLI_CPU,
            "memoryMib": memory_mib,
            "storageGib": 0,
            "maxReplicas": replicas,
            "duration": seconds,
            "deposit": deposit,
            "maxRate": ANY_RATE,
            "maxRate2": ANY_RATE,
        }
        if not economy.send(client, "Market", "createOrder", {"request": request}).ok:
            return False
        identity = len(state.orders)
        taker = active[self._takers.below(len(active))]
        if not economy.send(taker.node, "Market", "accept", {"id": identity}).ok:
            economy.send(client, "Market", "close", {"id": identity})
            return False
        runs = {
            "id": identity,
            "seq": 1,
            "replicas": replicas,
            "at": economy.now,
            "signatures": economy.signatures(Quorum.PERF),
        }
        economy.require(taker.node, "Market", "reportRunning", runs)
        self._open.append(identity)
        return True

    def _deposit(self, replicas: int, memory_mib: int, seconds: int) -> int:
        """At least what the order can cost (M3); 0 where no price can be had."""
        state, now = self._economy.state, self._economy.now
        try:
            cpu, memory = (
                pricing.price_in_komp(state, RESOURCES.index(resource), now)
                for resource in CONTAINER_RESOURCES
            )
        except Refused:
            return 0
        rate = UNIT_MILLI_CPU * cpu // 1000 + memory_mib * memory // 1024
        return rate * replicas * seconds // HOUR + 1

    def _quote(self, unmet_milli_cpu: int) -> None:
        economy, now = self._economy, self._economy.now
        state = economy.state
        unmet = unmet_milli_cpu * economy.cycle_seconds // (1000 * HOUR)
        try:
            quote = Quote(
                utilization=self._utilization,
                median_usd=pricing.market_price(state, VCPU_HOUR, now),
                price_usd=pricing.price(state, VCPU_HOUR, now),
                price_komp=pricing.price_in_komp(state, VCPU_HOUR, now),
                komp_usd=self._outside.komp_usd_1e8,
                unmet=unmet,
            )
        except Refused:
            quote = Quote(utilization=self._utilization, unmet=unmet)
        self._tally.running.quote = quote
