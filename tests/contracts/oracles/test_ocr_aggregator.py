"""Feeds in Chainlink's form (O1)."""

from __future__ import annotations

import pytest
from contracts_stage import DAY, PARAMETERS, Stage, address, signed, sorted_by_address

from devnet.chain import sign_digest

FEED = "Feed:aws:vcpu_hour"
VALUES = (40, 41, 42)


def transmission(
    stage: Stage, observations: tuple[int, ...] = VALUES, *names: str, number: int | None = None
) -> tuple[int, list[int], bytes]:
    """The next round's arguments, signed by those named, else by two oracle nodes."""
    if number is None:
        number = stage.read(FEED, "latestRoundData")["id"] + 1
    digest = stage.domains.round(FEED, number, observations)
    return number, list(observations), signed(digest, *(names or ("oracle-3", "oracle-4")))


def refusal(stage: Stage, *given: object) -> tuple[str, dict[str, object]]:
    error = stage.refused("mallory", FEED, "transmit", *given)
    return error.name, dict(error.values)


@pytest.mark.parametrize(
    ("observations", "answer"),
    [((40, 41, 42), 41), ((7, 7, 7), 7), ((1, 2, 3, 4), 3), ((1, 1, 9, 9, 9), 9)],
    ids=["three", "equal", "four: the upper", "five"],
)
def test_o1_the_answer_is_the_median(
    stage: Stage, observations: tuple[int, ...], answer: int
) -> None:
    sent = stage.send("mallory", FEED, "transmit", *transmission(stage, observations))
    assert sent.event("NewTransmission") == {
        "roundId": 2,
        "answer": answer,
        "observations": observations,
    }
    assert sent.event("AnswerUpdated") == {
        "current": answer,
        "roundId": 2,
        "updatedAt": sent.timestamp,
    }
    expected = {
        "id": 2,
        "answer": answer,
        "startedAt": sent.timestamp,
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
    assert stage.read(FEED, "faulty") == 1
    assert (stage.read(FEED, "minAnswer"), stage.read(FEED, "maxAnswer")) == (1, 10**22)
    assert stage.read(FEED, "isOracle", address("oracle-1"))
    assert not stage.read(FEED, "isOracle", address("gatekeeper-1"))


@pytest.mark.parametrize("number", [0, 1, 3])
def test_o1_rounds_have_no_gap_and_no_replay(stage: Stage, number: int) -> None:
    given = transmission(stage, number=number)
    assert refusal(stage, *given) == ("RoundNotNext", {"given": number, "expected": 2})


@pytest.mark.parametrize(
    ("observations", "name", "values"),
    [
        ((), "TooFewObservations", {"given": 0, "needed": 3}),
        ((41, 42), "TooFewObservations", {"given": 2, "needed": 3}),
        ((41, 40, 42), "ObservationsUnsorted", {"index": 1}),
        ((40, 42, 41), "ObservationsUnsorted", {"index": 2}),
        ((0, 0, 0), "AnswerOutOfBounds", {"answer": 0, "min": 1, "max": 10**22}),
        ((-5, -4, -3), "AnswerOutOfBounds", {"answer": -4, "min": 1, "max": 10**22}),
        (
            (1, 10**22 + 1, 2**255 - 1),
            "AnswerOutOfBounds",
            {"answer": 10**22 + 1, "min": 1, "max": 10**22},
        ),
    ],
)
def test_o1_refused_observations(
    stage: Stage, observations: tuple[int, ...], name: str, values: dict[str, int]
) -> None:
    assert refusal(stage, *transmission(stage, observations)) == (name, values)


def test_o1_outliers_up_to_f_do_not_move_the_answer(stage: Stage) -> None:
    stage.send("mallory", FEED, "transmit", *transmission(stage, (41, 42, 10**30)))
    assert stage.read(FEED, "latestRoundData")["answer"] == 42


@pytest.mark.parametrize(
    ("names", "name"),
    [
        (("oracle-1",), "WrongSignatureCount"),
        (("oracle-1", "oracle-2", "oracle-3"), "WrongSignatureCount"),
        (("oracle-1", "mallory"), "NotOracle"),
        (("gatekeeper-1", "gatekeeper-2"), "NotOracle"),
    ],
)
def test_o1_refused_signers(stage: Stage, names: tuple[str, ...], name: str) -> None:
    assert refusal(stage, *transmission(stage, VALUES, *names))[0] == name


def test_o1_signers_are_distinct_and_ascend(stage: Stage) -> None:
    low, high = sorted_by_address(("oracle-1", "oracle-2"))
    digest = stage.domains.round(FEED, 2, VALUES)
    first, second = sign_digest(low, digest), sign_digest(high, digest)
    assert refusal(stage, 2, list(VALUES), first + first) == (
        "DuplicateOracle",
        {"signer": low.address},
    )
    assert refusal(stage, 2, list(VALUES), second + first)[0] == "DuplicateOracle"
    assert refusal(stage, 2, list(VALUES), first + bytes(65)) == (
        "NotOracle",
        {"signer": "0x" + "00" * 20},
    )
    assert refusal(stage, 2, list(VALUES), (first + second)[:-1])[0] == "WrongSignatureCount"
    stage.send("mallory", FEED, "transmit", 2, list(VALUES), first + second)


def test_o1_signatures_bind_the_feed_the_round_and_the_observations(stage: Stage) -> None:
    number, observations, signatures = transmission(stage)
    error = stage.refused(
        "mallory", "Feed:gcp:vcpu_hour", "transmit", number, observations, signatures
    )
    assert error.name == "NotOracle"
    assert refusal(stage, number, [40, 41, 43], signatures)[0] == "NotOracle"
    stage.send("mallory", FEED, "transmit", number, observations, signatures)
    assert refusal(stage, number + 1, observations, signatures)[0] == "NotOracle"


@pytest.mark.parametrize(
    ("oracles", "faulty", "ok"), [(4, 1, True), (3, 1, False), (1, 0, True), (0, 0, False)]
)
def test_o1_more_than_3f_oracle_nodes(stage: Stage, oracles: int, faulty: int, ok: bool) -> None:
    given = ("x", 8, list(PARAMETERS.oracles[:oracles]), faulty, DAY, 1, 2)
    assert (stage.create("Other", "PriceFeed", *given) is None) == ok


@pytest.mark.parametrize(
    "given",
    [
        ("x", 8, [PARAMETERS.oracles[0]] * 4, 1, DAY, 1, 2),
        ("x", 8, list(PARAMETERS.oracles), 1, DAY, 3, 2),
        ("x", 8, list(PARAMETERS.oracles), 1, DAY, 1, 2**200),
    ],
    ids=["a node twice", "bounds the wrong way", "bounds too wide"],
)
def test_refused_feeds(stage: Stage, given: tuple[object, ...]) -> None:
    assert stage.create("Other", "PriceFeed", *given) is not None
