"""What the oracle node behind Chainlink's Operator answers, and what it leaves open."""

from __future__ import annotations

import pytest

from devnet.actors.messages import FeedRead
from devnet.actors.operations import Operation, ReadFeed, Send
from devnet.actors.responder import Responder
from tests.actors.stage import ChainEvent, Stage, happened, time_of

JOB = b"job".ljust(32, b"\0")
UTILIZATION = "Feed:utilization"
GET = bytes.fromhex("636765746b7574696c697a6174696f6e")  # {get: utilization}
TIMES = bytes.fromhex("6574696d6573")
TIMES_1000 = TIMES + bytes.fromhex("1903e8")
CONSUMER = "0x" + "c0" * 20


@pytest.fixture()
def responder() -> Responder:
    return Responder(JOB)


def asked(data: bytes = GET + TIMES_1000, job: bytes = JOB, number: int = 1) -> ChainEvent:
    return happened(
        "OracleRequest",
        3,
        specId=job,
        requester=CONSUMER,
        requestId=bytes([number]) * 32,
        payment=7,
        callbackAddr=CONSUMER,
        callbackFunctionId=b"\x01\x02\x03\x04",
        cancelExpiration=99,
        dataVersion=2,
        data=data,
    )


def seen(*observations: tuple[str, int]) -> FeedRead:
    return FeedRead(UTILIZATION, observations)


def fulfilled(node: str, value: int, number: int = 1) -> Operation:
    identity = bytes([number]) * 32
    answer = identity + value.to_bytes(32, "big")
    args = (identity, 7, CONSUMER, b"\x01\x02\x03\x04", 99, answer)
    return Send(node, "Operator", "fulfillOracleRequest2", args)


def test_a_request_is_read_then_answered_by_the_first_node_that_sees_anything(
    stage: Stage, responder: Responder
) -> None:
    assert responder.act(stage.view(3), [asked()]) == [ReadFeed(UTILIZATION)]
    answer = responder.act(stage.view(3), [seen(("oracle-2", 123_456 * 10**12), ("oracle-3", 5))])
    assert answer == [fulfilled("oracle-2", 123)]  # floor(0.123456 * 1000)
    assert responder.act(stage.view(4), []) == []


def test_without_times_the_answer_is_the_fraction_s_whole_part(
    stage: Stage, responder: Responder
) -> None:
    responder.act(stage.view(3), [asked(GET)])
    answer = responder.act(stage.view(3), [seen(("oracle-1", 10**18))])
    assert answer == [fulfilled("oracle-1", 1)]


def test_the_largest_times_still_fits_an_answer(stage: Stage, responder: Responder) -> None:
    responder.act(stage.view(3), [asked(GET + TIMES + b"\xc2\x58\x18" + b"\xff" * 24)])
    answer = responder.act(stage.view(3), [seen(("oracle-1", 10**18))])
    assert answer == [fulfilled("oracle-1", 2**192 - 1)]


def test_one_reading_serves_all_that_wait(stage: Stage, responder: Responder) -> None:
    responder.act(stage.view(3), [asked(number=1), asked(number=2)])
    answers = responder.act(stage.view(3), [seen(("oracle-1", 10**18))])
    assert answers == [fulfilled("oracle-1", 1000, 1), fulfilled("oracle-1", 1000, 2)]


@pytest.mark.parametrize(
    "request_",
    [
        asked(job=b"other".ljust(32, b"\0")),
        asked(b"\xff"),
        asked(b""),
        asked(bytes.fromhex("636765746470696e67")),
        asked(GET + bytes.fromhex("6574696d65736178")),
        asked(GET + TIMES + bytes.fromhex("c2581901" + "00" * 24)),
        asked(GET + TIMES + bytes.fromhex("c2582901" + "00" * 40)),
    ],
    ids=[
        *("another job", "no CBOR", "nothing", "another question", "times a text"),
        *("times 2^192", "times 2^320"),
    ],
)
def test_what_it_cannot_read_stays_open(
    stage: Stage, responder: Responder, request_: ChainEvent
) -> None:
    assert responder.act(stage.view(3), [request_]) == []
    assert responder.due() is None


def test_where_no_node_is_up_it_looks_again_in_an_hour(stage: Stage, responder: Responder) -> None:
    responder.act(stage.view(3), [asked()])
    assert responder.act(stage.view(3), [seen()]) == []
    assert responder.due() == time_of(3) + 3600
    assert responder.act(stage.view(4), []) == []
    assert responder.act(stage.view(8), []) == [ReadFeed(UTILIZATION)]
    answer = responder.act(stage.view(8), [seen(("oracle-4", 10**18))])
    assert answer == [fulfilled("oracle-4", 1000)]
