"""Level 3: the stake is seized at report and waits for its window in escrow (L3, L6, S4, C7)."""

from __future__ import annotations

import pytest
from contracts_stage import (
    DAY,
    HOUR,
    KOMP,
    STAKE,
    Stage,
)
from incidents_stage import (
    NOBODY,
    NODE,
    WINDOW,
    appeal,
    execute,
    refused,
    report,
    report_level_3,
    rule,
)


def test_l3_l6_the_stake_is_seized_at_report(stage: Stage) -> None:
    unlock_at = stage.stake(1).event("Staked")["unlockAt"]
    stage.publish(1)
    cycle = stage.read("Rewards", "currentCycle")
    found = stage.now
    sent = report_level_3(stage)
    assert sent.names == ["IncidentReported", "Ejected", "Transfer", "Voided"]
    reported = sent.event("IncidentReported")
    assert (reported["level"], reported["from"], reported["to"]) == (3, found, found)
    exit_at = max(sent.timestamp + 15 * DAY, unlock_at)
    assert sent.event("Ejected") == {"node": NODE, "amount": STAKE, "exitAt": exit_at}
    assert sent.event("Voided") == {"node": NODE, "cycle": cycle, "v": 10**18}
    state = stage.read("Staking", "nodeOf", NODE)
    assert (state["ejected"], state["forfeited"], state["withdrawn"]) == (True, False, False)
    assert (state["exitAt"], state["exitRequestedAt"]) == (exit_at, sent.timestamp)
    assert (state["stake"], stage.read("Staking", "totalStake")) == (0, 0)
    assert stage.read("Slashing", "seizedOf", NODE) == stage.balance("Slashing") == STAKE
    assert stage.read("Slashing", "amountOf", 1) == STAKE
    assert stage.read("Staking", "isActive", NODE) is False
    assert stage.read("Staking", "isLive", NODE) is True
    error = stage.refused("node-1", "Rewards", "publish", *stage.attested(stage.result(1)))
    assert error.name == "NotActive"


def test_s5_an_exit_requested_before_keeps_its_time(stage: Stage) -> None:
    stage.stake(1)
    request = stage.send("owner-1", "Staking", "requestExit", NODE)
    exit_at = request.event("ExitRequested")["exitAt"]
    stage.until(stage.now + DAY)
    assert report_level_3(stage).event("Ejected")["exitAt"] == exit_at
    assert stage.read("Staking", "nodeOf", NODE)["exitRequestedAt"] == request.timestamp


def test_s4_an_ejected_node_neither_restakes_nor_tops_up(stage: Stage) -> None:
    stage.stake(1)
    report_level_3(stage)
    assert stage.refused("owner-1", "Staking", "restake", NODE, 12).name == "NotActive"
    for function, args in (("topUp", (NODE, STAKE)), ("requestExit", (NODE,))):
        error = stage.refused("owner-1", "Staking", function, *args)
        assert error.name == "ExitAlreadyRequested"


def test_l6_it_executes_after_the_window_and_the_node_is_gone(stage: Stage) -> None:
    stage.stake(1)
    report_level_3(stage)
    hardware = (1).to_bytes(32, "big")
    assert stage.read("Staking", "hardwareHolder", hardware) == NODE  # reserved meanwhile
    before = stage.balance("Rewards")
    stage.until(stage.now + WINDOW)
    sent = stage.send("bob", "Slashing", "execute", 1)
    assert sent.names == ["Forfeited", "IncidentExecuted", "RewardAdded", "Transfer"]
    assert sent.event("IncidentExecuted")["amount"] == STAKE
    assert (stage.balance("Rewards"), stage.balance("Slashing")) == (before + STAKE, 0)
    assert stage.read("Slashing", "seizedOf", NODE) == 0
    assert stage.read("Staking", "isLive", NODE) is False
    assert stage.read("Staking", "nodeOf", NODE)["forfeited"] is True
    assert stage.read("Staking", "hardwareHolder", hardware) == NOBODY
    stage.stake(2, hardware=hardware)  # S6: the machine may serve another node
    assert refused(stage, stage.now - 10, stage.now - 5) == ("NotLive", {"node": NODE})
    stage.until(stage.read("Staking", "nodeOf", NODE)["exitAt"])
    error = stage.refused("owner-1", "Staking", "withdraw", NODE)
    assert (error.name, error.values) == ("NotLive", {"node": NODE})


def test_c7_what_was_earned_is_still_claimed(stage: Stage) -> None:
    stage.stake(1)
    stage.send("treasury", "Rewards", "addReward", 7 * KOMP)
    stage.publish(1)
    stage.next_cycle()
    stage.send("treasury", "Rewards", "addReward", 9 * KOMP)
    stage.publish(1)
    report_level_3(stage)
    execute(stage, 1)
    stage.next_cycle()
    claimed = stage.send("owner-1", "Rewards", "claimAll", NODE).event("ClaimedAll")
    assert claimed["amount"] == 7 * KOMP  # the cycle of the report is void


def test_l6_upheld_takes_all_and_the_bond(stage: Stage) -> None:
    stage.stake(1)
    report_level_3(stage)
    assert appeal(stage) == 50 * KOMP
    sent = rule(stage, 1, True)
    assert sent.event("RewardAdded")["amount"] == 550 * KOMP
    assert stage.balance("Slashing") == 0
    assert stage.read("Staking", "isLive", NODE) is False


def test_l6_overturned_the_stake_returns_and_the_node_does_not(stage: Stage) -> None:
    stage.stake(1)
    stage.publish(1)
    rich = stage.balance("owner-1")
    report_level_3(stage)
    cycle = stage.read("Rewards", "currentCycle")
    appeal(stage)
    sent = rule(stage, 1, False)
    assert sent.names == [
        *("Ruled", "IncidentOverturned", "Restored", "Transfer", "BondReturned", "Transfer"),
    ]
    assert sent.event("Restored") == {"node": NODE, "amount": STAKE}
    assert (stage.balance("owner-1"), stage.balance("Slashing")) == (rich, 0)
    assert stage.read("Staking", "stakeOf", NODE) == stage.read("Staking", "totalStake") == STAKE
    assert stage.read("Rewards", "cycleAccountV", cycle, NODE) == 0  # its V is not restored
    assert stage.read("Staking", "isActive", NODE) is False  # it is not reinstated
    assert stage.read("Staking", "hardwareHolder", (1).to_bytes(32, "big")) == NODE
    exit_at = stage.read("Staking", "nodeOf", NODE)["exitAt"]
    stage.until(exit_at - 1)
    assert stage.refused("owner-1", "Staking", "withdraw", NODE).name == "ExitNotDue"
    assert stage.send("owner-1", "Staking", "withdraw", NODE).event("Withdrawn")["amount"] == STAKE
    assert stage.balance("Staking") == 0


def test_the_total_of_stakes_has_what_was_restored(stage: Stage) -> None:
    stage.stake(1)
    stage.stake(2)
    report_level_3(stage)
    assert stage.read("Staking", "totalStake") == STAKE
    appeal(stage)
    rule(stage, 1, False)
    assert stage.read("Staking", "totalStake") == 2 * STAKE


def test_s5_a_pending_level_3_blocks_the_withdrawal(stage: Stage) -> None:
    stage.stake(1)
    request = stage.send("owner-1", "Staking", "requestExit", NODE)
    exit_at = request.event("ExitRequested")["exitAt"]
    stage.until(exit_at - 1)
    report_level_3(stage)
    error = stage.refused("owner-1", "Staking", "withdraw", NODE)
    assert (error.name, error.values) == ("SlashPending", {"node": NODE})


@pytest.mark.parametrize("upheld", [True, False])
def test_l4_milder_incidents_take_from_the_escrow(stage: Stage, upheld: bool) -> None:
    start = stage.stake(1).timestamp
    stage.until(start + DAY)
    mild = report(stage, start, start + DAY)
    stage.until(stage.now + HOUR)
    report_level_3(stage)
    stage.until(stage.now + HOUR)
    gross = report(stage, start, start + DAY, level=2)  # it is still slashable while live
    assert appeal(stage, 2) == 50 * KOMP
    before = stage.balance("Rewards")
    assert execute(stage, mild) == 50 * KOMP
    assert stage.read("Slashing", "seizedOf", NODE) == 450 * KOMP
    assert stage.read("Slashing", "amountOf", 2) == 450 * KOMP
    assert execute(stage, gross) == 250 * KOMP
    assert stage.balance("Slashing") == 250 * KOMP  # 200 seized, 50 bond
    sent = rule(stage, 2, upheld)
    if upheld:
        assert sent.event("IncidentExecuted")["amount"] == 200 * KOMP
        assert stage.balance("Rewards") == before + 550 * KOMP
    else:
        assert sent.event("Restored")["amount"] == 200 * KOMP
        assert stage.read("Staking", "stakeOf", NODE) == 200 * KOMP
        assert stage.balance("Rewards") == before + 300 * KOMP
    assert (stage.balance("Slashing"), stage.read("Slashing", "seizedOf", NODE)) == (0, 0)


def test_l4_escrow_emptied_by_milder_incidents(stage: Stage) -> None:
    start = stage.stake(1).timestamp
    stage.until(start + 10 * DAY)
    mild = report(stage, start, start + 10 * DAY)
    stage.until(stage.now + 5 * HOUR)
    report_level_3(stage)
    assert execute(stage, mild) == STAKE
    assert execute(stage, 2) == 0
    assert stage.read("Staking", "isLive", NODE) is False
    assert (stage.balance("Slashing"), stage.balance("Staking")) == (0, 0)


def test_l4_after_a_forfeit_nothing_is_left_to_take(stage: Stage) -> None:
    start = stage.stake(1).timestamp
    stage.until(start + DAY)
    report_level_3(stage)
    stage.until(stage.now + HOUR)
    late = report(stage, start, start + DAY, level=2)
    assert execute(stage, 1) == STAKE
    assert execute(stage, late) == 0
    assert stage.read("Slashing", "pendingCount", NODE) == 0
    assert stage.read("Staking", "nodeOf", NODE)["suspensions"] == 0


def test_l6_a_node_without_stake_is_ejected_too(stage: Stage) -> None:
    start = stage.stake(1).timestamp
    stage.until(start + 10 * DAY)
    execute(stage, report(stage, start, start + 10 * DAY))
    assert report_level_3(stage).event("Ejected")["amount"] == 0
    assert appeal(stage, 2) == 0
    assert rule(stage, 2, False).event("Restored")["amount"] == 0
    assert stage.read("Staking", "nodeOf", NODE)["ejected"] is True
