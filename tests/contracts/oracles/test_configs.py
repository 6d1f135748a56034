"""Governance replaces nodes, f and bounds (O7); answers stay, and count inside them (O2)."""

from __future__ import annotations

import pytest
from contracts_stage import DAY, KOMP, NO_SHRINKING, PARAMETERS, USD, Sent, Stage, address
from hypothesis import given, settings
from hypothesis import strategies as st

from devnet.deploy.feeds import CLOUD_BOUNDS
from devnet.protocol import ProtocolError, config_digest

FEED = "Feed:aws:vcpu_hour"
PRICE = USD["vcpu_hour"]
OLD = ("oracle-1", "oracle-2", "oracle-3", "oracle-4")
NEW = ("alice", "bob", "mallory", "oracle-2", "oracle-3", "node-1", "node-2")
SIGNERS = ("alice", "bob", "mallory")  # f + 1 of seven
BOUNDS = (10, 100 * PRICE)
ZERO = "0x" + "00" * 20


def word(text: str) -> bytes:
    return text.encode().ljust(32, b"\0")


def nodes(*names: str) -> list[str]:
    return [address(name) for name in names]


def replaced(
    stage: Stage,
    *names: str,
    faulty: int = 2,
    bounds: tuple[int, int] = BOUNDS,
    feed: str = FEED,
) -> Sent:
    """By governance; seven nodes unless others are named."""
    return stage.send("governance", feed, "setConfig", nodes(*(names or NEW)), faulty, *bounds)


def report(stage: Stage, answer: int, *, sender: str = "alice", feed: str = FEED) -> Sent:
    """A round of the new nodes."""
    given_ = stage.transmission(feed, (answer,) * 5, *SIGNERS)
    return stage.send(sender, feed, "transmit", *given_)


def refused(stage: Stage, *given_: object, sender: str = "alice") -> tuple[str, dict[str, object]]:
    error: ProtocolError = stage.refused(sender, FEED, "transmit", *given_)
    return error.name, dict(error.values)


def test_o7_nodes_f_and_bounds_are_new_and_the_answers_stay(stage: Stage) -> None:
    stage.send("oracle-1", FEED, "transmit", *stage.transmission(FEED, (PRICE,) * 3, epoch=700))
    before, first = stage.read(FEED, "latestRoundData"), stage.read(FEED, "configDigest")
    sent = replaced(stage)
    own = stage.read(FEED, "configDigest")
    given_ = (31337, stage.address(FEED), 2, "aws vcpu_hour / USD", 18, nodes(*NEW), 2)
    assert own == config_digest(*given_, BOUNDS)
    assert sent.names == ["ConfigSet"]
    assert sent.event("ConfigSet") == {
        "previousConfigDigest": first,
        "configDigest": own,
        "configCount": 2,
        "oracles": tuple(nodes(*NEW)),
        "faulty": 2,
        "minAnswer": BOUNDS[0],
        "maxAnswer": BOUNDS[1],
    }
    assert list(stage.read(FEED, "oracles")) == nodes(*NEW)
    assert (stage.read(FEED, "minAnswer"), stage.read(FEED, "maxAnswer")) == BOUNDS
    assert (stage.read(FEED, "faulty"), stage.read(FEED, "latestEpochAndRound")) == (2, 0)
    oracles = {name for name in (*OLD, *NEW) if stage.read(FEED, "isOracle", address(name))}
    assert oracles == set(NEW)
    assert stage.read(FEED, "latestRoundData") == before
    assert [stage.read(FEED, "getRoundData", n)["answer"] for n in (1, 2)] == [PRICE, PRICE]
    report(stage, 2 * PRICE)
    assert stage.read(FEED, "latestRoundData")["id"] == before["id"] + 1
    assert stage.read(FEED, "latestEpochAndRound") == 257
    assert stage.read("Feed:gcp:vcpu_hour", "isOracle", address("oracle-1"))  # nobody else's


def test_o7_the_first_config_is_told_too(stage: Stage) -> None:
    given_ = ("x", 8, nodes(*OLD), 1, DAY, 50, 1, 9, address("governance"))
    assert stage.create("Feed:other", "OcrAggregator", *given_) is None
    receipts = stage.chain.rpc.call(
        "eth_getLogs", {"address": stage.address("Feed:other"), "fromBlock": "0x0"}
    )
    assert len(receipts) == 1
    own = stage.read("Feed:other", "configDigest")
    assert receipts[0]["topics"][1] == "0x" + own.hex()
    assert receipts[0]["data"][2:66] == "00" * 32  # no digest before it
    assert list(stage.read("Feed:other", "oracles")) == nodes(*OLD)


@pytest.mark.parametrize("sender", ["mallory", "deployer", "oracle-1", "guardian", "gatekeeper-1"])
def test_o7_nobody_but_governance(stage: Stage, sender: str) -> None:
    error = stage.refused(sender, FEED, "setConfig", nodes(*NEW), 2, *BOUNDS)
    expected = {"caller": address(sender), "governance": address("governance")}
    assert (error.name, error.values) == ("NotGovernance", expected)
    assert stage.read(FEED, "governance") == address("governance")
    assert list(stage.read(FEED, "oracles")) == nodes(*OLD)


@pytest.mark.parametrize(
    ("oracles", "faulty", "bounds", "name", "values"),
    [
        ([], 0, BOUNDS, "OraclesOutOfRange", {"oracles": 0, "faulty": 0}),
        (nodes(*NEW[:3]), 1, BOUNDS, "OraclesOutOfRange", {"oracles": 3, "faulty": 1}),
        (nodes(*NEW), 255, BOUNDS, "OraclesOutOfRange", {"oracles": 7, "faulty": 255}),
        (
            [f"0x{n:040x}" for n in range(1, 33)],
            1,
            BOUNDS,
            "OraclesOutOfRange",
            {"oracles": 32, "faulty": 1},
        ),
        (nodes(*NEW), 2, (7, 7), "BoundsOutOfOrder", {"min": 7, "max": 7}),
        (nodes(*NEW), 2, (8, 7), "BoundsOutOfOrder", {"min": 8, "max": 7}),
        ([*nodes(*NEW[:3]), ZERO], 1, BOUNDS, "ZeroAddress", {"what": word("oracles")}),
        (nodes("bob", "bob"), 0, BOUNDS, "DuplicateOracle", {"signer": address("bob")}),
    ],
)
def test_o7_what_governance_may_not_set_changes_nothing(
    stage: Stage,
    oracles: list[str],
    faulty: int,
    bounds: tuple[int, int],
    name: str,
    values: dict[str, object],
) -> None:
    before = stage.read(FEED, "configDigest")
    error = stage.refused("governance", FEED, "setConfig", oracles, faulty, *bounds)
    assert (error.name, error.values) == (name, values)
    assert stage.read(FEED, "configDigest") == before
    stage.round(FEED, PRICE)


@pytest.mark.parametrize(("oracles", "faulty"), [(1, 0), (4, 1), (31, 10)])
def test_o7_as_many_as_there_may_be(stage: Stage, oracles: int, faulty: int) -> None:
    given_ = [f"0x{n:040x}" for n in range(1, oracles + 1)]
    stage.send("governance", FEED, "setConfig", given_, faulty, 1, 2)
    assert list(stage.read(FEED, "oracles")) == given_
    assert not stage.read(FEED, "isOracle", address("oracle-1"))


def test_o7_who_was_removed_neither_sends_nor_signs(stage: Stage) -> None:
    replaced(stage)
    good = stage.transmission(FEED, (PRICE,) * 5, *SIGNERS)
    gone = ("NotTransmitter", {"caller": address("oracle-1")})
    assert refused(stage, *good, sender="oracle-1") == gone
    by_old = stage.transmission(FEED, (PRICE,) * 5, "oracle-1", "oracle-2", "oracle-3")
    assert refused(stage, *by_old) == ("NotOracle", {"signer": address("oracle-1")})
    stage.send("oracle-2", FEED, "transmit", *good)  # who stayed does


def test_o7_a_report_kept_back_is_refused_even_when_its_nodes_return(stage: Stage) -> None:
    first = stage.read(FEED, "configDigest")
    kept = stage.transmission(FEED, (PRICE,) * 3, "oracle-2", "oracle-3", epoch=900)
    replaced(stage)
    own = stage.read(FEED, "configDigest")
    expected = ("ConfigDigestMismatch", {"given": first, "expected": own})
    assert refused(stage, *kept, sender="oracle-2") == expected
    replaced(stage, *OLD, faulty=1, bounds=CLOUD_BOUNDS)
    back = stage.read(FEED, "configDigest")
    assert len({first, own, back}) == 3
    expected = ("ConfigDigestMismatch", {"given": first, "expected": back})
    assert refused(stage, *kept, sender="oracle-2") == expected
    assert stage.read(FEED, "latestEpochAndRound") == 0
    stage.round(FEED, PRICE)


def test_o7_signatures_are_over_the_new_digest(stage: Stage) -> None:
    """The nodes that stay sign nothing that they have signed before."""
    old, signatures = stage.transmission(FEED, (PRICE,) * 3, "oracle-2", "oracle-3")
    replaced(stage, *OLD, faulty=1)
    new, _ = stage.transmission(FEED, (PRICE,) * 3, "oracle-2", "oracle-3")
    assert new.configDigest != old.configDigest
    assert refused(stage, new, signatures, sender="oracle-2")[0] == "NotOracle"


@pytest.mark.parametrize(
    ("observations", "signers", "name", "values"),
    [
        (4, SIGNERS, "WrongObservationCount", {"given": 4, "least": 5, "most": 7}),
        (8, SIGNERS, "WrongObservationCount", {"given": 8, "least": 5, "most": 7}),
        (5, SIGNERS[:2], "WrongSignatureCount", {"given": 2, "needed": 3}),
        (5, NEW[:4], "WrongSignatureCount", {"given": 4, "needed": 3}),
    ],
)
def test_o7_counts_follow_the_new_f_and_n(
    stage: Stage,
    observations: int,
    signers: tuple[str, ...],
    name: str,
    values: dict[str, int],
) -> None:
    replaced(stage)
    given_ = stage.transmission(FEED, (PRICE,) * observations, *signers)
    assert refused(stage, *given_) == (name, values)
    for least_or_most in (5, 7):
        stage.mine()
        given_ = stage.transmission(FEED, (PRICE,) * least_or_most, *SIGNERS)
        stage.send("alice", FEED, "transmit", *given_)


def test_o7_epochs_start_anew_and_time_does_not(stage: Stage) -> None:
    stage.send("oracle-1", FEED, "transmit", *stage.transmission(FEED, (PRICE,) * 3, epoch=700))
    observed = stage.read(FEED, "latestRoundData")["startedAt"]
    replaced(stage)

    def given_(**changes: int) -> tuple[object, ...]:
        return stage.transmission(FEED, (PRICE,) * 5, *SIGNERS, **changes)

    assert refused(stage, *given_(epoch=0, round=0)) == ("StaleReport", {"given": 0, "latest": 0})
    early = given_(epoch=0, round=1, observationsTimestamp=observed)
    assert refused(stage, *early)[0] == "ObservedOutOfRange"
    stage.send("alice", FEED, "transmit", *given_(epoch=0, round=1))


@pytest.mark.parametrize(
    ("bounds", "name"),
    [
        ((PRICE, PRICE + 1), ""),
        ((PRICE - 1, PRICE), ""),
        ((PRICE + 1, PRICE + 2), "AnswerOutOfBounds"),
        ((PRICE - 2, PRICE - 1), "AnswerOutOfBounds"),
    ],
)
def test_o7_a_report_is_held_against_the_new_bounds(
    stage: Stage, bounds: tuple[int, int], name: str
) -> None:
    replaced(stage, bounds=bounds)
    before = stage.read(FEED, "latestRoundData")
    assert before["answeredInRound"] == (0 if name else before["id"])
    given_ = stage.transmission(FEED, (PRICE,) * 5, *SIGNERS)
    if name:
        values = {"answer": PRICE, "min": bounds[0], "max": bounds[1]}
        assert refused(stage, *given_) == (name, values)
    else:
        stage.send("alice", FEED, "transmit", *given_)
        after = stage.read(FEED, "latestRoundData")
        assert after["answeredInRound"] == after["id"] == before["id"] + 1


def test_o2_an_answer_outside_the_new_bounds_does_not_count_until_they_widen(stage: Stage) -> None:
    """For the feed's readers at once, and for what is priced by it."""
    names = [f"Feed:{vendor}:vcpu_hour" for vendor in ("aws", "gcp", "azure")]
    for name, percent in zip(names, (98, 100, 102), strict=True):
        stage.round(name, PRICE * percent // 100)
    narrow = (PRICE * 101 // 100, PRICE * 2)

    def poked() -> int:
        stage.send("mallory", "Pricing", "poke", 0)
        return int(stage.read("Pricing", "marketPrice", 0))

    assert poked() == PRICE
    replaced(stage, bounds=narrow, feed=names[1])
    round_ = stage.read(names[1], "latestRoundData")
    assert (round_["answer"], round_["answeredInRound"]) == (PRICE, 0)
    assert stage.read(names[1], "getRoundData", round_["id"]) == round_
    assert poked() == PRICE * 98 // 100  # of two as near the lower
    replaced(stage, bounds=narrow, feed=names[0])
    error = stage.refused("mallory", "Pricing", "poke", 0)
    assert (error.name, error.values) == ("TooFewFresh", {"resource": 0, "fresh": 1})
    for name in names[:2]:
        replaced(stage, bounds=BOUNDS, feed=name)
    round_ = stage.read(names[1], "latestRoundData")
    assert round_["answeredInRound"] == round_["id"]
    assert poked() == PRICE


def test_o6_o3_no_stale_bounds_for_komp_usd_and_utilization(stage: Stage) -> None:
    stage.round("Feed:komp_usd", 50_000_000)
    stage.round("Feed:utilization", 10**17)
    assert stage.read("Pricing", "kompUsd") == KOMP // 2
    replaced(stage, feed="Feed:komp_usd", bounds=(50_000_001, 60_000_000))
    assert stage.refused_read("Pricing", "kompUsd").name == "KompUsdStale"
    assert stage.refused_read("Pricing", "priceInKomp", 0).name == "KompUsdStale"
    report(stage, 60_000_000, feed="Feed:komp_usd")
    assert stage.read("Pricing", "kompUsd") == KOMP * 6 // 10
    wide = (1, 2**151 - 1)
    replaced(stage, feed="Feed:komp_usd", bounds=wide)
    report(stage, 10**14, feed="Feed:komp_usd")  # beyond the first bounds
    assert stage.read("Pricing", "kompUsd") == 10**6 * KOMP
    report(stage, wide[1], feed="Feed:komp_usd")  # beyond what can be stored
    assert stage.refused_read("Pricing", "kompUsd").name == "KompUsdStale"
    assert stage.read("Pricing", "utilization") == 10**17
    replaced(stage, feed="Feed:utilization", bounds=(0, 10**17 - 1))
    assert stage.read("Pricing", "utilization") == KOMP  # stale counts as full (O3)


def test_o7_a_feed_that_has_not_answered_stays_so(stage: Stage) -> None:
    given_ = ("x", 8, nodes(*OLD), 1, DAY, 50, 5, 9, address("governance"))
    assert stage.create("Feed:other", "OcrAggregator", *given_) is None
    for bounds in ((5, 9), (-5, 9)):
        replaced(stage, bounds=bounds, feed="Feed:other")
        assert set(stage.read("Feed:other", "latestRoundData").values()) == {0}
        assert set(stage.read("Feed:other", "getRoundData", 0).values()) == {0}


def test_o7_g2_through_a_proposal(stage: Stage) -> None:
    """As on a devnet, where the queue governs."""
    where = stage.address("ExecutionQueue")
    given_ = ("x", 8, nodes(*OLD), 1, DAY, 50, 1, 10**9, where)
    assert stage.create("Feed:other", "OcrAggregator", *given_) is None
    error = stage.refused("governance", "Feed:other", "setConfig", nodes(*NEW), 2, 5, 50)
    assert (error.name, error.values["governance"]) == ("NotGovernance", where)
    proposal = b"\x07" * 32
    calls = [stage.call("Feed:other", "setConfig", nodes(*NEW), 2, 5, 50)]
    stage.send("mallory", "ExecutionQueue", "queue", *stage.execution(proposal, calls))
    stage.until(stage.now + PARAMETERS.timelock_seconds)
    sent = stage.send("mallory", "ExecutionQueue", "execute", proposal, calls)
    assert sent.names == ["Executed", "ConfigSet"]
    report(stage, 41, feed="Feed:other")
    assert stage.read("Feed:other", "latestRoundData")["answer"] == 41


@settings(max_examples=8, phases=NO_SHRINKING)
@given(
    bounds=st.lists(st.tuples(st.integers(-3, 3), st.integers(1, 4)), min_size=1, max_size=4),
    answer=st.integers(-2, 3),
)
def test_o2_however_bounds_move_an_answer_counts_inside_them(
    base: Stage, bounds: list[tuple[int, int]], answer: int
) -> None:
    snapshot = base.chain.snapshot()
    stage = Stage(base.chain, base.artifacts, base.deployment)
    try:
        replaced(stage, bounds=(-3, 4))
        report(stage, answer)
        for least, width in bounds:
            replaced(stage, bounds=(least, least + width))
            round_ = stage.read(FEED, "latestRoundData")
            inside = least <= answer <= least + width
            assert round_["answer"] == answer
            assert round_["answeredInRound"] == (round_["id"] if inside else 0)
    finally:
        base.chain.revert(snapshot)
