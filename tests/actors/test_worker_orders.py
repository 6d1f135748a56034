"""What a worker does about orders (M2, M3, M6)."""

from __future__ import annotations

import pytest

from devnet.actors.messages import (
    SendFailed,
)
from devnet.actors.operations import Operation
from devnet.actors.view import order_spec_of, spec_hash
from devnet.actors.worker import Worker
from devnet.protocol import order_spec
from tests.actors.stage import ACCOUNTS, Stage, happened, sends, time_of


@pytest.fixture()
def worker() -> Worker:
    return Worker(ACCOUNTS["worker-1"], 1)


def created(stage: Stage, order: int, block: int = 10) -> object:
    """An order of a service the network offers."""
    spec = order_spec_of(stage.spec.service("web"))
    return happened("OrderCreated", block, id=order, spec=spec)


def chosen(stage: Stage, order: int, *, offline: str = "") -> list[str]:
    """Who accepts the order."""
    names: list[str] = []
    for name in ("worker-1", "worker-2", "worker-3", "worker-4"):
        worker = Worker(ACCOUNTS[name], 0)
        worker.act(stage.view(5), [happened("Staked", 5, node=stage.address(name))])
        if offline:
            worker.act(stage.view(6), [stage.lost(offline, 6)])
        operations = worker.act(stage.view(10), [created(stage, order)])
        names += [account for account, function, _ in sends(operations) if function == "accept"]
    return names


def test_active_workers_take_orders_in_turn_one_each(stage: Stage) -> None:
    assert [chosen(stage, order) for order in range(4, 9)] == [
        ["worker-1"],
        ["worker-2"],
        ["worker-3"],
        ["worker-4"],
        ["worker-1"],
    ]


def test_who_is_offline_or_inactive_takes_none(stage: Stage) -> None:
    stage.reads.active[stage.address("worker-3")] = False

    assert [chosen(stage, order, offline="worker-2") for order in (4, 5, 6)] == [
        ["worker-1"],
        ["worker-4"],
        ["worker-1"],
    ]


def test_nobody_accepts_where_nobody_is_active(stage: Stage) -> None:
    stage.reads.active = {stage.address(w.name): False for w in stage.spec.workers}

    assert chosen(stage, 4) == []


def test_an_accepted_order_is_settled_daily_and_finalized_at_its_end(stage: Stage) -> None:
    worker = Worker(ACCOUNTS["worker-1"], 0)
    stage.reads.ends[4] = time_of(300)
    accepted = happened("OrderAccepted", 20, id=4, node=stage.address("worker-1"))
    worker.act(stage.view(20), [accepted])

    assert worker.due() == time_of(20 + 120)
    assert sends(worker.act(stage.view(139), [])) == []
    assert sends(worker.act(stage.view(140), [])) == [("worker-1", "settle", (4,))]
    assert worker.due() == time_of(260)
    assert sends(worker.act(stage.view(260), [])) == [("worker-1", "settle", (4,))]
    # M6: end + haltDelay (10 blocks) is block 310; sent at head 309 it is mined there.
    assert worker.due() == time_of(309)
    assert sends(worker.act(stage.view(309), [])) == [("worker-1", "finalize", (4,))]
    assert sends(worker.act(stage.view(380), [])) == []
    assert worker.due() is None


def test_an_order_of_many_statements_is_settled_until_it_can_be_finalized(stage: Stage) -> None:
    worker = Worker(ACCOUNTS["worker-1"], 0)
    stage.reads.ends[4] = time_of(300)
    accepted = happened("OrderAccepted", 20, id=4, node=stage.address("worker-1"))
    worker.act(stage.view(20), [accepted])
    worker.act(stage.view(309), [])
    refused = SendFailed("Market", "finalize", (4,), "SettleFirst")

    both = [("worker-1", "settle", (4,)), ("worker-1", "finalize", (4,))]
    assert sends(worker.act(stage.view(310), [refused])) == both
    assert sends(worker.act(stage.view(311), [refused])) == both
    assert sends(worker.act(stage.view(312), [])) == []


def test_a_closed_order_is_finalized_earlier_and_a_finalized_one_left_alone(stage: Stage) -> None:
    worker = Worker(ACCOUNTS["worker-1"], 0)
    for order in (4, 8):
        stage.reads.ends[order] = time_of(300)
        node = stage.address("worker-1")
        worker.act(stage.view(20), [happened("OrderAccepted", 20, id=order, node=node)])
    stage.reads.ends[4] = time_of(50)
    worker.act(stage.view(50), [happened("OrderClosed", 50, id=4)])
    worker.act(stage.view(52), [happened("Finalized", 52, id=8)])

    assert worker.due() == time_of(59)
    assert sends(worker.act(stage.view(59), [])) == [("worker-1", "finalize", (4,))]
    assert sends(worker.act(stage.view(309), [])) == []


def test_another_worker_s_orders_are_not_settled(stage: Stage, worker: Worker) -> None:
    stage.reads.ends[4] = time_of(300)
    other = happened("OrderAccepted", 20, id=4, node=stage.address("worker-2"))
    operations: list[Operation] = worker.act(stage.view(20), [other])

    assert (operations, worker.due()) == ([], None)


def test_an_order_of_another_size_or_kind_than_its_service_is_left_to_its_client(
    stage: Stage,
) -> None:
    """M2: what was paid for is not what the service asks for."""
    web, thumbnail = (stage.spec.service(name) for name in ("web", "thumbnail"))
    wrong = [
        spec_hash(web),
        order_spec_of(web.model_copy(update={"cpu": web.cpu - 1})),
        order_spec(1, spec_hash(web), web.cpu, 32, 0),
        order_spec(0, spec_hash(thumbnail), thumbnail.cpu, 32, 0),
    ]
    worker = Worker(ACCOUNTS["worker-1"], 0)
    for spec in wrong:
        made = happened("OrderCreated", 10, id=4, spec=spec)
        assert accepts(worker.act(stage.view(10), [made])) == []
    staked = happened("Staked", 20, node=stage.address("worker-1"))
    assert accepts(worker.act(stage.view(20), [staked])) == []  # nor later

    right = happened("OrderCreated", 21, id=4, spec=order_spec(0, spec_hash(web), 50, 32, 0))
    assert accepts(worker.act(stage.view(21), [right])) == [(4,)]


# Orders nobody has accepted yet (M2)


def accepts(operations: list[Operation]) -> list[tuple[object, ...]]:
    return [args for _, function, args in sends(operations) if function == "accept"]


@pytest.fixture()
def waiting(stage: Stage, worker: Worker) -> Worker:
    """Order 4 was created while nobody was active."""
    stage.reads.active = {stage.address(w.name): False for w in stage.spec.workers}
    assert worker.act(stage.view(10), [created(stage, 4)]) == []
    return worker


@pytest.mark.parametrize("event", ["Staked", "ToppedUp"])
def test_an_open_order_is_accepted_once_a_worker_becomes_active(
    stage: Stage, waiting: Worker, event: str
) -> None:
    node = stage.address("worker-1")
    stage.reads.active[node] = True

    assert accepts(waiting.act(stage.view(20), [happened(event, 20, node=node)])) == [(4,)]
    assert accepts(waiting.act(stage.view(20), [happened(event, 20, node=node)])) == []  # once


def test_an_open_order_is_accepted_when_a_worker_is_back(stage: Stage, waiting: Worker) -> None:
    waiting.act(stage.view(20), [stage.lost("worker-1", 20)])
    stage.reads.active[stage.address("worker-1")] = True

    assert accepts(waiting.act(stage.view(30), [stage.back("worker-1", 30)])) == [(4,)]


def test_an_order_closed_or_accepted_meanwhile_is_left_alone(stage: Stage, waiting: Worker) -> None:
    node = stage.address("worker-1")
    waiting.act(stage.view(11), [created(stage, 8, 11)])
    stage.reads.active[node] = True
    words = [
        happened("Staked", 20, node=node),
        happened("OrderClosed", 20, id=4),
        happened("OrderAccepted", 20, id=8, node=stage.address("worker-2")),
    ]

    assert accepts(waiting.act(stage.view(20), words)) == []


def test_an_accept_that_failed_is_taken_over_by_the_next_one(stage: Stage) -> None:
    """worker-1 was chosen, and its exit was mined first."""
    first, second = Worker(ACCOUNTS["worker-1"], 0), Worker(ACCOUNTS["worker-2"], 0)
    order = created(stage, 4)
    assert accepts(first.act(stage.view(10), [order])) == [(4,)]
    assert accepts(second.act(stage.view(10), [order])) == []
    stage.reads.active[stage.address("worker-1")] = False
    stage.reads.active[stage.address("worker-3")] = False
    gone = happened("ExitRequested", 11, node=stage.address("worker-1"))

    refused = SendFailed("Market", "accept", (4,), "NotActive")
    assert accepts(first.act(stage.view(11), [refused, gone])) == []
    assert accepts(second.act(stage.view(11), [gone])) == [(4,)]
