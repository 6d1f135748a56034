"""A worker's own decisions: when to measure, publish, accept, settle and claim."""

from __future__ import annotations

import pytest

from devnet.actors.messages import (
    AddReward,
    AdmissionAsked,
    AdmissionRefused,
    Admitted,
    Claim,
    Exit,
    Measure,
    MeasureAsked,
    MeasureFailed,
    Poke,
    Publish,
    Restake,
    ResultSigned,
    SendFailed,
    Stake,
    TopUp,
    Withdraw,
)
from devnet.actors.operations import Done, Fail, Operation, Send, Tell
from devnet.actors.view import hardware_id, order_spec_of, spec_hash
from devnet.actors.worker import Worker
from devnet.protocol import order_spec
from tests.actors.stage import Stage, back, happened, lost, network, sends, time_of

KOMP = 10**18
ASK = Tell("gatekeeper-1", MeasureAsked("worker-1"))


@pytest.fixture()
def stage() -> Stage:
    return Stage()


@pytest.fixture()
def worker() -> Worker:
    return Worker("worker-1", 1)


def signed(stage: Stage, block: int, sequence: int = 1) -> ResultSigned:
    cycle = stage.view(block).cycle_of(block)
    return ResultSigned(("result",), cycle, sequence, block, b"signatures")


def publication(wish: int) -> Send:
    args = (("result",), b"signatures")
    return Send("worker-1", "Rewards", "publish", args, wish, closes=False)


def published(stage: Stage, block: int) -> object:
    node = stage.address("worker-1")
    stage.reads.published[node] = block
    stage.reads.sequences[node] = stage.reads.sequences.get(node, 0) + 1
    return happened("Published", block, node=node)


# --- staking --------------------------------------------------------------------------------


def test_a_stake_is_sent_by_the_owner_with_the_gatekeepers_admission(
    stage: Stage, worker: Worker
) -> None:
    owner, node = stage.address("worker-1-owner"), stage.address("worker-1")
    machine = hardware_id(7, "worker-1")

    asked = worker.act(stage.view(5), [Stake(1, 12)])
    assert asked == [Tell("gatekeeper-1", AdmissionAsked("worker-1", owner, node, machine))]
    staked = worker.act(stage.view(5), [Admitted(machine, 99, b"quorum")])

    args = (node, machine, 12, 99, b"quorum")
    assert staked == [Send("worker-1-owner", "Staking", "stake", args, 1)]
    assert worker.act(stage.view(6), [Admitted(machine, 99, b"quorum")]) == []


def test_a_refused_admission_fails_the_stake(stage: Stage, worker: Worker) -> None:
    worker.act(stage.view(5), [Stake(1, 12)])

    refused = worker.act(stage.view(5), [AdmissionRefused("another machine's hardware id")])

    assert refused == [Fail(1, "worker-1: another machine's hardware id", "NotAttested")]
    assert worker.act(stage.view(6), [Admitted(bytes(32), 99, b"quorum")]) == []


def test_a_top_up_without_an_amount_fills_to_500(stage: Stage, worker: Worker) -> None:
    node = stage.address("worker-1")
    stage.reads.stakes[node] = 475 * KOMP

    operations = worker.act(stage.view(5), [TopUp(1, None), TopUp(2, 3)])

    assert sends(operations) == [
        ("worker-1-owner", "topUp", (node, 25 * KOMP)),
        ("worker-1-owner", "topUp", (node, 3)),
    ]


def test_the_owner_sends_what_is_the_owner_s(stage: Stage, worker: Worker) -> None:
    node = stage.address("worker-1")
    wishes = [Restake(1, 6), Exit(2), Withdraw(3), Claim(4, None), Claim(5, 7)]

    operations = worker.act(stage.view(5), wishes)

    assert operations == [
        Send("worker-1-owner", "Staking", "restake", (node, 6), 1),
        Send("worker-1-owner", "Staking", "requestExit", (node,), 2),
        Send("worker-1-owner", "Staking", "withdraw", (node,), 3),
        Send("worker-1-owner", "Rewards", "claimAll", (node,), 4),
        Send("worker-1-owner", "Rewards", "claim", (node, 7), 5),
    ]


# --- measuring and publishing (W3, W4) --------------------------------------------------------


def test_a_measurement_is_asked_once_and_done_when_its_result_is_signed(
    stage: Stage, worker: Worker
) -> None:
    assert worker.act(stage.view(10), [Measure(1)]) == [ASK]
    assert worker.act(stage.view(10), [Measure(2)]) == []

    assert worker.act(stage.view(10), [signed(stage, 10)]) == [Done(1), Done(2)]


def test_a_result_in_hand_is_published_without_another_test(stage: Stage, worker: Worker) -> None:
    worker.act(stage.view(10), [Measure(1)])
    worker.act(stage.view(10), [signed(stage, 10)])

    assert worker.act(stage.view(11), [Publish(2)]) == [publication(2)]
    assert worker.act(stage.view(11), []) == []  # until the chain has answered
    assert worker.act(stage.view(12), [published(stage, 12)]) == [Done(2)]


def test_publishing_without_a_result_has_one_measured_first(stage: Stage, worker: Worker) -> None:
    assert worker.act(stage.view(10), [Publish(1)]) == [ASK]
    assert worker.act(stage.view(10), [signed(stage, 10)]) == [publication(1)]


def test_a_second_publication_waits_for_the_gap(stage: Stage, worker: Worker) -> None:
    """W4: g = 5 blocks; a publication sent at head n is mined in block n + 1."""
    published(stage, 12)
    # A test may start at once: block 12 is not after the last publication, block 13 is.
    assert worker.act(stage.view(12), [Publish(1)]) == []
    assert worker.due() == time_of(13)
    assert worker.act(stage.view(13), []) == [ASK]

    assert worker.act(stage.view(13), [signed(stage, 13, 2)]) == []
    assert worker.due() == time_of(16)
    assert worker.act(stage.view(15), []) == []
    assert worker.act(stage.view(16), []) == [publication(1)]


def test_a_test_begins_only_in_the_cycle_in_which_it_can_be_published(
    stage: Stage, worker: Worker
) -> None:
    """Cycle 1 begins with block 72: measured in 71, a result could be mined in 72 only."""
    assert worker.act(stage.view(71), [Publish(1)]) == []
    assert worker.due() == time_of(72)
    assert worker.act(stage.view(72), []) == [ASK]
    assert worker.act(stage.view(72), [signed(stage, 72)]) == [publication(1)]


def test_no_test_begins_when_the_gap_reaches_into_the_next_cycle(
    stage: Stage, worker: Worker
) -> None:
    published(stage, 68)  # the next is block 73 at the earliest, in cycle 1

    assert worker.act(stage.view(69), [Publish(1)]) == []
    assert worker.act(stage.view(70), []) == []
    assert worker.act(stage.view(72), []) == [ASK]


def test_a_result_of_the_last_cycle_is_measured_again(stage: Stage, worker: Worker) -> None:
    worker.act(stage.view(60), [Measure(1)])
    worker.act(stage.view(60), [signed(stage, 60)])

    assert worker.act(stage.view(80), [Publish(2)]) == [ASK]


def test_a_result_more_than_256_blocks_old_is_measured_again(worker: Worker) -> None:
    stage = Stage(network(**{"cycle.blocks": "1000"}))
    worker.act(stage.view(10), [Measure(1)])
    worker.act(stage.view(10), [signed(stage, 10)])
    late = Worker("worker-1", 1)
    late.act(stage.view(10), [Measure(1)])
    late.act(stage.view(10), [signed(stage, 10)])

    assert worker.act(stage.view(265), [Publish(2)]) == [publication(2)]  # in block 266
    assert late.act(stage.view(266), [Publish(2)]) == [ASK]


def test_a_result_of_a_used_sequence_is_measured_again(stage: Stage, worker: Worker) -> None:
    worker.act(stage.view(10), [Measure(1)])
    worker.act(stage.view(10), [signed(stage, 10)])
    stage.reads.sequences[stage.address("worker-1")] = 1

    assert worker.act(stage.view(20), [Publish(2)]) == [ASK]


def test_a_failed_test_fails_every_wish_for_it(stage: Stage, worker: Worker) -> None:
    worker.act(stage.view(10), [Measure(1), Publish(2)])

    failed = worker.act(stage.view(10), [MeasureFailed("node lost")])

    assert failed == [Fail(wish, "worker-1: node lost", "NotMeasured") for wish in (1, 2)]
    assert worker.act(stage.view(11), [Publish(3)]) == [ASK]


def test_a_refused_publication_fails_all_that_waited_for_it(stage: Stage, worker: Worker) -> None:
    worker.act(stage.view(10), [Publish(1), Publish(2)])
    worker.act(stage.view(10), [signed(stage, 10)])
    refused = SendFailed("Rewards", "publish", (), "NotActive")

    assert worker.act(stage.view(11), [refused]) == [
        Fail(1, "worker-1: publish: NotActive", "NotActive"),
        Fail(2, "worker-1: publish: NotActive", "NotActive"),
    ]
    assert worker.act(stage.view(11), [Publish(3)]) == [ASK]


def test_a_worker_that_is_not_active_is_not_measured_by_itself(
    stage: Stage, worker: Worker
) -> None:
    node = stage.address("worker-1")
    worker.act(stage.view(5), [happened("Staked", 5, node=node)])
    stage.reads.active[node] = False

    assert worker.act(stage.view(125), []) == []
    stage.reads.active[node] = True
    assert worker.act(stage.view(245), []) == [ASK]


def test_by_itself_it_publishes_a_day_after_its_stake_and_then_daily(
    stage: Stage, worker: Worker
) -> None:
    staked = happened("Staked", 5, node=stage.address("worker-1"))
    assert worker.act(stage.view(5), [staked]) == []
    assert worker.due() == time_of(5 + 120)

    assert worker.act(stage.view(125), []) == [ASK]
    assert worker.act(stage.view(125), [signed(stage, 125)]) == [publication(0)]
    assert worker.act(stage.view(126), [published(stage, 126)]) == []
    assert worker.due() == time_of(5 + 240)


def test_no_own_publication_without_a_rate_or_after_an_exit_request(stage: Stage) -> None:
    node = stage.address("worker-1")
    never, leaving = Worker("worker-1", 0), Worker("worker-1", 1)
    never.act(stage.view(5), [happened("Staked", 5, node=node)])
    leaving.act(stage.view(5), [happened("Staked", 5, node=node)])
    leaving.act(stage.view(6), [happened("ExitRequested", 6, node=node)])

    assert (never.due(), leaving.due()) == (None, None)


def test_an_offline_worker_does_nothing_and_makes_up_for_nothing(
    stage: Stage, worker: Worker
) -> None:
    worker.act(stage.view(5), [happened("Staked", 5, node=stage.address("worker-1"))])
    assert worker.act(stage.view(100), [lost("worker-1")]) == []
    assert worker.due() is None
    assert worker.act(stage.view(130), [happened("Other", 130)]) == []

    # Three publications fell into the outage; one is made now, the next when its day comes.
    assert worker.act(stage.view(400), [back("worker-1")]) == [ASK]
    assert worker.act(stage.view(400), [signed(stage, 400)]) == [publication(0)]
    assert worker.act(stage.view(401), [published(stage, 401)]) == []
    assert worker.due() == time_of(5 + 480)


# --- orders (M2, M3, M6) ----------------------------------------------------------------------


def created(stage: Stage, order: int, block: int = 10) -> object:
    """An order of a service the network offers."""
    spec = order_spec_of(stage.spec.service("web"))
    return happened("OrderCreated", block, id=order, spec=spec)


def chosen(stage: Stage, order: int, *, offline: str = "") -> list[str]:
    """Who accepts the order."""
    names: list[str] = []
    for name in ("worker-1", "worker-2", "worker-3", "worker-4"):
        worker = Worker(name, 0)
        worker.act(stage.view(5), [happened("Staked", 5, node=stage.address(name))])
        if offline:
            worker.act(stage.view(6), [lost(offline)])
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
    worker = Worker("worker-1", 0)
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
    worker = Worker("worker-1", 0)
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
    worker = Worker("worker-1", 0)
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


# --- wishes for everybody -----------------------------------------------------------------------


def test_a_worker_s_owner_adds_to_the_rewards(stage: Stage, worker: Worker) -> None:
    """C2: anyone may."""
    operations = worker.act(stage.view(5), [AddReward(7, 11)])

    assert operations == [Send("worker-1-owner", "Rewards", "addReward", (11,), 7)]


def test_a_wish_it_does_not_know_fails(stage: Stage, worker: Worker) -> None:
    operations = worker.act(stage.view(5), [Poke(7, ())])

    assert operations == [Fail(7, "Poke is not a wish it serves", "NotServed")]


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
    worker = Worker("worker-1", 0)
    for spec in wrong:
        made = happened("OrderCreated", 10, id=4, spec=spec)
        assert accepts(worker.act(stage.view(10), [made])) == []
    staked = happened("Staked", 20, node=stage.address("worker-1"))
    assert accepts(worker.act(stage.view(20), [staked])) == []  # nor later

    right = happened("OrderCreated", 21, id=4, spec=order_spec(0, spec_hash(web), 50, 32, 0))
    assert accepts(worker.act(stage.view(21), [right])) == [(4,)]


# --- orders nobody has accepted yet (M2) ----------------------------------------------------------


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
    waiting.act(stage.view(20), [lost("worker-1")])
    stage.reads.active[stage.address("worker-1")] = True

    assert accepts(waiting.act(stage.view(30), [back("worker-1")])) == [(4,)]


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
    first, second = Worker("worker-1", 0), Worker("worker-2", 0)
    order = created(stage, 4)
    assert accepts(first.act(stage.view(10), [order])) == [(4,)]
    assert accepts(second.act(stage.view(10), [order])) == []
    stage.reads.active[stage.address("worker-1")] = False
    stage.reads.active[stage.address("worker-3")] = False
    gone = happened("ExitRequested", 11, node=stage.address("worker-1"))

    refused = SendFailed("Market", "accept", (4,), "NotActive")
    assert accepts(first.act(stage.view(11), [refused, gone])) == []
    assert accepts(second.act(stage.view(11), [gone])) == [(4,)]
