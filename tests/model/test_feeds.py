"""O1: what a feed takes from its oracle nodes, and what a mock is told."""

from __future__ import annotations

import pytest
from model_world import CLOUD_FEEDS, World, address, parameters

from devnet.model import FeedParameters
from devnet.protocol import RoundState

FEED = CLOUD_FEEDS["vcpu_hour"][0]


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("NotTransmitter", {"sender": "mallory"}),
        ("ConfigDigestMismatch", {"configDigest": b"\x01" * 32}),
        ("StaleReport", {"epoch": 0, "round": 0}),
        ("ObservedOutOfRange", {"observationsTimestamp": 0}),
        ("ObservedOutOfRange", {"observationsTimestamp": 2**32 - 1}),
        ("WrongObservationCount", {"observations": (5, 5)}),
        ("WrongObservationCount", {"observations": (5,) * 5}),
        ("ObservationsUnsorted", {"observations": (5, 6, 5)}),
        ("AnswerOutOfBounds", {"observations": (0, 0, 0)}),
        ("WrongSignatureCount", {"signers": ("oracle-1",)}),
        ("NotOracle", {"signers": ("oracle-1", "mallory")}),
        ("DuplicateOracle", {"signers": ("oracle-1", "oracle-1")}),
    ],
)
def test_o1_a_report_is_checked(world: World, name: str, changes: dict[str, object]) -> None:
    assert world.transmit(FEED, 5, **changes).error == name
    assert world.ledger().feeds[FEED].id == 0


def test_o1_the_median_becomes_the_next_round(world: World) -> None:
    observed = world.now - 720
    outcome = world.transmit(FEED, 5, observations=(3, 4, 5, 6))
    assert world.ledger().feeds[FEED] == RoundState(1, 5, observed, world.now, 1)
    assert [event.name for event in outcome.events] == [
        *("NewTransmission", "NewRound", "AnswerUpdated"),
    ]
    assert outcome.events[1].args == {
        "roundId": 1,
        "startedBy": address("oracle-1"),
        "startedAt": observed,
    }


@pytest.mark.parametrize(
    ("epoch", "number", "error"),
    [
        (7, 3, "StaleReport"),
        (7, 2, "StaleReport"),
        (6, 255, "StaleReport"),
        (7, 4, None),
        (8, 0, None),
    ],
)
def test_o1_epoch_and_round_rise(world: World, epoch: int, number: int, error: str | None) -> None:
    assert world.transmit(FEED, 5, epoch=7, round=3).ok
    assert world.transmit(FEED, 5, epoch=epoch, round=number).error == error


def test_o1_a_report_observes_later_than_the_last(world: World) -> None:
    assert world.transmit(FEED, 5, observationsTimestamp=world.now).ok
    at = world.now
    world.mine()
    assert world.transmit(FEED, 5, observationsTimestamp=at).error == "ObservedOutOfRange"
    assert world.transmit(FEED, 5, observationsTimestamp=at + 1).ok


def test_a_mock_answers_whatever_its_operator_says() -> None:
    mock = FeedParameters(18, 3600, 1, 10**22, operator=address("oracle-1"))
    world = World(feeds={**parameters().feeds, FEED: mock})
    told = {"id": 2**64 + 7, "answer": -5, "startedAt": 3, "updatedAt": 2**33}
    assert world.send("oracle-2", FEED, "script", round=told).error == "NotOperator"
    outcome = world.send("oracle-1", FEED, "script", round=told)
    assert world.ledger().feeds[FEED] == RoundState(2**64 + 7, -5, 3, 2**33, 2**64 + 7)
    assert [event.name for event in outcome.events] == ["AnswerUpdated"]
