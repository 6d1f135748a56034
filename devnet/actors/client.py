"""A client: orders computing, invokes, fetches results and checks them, pays through the market."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from devnet.actors.actor import Actor
from devnet.actors.duties.pooling import Pooling
from devnet.actors.messages import (
    ActivatePool,
    ChainEvent,
    InvocationServed,
    Invoke,
    MachineLent,
    MachineRefused,
    PayIntoPool,
    PayloadGiven,
    PlaceOrder,
    ResultFetched,
    SendFailed,
)
from devnet.actors.operations import Done, Fail, FetchResult, Operation, Refusal, Send, Tell
from devnet.actors.view import View, spec_hash
from devnet.chain.keccak import keccak
from devnet.protocol.errors import ProtocolError
from devnet.spec.network import SERVICE_KINDS

RATE_SLACK_BPS = 11_000  # a client accepts a rate up to a tenth above what it reads
MONTH_HOURS = 720  # storage is priced by the month, and billed by the hour


@dataclass(slots=True)
class _Invoking:
    """One `Invoke` wish under way."""

    wish: int
    payload: bytes
    unseen: int  # sent, event not seen yet
    open: set[int] = field(default_factory=set)


def request_of(view: View, wish: PlaceOrder) -> tuple[object, ...]:
    """IMarket.Request of a wish: rates as the contract would lock them now, with slack (M1)."""
    service = view.directory.spec.service(wish.service)
    rate2 = 0
    if service.kind == "serverless":
        rate = view.reads.price_in_komp("million_requests")
        rate2 = view.reads.price_in_komp("function_gib_second")
    else:
        cpu = service.cpu * view.reads.price_in_komp("vcpu_hour") // 1000
        rate = cpu + service.memory_mib * view.reads.price_in_komp("gib_hour") // 1024
    if service.kind == "virtual_machine":
        month = view.reads.price_in_komp("storage_gib_month")
        rate += service.storage_gib * month // MONTH_HOURS
    return (
        SERVICE_KINDS.index(service.kind),  # IMarket.Kind
        spec_hash(service),
        service.cpu,
        service.memory_mib,
        service.storage_gib,
        wish.max_replicas,
        wish.duration_seconds,
        wish.deposit_wei,
        rate * RATE_SLACK_BPS // 10_000,
        rate2 * RATE_SLACK_BPS // 10_000,
    )


class Client(Actor):
    """R1."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._placing: list[tuple[PlaceOrder, tuple[object, ...]]] = []  # and its request
        self._invoking: list[_Invoking] = []
        self._served: dict[int, InvocationServed] = {}
        self._pooling = Pooling(name)

    def due(self) -> int | None:
        return None

    def act(self, view: View, messages: Sequence[object]) -> list[Operation]:
        operations: list[Operation] = []
        for message in messages:
            operations += self._take(view, message)
        return operations

    def _take(self, view: View, message: object) -> list[Operation]:
        match message:
            case PlaceOrder():
                try:
                    request = request_of(view, message)
                except ProtocolError as refused:  # O2, O6: no price to lock
                    return [Fail(message.id, refused.sentence, refused.name)]
                self._placing.append((message, request))
                return [Send(self.name, "Market", "createOrder", (request,), message.id)]
            case PayIntoPool() | ActivatePool():
                return self._pooling.take(view, message)
            case MachineLent() | MachineRefused():
                return self._pooling.take(view, message)
            case Invoke():
                self._invoking.append(_Invoking(message.id, message.payload, message.times))
                args = (message.order, keccak(message.payload))
                send = Send(self.name, "Market", "invoke", args, message.id, closes=False)
                return [send] * message.times
            case InvocationServed():
                self._served[message.invocation] = message
                return [FetchResult(message.invocation)]
            case ResultFetched():
                return self._complete(message)
            case SendFailed(function="createOrder", args=(request,)):
                gone = next((p for p in self._placing if p[1] == request), None)
                if gone is not None:
                    self._placing.remove(gone)
                return []
            case SendFailed(function="invoke", args=(_, payload_hash)):
                return self._not_invoked(payload_hash)
            case ChainEvent():
                return self._see(view, message)
            case _:
                return self.otherwise(message)

    def _see(self, view: View, seen: ChainEvent) -> list[Operation]:
        args = seen.event.args
        me = view.directory.address(self.name)
        match seen.event.name:
            case "OrderCreated" if args["client"] == me and self._placing:
                wish, _ = self._placing.pop(0)
                if wish.replicas != wish.max_replicas:
                    return [Send(self.name, "Market", "scale", (args["id"], wish.replicas))]
            case "Invoked":
                for invoking in self._invoking:
                    if invoking.unseen and keccak(invoking.payload) == args["payloadHash"]:
                        if view.directory.name(view.reads.order(args["id"]).client) != self.name:
                            return []
                        invoking.unseen -= 1
                        invoking.open.add(args["invocation"])
                        given = PayloadGiven(args["invocation"], invoking.payload)
                        return [Tell(view.lead, given)]
            case "Completed":
                return self._completed(args["invocation"])
            case _:
                pass
        return []

    def _complete(self, fetched: ResultFetched) -> list[Operation]:
        """M5: the result itself is fetched and checked before the client puts its hash on chain."""
        served = self._served.pop(fetched.invocation)
        invoking = self._invoking_of(fetched.invocation)
        wish = invoking.wish if invoking else 0
        if fetched.output is None or keccak(fetched.output) != served.result_hash:
            seen = "nothing" if fetched.output is None else keccak(fetched.output).hex()
            told = served.result_hash.hex()
            reason = f"result of invocation {fetched.invocation}: {seen} is stored, not {told}"
            return [Fail(wish, reason, Refusal.WRONG_RESULT)] if wish else []
        args = (fetched.invocation, served.exit_code, served.result_hash)
        complete = Send(self.name, "Market", "complete", args, wish, closes=False)
        if served.reason and wish:
            return [complete, Fail(wish, served.reason, Refusal.NOT_RUN)]
        return [complete]

    def _completed(self, invocation: int) -> list[Operation]:
        invoking = self._invoking_of(invocation)
        if invoking is None:
            return []
        invoking.open.discard(invocation)
        return self._ended(invoking)

    def _not_invoked(self, payload_hash: object) -> list[Operation]:
        """The scheduler has already noted the error with the wish; no event will come."""
        for invoking in self._invoking:
            if invoking.unseen and keccak(invoking.payload) == payload_hash:
                invoking.unseen -= 1
                return self._ended(invoking)
        return []

    def _ended(self, invoking: _Invoking) -> list[Operation]:
        if invoking.open or invoking.unseen:
            return []
        self._invoking.remove(invoking)
        return [Done(invoking.wish)]

    def _invoking_of(self, invocation: int) -> _Invoking | None:
        return next((i for i in self._invoking if invocation in i.open), None)
