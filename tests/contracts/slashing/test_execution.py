"""When an incident executes, what it finds and where the tokens go (L4, L6, L7)."""

from __future__ import annotations

from contracts_stage import (
    DAY,
    HOUR,
    KOMP,
    Stage,
    address,
)
from incidents_stage import (
    MAX_AGE,
    NODE,
    WINDOW,
    execute,
    report,
)


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
    windows = (address("arbiter"), 0, 1, MAX_AGE)
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
