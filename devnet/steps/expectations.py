"""Whether what a scenario expects holds; every key of `expect` is one small reading."""

from __future__ import annotations

from collections.abc import Callable

from devnet.base import CheckFailed, UsageError, WaitExpired, wait_for
from devnet.protocol import ProtocolError
from devnet.spec.expectation import Comparison, EventCount, Expect
from devnet.spec.units import did_you_mean, komp_text, usd_text
from devnet.steps.governing import proposal_id
from devnet.steps.registry import performs
from devnet.steps.stage import Stage

_WORKER_AMOUNTS = ("stake", "slashed", "pending_slash", "seized", "claimable", "claimed")


@performs(Expect)
def expect(stage: Stage, step: Expect) -> str:
    """What was seen, in one line; raises `CheckFailed` with every key that does not hold.

    Raises UsageError for an event that no contract has.
    """
    if step.event is not None:
        events = sorted(stage.contracts.event_names())
        if step.event.name not in events:
            hint = did_you_mean(step.event.name, events) or f"known: {', '.join(events)}"
            raise UsageError(f"no contract has an event {step.event.name!r}", hint=hint)
    if step.within is None:
        misses = _misses(stage, step)
        if misses:
            raise CheckFailed("; ".join(misses))
    else:
        seen: list[str] = []

        def holds() -> bool:
            stage.scheduler.drain(limit_block=stage.head.number)
            seen[:] = _misses(stage, step)
            return not seen

        try:
            wait_for(
                "the expectation",
                lambda: holds() or None,
                limit_seconds=step.within,
                seen=lambda: "; ".join(seen),
                every_seconds=0.1,
            )
        except WaitExpired as expired:
            raise CheckFailed(f"within {step.within} s: {'; '.join(seen)}") from expired
    one = step.client or step.order_name or step.resource or step.proposal or step.pool or ""
    names = step.worker or (one,)
    said = ", ".join(f"{key} {_said(getattr(step, key))}" for key in step.asked())
    return f"{', '.join(names)} {said}".strip()


def _said(value: object) -> str:
    if isinstance(value, EventCount):
        return f"{value.name} {value.count}"
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def _misses(stage: Stage, step: Expect) -> list[str]:
    """Every key that does not hold, with what was expected and seen."""
    misses: list[str] = []
    for worker in step.worker or ():
        misses += _worker_misses(stage, step, worker)
    if step.client is not None and step.balance is not None:
        misses += _compare(
            f"{step.client}: balance", step.balance, stage.ledger.balance(step.client), komp_text
        )
    if step.order_name:
        misses += _order_misses(stage, step)
    if step.resource is not None:
        misses += _resource_misses(stage, step, step.resource)
    misses += _governance_misses(stage, step)
    if step.pool is not None:
        misses += _pool_misses(stage, step, step.pool)
    if step.error is not None and stage.last_error != step.error:
        misses.append(f"error: expected {step.error}, saw {stage.last_error or 'none'}")
    if step.cycle is not None:
        misses += _compare("cycle", step.cycle, stage.cycle(), str)
    if step.event is not None:
        count = stage.ledger.event_count(step.event.name)
        misses += _compare(f"event {step.event.name}", step.event.count, count, str)
    if step.invariants is not None:
        misses += stage.checks.violations()
    if step.model is not None:
        misses += stage.checks.differences()
    return misses


def _worker_misses(stage: Stage, step: Expect, worker: str) -> list[str]:
    ledger = stage.ledger
    misses: list[str] = []
    for key in _WORKER_AMOUNTS:
        comparison = getattr(step, key)
        if comparison is not None:
            seen = getattr(ledger, key)(worker)
            misses += _compare(f"{worker}: {key}", comparison, seen, komp_text)
    if step.balance is not None:
        balance = ledger.balance(stage.owner_of(worker))
        misses += _compare(f"{worker}: balance", step.balance, balance, komp_text)
    if step.v is not None:
        misses += _compare(f"{worker}: v", step.v, ledger.last_v(worker), str)
    if step.multiplier_bps is not None:
        seen_bps = ledger.multiplier_bps(worker)
        misses += _compare(f"{worker}: multiplier_bps", step.multiplier_bps, seen_bps, str)
    if step.suspended is not None and ledger.suspended(worker) != step.suspended:
        misses.append(f"{worker}: suspended: expected {step.suspended}, saw {not step.suspended}")
    if step.active is not None and ledger.active(worker) != step.active:
        misses.append(f"{worker}: active: expected {step.active}, saw {not step.active}")
    return misses


def _resource_misses(stage: Stage, step: Expect, resource: str) -> list[str]:
    ledger = stage.ledger
    misses: list[str] = []
    if step.price_usd is not None:
        price = ledger.price_usd_1e18(resource) // 10**10
        misses += _compare(f"{resource}: price_usd", step.price_usd, price, usd_text)
    if step.charged_usd is not None:
        try:
            price = ledger.charged_usd_1e18(resource) // 10**10
        except ProtocolError as refused:
            misses.append(f"{resource}: charged_usd: expected {step.charged_usd}, saw: {refused}")
        else:
            misses += _compare(f"{resource}: charged_usd", step.charged_usd, price, usd_text)
    if step.contingency is not None and ledger.contingency(resource) != step.contingency:
        told = f"expected {step.contingency}, saw {not step.contingency}"
        misses.append(f"{resource}: contingency: {told}")
    return misses


def _governance_misses(stage: Stage, step: Expect) -> list[str]:
    ledger = stage.ledger
    misses: list[str] = []
    if step.proposal is not None and step.state is not None:
        state = ledger.proposal(proposal_id(step.proposal))
        if state != step.state:
            misses.append(f"{step.proposal}: state: expected {step.state}, saw {state}")
    if step.released is not None:
        misses += _compare("released", step.released, ledger.released(), komp_text)
    if step.max_v is not None:
        misses += _compare("max_v", step.max_v, ledger.max_v(), str)
    if step.gatekeepers is not None:
        misses += _compare("gatekeepers", step.gatekeepers, ledger.gatekeepers(), str)
    return misses


def _order_misses(stage: Stage, step: Expect) -> list[str]:
    order = stage.order(step.order_name)
    misses: list[str] = []
    if step.consumed is not None:
        consumed = stage.ledger.consumed(order.id)
        misses += _compare(f"order {order.id}: consumed", step.consumed, consumed, komp_text)
    if step.refunded is not None:
        refunded = stage.ledger.refunded(order.id)
        misses += _compare(f"order {order.id}: refunded", step.refunded, refunded, komp_text)
    if step.ready is None and step.on is None and step.not_on is None:
        return misses
    pods = stage.cluster.pods(f"order-{order.id}")
    places = {pod.node for pod in pods if pod.ready}
    if step.ready is not None:
        ready = sum(1 for pod in pods if pod.ready)
        misses += _compare(f"{step.order_name}: ready", step.ready, ready, str)
    for node in step.on or ():
        if node not in places:
            misses.append(f"{step.order_name}: no ready replica on {node}, but on {sorted(places)}")
    for node in step.not_on or ():
        if any(pod.node == node for pod in pods):
            misses.append(f"{step.order_name}: a replica is still on {node}")
    return misses


def _pool_misses(stage: Stage, step: Expect, pool: str) -> list[str]:
    ledger, contract = stage.ledger, stage.pool(pool)
    misses: list[str] = []
    if step.assets is not None:
        seen = ledger.pool_assets(contract)
        misses += _compare(f"{pool}: assets", step.assets, seen, komp_text)
    if step.closed is not None and ledger.pool_closed(contract) != step.closed:
        misses.append(f"{pool}: closed: expected {step.closed}, saw {not step.closed}")
    if step.shares is not None and step.member is not None:
        seen = ledger.pool_shares(contract, step.member)
        misses += _compare(f"{pool}: shares of {step.member}", step.shares, seen, komp_text)
    if step.uncollected is not None and step.member is not None:
        seen = ledger.pool_uncollected(contract, step.member)
        misses += _compare(
            f"{pool}: uncollected of {step.member}", step.uncollected, seen, komp_text
        )
    return misses


def _compare(
    what: str, comparison: Comparison, seen: int, write: Callable[[int], str]
) -> list[str]:
    if comparison.holds(seen):
        return []
    return [f"{what}: expected {comparison}, saw {write(seen)}"]
