"""When the oracle nodes start a round, what they sign, and when prices are stored (O1, O2)."""

from __future__ import annotations

import pytest

from devnet.actors.messages import FeedRead, Measure, Poke, RequestRound, SendFailed
from devnet.actors.operations import Fail, Send
from devnet.actors.oracle import Oracles
from devnet.chain import recover
from devnet.protocol import Report
from tests.actors.oracle.oracle_stage import (
    BLOCKS_PER_HOUR,
    OTHERS,
    VCPU,
    asked,
    everybody,
    everyone_of,
    observed,
    read_all,
    request,
    sent,
    steady,
)
from tests.actors.stage import Stage, time_of


def test_at_first_every_source_is_read_and_every_feed_gets_a_round(
    stage: Stage, oracles: Oracles
) -> None:
    assert oracles.due() == 0
    assert asked(oracles.act(stage.view(3), [])) == [*VCPU, *OTHERS]
    assert oracles.due() is None  # until the answers are here

    operations = oracles.act(stage.view(3), [FeedRead(f, v) for f, v in steady().items()])

    transmitted = [(feed, "transmit") for feed in (*VCPU, *OTHERS)]
    assert sent(operations) == [*transmitted, ("Pricing", "poke")]


def test_a_round_carries_the_sorted_observations_and_f_plus_1_signatures(
    stage: Stage, oracles: Oracles
) -> None:
    oracles.act(stage.view(3), [])
    (send,) = oracles.act(stage.view(3), [FeedRead(VCPU[0], observed(7, 5, 9, 6))])

    assert isinstance(send, Send)
    report, signatures = send.args
    assert isinstance(report, Report)
    assert (stage.directory.name(everyone_of(stage)[0]), send.contract) == (send.account, VCPU[0])
    assert (report.epoch, report.round) == (1, 1)
    assert report.observationsTimestamp == time_of(3)
    assert report.observations == (5, 6, 7, 9)
    assert report.observers == bytes((1, 3, 0, 2)) + bytes(28)  # whose each of them is
    assert report.configDigest == stage.reads.config_digest(VCPU[0])
    assert isinstance(signatures, bytes)
    digest = stage.reads.domains.report(VCPU[0], report)
    pieces = [signatures[start : start + 65] for start in range(0, len(signatures), 65)]
    signers = [recover(digest, piece) for piece in pieces]
    assert signers == everyone_of(stage)[:2]


@pytest.mark.parametrize(("seen", "round_starts"), [(2, False), (3, True)])
def test_a_round_needs_2f_plus_1_observations(
    stage: Stage, oracles: Oracles, seen: int, round_starts: bool
) -> None:
    oracles.act(stage.view(3), [])
    operations = oracles.act(stage.view(3), [FeedRead(VCPU[0], observed(*(5,) * seen))])

    assert bool(sent(operations)) is round_starts


@pytest.mark.parametrize(
    ("answer", "round_starts"),
    [(1_004_999, False), (1_005_000, True), (995_001, False), (995_000, True)],
    ids=["below 0.5 % up", "0.5 % up", "below 0.5 % down", "0.5 % down"],
)
def test_between_heartbeats_a_round_starts_at_the_deviation(
    stage: Stage, oracles: Oracles, answer: int, round_starts: bool
) -> None:
    read_all(oracles, stage.view(3), steady())

    oracles.act(stage.view(4), [Poke(1, ("vcpu_hour",))])
    operations = oracles.act(stage.view(4), [FeedRead(VCPU[1], everybody(answer))])

    assert ((VCPU[1], "transmit") in sent(operations)) is round_starts


def test_the_median_decides_not_one_node(stage: Stage, oracles: Oracles) -> None:
    read_all(oracles, stage.view(3), steady())
    oracles.act(stage.view(4), [Poke(1, ("vcpu_hour",))])

    operations = oracles.act(
        stage.view(4), [FeedRead(VCPU[1], observed(1, 1_000_000, 1_000_000, 9**9))]
    )

    assert sent(operations) == []


def test_each_feed_s_next_round_lands_inside_its_heartbeat(stage: Stage, oracles: Oracles) -> None:
    """Nobody asks, no price moves: over five days no feed is ever stale."""
    heartbeats = dict.fromkeys(VCPU, 24 * 3600) | {OTHERS[0]: 12 * 3600, OTHERS[1]: 6 * 3600}
    landed: dict[str, int] = {}
    for block in range(3, 3 + 5 * 24 * BLOCKS_PER_HOUR):
        # Whatever reads in the next block, also before a new round there, reads a fresh answer.
        for feed, at in landed.items():
            assert time_of(block + 1) - at < heartbeats[feed], feed
        due = oracles.due()
        if due is not None and due <= time_of(block):
            for feed, function in sent(read_all(oracles, stage.view(block), steady())):
                if function == "transmit":
                    landed[feed] = time_of(block + 1)
    assert set(landed) == set(heartbeats)


def test_rounds_are_not_started_more_often_than_the_heartbeat_asks(
    stage: Stage, oracles: Oracles
) -> None:
    rounds: dict[str, int] = {}
    for block in range(3, 3 + 5 * 24 * BLOCKS_PER_HOUR):
        due = oracles.due()
        if due is not None and due <= time_of(block):
            for feed, function in sent(read_all(oracles, stage.view(block), steady())):
                if function == "transmit":
                    rounds[feed] = rounds.get(feed, 0) + 1
    assert [rounds[feed] for feed in VCPU] == [7, 7, 7]  # of 24 h in five days, an early look each
    assert rounds["Feed:utilization"] <= 24


def test_a_wish_reads_all_first_and_pokes_once_all_is_read(stage: Stage, oracles: Oracles) -> None:
    read_all(oracles, stage.view(3), steady())

    operations = oracles.act(stage.view(10), [Poke(4, ("vcpu_hour",))])
    assert (asked(operations), sent(operations)) == ([*VCPU, *OTHERS], [])
    moved = steady() | {VCPU[2]: everybody(2_000_000)}
    reads = [FeedRead(feed, moved[feed]) for feed in (*VCPU, *OTHERS)]
    assert sent(oracles.act(stage.view(10), reads[:-1])) == [(VCPU[2], "transmit")]

    *_, poke = oracles.act(stage.view(10), reads[-1:])
    first = stage.directory.name(everyone_of(stage)[0])
    assert poke == Send(first, "Pricing", "poke", (0,), 4)


@pytest.mark.parametrize(("alive", "poked"), [(1, False), (2, True), (3, True)])
def test_by_itself_it_pokes_only_with_two_fresh_vendors(
    stage: Stage, oracles: Oracles, alive: int, poked: bool
) -> None:
    answers = steady() | dict.fromkeys(VCPU[alive:], ())

    operations = read_all(oracles, stage.view(3), answers)

    assert (("Pricing", "poke") in sent(operations)) is poked


def test_a_vendor_is_not_fresh_any_more_at_its_heartbeat(stage: Stage, oracles: Oracles) -> None:
    read_all(oracles, stage.view(3), steady())
    day = 24 * BLOCKS_PER_HOUR
    only_aws = steady(2_000_000) | {VCPU[1]: (), VCPU[2]: ()}

    assert ("Pricing", "poke") in sent(read_all(oracles, stage.view(2 + day), only_aws))
    again = only_aws | {VCPU[0]: everybody(3_000_000)}
    oracles.act(stage.view(3 + day), [Poke(1, ())])  # looks at what is no cloud feed
    later = oracles.act(stage.view(3 + day), [FeedRead(VCPU[0], again[VCPU[0]])])
    later += oracles.act(
        stage.view(3 + day), [FeedRead(feed, everybody(1_000_000)) for feed in OTHERS]
    )

    assert (VCPU[0], "transmit") in sent(later)
    assert ("Pricing", "poke") not in sent(later)


def test_a_refused_report_is_tried_again_in_a_later_epoch(stage: Stage, oracles: Oracles) -> None:
    """Such as an answer outside the feed's bounds (O2)."""
    read_all(oracles, stage.view(3), steady())
    oracles.act(stage.view(10), [Poke(1, ("vcpu_hour",))])
    (refused,) = oracles.act(stage.view(10), [FeedRead(VCPU[0], everybody(9**20))])
    assert isinstance(refused, Send)
    oracles.act(stage.view(11), [SendFailed(VCPU[0], "transmit", refused.args, "OutOfBounds")])

    as_before = oracles.act(stage.view(11), [FeedRead(VCPU[0], everybody(1_000_100))])
    assert sent(as_before) == []  # against the last answer on chain
    (again,) = oracles.act(stage.view(11), [FeedRead(VCPU[0], everybody(1_100_000))])

    assert isinstance(again, Send)
    assert isinstance(refused.args[0], Report) and isinstance(again.args[0], Report)
    assert (refused.args[0].epoch, again.args[0].epoch) == (2, 3)
    quiet = oracles.act(stage.view(11), [FeedRead(VCPU[0], everybody(1_100_100))])
    assert sent(quiet) == []


@pytest.mark.parametrize("offline", ["oracle-1", "oracle-2", "oracle-3", "oracle-4"])
def test_a_node_that_observed_nothing_signs_and_sends_nothing(
    stage: Stage, oracles: Oracles, offline: str
) -> None:
    """O1."""
    seen = tuple(one for one in everybody(5) if one[0] != offline)
    operations = read_all(oracles, stage.view(3), dict.fromkeys((*VCPU, *OTHERS), seen))

    rounds = [o for o in operations if isinstance(o, Send) and o.function == "transmit"]
    assert len(rounds) == 5
    up = [a for a in everyone_of(stage) if a != stage.address(offline)]
    for send in rounds:
        report, signatures = send.args
        assert isinstance(report, Report) and isinstance(signatures, bytes)
        digest = stage.reads.domains.report(send.contract, report)
        assert [recover(digest, signatures[at : at + 65]) for at in (0, 65)] == up[:2]
    senders = {o.account for o in operations if isinstance(o, Send)}
    assert senders == {stage.directory.name(up[0])}


def test_where_every_node_is_offline_a_wish_fails(stage: Stage, oracles: Oracles) -> None:
    read_all(oracles, stage.view(3), steady())
    reads = asked(oracles.act(stage.view(4), [Poke(4, ("vcpu_hour",))]))

    operations = oracles.act(stage.view(4), [FeedRead(feed, ()) for feed in reads])

    assert operations == [Fail(4, "no oracle node is up", "NoOracleUp")]


def test_a_wish_they_do_not_know_fails(stage: Stage, oracles: Oracles) -> None:
    operations = oracles.act(stage.view(3), [Measure(7)])

    assert Fail(7, "Measure is not a wish it serves", "NotServed") in operations


def test_a_requested_round_starts_though_nothing_moved(stage: Stage, oracles: Oracles) -> None:
    read_all(oracles, stage.view(3), steady())
    send, poke = request(oracles, stage, 4, FeedRead(VCPU[0], everybody(1_000_000)))
    assert isinstance(send, Send) and isinstance(poke, Send)
    assert (send.function, send.wish, send.closes) == ("transmit", 5, True)
    assert (poke.function, poke.wish) == ("poke", 0)


def test_a_requested_round_fails_where_too_few_see_anything(stage: Stage, oracles: Oracles) -> None:
    read_all(oracles, stage.view(3), steady())
    operations = request(oracles, stage, 4, FeedRead(VCPU[0], observed(1, 1)))
    reason = (
        "2 of the devnet's nodes in the config of Feed:aws:vcpu_hour have an observation, "
        "3 that report it are needed"
    )
    assert operations == [Fail(5, reason, "TooFewObservations")]


def test_a_second_request_of_a_round_under_way_fails(stage: Stage, oracles: Oracles) -> None:
    read_all(oracles, stage.view(3), steady())
    oracles.act(stage.view(4), [RequestRound(5, (VCPU[0],))])
    operations = oracles.act(stage.view(4), [RequestRound(6, (VCPU[1], VCPU[0]))])
    assert operations == [
        Fail(6, "a round of Feed:aws:vcpu_hour is requested already", "RoundRequested")
    ]
