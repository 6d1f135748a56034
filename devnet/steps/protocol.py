"""What the steps of stakes, rewards, orders and prices do: wishes to actors, or time moved on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

from cluster.errors import CannotPlay, UnknownSubject
from cluster.interface import EventKind, Usage
from devnet.actors import messages
from devnet.actors.duties.tasks import workload_name
from devnet.base import CheckFailed, UsageError
from devnet.base.http import httpx
from devnet.base.telling import counted
from devnet.oracles import VENDORS, Resource
from devnet.spec import steps
from devnet.spec.feeds import FEED_PREFIX
from devnet.spec.units import komp_text
from devnet.steps.registry import performs
from devnet.steps.stage import Asked, Stage

DEFAULT_DEPOSIT_WEI = 5 * 10**18  # of the order an `invoke` makes where its client has none
REQUESTS_AT_ONCE = 8
USD_1E8 = 10**8


def _for_workers(
    stage: Stage, workers: Sequence[str], wish: Callable[[str, int], messages.Wish]
) -> str:
    stage.wish_all([(worker, wish(worker, stage.next_wish())) for worker in workers])
    return ", ".join(workers)


def _of_nodes(
    stage: Stage, workers: Sequence[str], contract: str, function: str, *args: object
) -> list[Asked]:
    """A call of each worker's owner, whose first argument is the node."""
    return [
        Asked(worker, contract, function, (stage.directory.address(worker), *args))
        for worker in workers
    ]


def _ask_workers(
    stage: Stage, workers: Sequence[str], contract: str, function: str, *args: object
) -> str:
    stage.ask_all(_of_nodes(stage, workers, contract, function, *args))
    return ", ".join(workers)


@performs(steps.Stake)
def _stake(stage: Stage, step: steps.Stake) -> str:
    def wish(worker: str, identity: int) -> messages.Wish:
        return messages.Stake(identity, step.months or stage.spec.worker(worker).stake_months)

    return "500 KOMP each: " + _for_workers(stage, step.worker, wish)


@performs(steps.Restake)
def _restake(stage: Stage, step: steps.Restake) -> str:
    return _ask_workers(stage, step.worker, "Staking", "restake", step.months)


@performs(steps.TopUp)
def _top_up(stage: Stage, step: steps.TopUp) -> str:
    return _for_workers(stage, step.worker, lambda _, i: messages.TopUp(i, step.amount))


@performs(steps.Exit)
def _exit(stage: Stage, step: steps.Exit) -> str:
    return _ask_workers(stage, step.worker, "Staking", "requestExit")


@performs(steps.Withdraw)
def _withdraw(stage: Stage, step: steps.Withdraw) -> str:
    return _ask_workers(stage, step.worker, "Staking", "withdraw")


@performs(steps.Measure)
def _measure(stage: Stage, step: steps.Measure) -> str:
    _require_present(stage, step.worker)
    return _for_workers(stage, step.worker, lambda _, i: messages.Measure(i))


@performs(steps.Publish)
def _publish(stage: Stage, step: steps.Publish) -> str:
    _require_present(stage, step.worker)
    _for_workers(stage, step.worker, lambda _, i: messages.Publish(i))
    values = [(worker, stage.ledger.last_v(worker)) for worker in step.worker]
    return ", ".join(f"{worker} V {Decimal(v) / 10**18:.3f}" for worker, v in values)


def _require_present(stage: Stage, workers: Sequence[str]) -> None:
    """No test can run on a node that is lost: what would wait for one is refused at once."""
    lost = [worker for worker in workers if stage.seen_of(worker) is EventKind.NODE_LOST]
    if lost:
        raise UsageError(
            f"{', '.join(lost)}: lost, so no performance test can run there",
            hint=f"devnet heal --worker {','.join(lost)}",
        )


@performs(steps.Claim)
def _claim(stage: Stage, step: steps.Claim) -> str:
    function, cycle = ("claimAll", ()) if step.cycle is None else ("claim", (step.cycle,))
    states = stage.ask_all(_of_nodes(stage, step.worker, "Rewards", function, *cycle))
    event = "ClaimedAll" if step.cycle is None else "Claimed"
    gains = (sum(state.values(event, "amount")) for state in states)
    paid = zip(step.worker, gains, strict=True)
    return ", ".join(f"{worker} {komp_text(gain)}" for worker, gain in paid)


@performs(steps.Order)
def _order(stage: Stage, step: steps.Order) -> str:
    service = stage.spec.service(step.service)
    replicas, most = step.asks(service)
    identity = stage.place_order(
        step.client,
        step.order_name,
        messages.PlaceOrder(
            stage.next_wish(), step.service, replicas, step.deposit, step.duration, most
        ),
    )
    url = stage.gateway_url(identity)
    did = f"order {identity} of {step.client}" + (f" at {url}" if url else "")
    if not any(stage.ledger.active(worker.name) for worker in stage.spec.workers):
        did += "; no worker has staked: nobody can accept it (devnet stake all)"  # M2
    return did


@performs(steps.Scale)
def _scale(stage: Stage, step: steps.Scale) -> str:
    order = stage.order(step.order_name)
    stage.ask(order.client, "Market", "scale", order.id, step.replicas)
    return f"order {order.id} to {counted(step.replicas, 'replica')}"


@performs(steps.Usage)
def _usage(stage: Stage, step: steps.Usage) -> str:
    order = stage.order(step.order_name)
    if stage.spec.service(order.service).autoscale is None:
        raise UsageError(
            f"nothing follows what the replicas of order {order.id} use",
            hint=f"give the service '{order.service}' an 'autoscale' in the network file",
        )
    blocks = (step.every or 0) // stage.spec.chain.block_seconds
    workload = workload_name(order.id)
    came_to = []
    for cpu, memory in step.curve():
        try:
            stage.cluster.use(workload, Usage(cpu, memory))
        except CannotPlay as refused:
            raise UsageError(str(refused), hint=refused.hint) from refused
        except UnknownSubject as gone:
            raise CheckFailed(f"nothing of order {order.id} runs") from gone
        end = stage.head.number + blocks
        stage.settle()  # what it came to is stated before its time goes by (M6)
        if (left := end - stage.head.number) > 0:
            stage.scheduler.advance(left)
        came_to.append(sum(pod.ready for pod in stage.cluster.pods(workload)))
    return f"order {order.id}: {', '.join(map(str, came_to))} ready"


@performs(steps.Close)
def _close(stage: Stage, step: steps.Close) -> str:
    order = stage.order(step.order_name)
    stage.ask(step.client, "Market", "close", order.id)
    return f"order {order.id}"


@performs(steps.Settle)
def _settle(stage: Stage, step: steps.Settle) -> str:
    order = stage.order(step.order_name)
    stage.ask(order.client, "Market", "settle", order.id)
    return f"order {order.id}: {komp_text(stage.ledger.consumed(order.id))} used so far"


@performs(steps.Finalize)
def _finalize(stage: Stage, step: steps.Finalize) -> str:
    order = stage.order(step.order_name)
    stage.ask(order.client, "Market", "finalize", order.id)
    return f"order {order.id}: {komp_text(stage.ledger.refunded(order.id))} refunded"


@performs(steps.Request)
def _request(stage: Stage, step: steps.Request) -> str:
    order = stage.order(step.order_name)
    url = stage.gateway_url(order.id)
    if url is None:
        raise CheckFailed(f"order {order.id} has no address: nothing of it runs")
    before = stage.gateway_counts(order.id)
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
    counts = stage.gateway_counts(order.id)
    shares = (f"{pod} {counts[pod] - before.get(pod, 0)}" for pod in sorted(counts))
    return f"{step.times} answered: " + ", ".join(shares)


@performs(steps.Invoke)
def _invoke(stage: Stage, step: steps.Invoke) -> str:
    name = step.order_name
    if not stage.has_order(name):
        service = stage.spec.service(name)
        wish = messages.PlaceOrder(
            stage.next_wish(),
            service.name,
            1,
            DEFAULT_DEPOSIT_WEI,
            steps.LONGEST_ORDER_SECONDS,
            1,
        )
        stage.place_order(step.client, name, wish)
    order = stage.order(name)
    invoke = messages.Invoke(stage.next_wish(), order.id, step.payload.encode(), step.times)
    stage.wish_all([(step.client, invoke)])
    return f"{step.times} completed, each result checked against its hash"


@performs(steps.AddReward)
def _add_reward(stage: Stage, step: steps.AddReward) -> str:
    stage.ask(step.source, "Rewards", "addReward", step.amount)
    return f"{komp_text(step.amount)} from {step.source}"


@performs(steps.Price)
def _price(stage: Stage, step: steps.Price) -> str:
    servers = stage.sources.servers
    resources = step.resource or stage.spec.oracles.resources
    for vendor in step.vendor:
        for resource in resources:
            if step.usd is not None:
                servers.set_price(VENDORS[vendor], Resource(resource), Decimal(step.usd) / USD_1E8)
            elif step.change is not None:
                servers.scale(VENDORS[vendor], Resource(resource), 10_000 + step.change)
    return f"{', '.join(step.vendor)}: {', '.join(resources)}"


@performs(steps.KompUsd)
def _komp_usd(stage: Stage, step: steps.KompUsd) -> str:
    stage.sources.set_komp_usd(step.usd)
    return f"1 KOMP = {Decimal(step.usd) / USD_1E8} USD"


@performs(steps.Poke)
def _poke(stage: Stage, step: steps.Poke) -> str:
    stage.wish_all([("oracles", messages.Poke(stage.next_wish(), tuple(step.resource)))])
    stored = ((name, stage.ledger.price_usd_1e18(name)) for name in step.resource)
    return ", ".join(f"{name} {Decimal(price) / 10**18} USD" for name, price in stored)


@performs(steps.RequestRound)
def _request_round(stage: Stage, step: steps.RequestRound) -> str:
    wished = tuple(FEED_PREFIX + name for name in step.feed)
    stage.wish_all([("oracles", messages.RequestRound(stage.next_wish(), wished))])
    return ", ".join(step.feed)


@performs(steps.Advance)
def _advance(stage: Stage, step: steps.Advance) -> str:
    block_seconds = stage.spec.chain.block_seconds
    if step.blocks is not None:
        blocks = step.blocks
    elif step.time is not None:
        blocks = step.time // block_seconds
    elif step.appeal_window is not None:
        seconds = step.appeal_window * stage.spec.parameters.appeal_window
        blocks = -(-seconds // block_seconds)
    elif step.arbiter_window is not None:
        seconds = step.arbiter_window * stage.spec.parameters.arbiter_window
        blocks = -(-seconds // block_seconds)
    else:
        assert step.cycles is not None
        blocks = stage.blocks_to_cycle(step.cycles)
    stage.scheduler.advance(blocks)
    done = counted(blocks, "block")
    return f"{done}, to block {stage.head.number} in cycle {stage.cycle()}"
