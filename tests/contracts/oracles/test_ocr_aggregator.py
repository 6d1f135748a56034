"""Feeds in Chainlink's form (O1)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from contracts_stage import DAY, PARAMETERS, Stage, address, sorted_by_address

from devnet.chain import sign_digest
from devnet.protocol import Report, config_digest

FEED = "Feed:aws:vcpu_hour"
VALUES = (40, 41, 42)
ZERO = "0x" + "00" * 20
ORACLES = ("oracle-1", "oracle-2", "oracle-3", "oracle-4")


def refusal(
    stage: Stage, report: Report, signatures: bytes, sender: str = "oracle-1"
) -> tuple[str, dict[str, object]]:
    error = stage.refused(sender, FEED, "transmit", report, signatures)
    return error.name, dict(error.values)


@pytest.mark.parametrize(
    ("observations", "answer"),
    [((40, 41, 42), 41), ((7, 7, 7), 7), ((1, 2, 3, 4), 3), ((1, 1, 9, 9), 9)],
    ids=["three", "equal", "four: the upper", "four, two by two"],
)
def test_o1_the_answer_is_the_median(
    stage: Stage, observations: tuple[int, ...], answer: int
) -> None:
    stage.mine(10)
    report, signatures = stage.transmission(FEED, observations)
    stage.mine(4)
    sent = stage.send("oracle-3", FEED, "transmit", report, signatures)
    assert sent.names == ["NewTransmission", "NewRound", "AnswerUpdated"]
    assert sent.event("NewTransmission") == {
        "aggregatorRoundId": 2,
        "answer": answer,
        "transmitter": address("oracle-3"),
        "observationsTimestamp": sent.timestamp - 5,
        "observations": observations,
        "observers": bytes(range(len(observations))).ljust(32, b"\0"),
        "configDigest": report.configDigest,
        "epochAndRound": 2 * 256 + 1,
    }
    assert sent.event("NewRound") == {
        "roundId": 2,
        "startedBy": address("oracle-3"),
        "startedAt": sent.timestamp - 5,
    }
    assert sent.event("AnswerUpdated") == {
        "current": answer,
        "roundId": 2,
        "updatedAt": sent.timestamp,
    }
    expected = {
        "id": 2,
        "answer": answer,
        "startedAt": sent.timestamp - 5,
        "updatedAt": sent.timestamp,
        "answeredInRound": 2,
    }
    assert stage.read(FEED, "latestRoundData") == expected
    assert stage.read(FEED, "getRoundData", 2) == expected
    assert stage.read(FEED, "getRoundData", 1)["answer"] == 40 * 10**15
    assert set(stage.read(FEED, "getRoundData", 3).values()) == {0, 3}


def test_o1_what_it_says_of_itself(stage: Stage) -> None:
    assert stage.read(FEED, "decimals") == 18
    assert stage.read(FEED, "description") == "aws vcpu_hour / USD"
    assert stage.read(FEED, "version") == 1
    assert stage.read(FEED, "heartbeat") == DAY
    assert stage.read(FEED, "deviationBps") == 50
    assert stage.read(FEED, "faulty") == 1
    assert stage.read(FEED, "latestEpochAndRound") == 257
    assert (stage.read(FEED, "minAnswer"), stage.read(FEED, "maxAnswer")) == (1, 10**22)
    assert stage.read(FEED, "isOracle", address("oracle-1"))
    assert not stage.read(FEED, "isOracle", address("gatekeeper-1"))


def test_o1_the_digest_is_of_all_that_decides_what_an_answer_means(stage: Stage) -> None:
    own = stage.read(FEED, "configDigest")
    given = (31337, stage.address(FEED), 1, "aws vcpu_hour / USD", 18, PARAMETERS.oracles, 1)
    assert own == config_digest(*given, (1, 10**22))
    others = ("Feed:gcp:vcpu_hour", "Feed:komp_usd", "Feed:utilization")
    assert len({own, *(stage.read(name, "configDigest") for name in others)}) == 4


@pytest.mark.parametrize(
    ("changes", "name", "values"),
    [
        ({"epoch": 1, "round": 1}, "StaleReport", {"given": 257, "latest": 257}),
        ({"epoch": 1, "round": 0}, "StaleReport", {"given": 256, "latest": 257}),
        ({"epoch": 0, "round": 255}, "StaleReport", {"given": 255, "latest": 257}),
        ({"epoch": 1, "round": 2}, "", {}),
        ({"epoch": 2, "round": 0}, "", {}),
        ({"epoch": 2**32 - 1, "round": 255}, "", {}),
    ],
    ids=["same", "earlier round", "earlier epoch", "next round", "next epoch", "last of all"],
)
def test_o1_epoch_and_round_rise(
    stage: Stage, changes: dict[str, int], name: str, values: dict[str, int]
) -> None:
    given = stage.transmission(FEED, VALUES, **changes)
    if name:
        assert refusal(stage, *given) == (name, values)
    else:
        stage.send("oracle-1", FEED, "transmit", *given)
        assert stage.read(FEED, "latestEpochAndRound") == changes["epoch"] * 256 + changes["round"]


def test_o1_a_report_sent_twice_counts_once(stage: Stage) -> None:
    given = stage.transmission(FEED, VALUES)
    stage.send("oracle-1", FEED, "transmit", *given)
    assert refusal(stage, *given, sender="oracle-2") == (
        "StaleReport",
        {"given": 513, "latest": 513},
    )


def test_o1_observed_after_the_last_report_and_not_in_the_future(stage: Stage) -> None:
    sent = stage.round(FEED, 41)
    first = sent.timestamp - 1
    for observed, ok in ((first, False), (sent.timestamp + 3, False), (sent.timestamp + 3, True)):
        given = stage.transmission(FEED, VALUES, observationsTimestamp=observed)
        if ok:
            stage.send("oracle-1", FEED, "transmit", *given)
        else:
            error = ("ObservedOutOfRange", observed, first, stage.now + 1)
            name, values = refusal(stage, *given)
            assert (name, *values.values()) == error
    assert stage.read(FEED, "latestRoundData")["startedAt"] == stage.now


@pytest.mark.parametrize(
    ("observations", "name", "values"),
    [
        ((), "WrongObservationCount", {"given": 0, "least": 3, "most": 4}),
        ((41, 42), "WrongObservationCount", {"given": 2, "least": 3, "most": 4}),
        ((1, 2, 3, 4, 5), "WrongObservationCount", {"given": 5, "least": 3, "most": 4}),
        ((41, 40, 42), "ObservationsUnsorted", {"index": 1}),
        ((40, 42, 41), "ObservationsUnsorted", {"index": 2}),
        ((0, 0, 0), "AnswerOutOfBounds", {"answer": 0, "min": 1, "max": 10**22}),
        ((-5, -4, -3), "AnswerOutOfBounds", {"answer": -4, "min": 1, "max": 10**22}),
        (
            (1, 10**22 + 1, 2**191 - 1),
            "AnswerOutOfBounds",
            {"answer": 10**22 + 1, "min": 1, "max": 10**22},
        ),
    ],
)
def test_o1_refused_observations(
    stage: Stage, observations: tuple[int, ...], name: str, values: dict[str, int]
) -> None:
    assert refusal(stage, *stage.transmission(FEED, observations)) == (name, values)


def test_o1_both_bounds_are_allowed_answers(stage: Stage) -> None:
    nodes = list(PARAMETERS.oracles)
    given = ("x", 8, nodes, 1, DAY, 50, -7, -6, address("governance"))
    assert stage.create("Feed:narrow", "OcrAggregator", *given) is None
    for answer in (-7, -6):
        stage.round("Feed:narrow", answer)
        round_ = stage.read("Feed:narrow", "latestRoundData")
        assert (round_["answer"], round_["answeredInRound"]) == (answer, round_["id"])
    for answer in (-8, -5):
        stage.mine()
        report = stage.transmission("Feed:narrow", (answer,) * 3)
        error = stage.refused("oracle-1", "Feed:narrow", "transmit", *report)
        assert error.name == "AnswerOutOfBounds"
        assert error.values == {"answer": answer, "min": -7, "max": -6}


def test_o1_more_than_2f_observations(stage: Stage) -> None:
    """f of them may be lies and f may be missing of what is honest."""
    nodes = [address(name) for name in (*ORACLES, "alice", "bob", "mallory")]
    given = ("x", 8, nodes, 2, DAY, 50, 1, 9, address("governance"))
    assert stage.create("Feed:many", "OcrAggregator", *given) is None
    few = stage.transmission("Feed:many", (1, 2, 3, 4), *ORACLES[:3])
    error = stage.refused("oracle-1", "Feed:many", "transmit", *few)
    assert (error.name, error.values) == (
        "WrongObservationCount",
        {"given": 4, "least": 5, "most": 7},
    )
    enough = stage.transmission("Feed:many", (1, 2, 3, 4, 5), *ORACLES[:3])
    stage.send("oracle-1", "Feed:many", "transmit", *enough)
    assert stage.read("Feed:many", "latestRoundData")["answer"] == 3


def test_o1_outliers_up_to_f_do_not_move_the_answer(stage: Stage) -> None:
    stage.round(FEED, 41, 42, 10**30)
    assert stage.read(FEED, "latestRoundData")["answer"] == 42


def test_o1_more_outliers_than_f_do(stage: Stage) -> None:
    stage.round(FEED, 41, 41, 410, 410)
    assert stage.read(FEED, "latestRoundData")["answer"] == 410


@pytest.mark.parametrize("sender", ["mallory", "gatekeeper-1", "deployer"])
def test_o1_only_an_oracle_node_transmits(stage: Stage, sender: str) -> None:
    given = stage.transmission(FEED, VALUES)
    assert refusal(stage, *given, sender=sender) == ("NotTransmitter", {"caller": address(sender)})


def test_o1_a_report_names_its_feed(stage: Stage) -> None:
    other = stage.read("Feed:gcp:vcpu_hour", "configDigest")
    given = stage.transmission(FEED, VALUES, configDigest=other)
    expected = stage.read(FEED, "configDigest")
    assert refusal(stage, *given) == (
        "ConfigDigestMismatch",
        {"given": other, "expected": expected},
    )


@pytest.mark.parametrize(
    ("names", "name", "values"),
    [
        (("oracle-1",), "WrongSignatureCount", {"given": 1, "needed": 2}),
        (ORACLES[:3], "WrongSignatureCount", {"given": 3, "needed": 2}),
        (("oracle-1", "mallory"), "NotOracle", {"signer": address("mallory")}),
    ],
    ids=["f", "f+2", "a stranger among them"],
)
def test_o1_refused_signers(
    stage: Stage, names: tuple[str, ...], name: str, values: dict[str, object]
) -> None:
    assert refusal(stage, *stage.transmission(FEED, VALUES, *names)) == (name, values)


def test_o1_signers_are_distinct_and_ascend(stage: Stage) -> None:
    low, high = sorted_by_address(("oracle-1", "oracle-2"))
    report, _ = stage.transmission(FEED, VALUES)
    digest = stage.domains.report(FEED, report)
    first, second = sign_digest(low, digest), sign_digest(high, digest)
    assert refusal(stage, report, first + first) == ("DuplicateOracle", {"signer": low.address})
    assert refusal(stage, report, second + first)[0] == "DuplicateOracle"
    nobody = ("NotOracle", {"signer": "0x" + "00" * 20})
    assert refusal(stage, report, first + bytes(65)) == nobody
    assert refusal(stage, report, (first + second)[:-1])[0] == "WrongSignatureCount"
    stage.send("oracle-1", FEED, "transmit", report, first + second)


@pytest.mark.parametrize(
    "changes",
    [
        {"epoch": 9},
        {"round": 9},
        {"observationsTimestamp": 1_767_225_610},
        {"observers": b"\x01" * 32},
        {"observations": (40, 41, 43)},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_o1_signatures_bind_every_field(stage: Stage, changes: dict[str, Any]) -> None:
    report, signatures = stage.transmission(FEED, VALUES)
    other = replace(report, **changes)
    assert other != report
    assert refusal(stage, other, signatures)[0] == "NotOracle"


@pytest.mark.parametrize(
    ("oracles", "faulty", "ok"),
    [(4, 1, True), (3, 1, False), (1, 0, True), (0, 0, False), (31, 10, True), (32, 10, False)],
)
def test_o1_at_most_31_oracle_nodes_and_more_than_3f(
    stage: Stage, oracles: int, faulty: int, ok: bool
) -> None:
    nodes = [f"0x{place:040x}" for place in range(1, oracles + 1)]
    given = ("x", 8, nodes, faulty, DAY, 50, 1, 2, address("governance"))
    error = stage.create("Other", "OcrAggregator", *given)
    assert (error is None) == ok
    if error is not None:
        assert (error.name, dict(error.values)) == (
            "OraclesOutOfRange",
            {"oracles": oracles, "faulty": faulty},
        )


NODES = list(PARAMETERS.oracles)
YEARS_10 = 3_650 * DAY


def word(text: str) -> bytes:
    return text.encode().ljust(32, b"\0")


@pytest.mark.parametrize(
    ("changes", "name", "values"),
    [
        ({2: [NODES[0]] * 4}, "DuplicateOracle", {"signer": NODES[0]}),
        ({2: [*NODES[:3], ZERO]}, "ZeroAddress", {"what": word("oracles")}),
        ({4: 0}, "ZeroValue", {"what": word("heartbeat")}),
        (
            {4: YEARS_10 + 1},
            "TooLong",
            {"what": word("heartbeat"), "given": YEARS_10 + 1, "most": YEARS_10},
        ),
        ({4: YEARS_10}, "", {}),
        ({4: 1}, "", {}),
        ({6: 3}, "BoundsOutOfOrder", {"min": 3, "max": 2}),
        ({6: 2}, "BoundsOutOfOrder", {"min": 2, "max": 2}),
        ({6: -(2**151), 7: 2**151 - 1}, "", {}),
        ({8: ZERO}, "ZeroAddress", {"what": word("governance")}),
    ],
    ids=str,
)
def test_d1_refused_feeds(
    stage: Stage, changes: dict[int, object], name: str, values: dict[str, object]
) -> None:
    given: list[object] = ["x", 8, NODES, 1, DAY, 50, 1, 2, address("governance")]
    for place, value in changes.items():
        given[place] = value
    error = stage.create("Other", "OcrAggregator", *given)
    assert (error.name if error else "", dict(error.values) if error else {}) == (name, values)
