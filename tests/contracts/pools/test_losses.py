"""S7: a slash lowers assets, never shares; a top-up buys shares at their present value."""

from __future__ import annotations

import pytest
from contracts_stage import DAY, GATEKEEPERS, HOUR, KOMP, NO_SHRINKING, STAKE, Stage, address
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pools_stage import DAY_10, NODE, Pools

DUST = 239 * HOUR  # 497.9… KOMP
FIVE = DAY // 10  # 5 KOMP


def test_s7_a_slash_lowers_assets_not_shares(stage: Stage) -> None:
    pool = Pools.active(stage)
    assert pool.slash(DAY) == 50 * KOMP
    assert (pool.read("assets"), pool.read("totalShares")) == (450 * KOMP, STAKE)
    assert (pool.shares("alice"), pool.shares("bob")) == (200 * KOMP, 300 * KOMP)


def test_s7_a_top_up_buys_at_the_present_value(stage: Stage) -> None:
    pool = Pools.active(stage)
    pool.slash(DAY)
    before = stage.balance("mallory")
    topped = pool.send("mallory", "topUp", 10_000 * KOMP, 0)  # cut to the room left
    shares = 50 * KOMP * STAKE // (450 * KOMP)
    assert topped.event("PoolToppedUp") == {
        "member": address("mallory"),
        "amount": 50 * KOMP,
        "shares": shares,
    }
    assert topped.event("ToppedUp") == {"node": NODE, "amount": 50 * KOMP}
    assert topped.names == ["PoolToppedUp", "Transfer", "ToppedUp", "Transfer"]
    assert stage.balance("mallory") == before - 50 * KOMP
    assert (pool.shares("mallory"), pool.read("totalShares")) == (shares, STAKE + shares)
    assert (pool.read("assets"), stage.read("Staking", "isActive", NODE)) == (STAKE, True)


def test_s4_a_top_up_covers_what_is_missing(stage: Stage) -> None:
    pool = Pools.active(stage)
    refused = pool.refused("bob", "topUp", KOMP, 0)
    assert (refused.name, refused.values) == ("NothingMissing", {"node": NODE})
    pool.slash(DAY)
    refused = pool.refused("bob", "topUp", 50 * KOMP - 1, 0)
    assert (refused.name, refused.values) == (
        "TopUpTooSmall",
        {"amount": 50 * KOMP - 1, "room": 50 * KOMP},
    )
    pool.send("alice", "requestExit")
    assert pool.refused("bob", "topUp", 50 * KOMP, 0).name == "ExitAlreadyRequested"


def test_s7_a_top_up_leaves_the_operator_a_fifth(stage: Stage) -> None:
    pool = Pools.active(stage, 1_000, alice=100 * KOMP, bob=400 * KOMP)
    pool.slash(DAY)
    refused = pool.refused("bob", "topUp", 50 * KOMP, 1)
    assert (refused.name, refused.values) == ("TooFewShares", {"shares": 0, "least": 1})
    # For nothing, so that a pool goes on whose operator is away.
    topped = pool.send("bob", "topUp", 50 * KOMP, 0)
    assert topped.event("PoolToppedUp")["shares"] == 0
    assert (pool.read("totalShares"), pool.read("assets")) == (STAKE, STAKE)
    assert (pool.shares("alice"), stage.read("Staking", "isActive", NODE)) == (100 * KOMP, True)
    pool.slash(1)  # a stranger may, too: it gets none, and so is no member
    lost = STAKE - pool.read("assets")
    assert pool.send("mallory", "topUp", lost, 0).event("PoolToppedUp")["shares"] == 0
    # The operator itself gets what it pays for.
    pool.slash(DAY)
    shares = 50 * KOMP * STAKE // (450 * KOMP)
    topped = pool.send("alice", "topUp", 50 * KOMP, shares)
    assert topped.event("PoolToppedUp")["shares"] == shares
    # And others what that has made room for: 4 a share of the operator's.
    pool.slash(DAY)
    most = 5 * (100 * KOMP + shares) - (STAKE + shares)
    bought = 50 * KOMP * (STAKE + shares) // (450 * KOMP)
    assert most < bought + 200 * KOMP
    expected = min(most, bought)
    refused = pool.refused("bob", "topUp", 50 * KOMP, expected + 1)
    assert refused.values == {"shares": expected, "least": expected + 1}
    assert (
        pool.send("bob", "topUp", 50 * KOMP, expected).event("PoolToppedUp")["shares"] == expected
    )


def test_s7_a_top_up_is_cut_exactly_where_the_operator_has_a_fifth(stage: Stage) -> None:
    pool = Pools.active(stage, 1_000, alice=102 * KOMP, bob=398 * KOMP)
    pool.slash(2 * DAY)
    assert 100 * KOMP * STAKE // (400 * KOMP) > 10 * KOMP
    topped = pool.send("mallory", "topUp", 100 * KOMP, 10 * KOMP)
    assert topped.event("PoolToppedUp")["shares"] == 10 * KOMP  # 5 * 102 - 500
    assert pool.shares("alice") * 5 == pool.read("totalShares") == 510 * KOMP


def test_s7_a_top_up_makes_nobody_a_member_with_less_than_5_komp(stage: Stage) -> None:
    pool = Pools.active(stage)
    lost = pool.slash(1)
    bought = lost * STAKE // (STAKE - lost)
    refused = pool.refused("mallory", "topUp", lost, 0)
    assert (refused.name, refused.values) == (
        "TooFewShares",
        {"shares": bought, "least": (STAKE + bought) // 100},
    )
    pool.send("bob", "topUp", lost, bought)  # a member may
    assert pool.shares("bob") == 300 * KOMP + bought
    lost = pool.slash(FIVE - 1)
    refused = pool.refused("mallory", "topUp", lost, 0)
    assert (refused.name, lost < 5 * KOMP) == ("TooFewShares", True)
    pool.send("alice", "topUp", lost, 0)
    lost, total = pool.slash(FIVE), pool.read("totalShares")
    assert lost == 5 * KOMP
    pool.send("mallory", "topUp", lost, 5 * KOMP)
    assert pool.shares("mallory") == total // 99
    lost = pool.slash(1)  # now a member itself
    pool.send("mallory", "topUp", lost, 0)


def test_s7_5_komp_are_counted_in_what_shares_are_worth(stage: Stage) -> None:
    """After 490 KOMP are lost and paid in again a share is a fiftieth of a KOMP."""
    pool = Pools.active(stage)
    pool.slash(DAY_10 * 98 // 100)
    pool.send("alice", "topUp", STAKE, 0)
    assert pool.read("totalShares") == 50 * STAKE
    lost = pool.slash(FIVE // 4)
    bought = lost * 50 * STAKE // (STAKE - lost)
    assert bought > 50 * KOMP  # for 1.25 KOMP
    refused = pool.refused("mallory", "topUp", lost, 0)
    assert (refused.name, refused.values) == (
        "TooFewShares",
        {"shares": bought, "least": (50 * STAKE + bought) // 100},
    )
    # Bob's 300 shares are worth 6 KOMP; a member tops up whatever it is worth.
    pool.send("bob", "topUp", lost, bought)
    lost, total = pool.slash(FIVE), pool.read("totalShares")
    pool.send("mallory", "topUp", lost, total // 99)


def test_s7_a_member_with_5_shares_tops_up_any_amount(stage: Stage) -> None:
    """Also while the operator is away: a tiny slash stops no pool."""
    pool = Pools.active(stage, 1_000, alice=495 * KOMP, bob=5 * KOMP)
    pool.slash(DAY_10 * 98 // 100)
    pool.send("alice", "topUp", STAKE, 0)
    pool.send("bob", "topUp", pool.slash(1), 1)
    assert 5 * KOMP < pool.shares("bob") < pool.read("totalShares") // 100
    assert pool.read("assets") == STAKE


def test_s7_a_top_up_harvests_first(stage: Stage) -> None:
    """What was earned before belongs to those before, and whoever tops up is paid its part."""
    pool = Pools.active(stage, 0)
    pool.earn(500 * KOMP)
    pool.slash(DAY)
    before = stage.balance("bob")
    topped = pool.send("bob", "topUp", 50 * KOMP, 0)
    assert topped.event("Harvested")["gross"] == 500 * KOMP
    collected = topped.event("Collected")
    assert (collected["amount"], collected["commission"]) == (300 * KOMP, 0)
    assert stage.balance("bob") == before + 250 * KOMP
    assert pool.uncollected("bob") == (0, 0)
    assert pool.send("alice", "collect").event("Collected")["amount"] == 200 * KOMP
    assert pool.refused("bob", "collect").name == "NothingToCollect"


def test_s7_slashed_to_dust_closes_for_ever(stage: Stage) -> None:
    pool = Pools.active(stage)
    lost = pool.slash(DUST)
    left = STAKE - lost
    assert 0 < left < 5 * KOMP
    assert pool.read("closed")
    refused = pool.refused("alice", "topUp", STAKE, 0)
    assert (refused.name, refused.values) == ("PoolClosed", {"assets": left, "least": 5 * KOMP})
    pool.exit("bob")  # any member, at once
    assert pool.read("closed")
    assert pool.refused("alice", "topUp", STAKE, 0).name == "PoolWithdrawn"
    amount = pool.send("bob", "redeem").event("Redeemed")["amount"]
    assert amount == left * 300 // 500


def test_s7_5_komp_left_do_not_close(stage: Stage) -> None:
    pool = Pools.active(stage)
    assert pool.slash(DAY_10 * 99 // 100) == 495 * KOMP
    assert (pool.read("assets"), pool.read("closed")) == (5 * KOMP, False)
    shares = pool.send("alice", "topUp", STAKE, 0).event("PoolToppedUp")["shares"]
    assert shares == 495 * KOMP * STAKE // (5 * KOMP)
    assert pool.slash(1) == 500 * KOMP * 1_000 // (10_000 * DAY)


def test_slashed_wholly_then_join_redeem_and_harvest(stage: Stage) -> None:
    """§12: a pool slashed 100 %."""
    pool = Pools.active(stage, 0)
    pool.earn(100 * KOMP)
    assert pool.slash(DAY_10) == STAKE
    assert (pool.read("assets"), pool.read("closed")) == (0, True)
    assert pool.refused("mallory", "join", KOMP).name == "PoolActive"
    assert pool.refused("alice", "topUp", STAKE, 0).name == "PoolClosed"
    assert pool.refused("bob", "redeem").name == "StakeNotReturned"
    assert pool.send("mallory", "harvest").event("Harvested")["gross"] == 100 * KOMP
    pool.exit("bob")
    redeemed = pool.send("bob", "redeem")
    assert redeemed.event("Redeemed") == {
        "member": address("bob"),
        "shares": 300 * KOMP,
        "amount": 0,
    }
    assert redeemed.event("Collected")["amount"] == 60 * KOMP
    assert pool.send("alice", "redeem").event("Collected")["amount"] == 40 * KOMP
    assert (pool.read("totalShares"), stage.balance("Pool:1")) == (0, 0)


def seized(stage: Stage) -> int:
    """A level 3 incident of the pool's node; gives its id."""
    report = stage.incident(1, stage.now, stage.now, *GATEKEEPERS, level=3)
    sent = stage.send("mallory", "Slashing", "report", *report)
    return int(sent.event("IncidentReported")["id"])


def test_s7_a_seizure_closes_nothing(stage: Stage) -> None:
    pool = Pools.active(stage)
    incident = seized(stage)
    assert stage.read("Staking", "stakeOf", NODE) == 0
    assert (pool.read("assets"), pool.read("closed")) == (STAKE, False)
    assert pool.refused("bob", "requestExit").name == "TooEarly"
    assert pool.refused("alice", "topUp", STAKE, 0).name == "ExitAlreadyRequested"
    stage.until(stage.now + 6 * HOUR)
    stage.send("mallory", "Slashing", "execute", incident)
    assert (pool.read("assets"), pool.read("closed")) == (0, True)
    assert pool.refused("alice", "topUp", STAKE, 0).name == "PoolClosed"
    assert pool.refused("alice", "withdraw").name == "NotLive"
    assert pool.refused("bob", "redeem").name == "StakeNotReturned"


def test_l6_the_operator_appeals_and_an_overturned_seizure_comes_back(stage: Stage) -> None:
    pool = Pools.active(stage)
    incident = seized(stage)
    stage.send("alice", "Kompute", "approve", stage.address("Slashing"), 50 * KOMP)
    refused = stage.refused("bob", "Slashing", "appeal", incident)
    assert (refused.name, refused.values) == (
        "NotOwner",
        {"caller": address("bob"), "owner": address("alice")},
    )
    appealed = stage.send("alice", "Slashing", "appeal", incident).event("Appealed")
    assert appealed == {"id": incident, "payer": address("alice"), "bond": 50 * KOMP}
    before = stage.balance("alice")
    stage.send("arbiter", "Slashing", "rule", incident, False)
    assert stage.balance("alice") == before + 50 * KOMP
    assert (pool.read("assets"), pool.read("closed")) == (STAKE, False)
    stage.until(stage.read("Staking", "nodeOf", NODE)["exitAt"])
    pool.send("mallory", "withdraw")
    assert pool.send("bob", "redeem").event("Redeemed")["amount"] == 300 * KOMP


@given(
    seconds=st.integers(1, DAY_10),
    parts=st.lists(st.integers(5 * KOMP, 10**20), min_size=2, max_size=2),
    order=st.permutations(["alice", "bob", "mallory"]),
)
@settings(
    max_examples=8,
    phases=NO_SHRINKING,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_invariant_11_the_loss_per_share_is_equal(
    stage: Stage, seconds: int, parts: list[int], order: list[str]
) -> None:
    """Whoever redeems first or last gets its part, rounded down once; never more than there is."""
    snapshot = stage.chain.snapshot()
    try:
        bob, mallory = parts
        pool = Pools.active(stage, 0, alice=STAKE - bob - mallory, bob=bob, mallory=mallory)
        left = STAKE - pool.slash(seconds)
        pool.exit()
        assert pool.read("assets") == left
        paid = 0
        for name in order:
            shares = pool.shares(name)
            amount = pool.send(name, "redeem").event("Redeemed")["amount"]
            assert amount == left * shares // STAKE
            paid += amount
            assert pool.read("assets") == left - paid
        assert 0 <= left - paid < len(order)
        assert pool.read("totalShares") == 0
    finally:
        stage.chain.revert(snapshot)


@pytest.mark.parametrize("function", ["topUp", "redeem", "withdraw"])
def test_a_donation_before_it_changes_nothing(stage: Stage, function: str) -> None:
    pool = Pools.active(stage, 0)
    pool.slash(DAY)
    stage.send("mallory", "Kompute", "transfer", pool.address, 1_000 * KOMP)
    if function == "topUp":
        minted = pool.send("bob", "topUp", STAKE, 0).event("PoolToppedUp")["shares"]
        assert minted == 50 * KOMP * STAKE // (450 * KOMP)
        return
    pool.exit()
    assert pool.read("assets") == 450 * KOMP
    assert pool.send("bob", "redeem").event("Redeemed")["amount"] == 270 * KOMP
    assert pool.send("alice", "redeem").event("Redeemed")["amount"] == 180 * KOMP
    assert stage.balance("Pool:1") == 1_000 * KOMP
