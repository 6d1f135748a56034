"""Incidents of level 1 (L1, L4 to L7)."""

from __future__ import annotations

import pytest
from contracts_stage import (
    DAY,
    GATEKEEPERS,
    HOUR,
    KOMP,
    MONTH,
    NO_SHRINKING,
    STAKE,
    Stage,
    address,
    signed,
)
from hypothesis import given, settings
from hypothesis import strategies as st

NODE = address("node-1")
NOBODY = "0x" + 40 * "0"
MAX_AGE, WINDOW = 14 * DAY, 6 * HOUR


def report(stage: Stage, start: int, end: int, n: int = 1) -> int:
    """An incident's identity."""
    sent = stage.send("mallory", "Slashing", "report", *stage.incident(n, start, end))
    return int(sent.event("IncidentReported")["id"])


def execute(stage: Stage, incident: int) -> int:
    """What it took, once its window is over."""
    due = stage.read("Slashing", "incidentOf", incident)["reportedAt"] + WINDOW
    if stage.now + 1 < due:
        stage.until(due)
    sent = stage.send("mallory", "Slashing", "execute", incident)
    return int(sent.event("IncidentExecuted")["amount"])


def refused(stage: Stage, start: int, end: int, n: int = 1) -> tuple[str, dict[str, object]]:
    error = stage.refused("mallory", "Slashing", "report", *stage.incident(n, start, end))
    return error.name, dict(error.values)


@pytest.mark.parametrize(
    ("seconds", "amount"),
    [
        (12 * HOUR, 25 * KOMP),
        (24 * HOUR, 50 * KOMP),
        (1, 500 * KOMP * 1_000 // (10_000 * 86_400)),
        (7, 7 * 500 * KOMP * 1_000 // (10_000 * 86_400)),
        (239 * HOUR, 239 * HOUR * 500 * KOMP // (10 * 86_400)),
        (240 * HOUR, 500 * KOMP),
        (241 * HOUR, 500 * KOMP),
        (13 * DAY, 500 * KOMP),
    ],
    ids=["12h", "24h", "1s", "7s", "239h", "240h", "241h", "13d"],
)
def test_l1_l4_ten_percent_a_day_to_the_second(stage: Stage, seconds: int, amount: int) -> None:
    start = stage.stake(1).timestamp
    stage.until(start + seconds)
    incident = report(stage, start, start + seconds)
    assert stage.read("Slashing", "amountOf", incident) == amount
    assert stage.read("Slashing", "pendingCount", NODE) == 1
    before = stage.balance("Rewards")
    assert execute(stage, incident) == amount
    assert stage.read("Staking", "stakeOf", NODE) == STAKE - amount
    assert stage.balance("Rewards") == before + amount
    assert stage.balance("Slashing") == 0
    assert stage.read("Slashing", "pendingCount", NODE) == 0
    assert stage.read("Slashing", "amountOf", incident) == amount


def test_l5_l6_what_is_kept_of_a_report(stage: Stage) -> None:
    start = stage.stake(1).timestamp
    stage.until(start + HOUR)
    sent = stage.send("bob", "Slashing", "report", *stage.incident(1, start, start + 60))
    assert sent.event("IncidentReported") == {
        "id": 1,
        "node": NODE,
        "level": 1,
        "from": start,
        "to": start + 60,
        "evidence": b"\xee" * 32,
    }
    assert stage.read("Slashing", "incidentOf", 1) == {
        "node": NODE,
        "level": 1,
        "from": start,
        "to": start + 60,
        "reportedAt": sent.timestamp,
        "appealedAt": 0,
        "state": 0,
        "amount": 0,
        "evidence": b"\xee" * 32,
        "bond": 0,
        "payer": NOBODY,
    }
    assert stage.read("Slashing", "incidentCount") == 1
    assert stage.read("Slashing", "cursorOf", NODE, 1) == start + 60
    assert stage.read("Staking", "stakeOf", NODE) == STAKE
    assert (stage.read("Slashing", "appealWindow"), stage.read("Slashing", "maxAge")) == (
        WINDOW,
        MAX_AGE,
    )


@pytest.mark.parametrize("level", [0, 4, 255])
def test_l6_three_levels_are_known(stage: Stage, level: int) -> None:
    start = stage.stake(1).timestamp
    stage.mine(10)
    given = stage.incident(1, start, start + 5, *GATEKEEPERS, level=level)
    error = stage.refused("mallory", "Slashing", "report", *given)
    assert (error.name, error.values) == ("UnknownLevel", {"level": level})
    assert stage.refused_read("Slashing", "cursorOf", NODE, level).name == "UnknownLevel"


def test_l6_a_slash_quorum_signs_every_field(stage: Stage) -> None:
    start = stage.stake(1).timestamp
    stage.stake(2)
    stage.mine(100)
    node, level, begin, end, evidence, signatures = stage.incident(1, start, start + 50)
    changed = [
        (address("node-2"), level, begin, end, evidence, signatures),
        (node, level, begin + 1, end, evidence, signatures),
        (node, level, begin, end + 1, evidence, signatures),
        (node, level, begin, end, b"\0" * 32, signatures),
    ]
    for given_ in changed:
        error = stage.refused("mallory", "Slashing", "report", *given_)
        assert error.name in {"NotGatekeeper", "SignersNotAscending"}
    few = stage.incident(1, start, start + 50, GATEKEEPERS[0])
    assert stage.refused("gatekeeper-1", "Slashing", "report", *few).name == "TooFewSignatures"


@pytest.mark.parametrize(("age", "ok"), [(MAX_AGE, True), (MAX_AGE + 1, False)])
def test_l5_incidents_lapse(stage: Stage, age: int, ok: bool) -> None:
    start = stage.stake(1).timestamp
    stage.until(start + age)
    if ok:
        assert report(stage, start, start + 10) == 1
    else:
        assert refused(stage, start, start + 10) == (
            "IntervalTooOld",
            {"from": start, "oldest": start + 1},
        )


def test_l5_the_future_is_not_charged(stage: Stage) -> None:
    start = stage.stake(1).timestamp
    stage.until(start + 100)
    assert refused(stage, start, start + 101) == (
        "IntervalInFuture",
        {"to": start + 101, "timestamp": start + 100},
    )
    stage.until(start + 200)
    assert report(stage, start, start + 200) == 1


@pytest.mark.parametrize(("shift", "left"), [(-50, 100), (0, 100), (40, 60)])
def test_l5_nothing_before_registration(stage: Stage, shift: int, left: int) -> None:
    start = stage.stake(1).timestamp
    assert stage.read("Slashing", "cursorOf", NODE, 1) == start
    stage.until(start + 200)
    report(stage, start + shift, start + 100)
    incident = stage.read("Slashing", "incidentOf", 1)
    assert incident["to"] - incident["from"] == left
    assert incident["from"] == start + max(shift, 0)


def test_l5_the_cursor_cuts_overlaps(stage: Stage) -> None:
    start = stage.stake(1).timestamp
    stage.until(start + 1_000)
    report(stage, start + 100, start + 300)
    assert refused(stage, start + 100, start + 300) == (
        "IntervalEmpty",
        {"from": start + 300, "to": start + 300},
    )
    assert refused(stage, start + 150, start + 250)[0] == "IntervalEmpty"
    report(stage, start + 200, start + 400)
    assert stage.read("Slashing", "incidentOf", 2)["from"] == start + 300
    # Reported out of order, the earlier incident lapses (§14).
    assert refused(stage, start, start + 90)[0] == "IntervalEmpty"
    assert refused(stage, start + 500, start + 500)[0] == "IntervalEmpty"
    assert refused(stage, start + 600, start + 500)[0] == "IntervalEmpty"


def test_l5_the_cursor_stays_after_execution(stage: Stage) -> None:
    start = stage.stake(1).timestamp
    stage.until(start + 1_000)
    execute(stage, report(stage, start, start + 500))
    assert stage.read("Slashing", "cursorOf", NODE, 1) == start + 500
    assert refused(stage, start, start + 500)[0] == "IntervalEmpty"


def test_l1_only_before_the_exit_request(stage: Stage) -> None:
    start = stage.stake(1).timestamp
    stage.until(start + 1_000)
    requested = stage.send("owner-1", "Staking", "requestExit", NODE).timestamp
    stage.until(start + 2_000)
    report(stage, start + 500, start + 2_000)
    assert stage.read("Slashing", "incidentOf", 1)["to"] == requested
    assert refused(stage, requested, start + 2_000)[0] == "IntervalEmpty"


@pytest.mark.parametrize("late", [0, 1])
def test_l5_before_the_exit(stage: Stage, late: int) -> None:
    staked = stage.stake(1).timestamp
    stage.until(staked + MONTH)
    request = stage.send("owner-1", "Staking", "requestExit", NODE)
    exit_at = request.event("ExitRequested")["exitAt"]
    # The exit comes a day after the oldest incident before the request has lapsed.
    stage.until(exit_at - 1 + late)
    name, values = refused(stage, exit_at - 100, exit_at - 50)
    if late:
        assert (name, values) == ("AfterExit", {"timestamp": exit_at, "exitAt": exit_at})
    else:
        assert name == "IntervalEmpty"  # L1: all of it after the request


def test_s4_only_live_nodes_are_charged(stage: Stage) -> None:
    assert refused(stage, stage.now - 100, stage.now)[0] == "NotLive"
    stage.stake(1)
    requested = stage.send("owner-1", "Staking", "requestExit", NODE)
    stage.until(requested.event("ExitRequested")["exitAt"])
    stage.send("owner-1", "Staking", "withdraw", NODE)
    assert refused(stage, stage.now - 100, stage.now) == ("NotLive", {"node": NODE})


def test_l6_executed_once_after_the_window(stage: Stage) -> None:
    start = stage.stake(1).timestamp
    stage.until(start + HOUR)
    incident = report(stage, start, start + HOUR)
    until = stage.now + WINDOW
    stage.until(until - 1)
    early = stage.refused("mallory", "Slashing", "execute", incident)
    assert (early.name, early.values) == ("WindowOpen", {"until": until, "timestamp": until - 1})
    sent = stage.send("mallory", "Slashing", "execute", incident)
    assert sent.timestamp == until
    assert sent.names == ["Slashed", "Transfer", "IncidentExecuted", "RewardAdded", "Transfer"]
    again = stage.refused("mallory", "Slashing", "execute", incident)
    assert (again.name, again.values) == ("AlreadyExecuted", {"id": incident})
    for unknown in (0, 2):
        error = stage.refused("mallory", "Slashing", "execute", unknown)
        assert (error.name, error.values) == ("UnknownIncident", {"id": unknown})
        assert stage.refused_read("Slashing", "incidentOf", unknown).name == "UnknownIncident"


def test_l6_the_window_may_be_0(stage: Stage) -> None:
    others = ("Kompute", "Gatekeepers", "Staking", "Rewards", "PoolFactory")
    where = [stage.address(name) for name in others]
    windows = (address("arbiter"), 0, 0, MAX_AGE)
    assert stage.create("Slashing", "Slashing", *where, *windows) is None
    start = stage.stake(1).timestamp
    stage.mine(10)
    incident = report(stage, start, start + 5)
    # This one is not the staking contract's slasher: the stake is safe from it.
    error = stage.refused("mallory", "Slashing", "execute", incident)
    assert error.name == "NotSlashing"


def test_l4_l7_a_top_up_after_a_slash_is_slashable(stage: Stage) -> None:
    start = stage.stake(1).timestamp
    stage.until(start + 10 * DAY)
    first = report(stage, start, start + 10 * DAY)
    second_start = stage.now
    assert execute(stage, first) == 500 * KOMP
    assert stage.read("Staking", "stakeOf", NODE) == 0
    stage.until(second_start + 10 * HOUR)
    second = report(stage, second_start, second_start + 10 * HOUR)
    assert stage.read("Slashing", "amountOf", second) == 0
    stage.send("owner-1", "Staking", "topUp", NODE, 500 * KOMP)
    # L4: the stake at execution counts, so a top-up is taken from too.
    assert stage.read("Slashing", "amountOf", second) == 10 * HOUR * 500 * KOMP // (10 * DAY)
    execute(stage, second)


def test_l4_an_empty_stake_gives_nothing(stage: Stage) -> None:
    start = stage.stake(1).timestamp
    stage.until(start + 12 * DAY)
    first = report(stage, start, start + 11 * DAY)
    second = report(stage, start + 11 * DAY, start + 12 * DAY)
    assert stage.read("Slashing", "pendingCount", NODE) == 2
    assert execute(stage, first) == 500 * KOMP
    before = stage.read("Rewards", "cycleReward", stage.read("Rewards", "currentCycle"))
    assert execute(stage, second) == 0
    assert stage.read("Rewards", "cycleReward", stage.read("Rewards", "currentCycle")) == before
    # An empty node leaves with nothing, and its hardware is free again (S4, S6).
    request = stage.send("owner-1", "Staking", "requestExit", NODE)
    stage.until(request.event("ExitRequested")["exitAt"])
    assert stage.send("owner-1", "Staking", "withdraw", NODE).event("Withdrawn")["amount"] == 0


def test_l7_in_the_cycle_of_execution(stage: Stage) -> None:
    start = stage.stake(1).timestamp
    stage.until(start + HOUR)
    incident = report(stage, start, start + HOUR)
    stage.until(stage.now + WINDOW)
    stage.next_cycle(2)
    sent = stage.send("mallory", "Slashing", "execute", incident)
    assert sent.event("RewardAdded") == {
        "from": stage.address("Slashing"),
        "cycle": 2,
        "amount": HOUR * 500 * KOMP // (10 * DAY),
    }


def test_r4_a_removed_gatekeepers_signature_is_void(stage: Stage) -> None:
    start = stage.stake(1).timestamp
    stage.mine(100)
    given_ = stage.incident(1, start, start + 50)
    change = ([address("gatekeeper-4")], [address("gatekeeper-1")], 2)
    stage.send("governance", "Gatekeepers", "change", *change)
    error = stage.refused("mallory", "Slashing", "report", *given_)
    assert error.values == {"account": address("gatekeeper-1")}
    digest = stage.domains.incident(NODE, 1, start, start + 50, b"\xee" * 32)
    fresh = signed(digest, "gatekeeper-2", "gatekeeper-4")
    stage.send("mallory", "Slashing", "report", NODE, 1, start, start + 50, b"\xee" * 32, fresh)


@settings(max_examples=10, phases=NO_SHRINKING)
@given(cuts=st.lists(st.integers(1, 9 * DAY), min_size=2, max_size=5, unique=True))
def test_invariant_10_split_equals_merged(base: Stage, cuts: list[int]) -> None:
    """slash[a,b] + slash[b,d] is slash[a,d] or a unit less per cut."""
    snapshot = base.chain.snapshot()
    stage = Stage(base.chain, base.artifacts, base.deployment)
    try:
        start = stage.stake(1).timestamp
        ends = sorted(cuts)
        stage.until(start + ends[-1])
        incidents = [report(stage, start, start + end) for end in ends]
        pieces = [stage.read("Slashing", "incidentOf", i) for i in incidents]
        edges = [0, *ends]
        assert [(p["from"] - start, p["to"] - start) for p in pieces] == list(
            zip(edges, ends, strict=False)
        )
        before = stage.read("Staking", "totalStake")
        taken = sum(execute(stage, i) for i in incidents)
        merged = 500 * KOMP * 1_000 * ends[-1] // (10_000 * DAY)
        assert merged - len(ends) < taken <= merged
        assert before - stage.read("Staking", "totalStake") == taken == stage.balance("Rewards")
    finally:
        base.chain.revert(snapshot)
