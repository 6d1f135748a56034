"""What an incident of levels 1 and 2 costs, and the suspension by level 2 (L1, L2, L4, C7)."""

from __future__ import annotations

import pytest
from contracts_stage import (
    DAY,
    HOUR,
    KOMP,
    NO_SHRINKING,
    STAKE,
    Stage,
    address,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from incidents_stage import (
    NODE,
    WINDOW,
    execute,
    report,
    report_level_3,
)


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


@pytest.mark.parametrize(
    ("seconds", "amount"),
    [
        (12 * HOUR, 125 * KOMP),
        (24 * HOUR, 250 * KOMP),
        (1, 500 * KOMP * 5_000 // (10_000 * 86_400)),
        (47 * HOUR, 47 * HOUR * 250 * KOMP // 86_400),
        (48 * HOUR, 500 * KOMP),
        (49 * HOUR, 500 * KOMP),
        (13 * DAY, 500 * KOMP),
    ],
    ids=["12h", "24h", "1s", "47h", "48h", "49h", "13d"],
)
def test_l2_l4_half_a_day_to_the_second(stage: Stage, seconds: int, amount: int) -> None:
    start = stage.stake(1).timestamp
    stage.until(start + seconds)
    identity = report(stage, start, start + seconds, level=2)
    assert stage.read("Slashing", "amountOf", identity) == amount
    before = stage.balance("Rewards")
    assert execute(stage, identity) == amount
    assert stage.read("Staking", "stakeOf", NODE) == STAKE - amount
    assert stage.balance("Rewards") == before + amount
    assert stage.balance("Slashing") == 0


def test_c7_a_pending_level_2_suspends(stage: Stage) -> None:
    start = stage.stake(1).timestamp
    stage.mine(100)
    sent = stage.send(
        "mallory", "Slashing", "report", *stage.incident(1, start, start + 50, level=2)
    )
    assert sent.names == ["IncidentReported", "Suspended"]
    assert stage.read("Staking", "statusOf", NODE) == {"active": True, "suspended": True}
    assert stage.read("Staking", "isSuspended", NODE) is True
    error = stage.refused("node-1", "Rewards", "publish", *stage.attested(stage.result(1)))
    assert (error.name, error.values) == ("Suspended", {"node": NODE})
    # A second one counts by itself.
    report(stage, start + 60, start + 90, level=2)
    execute(stage, 1)
    assert stage.read("Staking", "nodeOf", NODE)["suspensions"] == 1
    execute(stage, 2)
    assert stage.read("Staking", "isSuspended", NODE) is False
    stage.send("owner-1", "Staking", "topUp", NODE, STAKE - stage.read("Staking", "stakeOf", NODE))
    stage.publish(1)


def test_c7_level_1_suspends_nobody(stage: Stage) -> None:
    start = stage.stake(1).timestamp
    stage.mine(100)
    report(stage, start, start + 50)
    assert stage.read("Staking", "isSuspended", NODE) is False
    stage.publish(1)


def test_c7_level_2_voids_the_v_of_the_cycle_it_executes_in(stage: Stage) -> None:
    start = stage.stake(1).timestamp
    stage.stake(2)
    stage.send("treasury", "Rewards", "addReward", 90 * KOMP)
    stage.publish(1)
    stage.publish(2)
    stage.next_cycle(offset=1)
    stage.publish(1)
    stage.publish(2)
    report(stage, start, stage.now, level=2)
    cycle = stage.read("Rewards", "currentCycle")
    # Time passes without blocks, so that the window ends in the cycle of the report.
    stage.until(stage.now + WINDOW)
    sent = stage.send("mallory", "Slashing", "execute", 1)
    assert sent.event("Voided") == {"node": NODE, "cycle": cycle, "v": 10**18}
    assert stage.read("Rewards", "cycleAccountV", cycle, NODE) == 0
    assert stage.read("Rewards", "cycleTotalV", cycle) == 10**18
    stage.next_cycle()
    stage.mine()
    # Ended cycles are never touched: half of the first is its own.
    assert stage.read("Rewards", "claimableAll", NODE) == 45 * KOMP
    assert stage.read("Rewards", "claimable", NODE, cycle) == 0
    assert (
        stage.read("Rewards", "claimable", address("node-2"), cycle)
        == (sent.event("RewardAdded")["amount"])
    )


def test_c7_level_2_voids_v_also_where_nothing_is_left_to_take(stage: Stage) -> None:
    start = stage.stake(1).timestamp
    stage.stake(2)
    stage.until(start + 10 * DAY)
    published = [stage.publish(n).event("Published")["v"] for n in (1, 2)]
    taken = report(stage, start, start + 10 * DAY)  # of level 1, all the stake
    empty = report(stage, stage.now - HOUR, stage.now, level=2)
    assert execute(stage, taken) == STAKE
    cycle = stage.read("Rewards", "currentCycle")
    assert stage.read("Rewards", "cycleAccountV", cycle, NODE) == published[0] == 10**18
    stage.until(stage.now + 10)
    sent = stage.send("mallory", "Slashing", "execute", empty)
    assert sent.event("IncidentExecuted")["amount"] == 0
    assert "RewardAdded" not in sent.names
    assert sent.event("Voided") == {"node": NODE, "cycle": cycle, "v": 10**18}
    assert stage.read("Rewards", "cycleAccountV", cycle, NODE) == 0
    assert stage.read("Rewards", "cycleTotalV", cycle) == published[1]
    stage.next_cycle()
    stage.mine()
    # What the slash of level 1 brought is its neighbour's alone.
    assert stage.read("Rewards", "claimableAll", NODE) == 0
    assert stage.read("Rewards", "claimableAll", address("node-2")) == STAKE


def test_c7_nothing_is_voided_where_there_is_nothing(stage: Stage) -> None:
    start = stage.stake(1).timestamp
    stage.mine(100)
    report(stage, start, start + 50, level=2)
    stage.until(stage.now + WINDOW)
    sent = stage.send("mallory", "Slashing", "execute", 1)
    expected = ["Slashed", "Transfer", "IncidentExecuted", "Resumed", "RewardAdded", "Transfer"]
    assert sent.names == expected


def test_c4_a_reward_whose_only_v_was_voided_rolls(stage: Stage) -> None:
    start = stage.stake(1).timestamp
    stage.mine(60)
    stage.send("treasury", "Rewards", "addReward", KOMP)
    stage.publish(1)
    report(stage, start, start + 50, level=2)
    stage.until(stage.now + WINDOW)
    taken = stage.send("mallory", "Slashing", "execute", 1).event("IncidentExecuted")["amount"]
    cycle = stage.read("Rewards", "currentCycle")
    assert stage.read("Rewards", "cycleTotalV", cycle) == 0
    stage.next_cycle()
    rolled = stage.send("treasury", "Rewards", "addReward", KOMP).event("RewardRolled")
    assert rolled == {"from": cycle, "to": cycle + 1, "amount": KOMP + taken}


def test_c4_a_rolled_reward_whose_only_v_was_voided_rolls_on(stage: Stage) -> None:
    stage.stake(1)
    stage.send("treasury", "Rewards", "addReward", KOMP)
    cycle = stage.cycle
    stage.next_cycle()
    stage.mine()
    rolled = stage.publish(1).event("RewardRolled")
    assert rolled == {"from": cycle, "to": cycle + 1, "amount": KOMP}
    report_level_3(stage)
    assert stage.read("Rewards", "cycleTotalV", cycle + 1) == 0
    stage.next_cycle()
    rolled = stage.send("treasury", "Rewards", "addReward", KOMP).event("RewardRolled")
    assert rolled == {"from": cycle + 1, "to": cycle + 2, "amount": KOMP}


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
