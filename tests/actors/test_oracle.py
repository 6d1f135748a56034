"""When the oracle nodes start a round, what they sign, and when prices are stored (O1, O2)."""

from __future__ import annotations

import pytest

from devnet.actors.messages import ChainEvent, FeedRead, Measure, Poke, RequestRound, SendFailed
from devnet.actors.operations import Fail, Operation, ReadFeed, Send
from devnet.actors.oracle import Oracles
from devnet.actors.view import View
from devnet.chain import recover
from devnet.protocol import Event, Report
from devnet.protocol.states import RoundState
from tests.actors.stage import Stage, network, time_of

VCPU = tuple(f"Feed:{vendor}:vcpu_hour" for vendor in ("aws", "gcp", "azure"))
OTHERS = ("Feed:komp_usd", "Feed:utilization")
BLOCKS_PER_HOUR = 5


@pytest.fixture()
def stage() -> Stage:
    """One resource: three cloud feeds of 24 h, KOMP/USD of 12 h, utilization of 6 h."""
    return Stage(network(**{"oracles.resources": "[vcpu_hour]", "services": "[]"}))


@pytest.fixture()
def oracles(stage: Stage) -> Oracles:
    names = stage.spec.oracles.node_names()
    return Oracles(stage.spec, [stage.directory.accounts[name] for name in names])


Observations = tuple[tuple[str, int], ...]


def observed(*values: int) -> Observations:
    """What oracle-1, oracle-2 and so on have seen."""
    return tuple((f"oracle-{n}", value) for n, value in enumerate(values, 1))


def everybody(value: int) -> Observations:
    return observed(*(value,) * 4)


def asked(operations: list[Operation]) -> list[str]:
    return [o.feed for o in operations if isinstance(o, ReadFeed)]


def sent(operations: list[Operation]) -> list[tuple[str, str]]:
    return [(o.contract, o.function) for o in operations if isinstance(o, Send)]


def read_all(oracles: Oracles, view: View, answers: dict[str, Observations]) -> list[Operation]:
    """Whatever it asks to read, answered."""
    feeds = asked(oracles.act(view, []))
    return oracles.act(view, [FeedRead(feed, answers[feed]) for feed in feeds])


def steady(value: int = 1_000_000) -> dict[str, Observations]:
    return dict.fromkeys((*VCPU, *OTHERS), everybody(value))


def test_at_first_every_source_is_read_and_every_feed_gets_a_round(
    stage: Stage, oracles: Oracles
) -> None:
    assert oracles.due() == 0
    assert asked(oracles.act(stage.view(3), [])) == [*VCPU, *OTHERS]
    assert oracles.due() is None  # until the answers are here

    operations = oracles.act(stage.view(3), [FeedRead(f, v) for f, v in steady().items()])

    transmitted = [(feed, "transmit") for feed in (*VCPU, *OTHERS)]
    assert sent(operations) == [*transmitted, ("Pricing", "poke")]


def everyone_of(stage: Stage) -> list[str]:
    """The oracle nodes' addresses, ascending."""
    return sorted(stage.address(name) for name in stage.spec.oracles.node_names())


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


# --- requests and faults ----------------------------------------------------------------------


def request(oracles: Oracles, stage: Stage, block: int, read: FeedRead) -> list[Operation]:
    """What comes of a requested round of the first feed when this is what was seen."""
    assert asked(oracles.act(stage.view(block), [RequestRound(5, (VCPU[0],))])) == [VCPU[0]]
    return oracles.act(stage.view(block), [read])


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


def test_a_replaying_node_sends_the_last_report_first(stage: Stage, oracles: Oracles) -> None:
    before = read_all(oracles, stage.view(3), steady())
    (last,) = (o for o in before if isinstance(o, Send) and o.contract == VCPU[0])
    read = FeedRead(VCPU[0], everybody(1_000_000), faulty=(("oracle-2", "replay"),))
    replayed, honest, _ = request(oracles, stage, 4, read)
    assert replayed == Send("oracle-2", VCPU[0], "transmit", last.args, 5, False)
    assert isinstance(honest, Send)
    assert (honest.args != last.args, honest.wish, honest.closes) == (True, 5, True)


def test_a_forging_node_signs_with_a_key_of_no_oracle_node(stage: Stage, oracles: Oracles) -> None:
    read_all(oracles, stage.view(3), steady())
    read = FeedRead(VCPU[0], everybody(1_000_000), faulty=(("oracle-2", "wrong_key"),))
    forged, honest, _ = request(oracles, stage, 4, read)
    assert isinstance(forged, Send) and isinstance(honest, Send)
    assert (forged.account, forged.wish, forged.closes) == ("oracle-2", 5, False)
    signers = {send: signers_of(stage, send) for send in (forged, honest)}
    strangers = {stage.address("deployer")}
    assert signers[forged] == {stage.address("oracle-2")} | strangers
    assert len(signers[honest]) == 2
    assert not signers[honest] & (strangers | {stage.address("oracle-2")})  # peers leave it out


def signers_of(stage: Stage, send: Send) -> set[str]:
    report, signatures = send.args
    assert isinstance(report, Report) and isinstance(signatures, bytes)
    digest = stage.reads.domains.report(send.contract, report)
    return {recover(digest, signatures[at : at + 65]) for at in range(0, len(signatures), 65)}


def test_what_a_faulty_node_tried_changes_nothing(stage: Stage, oracles: Oracles) -> None:
    read_all(oracles, stage.view(3), steady())
    read = FeedRead(VCPU[0], everybody(2_000_000), faulty=(("oracle-2", "wrong_key"),))
    forged, *_ = request(oracles, stage, 4, read)
    assert isinstance(forged, Send)
    oracles.act(stage.view(5), [SendFailed(VCPU[0], "transmit", forged.args, "NotOracle")])
    oracles.act(stage.view(5), [Poke(1, ("vcpu_hour",))])
    quiet = oracles.act(stage.view(5), [FeedRead(VCPU[0], everybody(2_000_000))])
    assert sent(quiet) == []  # against the answer of the honest report


def test_after_a_stale_report_the_chain_says_which_epoch_is_next(
    stage: Stage, oracles: Oracles
) -> None:
    before = read_all(oracles, stage.view(3), steady())
    (last,) = (o for o in before if isinstance(o, Send) and o.contract == VCPU[0])
    stage.reads.epochs[VCPU[0]] = 700 * 256 + 3
    oracles.act(stage.view(4), [SendFailed(VCPU[0], "transmit", last.args, "StaleReport")])
    (send, *_) = request(oracles, stage, 4, FeedRead(VCPU[0], everybody(1_000_000)))
    assert isinstance(send, Send) and isinstance(send.args[0], Report)
    assert send.args[0].epoch == 701


@pytest.fixture()
def mocking() -> tuple[Stage, Oracles]:
    """AWS is a mock."""
    changes = {"oracles.resources": "[vcpu_hour]", "services": "[]", "oracles.mocked": "[aws]"}
    stage = Stage(network(**changes))
    names = stage.spec.oracles.node_names()
    return stage, Oracles(stage.spec, [stage.directory.accounts[name] for name in names])


PHASE = 1 << 64


@pytest.mark.parametrize(
    ("kind", "number", "ahead"),
    [
        ("", PHASE + 2, 0),
        ("future_timestamp", PHASE + 2, 3600),
        ("round_gap", PHASE + 9, 0),
        ("phase_change", 2 * PHASE + 1, 0),
    ],
)
def test_a_mock_is_scripted_by_the_first_node(
    mocking: tuple[Stage, Oracles], kind: str, number: int, ahead: int
) -> None:
    stage, oracles = mocking
    first = read_all(oracles, stage.view(3), steady())
    at = time_of(3)
    expected = (PHASE + 1, 1_000_000, at, at)
    assert Send("oracle-1", VCPU[0], "script", (expected,)) in first
    send, *_ = request(oracles, stage, 4, FeedRead(VCPU[0], everybody(1_000_000), kind))
    at = time_of(4) + ahead
    assert send == Send("oracle-1", VCPU[0], "script", ((number, 1_000_000, at, at),), 5)


def test_a_mock_plays_a_fault_once_and_is_sound_again_when_healed(
    mocking: tuple[Stage, Oracles],
) -> None:
    stage, oracles = mocking
    read_all(oracles, stage.view(3), steady())
    starts = []
    for block, kind in ((4, "round_gap"), (5, "round_gap"), (6, ""), (7, "")):
        oracles.act(stage.view(block), [Poke(block, ("vcpu_hour",))])
        read = FeedRead(VCPU[0], everybody(1_000_000), kind)
        starts.append((VCPU[0], "script") in sent(oracles.act(stage.view(block), [read])))
    assert starts == [True, False, True, False]


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
