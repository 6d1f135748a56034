"""S7: what a pool's node earns reaches its members, after the commission."""

from __future__ import annotations

import pytest
from contracts_stage import (
    ACCOUNTS,
    DAY,
    GATEKEEPERS,
    KOMP,
    NO_SHRINKING,
    UNLIMITED,
    Stage,
    address,
    signed,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pools_stage import NODE, Pools

from devnet.chain import Transaction, sign


def test_s7_commission_first_then_pro_rata(stage: Stage) -> None:
    pool = Pools.active(stage, 1_000)
    pool.earn(1_000 * KOMP)
    harvested = pool.send("mallory", "harvest")
    assert harvested.event("Harvested") == {"gross": 1_000 * KOMP, "commission": 100 * KOMP}
    assert harvested.event("ClaimedAll")["owner"] == pool.address
    assert pool.read("rewardsPerShare") == 900 * KOMP * KOMP // (500 * KOMP)
    assert pool.uncollected("alice") == (360 * KOMP, 100 * KOMP)
    assert pool.uncollected("bob") == (540 * KOMP, 0)
    before = stage.balance("alice"), stage.balance("bob")
    assert pool.send("alice", "collect").event("Collected") == {
        "member": address("alice"),
        "amount": 360 * KOMP,
        "commission": 100 * KOMP,
    }
    pool.send("bob", "collect")
    assert stage.balance("alice") == before[0] + 460 * KOMP
    assert stage.balance("bob") == before[1] + 540 * KOMP
    assert stage.balance("Pool:1") == 0


def test_s7_collect_harvests_first(stage: Stage) -> None:
    pool = Pools.active(stage, 0)
    pool.earn(500 * KOMP)
    collected = pool.send("bob", "collect")
    assert collected.event("Harvested") == {"gross": 500 * KOMP, "commission": 0}
    assert collected.event("Collected")["amount"] == 300 * KOMP
    refused = pool.refused("bob", "collect")
    assert (refused.name, refused.values) == ("NothingToCollect", {"member": address("bob")})
    assert pool.refused("mallory", "collect").name == "NothingToCollect"


@pytest.mark.parametrize("way", ["collect", "redeem"])
def test_s7_an_operator_whose_commission_is_more_than_its_part(stage: Stage, way: str) -> None:
    pool = Pools.active(stage, 2_000, alice=100 * KOMP, bob=400 * KOMP)
    pool.earn(1_000 * KOMP)
    if way == "redeem":
        pool.exit()
        stage.next_cycle()
    assert pool.send("alice", way).event("Collected") == {
        "member": address("alice"),
        "amount": 160 * KOMP,
        "commission": 200 * KOMP,
    }


@pytest.mark.parametrize("way", ["collect", "topUp", "redeem"])
def test_s7_the_last_units_are_paid(stage: Stage, way: str) -> None:
    pool = Pools.active(stage, 0, alice=200 * KOMP, bob=295 * KOMP, mallory=5 * KOMP)
    pool.earn(500)  # a unit for each KOMP
    args: tuple[int, ...] = ()
    if way == "topUp":
        pool.slash(DAY)
        args = (50 * KOMP, 0)
    if way == "redeem":
        pool.exit()
        stage.next_cycle()
    before = stage.balance("mallory")
    sent = pool.send("mallory", way, *args)
    collected = {"member": address("mallory"), "amount": 5, "commission": 0}
    assert sent.event("Collected") == collected
    moved = {"collect": 0, "topUp": -50 * KOMP, "redeem": 5 * KOMP}
    assert stage.balance("mallory") == before + moved[way] + 5


def test_s7_only_the_operator_takes_the_commission_and_once(stage: Stage) -> None:
    pool = Pools.active(stage, 1_000)
    pool.earn(1_000 * KOMP)
    assert pool.send("bob", "collect").event("Collected")["commission"] == 0
    assert pool.uncollected("alice") == (360 * KOMP, 100 * KOMP)
    assert pool.send("alice", "collect").event("Collected")["commission"] == 100 * KOMP
    assert pool.uncollected("alice") == (0, 0)
    assert pool.refused("alice", "collect").name == "NothingToCollect"


def test_s7_a_commission_of_one_unit(stage: Stage) -> None:
    pool = Pools.active(stage, 1_000)
    pool.earn(10)
    pool.send("mallory", "harvest")
    assert pool.uncollected("alice") == (0, 1)
    assert pool.send("alice", "collect").event("Collected")["commission"] == 1
    assert pool.uncollected("alice") == (0, 0)


def test_s7_nothing_due_counts_zero(stage: Stage) -> None:
    assert Pools.created(stage).read("harvest") == 0
    pool = Pools.active(stage)
    assert pool.read("harvest") == 0
    assert pool.send("mallory", "harvest").names == []  # it never published
    stage.publish(1)
    assert pool.send("mallory", "harvest").names == []  # its cycle runs
    assert pool.refused("alice", "collect").name == "NothingToCollect"


def test_a_harvest_short_of_gas_is_not_passed_over(stage: Stage) -> None:
    """Or a top-up could skip the rewards that are due to those before it."""
    pool = Pools.active(stage)
    pool.earn(1_000 * KOMP)
    call = stage.contracts.encode("Pool:1", "harvest")
    chain = stage.chain
    outcomes = set()
    for gas in range(40_000, 140_000, 4_000):
        snapshot = chain.snapshot()
        outcomes.add(_harvested(stage, call.to, call.data, gas))
        chain.revert(snapshot)
    assert outcomes == {"failed", 1_000 * KOMP}


def _harvested(stage: Stage, to: str, data: bytes, gas: int) -> str | int:
    who = ACCOUNTS["mallory"]
    raw = sign(who, Transaction(stage.chain.nonce(who.address), to, data, gas=gas))
    receipt = stage.chain.mine([raw]).receipts[0]
    if not receipt.ok:
        return "failed"
    events = stage.contracts.events(receipt)
    return sum(int(event.args["gross"]) for event in events if event.name == "Harvested")


def test_a_harvest_that_is_refused_says_why(stage: Stage) -> None:
    """With rewards that count another staking, where the pool's node is unknown."""
    roles = [stage.address(name) for name in ("Kompute", "Gatekeepers", "Slashing")]
    assert stage.create("Elsewhere", "Staking", *roles, 30 * DAY, 15 * DAY) is None
    where = ("Kompute", "Gatekeepers", "Elsewhere", "Slashing")
    stranger = [stage.address(name) for name in where]
    assert stage.create("Strange", "Rewards", *stranger, 70, 5, 10**20) is None
    parts = ("Kompute", "Staking", "Strange", "Slashing", "Gatekeepers")
    made = [stage.address(name) for name in parts]
    assert stage.create("Lone", "Pool", *made, address("alice"), 0) is None
    lone = stage.address("Lone")
    stage.send("alice", "Kompute", "approve", lone, UNLIMITED)
    stage.send("alice", "Lone", "join", 500 * KOMP)
    digest = stage.domains.admission(NODE, lone, bytes(32), 2**39)
    signatures = signed(digest, *GATEKEEPERS[:2]), signed(digest, "node-1")
    stage.send("alice", "Lone", "activate", NODE, bytes(32), 1, 2**39, *signatures)
    error = stage.refused("mallory", "Lone", "harvest")
    assert (error.name, error.values) == ("NotOwner", {"caller": lone, "owner": "0x" + "0" * 40})


def test_c6_nobody_claims_for_the_pool(stage: Stage) -> None:
    pool = Pools.active(stage)
    pool.earn(KOMP)
    for sender in ("alice", "owner-1", "node-1"):
        assert stage.refused(sender, "Rewards", "claimAll", NODE).name == "NotOwner"
    assert pool.send("alice", "collect").event("Harvested")["gross"] == KOMP


@given(
    commission=st.integers(0, 2_000),
    rewards=st.lists(st.integers(1, 10**21), min_size=1, max_size=3),
    parts=st.lists(st.integers(5 * KOMP, 400 * KOMP), min_size=3, max_size=3),
    order=st.permutations(["alice", "bob", "mallory", "owner-1"]),
)
@settings(
    max_examples=8,
    phases=NO_SHRINKING,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_rounding_never_pays_more_than_was_harvested(
    stage: Stage, commission: int, rewards: list[int], parts: list[int], order: list[str]
) -> None:
    """Invariant 11: Σ shares = total, Σ collected <= harvested - commission.

    The dust is below 1 wei a collect, and ⌊net·1e18/shares⌋ keeps at most 500 wei a harvest (S7).
    """
    snapshot = stage.chain.snapshot()
    try:
        amounts = {"alice": 100 * KOMP, "bob": parts[0], "mallory": parts[1], "owner_1": parts[2]}
        room = 400 * KOMP
        for name in ("bob", "mallory", "owner_1"):
            amounts[name] = max(5 * KOMP, min(amounts[name], room - 15 * KOMP))
            room -= amounts[name]
        amounts["alice"] += room
        pool = Pools.active(stage, commission, **amounts)
        assert pool.read("totalShares") == sum(pool.shares(name) for name in order)
        gross = fee = amount = taken = 0
        for reward in rewards:
            pool.earn(reward)
            harvested = pool.send("mallory", "harvest").event("Harvested")
            assert harvested["commission"] == harvested["gross"] * commission // 10_000
            gross, fee = gross + harvested["gross"], fee + harvested["commission"]
        for name in order:
            if pool.uncollected(name) == (0, 0):
                continue
            paid = pool.send(name, "collect").event("Collected")
            amount, taken = amount + paid["amount"], taken + paid["commission"]
        assert (gross, taken) == (sum(rewards), fee)
        assert 0 <= gross - fee - amount <= len(order) + len(rewards) * 500
        assert stage.balance("Pool:1") == gross - taken - amount
    finally:
        stage.chain.revert(snapshot)


@pytest.mark.parametrize("sender", ["alice", "mallory"])
def test_rewards_after_the_withdrawal_are_still_the_members(stage: Stage, sender: str) -> None:
    pool = Pools.active(stage, 0)
    pool.earn(100 * KOMP)
    pool.exit()
    assert pool.send(sender, "harvest").event("Harvested")["gross"] == 100 * KOMP
    assert pool.send("bob", "collect").event("Collected")["amount"] == 60 * KOMP
