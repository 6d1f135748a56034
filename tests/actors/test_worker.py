"""A worker's own decisions: when to measure, publish, accept, settle and claim."""

from __future__ import annotations

import pytest

from devnet.actors.messages import (
    AdmissionAsked,
    AdmissionRefused,
    Admitted,
    Ask,
    Measure,
    MeasureAsked,
    MeasureFailed,
    Poke,
    Publish,
    ResultSigned,
    SendFailed,
    Stake,
    TopUp,
)
from devnet.actors.operations import Done, Fail, Send, Tell
from devnet.actors.view import hardware_id
from devnet.actors.worker import Worker
from devnet.chain import sign_digest
from tests.actors.stage import ACCOUNTS, Stage, happened, network, sends, time_of

KOMP = 10**18
ASK = Tell("gatekeeper-1", MeasureAsked("worker-1"))


@pytest.fixture()
def worker() -> Worker:
    return Worker(ACCOUNTS["worker-1"], 1)


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


# Staking


def test_a_stake_is_sent_by_the_owner_with_the_gatekeepers_admission_and_the_keys(  # S6
    stage: Stage, worker: Worker
) -> None:
    owner, node = stage.address("worker-1-owner"), stage.address("worker-1")
    machine = hardware_id(7, "worker-1")

    asked = worker.act(stage.view(5), [Stake(1, 12)])
    assert asked == [Tell("gatekeeper-1", AdmissionAsked("worker-1", owner, node, machine))]
    staked = worker.act(stage.view(5), [Admitted(machine, 99, b"quorum")])

    agreed = sign_digest(
        ACCOUNTS["worker-1"], stage.reads.domains.admission(node, owner, machine, 99)
    )
    args = (node, machine, 12, 99, b"quorum", agreed)
    assert staked == [Send("worker-1-owner", "Staking", "stake", args, 1)]
    assert worker.act(stage.view(6), [Admitted(machine, 99, b"quorum")]) == []


def test_a_refused_admission_fails_the_stake(stage: Stage, worker: Worker) -> None:
    worker.act(stage.view(5), [Stake(1, 12)])

    refused = worker.act(stage.view(5), [AdmissionRefused("another machine's hardware id")])

    assert refused == [Fail(1, "another machine's hardware id", "NotAttested")]
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
    wishes = [Ask(1, "Staking", "restake", (node, 6)), Ask(2, "Rewards", "claimAll", (node,))]

    operations = worker.act(stage.view(5), wishes)

    assert operations == [
        Send("worker-1-owner", "Staking", "restake", (node, 6), 1),
        Send("worker-1-owner", "Rewards", "claimAll", (node,), 2),
    ]


# Measuring and publishing (W3, W4)


def test_a_measurement_is_asked_once_and_done_when_its_result_is_signed(
    stage: Stage, worker: Worker
) -> None:
    assert worker.act(stage.view(10), [Measure(1)]) == [ASK]
    assert worker.act(stage.view(10), [Measure(2)]) == []

    assert worker.act(stage.view(10), [signed(stage, 10)]) == [Done(1), Done(2)]


def test_a_second_measurement_beside_a_result_in_hand_is_refused(
    stage: Stage, worker: Worker
) -> None:
    """R4: no second result would be signed, so nothing would be measured."""
    worker.act(stage.view(10), [Measure(1)])
    worker.act(stage.view(10), [signed(stage, 10)])

    reason = (
        "measured already, in block 10, and that result (sequence 1) waits to be "
        "published: no second one is signed beside it (R4); publish it, or measure in the next "
        "cycle"
    )
    assert worker.act(stage.view(11), [Measure(2)]) == [Fail(2, reason, "NotMeasured")]
    assert worker.act(stage.view(11), [Publish(3)]) == [publication(3)]
    worker.act(stage.view(12), [published(stage, 12)])
    assert worker.act(stage.view(13), [Measure(4)]) == [ASK]


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
    late = Worker(ACCOUNTS["worker-1"], 1)
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

    assert failed == [Fail(wish, "node lost", "NotMeasured") for wish in (1, 2)]
    assert worker.act(stage.view(11), [Publish(3)]) == [ASK]


def test_a_cheat_that_was_caught_is_no_test_that_failed(stage: Stage, worker: Worker) -> None:
    """W3: an overloaded machine ends without a result, too."""
    worker.act(stage.view(10), [Measure(1), Publish(2)])

    failed = worker.act(stage.view(10), [MeasureFailed("made elsewhere", cheated=True)])

    assert failed == [Fail(wish, "made elsewhere", "Cheated") for wish in (1, 2)]


def test_a_refused_publication_fails_all_that_waited_for_it(stage: Stage, worker: Worker) -> None:
    worker.act(stage.view(10), [Publish(1), Publish(2)])
    worker.act(stage.view(10), [signed(stage, 10)])
    refused = SendFailed("Rewards", "publish", (), "NotActive")

    assert worker.act(stage.view(11), [refused]) == [
        Fail(1, "publish: NotActive", "NotActive"),
        Fail(2, "publish: NotActive", "NotActive"),
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
    never, leaving = Worker(ACCOUNTS["worker-1"], 0), Worker(ACCOUNTS["worker-1"], 1)
    never.act(stage.view(5), [happened("Staked", 5, node=node)])
    leaving.act(stage.view(5), [happened("Staked", 5, node=node)])
    leaving.act(stage.view(6), [happened("ExitRequested", 6, node=node)])

    assert (never.due(), leaving.due()) == (None, None)


def test_an_offline_worker_does_nothing_and_makes_up_for_nothing(
    stage: Stage, worker: Worker
) -> None:
    worker.act(stage.view(5), [happened("Staked", 5, node=stage.address("worker-1"))])
    assert worker.act(stage.view(100), [stage.lost("worker-1", 100)]) == []
    assert worker.act(stage.view(130), [happened("Other", 130)]) == []

    # Three publications fell into the outage; one is made now, the next when its day comes.
    assert worker.act(stage.view(400), [stage.back("worker-1", 400)]) == [ASK]
    assert worker.act(stage.view(400), [signed(stage, 400)]) == [publication(0)]
    assert worker.act(stage.view(401), [published(stage, 401)]) == []
    assert worker.due() == time_of(5 + 480)


# Wishes for everybody


def test_a_worker_s_owner_adds_to_the_rewards(stage: Stage, worker: Worker) -> None:
    """C2: anyone may."""
    operations = worker.act(stage.view(5), [Ask(7, "Rewards", "addReward", (11,))])

    assert operations == [Send("worker-1-owner", "Rewards", "addReward", (11,), 7)]


def test_a_wish_it_does_not_know_fails(stage: Stage, worker: Worker) -> None:
    operations = worker.act(stage.view(5), [Poke(7, ())])

    assert operations == [Fail(7, "Poke is not a wish it serves", "NotServed")]
