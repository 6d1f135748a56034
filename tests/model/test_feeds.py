"""O1, O7: what a feed takes from its oracle nodes, who they are, and what a mock is told."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_world import CLOUD_FEEDS, World, address, parameters

from devnet.model import FeedConfig, FeedParameters
from devnet.model.pricing import fresh
from devnet.protocol import RoundState, config_digest

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
    mock = FeedParameters(18, 3600, FeedConfig(1, 10**22), operator=address("oracle-1"))
    world = World(feeds={**parameters().feeds, FEED: mock})
    told = {"id": 2**64 + 7, "answer": -5, "startedAt": 3, "updatedAt": 2**33}
    assert world.send("oracle-2", FEED, "script", round=told).error == "NotOperator"
    outcome = world.send("oracle-1", FEED, "script", round=told)
    assert world.ledger().feeds[FEED] == RoundState(2**64 + 7, -5, 3, 2**33, 0)
    assert [event.name for event in outcome.events] == ["AnswerUpdated"]
    inside = {**told, "answer": 10**22}
    assert world.send("oracle-1", FEED, "script", round=inside).ok
    assert world.ledger().feeds[FEED].answeredInRound == 2**64 + 7
    assert world.send("oracle-1", FEED, "script", round={**told, "id": 0}).error == "ZeroRound"


NEW = ("alice", "bob", "oracle-2", "oracle-3", "mallory", "arbiter", "guardian")
F2 = ("alice", "bob", "mallory")  # f+1 of seven


def replace_config(world: World, **changes: Any) -> str | None:
    """Seven nodes, two of whom may lie, and other bounds, but for the changes; the error."""
    sender = changes.pop("sender", "governance")
    args = {"oracles_": tuple(address(name) for name in NEW), "faulty_": 2}
    args |= {"minAnswer_": 10, "maxAnswer_": 100, **changes}
    return world.send(sender, FEED, "setConfig", **args).error


def test_o7_governance_replaces_nodes_f_and_bounds_and_answers_stay(world: World) -> None:
    assert world.transmit(FEED, 50, epoch=9).ok
    before, old = world.ledger().feeds[FEED], world.model.state.configs[FEED]
    assert replace_config(world) is None
    config = world.model.state.configs[FEED]
    (told,) = world.history[-1].events
    nodes = tuple(address(name) for name in NEW)
    assert (told.contract, told.name) == (FEED, "ConfigSet")
    assert told.args == {
        "previousConfigDigest": old.digest,
        "configDigest": config.digest,
        "configCount": 2,
        "oracles": nodes,
        "faulty": 2,
        "minAnswer": 10,
        "maxAnswer": 100,
    }
    given_ = (31337, address(FEED), 2, "aws vcpu_hour / USD", 18, nodes, 2, (10, 100))
    assert config.digest == config_digest(*given_)
    assert world.ledger().feeds[FEED] == before
    seven = {"sender": "alice", "signers": F2, "observations": (50,) * 5}
    assert world.transmit(FEED, 50, **seven, epoch=0, round=0).error == "StaleReport"
    assert world.transmit(FEED, 50, **seven, epoch=0, round=1).ok
    assert world.ledger().feeds[FEED].id == before.id + 1


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"sender": "oracle-1", "signers": F2}, "NotTransmitter"),
        ({"signers": ("oracle-1", "oracle-2", "oracle-3")}, "NotOracle"),
        ({"signers": F2[:2]}, "WrongSignatureCount"),
        ({"observations": (50,) * 4}, "WrongObservationCount"),
        ({"observations": (50,) * 8}, "WrongObservationCount"),
        ({"observations": (9,) * 5}, "AnswerOutOfBounds"),
        ({"observations": (101,) * 5}, "AnswerOutOfBounds"),
        ({"observationsTimestamp": 0}, "ObservedOutOfRange"),
    ],
)
def test_o7_the_new_config_is_what_a_report_is_checked_by(
    world: World, changes: dict[str, Any], error: str
) -> None:
    assert world.transmit(FEED, 50).ok
    assert replace_config(world) is None
    seven = {"sender": "alice", "signers": F2, "observations": (50,) * 5}
    assert world.transmit(FEED, 50, **seven | changes).error == error


def test_o7_a_report_of_the_old_config_is_refused_even_after_a_return_to_it(world: World) -> None:
    first = world.model.state.configs[FEED]
    assert replace_config(world) is None
    old = {"configDigest": first.digest, "epoch": 5}
    refused = world.transmit(FEED, 50, sender="oracle-2", **old)
    assert refused.error == "ConfigDigestMismatch"
    again = {"oracles_": first.oracles, "faulty_": first.faulty}
    again |= {"minAnswer_": first.minimum, "maxAnswer_": first.maximum}
    assert replace_config(world, **again) is None
    back = world.model.state.configs[FEED]
    assert (back.oracles, back.faulty, back.count) == (first.oracles, first.faulty, 3)
    assert world.transmit(FEED, 50, **old).error == "ConfigDigestMismatch"
    assert world.transmit(FEED, 50, epoch=0, round=1).ok


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"sender": "oracle-1"}, "NotGovernance"),
        ({"sender": "guardian"}, "NotGovernance"),
        ({"oracles_": ()}, "OraclesOutOfRange"),
        ({"faulty_": 3}, "OraclesOutOfRange"),
        ({"faulty_": 255}, "OraclesOutOfRange"),
        ({"oracles_": tuple(f"0x{n:040x}" for n in range(1, 33))}, "OraclesOutOfRange"),
        ({"oracles_": tuple(f"0x{n:040x}" for n in range(1, 32)), "faulty_": 10}, None),
        ({"minAnswer_": 100}, "BoundsOutOfOrder"),
        ({"minAnswer_": 99}, None),
        ({"minAnswer_": -(2**151), "maxAnswer_": 2**151 - 1}, None),
        ({"oracles_": ("0x" + "00" * 20,), "faulty_": 0}, "ZeroAddress"),
        ({"oracles_": (address("bob"),) * 2, "faulty_": 0}, "DuplicateOracle"),
    ],
)
def test_o7_what_governance_may_set(
    world: World, changes: dict[str, Any], error: str | None
) -> None:
    before = world.model.state.configs[FEED]
    assert replace_config(world, **changes) == error
    assert (world.model.state.configs[FEED] == before) == (error is not None)


@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(1, 9)), max_size=4), st.integers(-9, 9))
def test_o2_an_answer_counts_only_inside_the_bounds_there_are(
    bounds: list[tuple[int, int]], answer: int
) -> None:
    """Narrowed, widened or moved, with a report or without: what reads see follows them (O7)."""
    world = World()
    assert replace_config(world, minAnswer_=-9, maxAnswer_=9) is None
    seven = {"sender": "alice", "signers": F2, "observations": (answer,) * 5}
    assert world.transmit(FEED, answer, **seven).ok
    for least, width in [(-9, 18), *bounds]:
        most = least + width
        assert replace_config(world, minAnswer_=least, maxAnswer_=most) is None
        round_ = world.ledger().feeds[FEED]
        inside = least <= answer <= most
        assert (round_.id, round_.answer) == (1, answer)
        assert round_.answeredInRound == (1 if inside else 0)
        feed = world.parameters.feeds[FEED]
        seen = fresh(feed, round_, world.now, zero=True)
        assert seen == (answer if inside and answer >= 0 else None)
