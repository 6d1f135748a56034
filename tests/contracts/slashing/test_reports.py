"""Which incidents may be reported, by whom, and for which seconds (L5, L6, R4)."""

from __future__ import annotations

import pytest
from contracts_stage import (
    GATEKEEPERS,
    HOUR,
    MONTH,
    STAKE,
    Stage,
    address,
    signed,
)
from incidents_stage import (
    MAX_AGE,
    NOBODY,
    NODE,
    WINDOW,
    appeal,
    execute,
    incident,
    refused,
    report,
    report_level_3,
    rule,
)


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
    assert incident(stage) == {
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
    kept = incident(stage)
    assert kept["to"] - kept["from"] == left
    assert kept["from"] == start + max(shift, 0)


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
    assert incident(stage, 2)["from"] == start + 300
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
    assert incident(stage)["to"] == requested
    assert refused(stage, requested, start + 2_000)[0] == "IntervalEmpty"


def test_l5_the_cursor_rises_to_where_the_exit_request_cut_the_interval(stage: Stage) -> None:
    start = stage.stake(1).timestamp
    stage.until(start + 1_000)
    requested = stage.send("owner-1", "Staking", "requestExit", NODE).timestamp
    stage.until(start + 2_000)
    report(stage, start + 500, start + 2_000)
    assert requested < start + 2_000
    assert stage.read("Slashing", "cursorOf", NODE, 1) == requested
    # Level 2 is not cut, and raises both.
    assert stage.read("Slashing", "cursorOf", NODE, 2) == start
    report(stage, start + 500, start + 1_500, level=2)
    cursors = [stage.read("Slashing", "cursorOf", NODE, level) for level in (1, 2)]
    assert cursors == [start + 1_500, start + 1_500]


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


def test_l5_level_2_raises_the_cursor_of_level_1(stage: Stage) -> None:
    start = stage.stake(1).timestamp
    stage.until(start + 1_000)
    report(stage, start, start + 100)
    report(stage, start + 50, start + 500, level=2)
    # A milder charge already made stays: level 2 has a cursor of its own.
    kept = incident(stage, 2)
    assert (kept["from"], kept["to"]) == (start + 50, start + 500)
    cursors = [stage.read("Slashing", "cursorOf", NODE, level) for level in (1, 2)]
    assert cursors == [start + 500, start + 500]
    assert refused(stage, start + 100, start + 500)[0] == "IntervalEmpty"
    report(stage, start + 100, start + 600)
    assert incident(stage, 3)["from"] == start + 500


def test_l5_level_1_leaves_the_cursor_of_level_2(stage: Stage) -> None:
    start = stage.stake(1).timestamp
    stage.until(start + 1_000)
    report(stage, start, start + 800)
    assert stage.read("Slashing", "cursorOf", NODE, 2) == start
    report(stage, start, start + 200, level=2)
    # That of level 1 never falls.
    cursors = [stage.read("Slashing", "cursorOf", NODE, level) for level in (1, 2)]
    assert cursors == [start + 800, start + 200]
    assert refused(stage, start, start + 200, level=2)[0] == "IntervalEmpty"


def test_l2_also_after_the_exit_request(stage: Stage) -> None:
    start = stage.stake(1).timestamp
    stage.until(start + 1_000)
    stage.send("owner-1", "Staking", "requestExit", NODE)
    stage.until(start + 2_000)
    report(stage, start + 500, start + 2_000, level=2)
    assert incident(stage)["to"] == start + 2_000


def test_l6_level_3_has_no_interval(stage: Stage) -> None:
    start = stage.stake(1).timestamp
    stage.mine(10)
    for given_ in ((start, start + 5), (start + 5, start)):
        assert refused(stage, *given_, level=3) == (
            "IntervalUnexpected",
            {"from": given_[0], "to": given_[1]},
        )
    assert stage.refused_read("Slashing", "cursorOf", NODE, 3).name == "UnknownLevel"


def test_l6_level_3_needs_the_critical_quorum(stage: Stage) -> None:
    stage.stake(1)
    found = stage.now
    two = stage.incident(1, found, found, level=3)
    error = stage.refused("mallory", "Slashing", "report", *two)
    assert (error.name, error.values) == ("TooFewSignatures", {"given": 2, "needed": 3})
    # A signature for one level is none for another.
    node, _, *rest = stage.incident(1, found, found, *GATEKEEPERS, level=2)
    error = stage.refused("mallory", "Slashing", "report", node, 3, *rest)
    assert error.name in {"NotGatekeeper", "SignersNotAscending"}


def test_l6_a_level_3_names_the_second_of_its_finding_and_grows_old(stage: Stage) -> None:
    found = stage.stake(1).timestamp
    signed_then = stage.incident(1, found, found, *GATEKEEPERS, level=3)
    later = found + MAX_AGE
    stage.until(later)
    ahead = stage.incident(1, later + 1, later + 1, *GATEKEEPERS, level=3)
    error = stage.refused("mallory", "Slashing", "report", *ahead)
    assert (error.name, error.values) == (
        "IntervalInFuture",
        {"to": later + 1, "timestamp": later},
    )
    error = stage.refused("mallory", "Slashing", "report", *signed_then)
    assert (error.name, error.values) == ("IntervalTooOld", {"from": found, "oldest": found + 1})
    assert refused(stage, 0, 0, level=3)[0] == "IntervalTooOld"
    assert stage.read("Staking", "isActive", NODE)
    found = stage.now
    signed_then = stage.incident(1, found, found, *GATEKEEPERS, level=3)
    stage.until(found + MAX_AGE)
    sent = stage.send("mallory", "Slashing", "report", *signed_then)  # the last second
    reported = sent.event("IncidentReported")
    assert (reported["from"], reported["to"]) == (found, found)
    kept = incident(stage)
    assert (kept["from"], kept["to"], kept["reportedAt"]) == (found, found, found + MAX_AGE)


def test_l5_nothing_of_before_the_registration_is_charged(stage: Stage) -> None:
    """Signed of a node that was not there: it waits for none that comes (the key was another's)."""
    found = stage.now
    signed_then = stage.incident(1, found, found, *GATEKEEPERS, level=3)
    assert stage.refused("mallory", "Slashing", "report", *signed_then).name == "NotLive"
    registered = stage.stake(1).timestamp
    error = stage.refused("mallory", "Slashing", "report", *signed_then)
    assert (error.name, error.values) == ("IntervalEmpty", {"from": registered, "to": found})
    for level in (1, 2):
        assert refused(stage, found, registered, level=level) == (
            "IntervalEmpty",
            {"from": registered, "to": registered},
        )
    last = stage.incident(1, registered - 1, registered - 1, *GATEKEEPERS, level=3)
    assert stage.refused("mallory", "Slashing", "report", *last).name == "IntervalEmpty"
    first = stage.incident(1, registered, registered, *GATEKEEPERS, level=3)
    stage.send("mallory", "Slashing", "report", *first)
    assert incident(stage)["to"] == registered


def test_l6_level_3_comes_once_per_node(stage: Stage) -> None:
    stage.stake(1)
    report_level_3(stage)
    again = ("AlreadyReported", {"node": NODE})
    assert refused(stage, stage.now, stage.now, level=3) == again
    appeal(stage)
    rule(stage, 1, False)
    assert refused(stage, stage.now, stage.now, level=3) == again


@pytest.mark.parametrize("level", [2, 3])
def test_l5_no_level_from_the_exit_on(stage: Stage, level: int) -> None:
    stage.stake(1)
    request = stage.send("owner-1", "Staking", "requestExit", NODE)
    exit_at = request.event("ExitRequested")["exitAt"]
    span = (exit_at - 100, exit_at - (100 if level == 3 else 50))
    given_ = stage.incident(1, *span, *(GATEKEEPERS[:level]), level=level)
    stage.until(exit_at)
    error = stage.refused("mallory", "Slashing", "report", *given_)
    assert (error.name, error.values) == ("AfterExit", {"timestamp": exit_at, "exitAt": exit_at})


@pytest.mark.parametrize("level", [2, 3])
def test_l5_until_the_second_before(stage: Stage, level: int) -> None:
    stage.stake(1)
    request = stage.send("owner-1", "Staking", "requestExit", NODE)
    exit_at = request.event("ExitRequested")["exitAt"]
    span = (exit_at - 100, exit_at - (100 if level == 3 else 50))
    given_ = stage.incident(1, *span, *(GATEKEEPERS[:level]), level=level)
    stage.until(exit_at - 1)
    stage.send("mallory", "Slashing", "report", *given_)
    # S5: the pending slash blocks the withdrawal.
    stage.until(exit_at)
    error = stage.refused("owner-1", "Staking", "withdraw", NODE)
    assert (error.name, error.values) == ("SlashPending", {"node": NODE})
