"""What each step does: wishes to actors, or faults, prices and time moved from outside.

`PERFORMERS` maps every verb of `devnet.spec.registry.STEPS` to its function; a performer returns
what it did in one line and raises `StepRejected` when the protocol refused it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx

from cluster.errors import NodeLost
from cluster.interface import EventKind
from devnet.actors import messages
from devnet.base import CheckFailed, UsageError, wait_for
from devnet.oracles import VENDORS, Resource
from devnet.spec import faults, steps
from devnet.spec import governing as governing_steps
from devnet.spec import incidents as incident_steps
from devnet.spec import pools as pool_steps
from devnet.spec.expectation import Expect
from devnet.spec.feeds import FEED_PREFIX
from devnet.spec.sending import Send
from devnet.spec.units import komp_text
from devnet.steps import governing, incidents, pools
from devnet.steps.expectations import expect
from devnet.steps.sending import send

if TYPE_CHECKING:
    from devnet.runs.session import Session

DEFAULT_DEPOSIT_WEI = 5 * 10**18  # of the order an `invoke` makes where its client has none
NODE_SECONDS = 60.0  # until the control plane has noticed a lost or returned node
REQUESTS_AT_ONCE = 8
USD_1E8 = 10**8

Performer = Callable[["Session", Any], str]
PERFORMERS: dict[str, Performer] = {}


def performs(model: type) -> Callable[[Performer], Performer]:
    """Register the performer of a step."""

    def register(performer: Performer) -> Performer:
        PERFORMERS[model.verb] = performer  # type: ignore[attr-defined]
        return performer

    return register


def _for_workers(
    session: Session, workers: Sequence[str], wish: Callable[[str, int], messages.Wish]
) -> str:
    session.wish_all([(worker, wish(worker, session.next_wish())) for worker in workers])
    return ", ".join(workers)


@performs(steps.Stake)
def _stake(session: Session, step: steps.Stake) -> str:
    def wish(worker: str, identity: int) -> messages.Wish:
        return messages.Stake(identity, step.months or session.spec.worker(worker).stake_months)

    return "500 KOMP each: " + _for_workers(session, step.worker, wish)


@performs(steps.Restake)
def _restake(session: Session, step: steps.Restake) -> str:
    return _for_workers(session, step.worker, lambda _, i: messages.Restake(i, step.months))


@performs(steps.TopUp)
def _top_up(session: Session, step: steps.TopUp) -> str:
    return _for_workers(session, step.worker, lambda _, i: messages.TopUp(i, step.amount))


@performs(steps.Exit)
def _exit(session: Session, step: steps.Exit) -> str:
    return _for_workers(session, step.worker, lambda _, i: messages.Exit(i))


@performs(steps.Withdraw)
def _withdraw(session: Session, step: steps.Withdraw) -> str:
    return _for_workers(session, step.worker, lambda _, i: messages.Withdraw(i))


@performs(steps.Measure)
def _measure(session: Session, step: steps.Measure) -> str:
    _require_present(session, step.worker)
    return _for_workers(session, step.worker, lambda _, i: messages.Measure(i))


@performs(steps.Publish)
def _publish(session: Session, step: steps.Publish) -> str:
    _require_present(session, step.worker)
    _for_workers(session, step.worker, lambda _, i: messages.Publish(i))
    values = [(worker, session.ledger.last_v(worker)) for worker in step.worker]
    return ", ".join(f"{worker} V {Decimal(v) / 10**18:.3f}" for worker, v in values)


def _require_present(session: Session, workers: Sequence[str]) -> None:
    """No test can run on a node that is lost: what would wait for one is refused at once."""
    lost = [worker for worker in workers if session.seen_of(worker) is EventKind.NODE_LOST]
    if lost:
        raise UsageError(
            f"{', '.join(lost)}: lost, so no performance test can run there",
            hint=f"devnet heal --worker {','.join(lost)}",
        )


@performs(steps.Claim)
def _claim(session: Session, step: steps.Claim) -> str:
    before = {worker: session.ledger.claimed(worker) for worker in step.worker}
    _for_workers(session, step.worker, lambda _, i: messages.Claim(i, step.cycle))
    gains = [(worker, session.ledger.claimed(worker) - before[worker]) for worker in step.worker]
    return ", ".join(f"{worker} {komp_text(gain)}" for worker, gain in gains)


@performs(steps.Order)
def _order(session: Session, step: steps.Order) -> str:
    service = session.spec.service(step.service)
    most = step.max_replicas or max(service.max_replicas, step.replicas)
    identity = session.place_order(
        step.client,
        step.order_name,
        messages.PlaceOrder(
            session.next_wish(), step.service, step.replicas, step.deposit, step.duration, most
        ),
    )
    url = session.gateway_url(identity)
    did = f"order {identity} of {step.client}" + (f" at {url}" if url else "")
    if not any(session.ledger.active(worker.name) for worker in session.spec.workers):
        did += "; no worker has staked: nobody can accept it (devnet stake all)"  # M2
    return did


@performs(steps.Scale)
def _scale(session: Session, step: steps.Scale) -> str:
    order = session.order(step.order_name)
    wish = messages.ScaleOrder(session.next_wish(), order.id, step.replicas)
    session.wish_all([(order.client, wish)])
    return f"order {order.id} to {step.replicas} replicas"


@performs(steps.Close)
def _close(session: Session, step: steps.Close) -> str:
    order = session.order(step.order_name)
    session.wish_all([(step.client, messages.CloseOrder(session.next_wish(), order.id))])
    return f"order {order.id}"


@performs(steps.Settle)
def _settle(session: Session, step: steps.Settle) -> str:
    order = session.order(step.order_name)
    session.wish_all([(order.client, messages.SettleOrder(session.next_wish(), order.id))])
    return f"order {order.id}: {komp_text(session.ledger.consumed(order.id))} used so far"


@performs(steps.Finalize)
def _finalize(session: Session, step: steps.Finalize) -> str:
    order = session.order(step.order_name)
    session.wish_all([(order.client, messages.FinalizeOrder(session.next_wish(), order.id))])
    return f"order {order.id}: {komp_text(session.ledger.refunded(order.id))} refunded"


@performs(steps.Request)
def _request(session: Session, step: steps.Request) -> str:
    order = session.order(step.order_name)
    url = session.gateway_url(order.id)
    if url is None:
        raise CheckFailed(f"order {order.id} has no address: nothing of it runs")
    before = session.gateway_counts(order.id)
    with httpx.Client(base_url=url, timeout=30.0, trust_env=False) as client:
        with ThreadPoolExecutor(REQUESTS_AT_ONCE) as pool:
            try:
                answers = list(pool.map(lambda _: client.get(step.path), range(step.times)))
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise CheckFailed(f"no answer from {url}{step.path}: {error}") from error
    bad = [answer for answer in answers if answer.status_code != 200]
    if bad:
        raise CheckFailed(
            f"{len(bad)} of {step.times} requests to {url}{step.path} were not answered with 200; "
            f"first: {bad[0].status_code} {bad[0].text[:200]}"
        )
    counts = session.gateway_counts(order.id)
    shares = (f"{pod} {counts[pod] - before.get(pod, 0)}" for pod in sorted(counts))
    return f"{step.times} answered: " + ", ".join(shares)


@performs(steps.Invoke)
def _invoke(session: Session, step: steps.Invoke) -> str:
    name = step.order_name
    if not session.has_order(name):
        service = session.spec.service(name)
        wish = messages.PlaceOrder(
            session.next_wish(),
            service.name,
            1,
            DEFAULT_DEPOSIT_WEI,
            steps.LONGEST_ORDER_SECONDS,
            1,
        )
        session.place_order(step.client, name, wish)
    order = session.order(name)
    invoke = messages.Invoke(session.next_wish(), order.id, step.payload.encode(), step.times)
    session.wish_all([(step.client, invoke)])
    return f"{step.times} completed, each result checked against its hash"


@performs(steps.AddReward)
def _add_reward(session: Session, step: steps.AddReward) -> str:
    wish = messages.AddReward(session.next_wish(), step.amount)
    session.wish_all([(step.source, wish)])
    return f"{komp_text(step.amount)} from {step.source}"


@performs(steps.Price)
def _price(session: Session, step: steps.Price) -> str:
    servers = session.sources.servers
    resources = step.resource or session.spec.oracles.resources
    for vendor in step.vendor:
        for resource in resources:
            if step.usd is not None:
                servers.set_price(VENDORS[vendor], Resource(resource), Decimal(step.usd) / USD_1E8)
            elif step.change is not None:
                servers.scale(VENDORS[vendor], Resource(resource), 10_000 + step.change)
    return f"{', '.join(step.vendor)}: {', '.join(resources)}"


@performs(steps.KompUsd)
def _komp_usd(session: Session, step: steps.KompUsd) -> str:
    session.sources.set_komp_usd(step.usd)
    return f"1 KOMP = {Decimal(step.usd) / USD_1E8} USD"


@performs(steps.Poke)
def _poke(session: Session, step: steps.Poke) -> str:
    session.wish_all([("oracles", messages.Poke(session.next_wish(), tuple(step.resource)))])
    stored = ((name, session.ledger.price_usd_1e18(name)) for name in step.resource)
    return ", ".join(f"{name} {Decimal(price) / 10**18} USD" for name, price in stored)


@performs(steps.RequestRound)
def _request_round(session: Session, step: steps.RequestRound) -> str:
    wished = tuple(FEED_PREFIX + name for name in step.feed)
    session.wish_all([("oracles", messages.RequestRound(session.next_wish(), wished))])
    return ", ".join(step.feed)


@performs(faults.Fault)
def _fault(session: Session, step: faults.Fault) -> str:
    for name in step.names:
        if step.subject != faults.WORKER:
            session.sources.fault(step.fault, name)
            continue
        try:
            session.cluster.fault(name, step.fault)
        except NodeLost as lost:
            raise UsageError(str(lost), hint=lost.hint or "heal it first") from lost
        _await_node(session, name, EventKind.NODE_LOST)
    session.scheduler.drain(limit_block=session.head.number)  # one clock: nothing is mined
    return f"{', '.join(step.names)} {step.kind} since block {session.head.number}"


@performs(faults.Heal)
def _heal(session: Session, step: faults.Heal) -> str:
    for name in step.names:
        if step.subject != faults.WORKER:
            session.sources.heal(step.subject, name)
            continue
        if session.seen_of(name) is not EventKind.NODE_LOST:
            raise UsageError(f"{name} is ready: there is nothing to heal")
        session.cluster.heal(name)
        _await_node(session, name, EventKind.NODE_READY)
    session.settle()
    return ", ".join(step.names)


def _await_node(session: Session, name: str, kind: EventKind) -> None:
    def noticed() -> bool:
        session.scheduler.go_on()
        return session.seen_of(name) is kind

    wait_for(
        f"the control plane to see {name} {kind.value}",
        noticed,
        limit_seconds=NODE_SECONDS,
        seen=lambda: f"{name}: {session.seen_of(name) or 'no event yet'}",
    )


@performs(steps.Advance)
def _advance(session: Session, step: steps.Advance) -> str:
    block_seconds = session.spec.chain.block_seconds
    if step.blocks is not None:
        blocks = step.blocks
    elif step.time is not None:
        blocks = step.time // block_seconds
    elif step.appeal_window is not None:
        seconds = step.appeal_window * session.spec.parameters.appeal_window
        blocks = -(-seconds // block_seconds)
    elif step.arbiter_window is not None:
        seconds = step.arbiter_window * session.spec.parameters.arbiter_window
        blocks = -(-seconds // block_seconds)
    else:
        assert step.cycles is not None
        blocks = session.blocks_to_cycle(step.cycles)
    session.scheduler.advance(blocks)
    return f"{blocks} blocks, to block {session.head.number} in cycle {session.cycle()}"


performs(Send)(send)

performs(incident_steps.Incident)(incidents.report)
performs(incident_steps.Appeal)(incidents.appeal)
performs(incident_steps.Rule)(incidents.rule)
performs(incident_steps.Execute)(incidents.execute)

performs(governing_steps.Govern)(governing.govern)
performs(governing_steps.Enact)(governing.enact)
performs(governing_steps.Veto)(governing.veto)
performs(governing_steps.RemoveGatekeeper)(governing.remove_gatekeeper)
performs(governing_steps.Release)(governing.release)

performs(pool_steps.PoolCreate)(pools.create)
performs(pool_steps.PoolJoin)(pools.join)
performs(pool_steps.PoolLeave)(pools.leave)
performs(pool_steps.PoolActivate)(pools.activate)
performs(pool_steps.PoolTopUp)(pools.top_up)
performs(pool_steps.PoolRestake)(pools.restake)
performs(pool_steps.PoolExit)(pools.by_somebody("requestExit"))
performs(pool_steps.PoolWithdraw)(pools.by_somebody("withdraw"))
performs(pool_steps.PoolHarvest)(pools.by_somebody("harvest"))
performs(pool_steps.PoolCollect)(pools.collect)
performs(pool_steps.PoolRedeem)(pools.redeem)


performs(Expect)(expect)
