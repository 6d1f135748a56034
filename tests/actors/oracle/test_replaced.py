"""Governance replaces a feed's nodes (O7)."""

from __future__ import annotations

import pytest

from devnet.actors.messages import ChainEvent, FeedRead, Poke, RequestRound
from devnet.actors.operations import Fail, Operation, Send
from devnet.actors.oracle import Oracles
from devnet.protocol import Event, Report
from devnet.protocol.states import RoundState
from tests.actors.oracle.oracle_stage import (
    BLOCKS_PER_HOUR,
    VCPU,
    asked,
    everybody,
    observed,
    read_all,
    request,
    sent,
    signers_of,
    steady,
)
from tests.actors.stage import Stage, time_of


def replaced(
    oracles: Oracles, stage: Stage, block: int, *names: str, faulty: int = 0, feed: str = VCPU[0]
) -> list[Operation]:
    """Governance has given the feed these nodes; of whoever has no account an address is one."""
    nodes = [name if name.startswith("0x") else stage.address(name) for name in names]
    args = {"oracles": tuple(node.lower() for node in nodes), "faulty": faulty}
    told = ChainEvent(Event(feed, "ConfigSet", args, block, ""), time_of(block))
    return oracles.act(stage.view(block), [told])


def reported(operations: list[Operation], feed: str = VCPU[0]) -> Send:
    (send,) = (o for o in operations if isinstance(o, Send) and o.contract == feed)
    return send


def test_o7_the_nodes_of_a_new_config_report_at_once(stage: Stage, oracles: Oracles) -> None:
    """Under its f, with their places in it, from epoch 0 on; whoever else looked stays silent."""
    read_all(oracles, stage.view(3), steady())
    assert asked(replaced(oracles, stage, 4, "oracle-4", "oracle-2")) == [VCPU[0]]
    read = FeedRead(VCPU[0], observed(7, 5, 9, 6))
    send = reported(oracles.act(stage.view(4), [read]))
    report, signatures = send.args
    assert isinstance(report, Report) and isinstance(signatures, bytes)
    assert report.epoch == 1
    assert report.observations == (5, 6)
    assert report.observers == bytes((1, 0)) + bytes(30)  # oracle-2 saw 5, oracle-4 saw 6
    first = min(("oracle-2", "oracle-4"), key=lambda name: int(stage.address(name), 16))
    assert (send.account, signers_of(stage, send)) == (first, {stage.address(first)})
    other = FeedRead(VCPU[1], observed(7, 5, 9, 6))  # nobody replaced its nodes
    oracles.act(stage.view(5), [Poke(1, ("vcpu_hour",))])
    report = reported(oracles.act(stage.view(5), [other]), VCPU[1]).args[0]
    assert isinstance(report, Report)
    assert (report.epoch, report.observations) == (2, (5, 6, 7, 9))


@pytest.mark.parametrize(
    ("names", "faulty", "seen", "starts"),
    [
        (("oracle-1",), 0, (5,), True),
        (("oracle-2",), 0, (5,), False),  # it is down
        (("oracle-1", "oracle-2", "oracle-3", "oracle-4"), 1, (5, 5), False),
        (("0x" + "99" * 20,), 0, (5, 5, 5, 5), False),
        (("0x" + "99" * 20, "oracle-1"), 0, (5, 5, 5, 5), True),
        (("oracle-1", "oracle-2", *(f"0x{n:040x}" for n in range(1, 6))), 2, (5,) * 4, False),
    ],
    ids=["one", "down", "too few up", "a stranger", "and one of ours", "too few of ours"],
)
def test_o7_a_feed_goes_on_where_enough_of_its_nodes_are_ours(
    stage: Stage,
    oracles: Oracles,
    names: tuple[str, ...],
    faulty: int,
    seen: tuple[int, ...],
    starts: bool,
) -> None:
    read_all(oracles, stage.view(3), steady())
    replaced(oracles, stage, 4, *names, faulty=faulty)
    operations = oracles.act(stage.view(4), [FeedRead(VCPU[0], observed(*seen))])
    assert ((VCPU[0], "transmit") in sent(operations)) is starts


def test_o7_who_asks_for_a_round_of_a_feed_left_to_strangers_is_told(
    stage: Stage, oracles: Oracles
) -> None:
    read_all(oracles, stage.view(3), steady())
    replaced(oracles, stage, 4, "0x" + "99" * 20)
    oracles.act(stage.view(4), [FeedRead(VCPU[0], everybody(5))])
    (fail,) = request(oracles, stage, 5, FeedRead(VCPU[0], everybody(5)))
    assert isinstance(fail, Fail)
    assert fail.reason.startswith(f"0 of the devnet's nodes in the config of {VCPU[0]} have")


def test_o7_a_removed_node_moves_nothing(stage: Stage, oracles: Oracles) -> None:
    """Neither does what it sees start a round."""
    read_all(oracles, stage.view(3), steady())
    replaced(oracles, stage, 4, "oracle-2", "oracle-3")
    oracles.act(stage.view(4), [FeedRead(VCPU[0], everybody(1_000_000))])
    oracles.act(stage.view(5), [Poke(1, ("vcpu_hour",))])
    outside = FeedRead(VCPU[0], observed(9_000_000, 1_000_000, 1_000_000, 9_000_000))
    assert (VCPU[0], "transmit") not in sent(oracles.act(stage.view(5), [outside]))


STRANGERS = ("0x" + "11" * 20, "0x" + "22" * 20)


@pytest.mark.parametrize(
    ("answered", "stored"),
    [
        (RoundState(4, 1_000_000, time_of(2), time_of(3), 4), True),
        (RoundState(4, 1_000_000, time_of(2), time_of(3), 0), False),
        (RoundState(4, 0, time_of(2), time_of(3), 4), False),
        (RoundState(4, 1_000_000, time_of(2), time_of(9 - 24 * BLOCKS_PER_HOUR), 4), False),
        (RoundState(0, 0, 0, 0, 0), False),
    ],
    ids=["it counts", "outside the new bounds", "not positive", "too old", "never answered"],
)
def test_feeds_of_strangers_count_for_a_price_as_the_chain_says(
    stage: Stage, oracles: Oracles, answered: RoundState, stored: bool
) -> None:
    """Two of three vendors are handed to strangers: the third moves, and Pricing takes them all."""
    read_all(oracles, stage.view(3), steady())
    stage.reads.rounds = dict.fromkeys(VCPU[:2], answered)
    for feed in VCPU[:2]:
        asked_for = asked(replaced(oracles, stage, 8, *STRANGERS, feed=feed))
        reads = [FeedRead(name, steady()[name]) for name in asked_for]
        assert sent(oracles.act(stage.view(8), reads)) == []

    oracles.act(stage.view(9), [RequestRound(5, (VCPU[2],))])
    sends = sent(oracles.act(stage.view(9), [FeedRead(VCPU[2], everybody(1_100_000))]))

    assert sends == [(VCPU[2], "transmit"), *([("Pricing", "poke")] if stored else [])]


def answered_by_strangers(
    oracles: Oracles, stage: Stage, block: int, feed: str = VCPU[0]
) -> list[tuple[str, str]]:
    args = {"current": 1_000_000, "roundId": 4, "updatedAt": time_of(block)}
    told = ChainEvent(Event(feed, "AnswerUpdated", args, block, ""), time_of(block))
    return sent(oracles.act(stage.view(block), [told]))


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_a_price_follows_what_strangers_report_however_many_feeds_are_theirs(
    stage: Stage, oracles: Oracles, count: int
) -> None:
    """Once for all that come in a block; of the devnet's own feeds their rounds see to that."""
    read_all(oracles, stage.view(3), steady())
    for feed in VCPU[:count]:
        asked_for = asked(replaced(oracles, stage, 8, *STRANGERS, feed=feed))
        oracles.act(stage.view(8), [FeedRead(name, steady()[name]) for name in asked_for])
    counts = RoundState(4, 1_000_000, time_of(9), time_of(9), 4)
    stage.reads.rounds = dict.fromkeys(VCPU[:count], counts)
    for block, feed in enumerate(VCPU, start=9):
        theirs = feed in VCPU[:count]
        poked = answered_by_strangers(oracles, stage, block, feed)
        assert poked == [("Pricing", "poke")] * theirs, feed
        assert sent(oracles.act(stage.view(block), [])) == []


def test_one_fresh_answer_of_strangers_is_not_poked_for(stage: Stage, oracles: Oracles) -> None:
    read_all(oracles, stage.view(3), steady())
    for feed in VCPU:
        asked_for = asked(replaced(oracles, stage, 8, *STRANGERS, feed=feed))
        oracles.act(stage.view(8), [FeedRead(name, steady()[name]) for name in asked_for])
    stage.reads.rounds = dict.fromkeys(VCPU, RoundState(0, 0, 0, 0, 0))
    stage.reads.rounds[VCPU[0]] = RoundState(4, 1_000_000, time_of(9), time_of(9), 4)
    assert answered_by_strangers(oracles, stage, 9) == []
