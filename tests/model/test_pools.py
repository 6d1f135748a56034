"""S7."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from model_world import DAY, KOMP, World, address

from devnet.model.rows import Member, Pool
from devnet.model.shares import (
    due,
    holds_enough,
    minted,
    per_share,
    redeemable,
    split,
)
from devnet.protocol.deployment import pool_name, pool_number

STAKE = 500 * KOMP
SHARES = st.integers(1, 10**26)


def active(commission: int = 1_000) -> World:
    """A pool of alice's 200 KOMP and bob's 300 that has staked for worker-1."""
    world = World()
    world.funded_pool(1, commission, alice=200 * KOMP, bob=300 * KOMP)
    assert world.activate(1, "alice", "worker-1").ok
    return world


def earn(world: World, reward: int) -> None:
    """The pool's node is the sole publisher of a cycle with that reward, which has ended."""
    world.next_cycle()
    world.mine()
    assert world.add_reward(reward).ok
    assert world.publish("worker-1").ok
    world.next_cycle()


def slash(world: World, seconds: int) -> None:
    """In whole blocks."""
    start = world.now
    world.wait(seconds)
    assert world.report("worker-1", start, start + seconds).ok
    world.wait(6 * 3600)
    assert world.execute(len(world.model.state.incidents)).ok


@given(st.integers(1, STAKE), SHARES, st.integers(5 * KOMP, STAKE))
def test_s7_a_top_up_never_takes_from_those_before(amount: int, total: int, assets: int) -> None:
    shares = minted(amount, total, assets)
    # Their part of assets + amount is at least what it was: floor favours them.
    assert (assets + amount) * total >= assets * (total + shares)


@given(st.integers(0, 10**26), st.integers(0, 2_000), st.lists(SHARES, min_size=1, max_size=6))
def test_invariant_11_members_get_no_more_than_was_harvested(
    gross: int, commission_bps: int, shares: list[int]
) -> None:
    commission, net = split(gross, commission_bps)
    acc = per_share(net, sum(shares))
    paid = sum(due(Member(shares=held), acc) for held in shares)
    assert commission + net == gross
    assert paid <= net


@given(st.integers(0, STAKE), st.lists(SHARES, min_size=1, max_size=6))
def test_invariant_11_the_loss_per_share_is_equal_within_a_wei(
    returned: int, shares: list[int]
) -> None:
    pool = Pool(returned=returned, shares_at_return=sum(shares))
    parts = [redeemable(pool, held) for held in shares]
    assert returned - len(shares) < sum(parts) <= returned
    for held, part in zip(shares, parts, strict=True):
        assert 0 <= returned * held - part * sum(shares) < sum(shares)


@given(SHARES)
def test_s7_a_fifth_is_enough(shares: int) -> None:
    assert holds_enough(shares, 5 * shares)
    assert not holds_enough(shares, 5 * shares + 1)
    assert holds_enough(0, 0)


def test_s7_a_pools_name_has_its_number() -> None:
    assert [pool_number(pool_name(n)) for n in (1, 20)] == [1, 20]
    for other in ("Pool", "Pool:", "Pool:0", "Pool:01", "Pool:x", "Feed:1", "PoolFactory"):
        assert pool_number(other) is None, other


def test_s7_a_pool_that_stakes_for_the_zero_address_keeps_its_members_free() -> None:
    world, zero, machine = World(), "0x" + "00" * 20, b"m" * 32
    world.funded_pool(1, alice=200 * KOMP, bob=300 * KOMP)
    deadline = world.now + DAY
    digest = world.domains.admission(zero, address("Pool:1"), machine, deadline)
    args = {"nodeKey": zero, "hardwareId": machine, "months": 1, "deadline": deadline}
    args |= {"signatures": world.signed(digest), "nodeSignature": bytes(65)}
    assert world.pool(1, "alice", "activate", **args).error == "ZeroNode"
    assert world.pool(1, "bob", "leave", amount=300 * KOMP).ok
    assert world.pool(1, "alice", "leave", amount=200 * KOMP).ok
    assert world.balance("Pool:1") == 0


def test_s7_a_harvest_is_shared_after_the_commission() -> None:
    world = active(1_000)
    earn(world, 1_000 * KOMP)
    assert world.pool(1, "mallory", "harvest").ok
    row = world.ledger().pools["Pool:1"]
    assert row.rewards_per_share == 900 * KOMP * KOMP // STAKE
    alice, bob = row.members[address("alice")], row.members[address("bob")]
    assert (alice.uncollected, alice.commission) == (360 * KOMP, 100 * KOMP)
    assert (bob.uncollected, bob.commission) == (540 * KOMP, 0)
    assert world.pool(1, "bob", "collect").ok
    assert world.pool(1, "bob", "collect").error == "NothingToCollect"
    assert world.balance("bob") == (10_000 - 300 + 540) * KOMP


def test_s7_slashed_topped_up_left_and_redeemed() -> None:
    world = active(0)
    slash(world, DAY)
    assert world.ledger().pools["Pool:1"].assets == 450 * KOMP
    assert (
        world.pool(1, "mallory", "topUp", amount=50 * KOMP - 1, leastShares=0).error
        == "TopUpTooSmall"
    )
    assert world.pool(1, "alice", "topUp", amount=STAKE, leastShares=0).ok
    shares = 50 * KOMP * STAKE // (450 * KOMP)
    row = world.ledger().pools["Pool:1"]
    assert (row.members[address("alice")].shares, row.assets) == (200 * KOMP + shares, STAKE)
    assert world.pool(1, "bob", "requestExit").error == "TooEarly"
    assert world.pool(1, "alice", "requestExit").ok
    assert world.pool(1, "bob", "redeem").error == "StakeNotReturned"
    world.wait(31 * DAY)
    assert world.pool(1, "mallory", "withdraw").ok
    assert world.pool(1, "bob", "redeem").ok
    part = STAKE * 300 * KOMP // (STAKE + shares)
    assert world.balance("bob") == (10_000 - 300) * KOMP + part
    row = world.ledger().pools["Pool:1"]
    assert (row.assets, row.total_shares) == (STAKE - part, 200 * KOMP + shares)


def test_s7_nobody_holds_less_than_5_komp() -> None:
    world = World()
    world.funded_pool(1, alice=200 * KOMP, bob=5 * KOMP)
    assert world.pool(1, "bob", "leave", amount=1).error == "TooFewShares"
    assert world.pool(1, "bob", "leave", amount=5 * KOMP).ok
    assert world.pool(1, "bob", "join", amount=5 * KOMP - 1).error == "TooFewShares"
    assert world.pool(1, "alice", "join", amount=300 * KOMP - 2).ok
    assert world.pool(1, "bob", "join", amount=1).error == "TooFewShares"
    assert world.pool(1, "bob", "join", amount=100 * KOMP).error == "TooFewShares"  # cut to 2
    assert world.pool(1, "alice", "join", amount=2).ok
    assert address("bob") not in world.ledger().pools["Pool:1"].members


def test_s7_a_top_up_leaves_the_operator_a_fifth_and_never_fails_for_it() -> None:
    world = World()
    world.funded_pool(1, 0, alice=100 * KOMP, bob=400 * KOMP)
    assert world.activate(1, "alice", "worker-1").ok
    slash(world, DAY)
    assert world.pool(1, "bob", "topUp", amount=STAKE, leastShares=1).error == "TooFewShares"
    assert world.pool(1, "bob", "topUp", amount=STAKE, leastShares=0).ok
    row = world.ledger().pools["Pool:1"]
    assert (row.members[address("bob")].shares, row.total_shares) == (400 * KOMP, STAKE)
    slash(world, 3_600)
    shares = (lost := STAKE // 240) * STAKE // (STAKE - lost)
    assert world.pool(1, "alice", "topUp", amount=lost, leastShares=shares).ok  # the operator
    slash(world, 3_600)
    spender = address("Pool:1")
    world.send("mallory", "Kompute", "approve", spender=spender, value=STAKE)
    refused = world.pool(1, "mallory", "topUp", amount=lost, leastShares=0)
    assert refused.error == "TooFewShares"  # no member for less than 5 KOMP


def test_s7_a_share_counts_what_it_is_worth() -> None:
    """After 490 KOMP are lost and paid in again it is a fiftieth of a KOMP."""
    world = World()
    world.funded_pool(1, 0, alice=200 * KOMP, bob=300 * KOMP)
    assert world.activate(1, "alice", "worker-1").ok
    slash(world, 10 * DAY - 17_280)
    assert world.pool(1, "alice", "topUp", amount=STAKE, leastShares=0).ok
    for who in ("worker-1-owner", "mallory"):
        slash(world, 7_200)
        lost = STAKE // 120
        total = world.ledger().pools["Pool:1"].total_shares
        bought = lost * total // (STAKE - lost)
        assert 5 * KOMP < bought < (total + bought) // 100
        spender = address("Pool:1")
        world.send(who, "Kompute", "approve", spender=spender, value=STAKE)
        assert world.pool(1, who, "topUp", amount=lost, leastShares=0).error == "TooFewShares"
        assert world.pool(1, "bob", "topUp", amount=lost, leastShares=0).ok  # a member may
    slash(world, 8_640)
    total = world.ledger().pools["Pool:1"].total_shares
    assert world.pool(1, "mallory", "topUp", amount=STAKE, leastShares=total // 99).ok


def test_s7_dust_closes_for_ever_and_lets_members_out() -> None:
    world = active(0)
    slash(world, 239 * 3600 + 720)
    row = world.ledger().pools["Pool:1"]
    assert (row.closed, 0 < row.assets < 5 * KOMP) == (True, True)
    assert world.pool(1, "alice", "topUp", amount=STAKE, leastShares=0).error == "PoolClosed"
    assert world.pool(1, "bob", "requestExit").ok


def test_s7_a_pool_restakes_after_the_members_had_their_chance() -> None:
    world = active()
    world.wait(30 * DAY)
    assert world.pool(1, "alice", "restake", months=12).error == "TooEarly"
    world.wait(15 * DAY)
    assert world.pool(1, "bob", "restake", months=12).error == "NotPoolOperator"
    assert world.pool(1, "alice", "restake", months=12).ok


def test_l6_a_pools_operator_speaks_for_it() -> None:
    world = active()
    keepers = ("gatekeeper-1", "gatekeeper-2", "gatekeeper-3")
    assert world.report("worker-1", world.now, world.now, *keepers, level=3).ok
    row = world.ledger().pools["Pool:1"]
    assert (row.assets, row.closed) == (STAKE, False)  # seized is not lost yet
    assert world.send("bob", "Slashing", "appeal", id=1).error == "NotOwner"
    assert world.send("alice", "Slashing", "appeal", id=1).error != "NotOwner"
    world.wait(DAY)
    assert world.execute(1).ok
    row = world.ledger().pools["Pool:1"]
    assert (row.assets, row.closed) == (0, True)
    assert world.pool(1, "alice", "withdraw").error == "NotLive"
