"""What pricing makes of each fault of a feed (O2), with the mock of one vendor beside two feeds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from contracts_stage import ACCOUNTS, DAY, HOUR, PARAMETERS, Stage, address

from devnet.deploy import execute
from devnet.protocol import RoundState

MOCK, AWS, GCP = (f"Feed:{vendor}:vcpu_hour" for vendor in ("azure", "aws", "gcp"))
USD = 10**15  # a thousandth of a dollar
PHASE = 1 << 64
LOW, MIDDLE, HIGH = 40 * USD, 42 * USD, 44 * USD


@pytest.fixture
def mocked(base: Stage) -> Iterator[Stage]:
    """AWS says 40, GCP 44, and the mock of Azure, which said 42 first, is what a test plays."""
    snapshot = base.chain.snapshot()
    parameters = replace(PARAMETERS, mocked=("azure",), resources=("vcpu_hour",))
    deployment, _ = execute(parameters, base.artifacts, base.chain, ACCOUNTS["deployer"])
    stage = Stage(base.chain, base.artifacts, deployment)
    script(stage, MIDDLE)
    answers(stage)
    yield stage
    base.chain.revert(snapshot)


def answers(stage: Stage) -> None:
    """The two sound vendors report; the price is stored."""
    stage.round(AWS, LOW)
    stage.round(GCP, HIGH)
    stage.send("mallory", "Pricing", "poke", 0)


def script(stage: Stage, answer: int, *, ahead: int = 0, number: int = PHASE + 1) -> None:
    at = stage.now + 1 + ahead
    told = {"id": number, "answer": answer, "startedAt": at, "updatedAt": at}
    sent = stage.send("oracle-1", MOCK, "script", told)
    assert sent.event("AnswerUpdated") == {"current": answer, "roundId": number, "updatedAt": at}
    answered_in = number if 1 <= answer <= 10**22 else 0
    assert RoundState.of(stage.read(MOCK, "latestRoundData")) == RoundState(
        number, answer, at, at, answered_in
    )


def stored(stage: Stage) -> tuple[int, int]:
    """The stored price, and the jump that waits."""
    record = stage.read("Pricing", "stored", 0)
    return record["price"], record["pending"]


@pytest.mark.parametrize(
    ("answer", "ahead", "number", "expected"),
    [
        (43 * USD, 0, PHASE + 2, 43 * USD),
        (43 * USD, 0, PHASE + 9, 43 * USD),
        (43 * USD, 0, 2 * PHASE + 1, 43 * USD),
        (43 * USD, HOUR, PHASE + 2, LOW),
        (43 * USD // 10**10, 0, PHASE + 2, LOW),
        (43 * USD * 10**10, 0, PHASE + 2, LOW),
        (0, 0, PHASE + 2, LOW),
        (-43 * USD, 0, PHASE + 2, LOW),
        (2**255 - 1, 0, PHASE + 2, LOW),
        (10**22, 0, PHASE + 2, HIGH),
    ],
    ids=[
        "sound",
        "round gap: numbers do not matter",
        "phase change: nor do phases",
        "future timestamp: not counted, the lower of two as near",
        "wrong decimals, too small: the median of the others",
        "wrong decimals, too large: outside the bounds",
        "zero",
        "negative",
        "beyond every bound",
        "an outlier inside the bounds",
    ],
)
def test_o2_a_fault_of_one_feed(
    mocked: Stage, answer: int, ahead: int, number: int, expected: int
) -> None:
    script(mocked, answer, ahead=ahead, number=number)
    answers(mocked)
    assert stored(mocked) == (expected, 0)


def test_o2_a_future_answer_counts_from_its_second_on(mocked: Stage) -> None:
    script(mocked, 43 * USD, ahead=HOUR)
    due = mocked.now + HOUR
    mocked.until(due - 1)
    mocked.send("mallory", "Pricing", "poke", 0)
    assert stored(mocked) == (LOW, 0)
    mocked.until(due)
    mocked.send("mallory", "Pricing", "poke", 0)
    assert stored(mocked) == (43 * USD, 0)


def test_o2_a_stale_feed_counts_until_its_heartbeat_whatever_its_round_says(mocked: Stage) -> None:
    script(mocked, 43 * USD)
    at = mocked.now
    mocked.until(at + DAY - 2)
    mocked.round(AWS, LOW)
    mocked.round(GCP, HIGH)
    mocked.send("mallory", "Pricing", "poke", 0)
    assert (mocked.now, stored(mocked)) == (at + DAY, (43 * USD, 0))
    mocked.send("mallory", "Pricing", "poke", 0)
    assert stored(mocked) == (HIGH, 0)  # of 40 and 44 as near to 43 as 44


def test_o2_a_frozen_source_is_fresh_and_stays_one_of_three(mocked: Stage) -> None:
    for _ in range(3):
        script(mocked, MIDDLE)
        mocked.round(AWS, HIGH)
        mocked.round(GCP, HIGH)
        mocked.send("mallory", "Pricing", "poke", 0)
        assert stored(mocked) == (HIGH, 0)


def test_o2_one_flapping_feed_moves_nothing(mocked: Stage) -> None:
    for turn in range(6):
        script(mocked, MIDDLE * (1 + turn % 2))
        answers(mocked)
        assert stored(mocked) == ((HIGH, 0) if turn % 2 else (MIDDLE, 0))


def test_o2_flapping_vendors_cannot_hold_back_a_crash_on_one_side(mocked: Stage) -> None:
    """A jump is confirmed by any later one on its side, however it flaps meanwhile."""
    first = mocked.now
    for price in (LOW // 2, LOW // 4, LOW // 2):
        script(mocked, price)
        for feed in (AWS, GCP):
            mocked.round(feed, price)
        mocked.send("mallory", "Pricing", "poke", 0)
    assert stored(mocked) == (MIDDLE, LOW // 2)
    mocked.until(first + DAY + HOUR)
    for feed in (AWS, GCP):
        mocked.round(feed, LOW // 4)
    mocked.send("mallory", "Pricing", "poke", 0)
    assert stored(mocked) == (LOW // 2, 0)  # the nearer to 42 of what waited and what came


def test_o2_two_dead_feeds_leave_too_few(mocked: Stage) -> None:
    script(mocked, 0)
    mocked.until(mocked.now + DAY - 10)
    mocked.round(AWS, LOW)
    mocked.until(mocked.now + 20)
    error = mocked.refused("mallory", "Pricing", "poke", 0)
    assert (error.name, dict(error.values)) == ("TooFewFresh", {"resource": 0, "fresh": 1})
    assert stored(mocked) == (MIDDLE, 0)


def test_the_mock_obeys_its_operator_alone(mocked: Stage) -> None:
    told = {"id": 1, "answer": 1, "startedAt": 1, "updatedAt": 1}
    error = mocked.refused("oracle-2", MOCK, "script", told)
    assert (error.name, dict(error.values)) == (
        "NotOperator",
        {"caller": address("oracle-2"), "operator": address("oracle-1")},
    )
    none = mocked.refused("oracle-1", MOCK, "script", {**told, "id": 0})
    assert (none.name, dict(none.values)) == ("ZeroRound", {})
    script(mocked, 7, number=PHASE + 5)
    first = RoundState.of(mocked.read(MOCK, "getRoundData", PHASE + 1))
    assert (first.id, first.answer) == (PHASE + 1, MIDDLE)
    assert mocked.read(MOCK, "description") == "azure vcpu_hour / USD"
