"""Appeals with a bond, and what the arbiter makes of them (L6, R5)."""

from __future__ import annotations

import pytest
from contracts_stage import (
    DAY,
    HOUR,
    KOMP,
    STAKE,
    Stage,
    address,
)
from incidents_stage import (
    ARBITER_WINDOW,
    EXECUTED,
    NODE,
    OVERTURNED,
    OWNER,
    PENDING,
    WINDOW,
    appeal,
    cycle_reward,
    execute,
    incident,
    report,
    report_level_3,
    rule,
)

DAY_2 = 250 * KOMP  # L2: what 24 h cost


def pending_day(stage: Stage, level: int = 2) -> int:
    """An incident over worker 1's first day."""
    start = stage.stake(1).timestamp
    stage.until(start + DAY)
    return (
        report_level_3(stage).event("IncidentReported")["id"]
        if level == 3
        else (report(stage, start, start + DAY, level=level))
    )


@pytest.mark.parametrize(("level", "bond"), [(1, 5 * KOMP), (2, 25 * KOMP), (3, 50 * KOMP)])
def test_l6_the_owner_appeals_with_a_tenth(stage: Stage, level: int, bond: int) -> None:
    identity = pending_day(stage, level)
    before = stage.balance("owner-1")
    escrow = stage.balance("Slashing")
    sent = stage.send("owner-1", "Slashing", "appeal", identity)
    assert sent.names == ["Appealed", "Transfer"]
    assert sent.event("Appealed") == {"id": identity, "payer": OWNER, "bond": bond}
    assert stage.balance("owner-1") == before - bond
    assert stage.balance("Slashing") == escrow + bond
    kept = incident(stage, identity)
    assert (kept["appealedAt"], kept["bond"], kept["payer"]) == (sent.timestamp, bond, OWNER)
    assert kept["state"] == PENDING


def test_l6_only_the_owner_and_only_once(stage: Stage) -> None:
    identity = pending_day(stage)
    for who in ("mallory", "node-1", "arbiter"):
        error = stage.refused(who, "Slashing", "appeal", identity)
        assert (error.name, error.values) == ("NotOwner", {"caller": address(who), "owner": OWNER})
    appeal(stage, identity)
    error = stage.refused("owner-1", "Slashing", "appeal", identity)
    assert (error.name, error.values) == ("AlreadyAppealed", {"id": identity})
    assert stage.refused("owner-1", "Slashing", "appeal", 2).name == "UnknownIncident"


def test_l6_a_bond_is_lost_though_nothing_is_left_to_take(stage: Stage) -> None:
    start = stage.stake(1).timestamp
    stage.until(start + 3 * DAY)
    report(stage, start, start + 2 * DAY, level=2)  # all of the stake
    milder = report(stage, start + 2 * DAY, start + 3 * DAY)
    assert appeal(stage, milder) == 5 * KOMP
    assert execute(stage, 1) == STAKE
    before = cycle_reward(stage)
    sent = rule(stage, milder, upheld=True)
    assert sent.event("IncidentExecuted")["amount"] == 0
    assert sent.event("BondLost") == {"id": milder, "amount": 5 * KOMP}
    assert cycle_reward(stage) == before + 5 * KOMP


@pytest.mark.parametrize("late", [0, 1])
def test_l6_an_appeal_comes_before_its_window_ends(stage: Stage, late: int) -> None:
    identity = pending_day(stage)
    until = stage.now + WINDOW
    stage.until(until - 1 + late)
    if late:
        error = stage.refused("owner-1", "Slashing", "appeal", identity)
        assert (error.name, error.values) == ("WindowClosed", {"until": until, "timestamp": until})
    else:
        assert appeal(stage, identity) == 25 * KOMP


def test_l6_the_bond_is_of_the_amount_at_the_appeal(stage: Stage) -> None:
    start = stage.stake(1).timestamp
    stage.until(start + 9 * DAY)
    mild = report(stage, start, start + 9 * DAY)
    stage.until(stage.now + 5 * HOUR)
    report(stage, start, start + DAY, level=2)
    assert stage.read("Slashing", "amountOf", 2) == DAY_2
    assert execute(stage, mild) == 450 * KOMP
    # L4: only 50 KOMP are left for it to take.
    assert appeal(stage, 2) == 5 * KOMP


def test_l6_an_appeal_over_nothing_costs_nothing(stage: Stage) -> None:
    start = stage.stake(1).timestamp
    stage.until(start + 10 * DAY)
    first = report(stage, start, start + 10 * DAY)
    stage.until(stage.now + 5 * HOUR)
    report(stage, start, start + DAY, level=2)
    assert execute(stage, first) == STAKE
    assert stage.send("owner-1", "Slashing", "appeal", 2).names == ["Appealed"]
    assert rule(stage, 2, True).names == [
        *("Ruled", "Slashed", "Transfer", "IncidentExecuted", "Resumed"),
    ]


def test_l6_upheld_executes_and_the_bond_is_lost(stage: Stage) -> None:
    identity = pending_day(stage)
    appeal(stage, identity)
    before = stage.balance("Rewards")
    reward = cycle_reward(stage)
    sent = rule(stage, identity, True)
    assert sent.event("Ruled") == {"id": identity, "upheld": True}
    assert sent.event("IncidentExecuted")["amount"] == DAY_2
    assert sent.event("BondLost") == {"id": identity, "amount": DAY_2 // 10}
    assert sent.event("RewardAdded")["amount"] == DAY_2 + DAY_2 // 10
    assert stage.balance("Rewards") == before + DAY_2 + DAY_2 // 10
    assert cycle_reward(stage) == reward + DAY_2 + DAY_2 // 10
    assert (stage.balance("Slashing"), incident(stage)["state"]) == (0, EXECUTED)
    assert stage.read("Staking", "statusOf", NODE) == {"active": False, "suspended": False}
    assert stage.read("Slashing", "pendingCount", NODE) == 0
    for call in (("arbiter", "rule", identity, True), ("bob", "execute", identity)):
        who, function, *args = call
        error = stage.refused(who, "Slashing", function, *args)
        assert (error.name, error.values) == ("AlreadyExecuted", {"id": identity})


@pytest.mark.parametrize("level", [1, 2])
def test_l6_overturned_slashes_nothing(stage: Stage, level: int) -> None:
    identity = pending_day(stage, level)
    rich = stage.balance("owner-1")
    bond = appeal(stage, identity)
    sent = rule(stage, identity, False)
    resumed = ["Resumed"] if level == 2 else []
    assert sent.names == ["Ruled", "IncidentOverturned", *resumed, "BondReturned", "Transfer"]
    returned = {"id": identity, "payer": OWNER, "amount": bond}
    assert sent.event("BondReturned") == returned
    assert (stage.balance("owner-1"), stage.balance("Slashing")) == (rich, 0)
    assert stage.read("Staking", "stakeOf", NODE) == STAKE
    assert stage.read("Staking", "statusOf", NODE) == {"active": True, "suspended": False}
    assert (incident(stage)["state"], incident(stage)["amount"]) == (OVERTURNED, 0)
    assert stage.read("Slashing", "amountOf", identity) == 0
    assert stage.read("Slashing", "pendingCount", NODE) == 0
    for call in (("arbiter", "rule", identity, True), ("owner-1", "appeal", identity)):
        who, function, *args = call
        error = stage.refused(who, "Slashing", function, *args)
        assert (error.name, error.values) == ("AlreadyOverturned", {"id": identity})


def test_l6_only_the_arbiter_rules_and_only_on_appeals(stage: Stage) -> None:
    identity = pending_day(stage)
    error = stage.refused("arbiter", "Slashing", "rule", identity, True)
    assert (error.name, error.values) == ("NotAppealed", {"id": identity})
    appeal(stage, identity)
    for who in ("mallory", "governance", "gatekeeper-1", "owner-1"):
        error = stage.refused(who, "Slashing", "rule", identity, False)
        values = {"caller": address(who), "arbiter": address("arbiter")}
        assert (error.name, error.values) == ("NotArbiter", values)
    assert stage.refused("arbiter", "Slashing", "rule", 9, True).name == "UnknownIncident"


@pytest.mark.parametrize("late", [0, 1])
def test_l6_the_arbiter_rules_in_time(stage: Stage, late: int) -> None:
    identity = pending_day(stage)
    appeal(stage, identity)
    until = stage.now + ARBITER_WINDOW
    stage.until(until - 1 + late)
    if late:
        error = stage.refused("arbiter", "Slashing", "rule", identity, False)
        assert (error.name, error.values) == ("WindowClosed", {"until": until, "timestamp": until})
    else:
        rule(stage, identity, False)
        assert incident(stage)["state"] == OVERTURNED


def test_l6_an_idle_arbiter_lets_it_execute_and_the_bond_returns(stage: Stage) -> None:
    identity = pending_day(stage)
    rich = stage.balance("owner-1")
    stage.until(stage.now + WINDOW - 1)
    bond = appeal(stage, identity)
    until = stage.now + ARBITER_WINDOW
    # Not when the window of the appeal is over, but when the arbiter's is.
    stage.until(until - 1)
    error = stage.refused("bob", "Slashing", "execute", identity)
    assert (error.name, error.values) == ("WindowOpen", {"until": until, "timestamp": until - 1})
    sent = stage.send("bob", "Slashing", "execute", identity)
    assert sent.timestamp == until
    assert sent.event("BondReturned") == {"id": identity, "payer": OWNER, "amount": bond}
    assert sent.event("RewardAdded")["amount"] == sent.event("IncidentExecuted")["amount"] == DAY_2
    assert "BondLost" not in sent.names
    assert (stage.balance("owner-1"), stage.balance("Slashing")) == (rich, 0)
    assert stage.refused("bob", "Slashing", "execute", identity).name == "AlreadyExecuted"


def test_r5_governance_alone_names_the_arbiter(stage: Stage) -> None:
    assert stage.read("Slashing", "arbiter") == address("arbiter")
    assert stage.read("Slashing", "arbiterWindow") == ARBITER_WINDOW
    error = stage.refused("arbiter", "Slashing", "setArbiter", address("mallory"))
    values = {"caller": address("arbiter"), "governance": address("governance")}
    assert (error.name, error.values) == ("NotGovernance", values)
    identity = pending_day(stage)
    appeal(stage, identity)
    sent = stage.send("governance", "Slashing", "setArbiter", address("alice"))
    assert sent.event("ArbiterChanged") == {"arbiter": address("alice")}
    assert stage.read("Slashing", "arbiter") == address("alice")
    assert stage.refused("arbiter", "Slashing", "rule", identity, False).name == "NotArbiter"
    stage.send("alice", "Slashing", "rule", identity, False)
