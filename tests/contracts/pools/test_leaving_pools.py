"""S7: restaking, the exit, the withdrawal and redeeming."""

from __future__ import annotations

from contracts_stage import DAY, HOUR, KOMP, MONTH, STAKE, Stage, address
from pools_stage import NODE, Pools

EXIT_DELAY = 15 * DAY


def test_s7_the_operator_asks_for_the_exit_any_time(stage: Stage) -> None:
    pool = Pools.active(stage)
    unlock_at = stage.read("Staking", "nodeOf", NODE)["unlockAt"]
    asked = pool.send("alice", "requestExit").event("ExitRequested")
    assert asked == {"node": NODE, "exitAt": unlock_at}  # S5: the later of the two
    assert pool.refused("alice", "requestExit").name == "ExitAlreadyRequested"


def test_s7_a_member_waits_for_unlock_at(stage: Stage) -> None:
    pool = Pools.active(stage)
    unlock_at = stage.read("Staking", "nodeOf", NODE)["unlockAt"]
    refused = pool.refused("mallory", "requestExit")
    assert (refused.name, refused.values) == ("NotMember", {"caller": address("mallory")})
    stage.until(unlock_at - 1)
    refused = pool.refused("bob", "requestExit")
    assert (refused.name, refused.values) == (
        "TooEarly",
        {"due": unlock_at, "timestamp": unlock_at - 1},
    )
    asked = pool.send("bob", "requestExit")
    assert asked.timestamp == unlock_at
    assert asked.event("ExitRequested")["exitAt"] == asked.timestamp + EXIT_DELAY


def test_s7_whoever_paid_5_komp_ends_a_pool_whatever_they_are_worth_by_now(stage: Stage) -> None:
    """A slash and another's top-up do not hold a member for ever."""
    pool = Pools.active(stage, 1_000, alice=495 * KOMP, bob=5 * KOMP)
    pool.slash(240 * HOUR * 98 // 100)
    pool.send("alice", "topUp", STAKE, 0)
    assert pool.shares("bob") * STAKE // pool.read("totalShares") == KOMP // 10
    stage.until(stage.read("Staking", "nodeOf", NODE)["unlockAt"])
    assert pool.send("bob", "requestExit").event("ExitRequested")["node"] == NODE


def test_s7_a_closed_pool_is_ended_by_any_member_at_once(stage: Stage) -> None:
    pool = Pools.active(stage, 1_000, alice=495 * KOMP, bob=5 * KOMP)
    pool.slash(239 * HOUR)
    assert pool.read("closed")
    assert pool.send("bob", "requestExit").event("ExitRequested")["node"] == NODE


def test_s7_a_pool_restakes_only_after_unlock_at_and_the_exit_delay(stage: Stage) -> None:
    pool = Pools.active(stage)
    due = stage.read("Staking", "nodeOf", NODE)["unlockAt"] + EXIT_DELAY
    assert pool.refused("bob", "restake", 12).name == "NotPoolOperator"
    stage.until(due - 1)
    refused = pool.refused("alice", "restake", 12)
    assert (refused.name, refused.values) == ("TooEarly", {"due": due, "timestamp": due - 1})
    restaked = pool.send("alice", "restake", 12)
    assert restaked.timestamp == due
    assert restaked.event("Restaked")["unlockAt"] == restaked.timestamp + 12 * MONTH
    assert pool.refused("bob", "requestExit").name == "TooEarly"


def test_s5_anyone_withdraws_for_the_pool_when_it_is_due(stage: Stage) -> None:
    pool = Pools.active(stage)
    assert pool.refused("mallory", "withdraw").name == "ExitNotDue"
    exit_at = pool.send("alice", "requestExit").event("ExitRequested")["exitAt"]
    stage.until(exit_at - 1)
    assert pool.refused("mallory", "withdraw").name == "ExitNotDue"
    withdrawn = pool.send("mallory", "withdraw")
    assert withdrawn.event("StakeReturned") == {"amount": STAKE}
    assert withdrawn.event("Withdrawn")["owner"] == pool.address
    assert (stage.balance("Pool:1"), pool.read("withdrawn")) == (STAKE, True)
    for function, args in (
        ("withdraw", ()),
        ("requestExit", ()),
        ("restake", (1,)),
        ("topUp", (1, 0)),
    ):
        assert pool.refused("alice", function, *args).name == "PoolWithdrawn"
    for function, args in (("join", (1,)), ("leave", (1,))):
        assert pool.refused("alice", function, *args).name == "PoolActive"


def test_s5_a_pending_slash_blocks_the_withdrawal(stage: Stage) -> None:
    pool = Pools.active(stage)
    exit_at = pool.send("alice", "requestExit").event("ExitRequested")["exitAt"]
    asked = stage.now
    start = stage.read("Staking", "nodeOf", NODE)["registeredAt"]
    stage.send("mallory", "Slashing", "report", *stage.incident(1, start, asked))
    stage.until(exit_at)
    assert pool.refused("alice", "withdraw").name == "SlashPending"
    assert not pool.read("withdrawn")
    lost = stage.send("mallory", "Slashing", "execute", 1).event("IncidentExecuted")["amount"]
    assert pool.send("alice", "withdraw").event("StakeReturned") == {"amount": STAKE - lost}


def test_s7_redeeming_waits_for_the_withdrawal(stage: Stage) -> None:
    pool = Pools.active(stage)
    refused = pool.refused("bob", "redeem")
    assert (refused.name, refused.values) == ("StakeNotReturned", {"node": NODE})
    pool.exit()
    before = stage.balance("bob")
    sent = pool.send("bob", "redeem")
    assert sent.names == ["Redeemed", "Transfer"]
    assert sent.event("Redeemed") == {
        "member": address("bob"),
        "shares": 300 * KOMP,
        "amount": 300 * KOMP,
    }
    assert stage.balance("bob") == before + 300 * KOMP
    assert pool.refused("bob", "redeem").name == "NotMember"
    assert (pool.read("assets"), pool.read("totalShares")) == (200 * KOMP, 200 * KOMP)
    pool.send("alice", "redeem")
    assert (pool.read("assets"), stage.balance("Pool:1")) == (0, 0)


def test_s7_redeeming_waits_for_the_cycle_of_the_last_v(stage: Stage) -> None:
    """The stage's cycles have 70 blocks, and a jump in time takes one: the exit fits in one."""
    pool = Pools.active(stage, 0)
    stage.next_cycle(offset=1)
    stage.send("treasury", "Rewards", "addReward", 500 * KOMP)
    stage.publish(1)
    cycle = stage.cycle
    pool.exit()
    assert stage.cycle == cycle
    refused = pool.refused("bob", "redeem")
    assert (refused.name, refused.values) == ("LastCycleRuns", {"cycle": cycle})
    stage.next_cycle()
    before = stage.balance("bob")
    redeemed = pool.send("bob", "redeem")
    assert redeemed.event("Collected")["amount"] == 300 * KOMP
    assert stage.balance("bob") == before + 600 * KOMP
    assert pool.send("alice", "redeem").event("Collected")["amount"] == 200 * KOMP


def test_redeeming_pays_what_the_operator_has_not_collected(stage: Stage) -> None:
    pool = Pools.active(stage, 2_000)
    pool.earn(1_000 * KOMP)
    pool.exit()
    before = stage.balance("alice")
    redeemed = pool.send("alice", "redeem")
    assert redeemed.event("Collected") == {
        "member": address("alice"),
        "amount": 320 * KOMP,
        "commission": 200 * KOMP,
    }
    assert stage.balance("alice") == before + 720 * KOMP
