"""Orders, what they use and what they cost (M1 to M6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from devnet.model import pricing, rewards, staking, token
from devnet.model.calls import ZERO_ADDRESS, Call
from devnet.model.gatekeepers import Quorum, check
from devnet.model.rows import NO_INVOCATION, NO_ORDER, Invocation
from devnet.model.state import State
from devnet.model.tables import Refused, add, narrow
from devnet.model.usage import MOST_STATEMENTS, Statement
from devnet.protocol.messages import order_spec
from devnet.protocol.states import Kind, OrderState

LONGEST: Final = 30 * 86_400  # M1, seconds
HOUR: Final = 3600
MILLION: Final = 10**6
MIB_MS_PER_GIB_S: Final = 1024 * 1000

MONTH_HOURS: Final = 720  # storage is priced by the month of 30 days, and billed by the hour

VCPU_HOUR, GIB_HOUR, STORAGE_GIB_MONTH = 0, 1, 2  # IPricing.Resource
FUNCTION_GIB_SECOND, MILLION_REQUESTS = 4, 5


def end_of(order: OrderState) -> int:
    """M1, M6: min(acceptedAt + duration, createdAt + 30 days, closedAt).

    One nobody accepted ends when it is closed.
    """
    if order.acceptedAt == 0:
        return order.closedAt
    end = min(order.acceptedAt + order.duration, order.createdAt + LONGEST)
    return min(end, order.closedAt) if order.closedAt else end


def cost(order: OrderState) -> int:
    """M3: C = min(deposit, Σ floor(rate * total / unit)) from the order's totals."""
    if order.kind is not Kind.SERVERLESS:
        c = order.rate * order.total // HOUR
    else:
        c = order.rate * order.total // MILLION
        c += order.rate2 * order.total2 // MIB_MS_PER_GIB_S
    return min(order.deposit, c)


def fee(c: int) -> int:
    """M4: what the company gets in total of a consumption C."""
    return c // 10


def create_order(state: State, call: Call) -> None:
    """M1: rates are locked now, the deposit is escrowed."""
    request = call.args["request"]
    if not 0 < request["duration"] <= LONGEST:
        raise Refused("DurationOutOfRange")
    if request["deposit"] == 0:
        raise Refused("ZeroDeposit")
    if request["kind"] not in tuple(Kind):
        raise Refused("NoReason")  # no value of the enum: read only now
    if request["kind"] != Kind.SERVERLESS and request["maxReplicas"] == 0:
        raise Refused("ReplicasOutOfRange")
    if request["kind"] != Kind.VIRTUAL_MACHINE and request["storageGib"]:
        raise Refused("StorageUnexpected")
    rate, rate2 = _rates(state, request, call.timestamp)
    if rate > request["maxRate"] or rate2 > request["maxRate2"]:
        raise Refused("RateAboveMaximum")
    sizes = (request[name] for name in ("milliCpu", "memoryMib", "storageGib"))
    spec = order_spec(request["kind"], request["spec"], *sizes)
    identity = len(state.orders) + 1
    state.orders[identity] = order = replace(
        NO_ORDER,
        client=call.sender,
        kind=Kind(request["kind"]),
        spec=spec,
        maxReplicas=request["maxReplicas"],
        duration=request["duration"],
        createdAt=call.timestamp,
        deposit=request["deposit"],
        rate=rate,
        rate2=rate2,
    )
    market = state.parameters.addresses["Market"]
    state.escrowed.value = add(state.escrowed.value, request["deposit"], 128)
    created = {"id": identity, "client": call.sender, "kind": int(order.kind)}
    created |= {"spec": spec, "deposit": request["deposit"]}
    state.emit("Market", "OrderCreated", created)
    token.pull(state, market, call.sender, market, request["deposit"])


def _rates(state: State, request: Mapping[str, Any], now: int) -> tuple[int, int]:
    def komp(resource: int) -> int:
        return pricing.price_in_komp(state, resource, now)

    if request["kind"] == Kind.SERVERLESS:
        return komp(MILLION_REQUESTS), komp(FUNCTION_GIB_SECOND)
    rate = request["milliCpu"] * komp(VCPU_HOUR) // 1000
    rate += request["memoryMib"] * komp(GIB_HOUR) // 1024
    if request["kind"] == Kind.VIRTUAL_MACHINE:
        rate += request["storageGib"] * komp(STORAGE_GIB_MONTH) // MONTH_HOURS
    return rate, 0


def accept(state: State, call: Call) -> None:
    """M2, M6: an active node takes an order; what it uses counts from now."""
    identity, order = _unfinalized(state, call)
    if order.node != ZERO_ADDRESS:
        raise Refused("AlreadyAccepted")
    if call.timestamp >= order.createdAt + LONGEST:
        raise Refused("OrderEnded")  # M1
    node = state.nodes[call.sender]
    if not staking.is_active(node):
        raise Refused("NodeNotActive")
    if node.suspensions:
        raise Refused("NodeSuspended")  # C7
    now = call.timestamp
    state.orders[identity] = replace(order, node=call.sender, acceptedAt=now, settledUntil=now)
    state.emit("Market", "OrderAccepted", {"id": identity, "node": call.sender})


def close(state: State, call: Call) -> None:
    """M2, M6: the client ends its order, at once where nobody accepted it."""
    identity, order = _unfinalized(state, call)
    _require_client(call, order)
    accepted = order.node != ZERO_ADDRESS
    if accepted:
        _require_not_ended(call, order)
    state.orders[identity] = replace(order, closedAt=call.timestamp)
    state.emit("Market", "OrderClosed", {"id": identity})
    if not accepted:
        _refund(state, identity)


def scale(state: State, call: Call) -> None:
    """The client's wish; billing follows statements only (M6)."""
    identity, order = _unfinalized(state, call)
    _require_client(call, order)
    if order.kind is Kind.SERVERLESS:
        raise Refused("WrongKind")
    if order.node != ZERO_ADDRESS:
        _require_not_ended(call, order)
    if call.args["replicas"] > order.maxReplicas:
        raise Refused("ReplicasOutOfRange")
    state.emit("Market", "OrderScaled", {"id": identity, "replicas": call.args["replicas"]})


def report_running(state: State, call: Call) -> None:
    """M6: a signed statement of how many replicas run from second `at` on."""
    identity, order = _open(state, call)
    seq, replicas, at = (call.args[name] for name in ("seq", "replicas", "at"))
    if order.kind is Kind.SERVERLESS:
        raise Refused("WrongKind")
    if replicas > order.maxReplicas:
        raise Refused("ReplicasOutOfRange")
    if seq <= order.statementSeq:
        raise Refused("SequenceNotAbove")
    earliest = max(order.settledUntil, order.statementAt)
    if not earliest <= at <= call.timestamp or at >= end_of(order):
        raise Refused("StatementTimeOutOfRange")
    digest = state.domains.running(identity, seq, replicas, at)
    check(state, digest, call.args["signatures"], Quorum.PERF)
    narrow(seq, 64)
    state.usage[identity] = state.usage[identity].stated(Statement(at, replicas))
    state.orders[identity] = replace(order, statementSeq=seq, statementAt=at, replicas=replicas)
    reported = {"id": identity, "seq": seq, "replicas": replicas, "at": at}
    state.emit("Market", "UsageReported", reported)


def report_counters(state: State, call: Call) -> None:
    """M3: signed cumulative counters of a serverless order."""
    identity, order = _open(state, call)
    invocations, mib_ms = call.args["invocations"], call.args["mibMilliseconds"]
    if order.kind is not Kind.SERVERLESS:
        raise Refused("WrongKind")
    if invocations < order.total or mib_ms < order.total2:
        raise Refused("CounterDecreased")
    digest = state.domains.counters(identity, invocations, mib_ms)
    check(state, digest, call.args["signatures"], Quorum.PERF)
    total, total2 = narrow(invocations, 64), narrow(mib_ms, 64)
    state.orders[identity] = replace(order, total=total, total2=total2)
    reported = {"id": identity, "invocations": invocations, "mibMilliseconds": mib_ms}
    state.emit("Market", "CountersReported", reported)


def settle(state: State, call: Call) -> None:
    """M6: the seconds before min(now - haltDelay, end), so that a halt can still be filed."""
    identity, order = _open(state, call)
    until = min(call.timestamp - state.parameters.halt_delay, end_of(order))
    _settle(state, identity, until, call.block)


def finalize(state: State, call: Call) -> None:
    """M6: from end + haltDelay on, the rest is settled and what is left refunded."""
    identity, order = _open(state, call)
    end = end_of(order)
    if call.timestamp < end + state.parameters.halt_delay:
        raise Refused("FinalizeNotDue")
    if len(state.usage[identity].pending) > MOST_STATEMENTS:
        raise Refused("SettleFirst")
    _settle(state, identity, end, call.block)
    _refund(state, identity)


def invoke(state: State, call: Call) -> None:
    """M5: an invocation starts at the client."""
    identity, order = _open(state, call)
    _require_client(call, order)
    if order.kind is not Kind.SERVERLESS:
        raise Refused("WrongKind")
    _require_not_ended(call, order)
    invocation = len(state.invocations) + 1
    state.invocations[invocation] = Invocation(identity, completed=False)
    invoked = {"id": identity, "invocation": invocation, "payloadHash": call.args["payloadHash"]}
    state.emit("Market", "Invoked", invoked)


def complete(state: State, call: Call) -> None:
    """M5: and ends there."""
    identity = call.args["invocation"]
    invocation = state.invocations[identity]
    if invocation is NO_INVOCATION:
        raise Refused("UnknownInvocation")
    _require_client(call, state.orders[invocation.order])
    if invocation.completed:
        raise Refused("AlreadyCompleted")
    state.invocations[identity] = replace(invocation, completed=True)
    completed = {"id": invocation.order, "invocation": identity}
    completed |= {name: call.args[name] for name in ("exitCode", "resultHash")}
    state.emit("Market", "Completed", completed)


def _settle(state: State, identity: int, until: int, block: int) -> None:
    order = state.orders[identity]
    if order.kind is not Kind.SERVERLESS and until > order.settledUntil:
        order = _accrue(state, identity, order, until)
    c, before = cost(order), order.consumed
    to_company = fee(c) - fee(before)  # M4: a tenth of C in total, however often it settles
    to_rewards = c - before - to_company
    state.orders[identity] = replace(order, consumed=c)
    state.escrowed.value -= c - before
    settled = {"id": identity, "consumed": c, "fee": to_company, "reward": to_rewards}
    state.emit("Market", "Settled", settled)
    market = state.parameters.addresses["Market"]
    if to_company:
        token.move(state, market, state.parameters.company, to_company)
    if to_rewards:
        rewards.put_in(state, market, to_rewards, block)


def _accrue(state: State, identity: int, order: OrderState, until: int) -> OrderState:
    accrual = state.usage[identity].accrued(order.settledUntil, until)
    state.usage[identity] = accrual.usage
    total = order.total + accrual.replica_seconds
    return replace(order, total=total, settledUntil=accrual.until)


def _refund(state: State, identity: int) -> None:
    order = state.orders[identity]
    rest = order.deposit - order.consumed
    state.orders[identity] = replace(order, finalized=True)
    state.escrowed.value -= rest
    state.emit("Market", "Finalized", {"id": identity, "refund": rest})
    if rest:
        token.move(state, state.parameters.addresses["Market"], order.client, rest)


def _unfinalized(state: State, call: Call) -> tuple[int, OrderState]:
    identity = call.args["id"]
    order = state.orders[identity]
    if order is NO_ORDER:
        raise Refused("UnknownOrder")
    if order.finalized:
        raise Refused("AlreadyFinalized")
    return identity, order


def _open(state: State, call: Call) -> tuple[int, OrderState]:
    identity, order = _unfinalized(state, call)
    if order.node == ZERO_ADDRESS:
        raise Refused("NotAccepted")
    return identity, order


def _require_client(call: Call, order: OrderState) -> None:
    if call.sender != order.client:
        raise Refused("NotClient")


def _require_not_ended(call: Call, order: OrderState) -> None:
    if call.timestamp >= end_of(order):
        raise Refused("OrderEnded")
