"""W1 to W5, C1 to C7."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_world import KOMP, World, address, block_hash

from devnet.model.rewards import cycle_of, share, value

FACTOR = st.integers(0, 10**12)


def published(world: World, *workers: str) -> None:
    for worker in workers:
        assert world.publish(worker).ok


def claimable(world: World, worker: str) -> int:
    return world.ledger().nodes[address(worker)].claimable


@given(st.integers(1, 2 * 10**6), st.integers(0, 10**7), FACTOR, FACTOR, FACTOR)
def test_w1_the_period_raises_v_by_its_bps_exactly_rounded_down(
    sgx: int, b: int, c1: int, c2: int, c3: int
) -> None:
    base = value(sgx, b, (c1, c2, c3), 10_000)
    assert base == sgx * b * (c1 + c2 + c3)
    for bps in (10_500, 11_000, 12_000):
        v = value(sgx, b, (c1, c2, c3), bps)
        assert 10_000 * v <= base * bps < 10_000 * (v + 1)


def test_w1_the_reference_machine_without_bonus_has_v_of_1e18() -> None:
    assert value(10**6, 10**6, (500_000, 300_000, 200_000), 10_000) == 10**18


@pytest.mark.parametrize(("block", "cycle"), [(1, 0), (14, 0), (15, 1), (28, 1), (29, 2)], ids=str)
def test_c1_cycles_begin_at_genesis(block: int, cycle: int) -> None:
    assert cycle_of(block, genesis=1, length=14) == cycle


@given(
    st.integers(0, 2**127),
    st.lists(st.integers(1, 10**20), min_size=1, max_size=30),
)
def test_c3_shares_leave_less_dust_than_publishers(reward: int, values: list[int]) -> None:
    total = sum(values)
    dust = reward - sum(share(reward, v, total) for v in values)
    assert 0 <= dust < len(values)


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(st.integers(0, 10**21), st.integers(1, 10**6), st.booleans()),
        min_size=1,
        max_size=8,
    )
)
def test_c3_claim_all_pays_the_sum_of_the_single_claims(
    cycles: list[tuple[int, int, bool]],
) -> None:
    single, whole = World(), World()
    for world in (single, whole):
        world.stake("worker-1")
        world.stake("worker-2")
        for reward, c1, publishes in cycles:
            world.mine()
            if reward:
                world.add_reward(reward)
            assert world.publish("worker-2", c1=10**6 - c1 // 2).ok
            if publishes:
                assert world.publish("worker-1", c1=c1).ok
            world.next_cycle()
    paid = 0
    for cycle in range(len(cycles)):
        before = single.balance("worker-1-owner")
        single.owner("worker-1", "claim", "Rewards", cycle=cycle)
        paid += single.balance("worker-1-owner") - before
    before = whole.balance("worker-1-owner")
    whole.owner("worker-1", "claimAll", "Rewards")
    assert whole.balance("worker-1-owner") - before == paid
    assert claimable(single, "worker-1") == claimable(whole, "worker-1") == 0


def test_c3_claims_after_claim_all_find_nothing(world: World) -> None:
    world.stake("worker-1")
    world.add_reward(100 * KOMP)
    world.mine()
    published(world, "worker-1")
    world.next_cycle()
    assert world.owner("worker-1", "claimAll", "Rewards").ok
    assert world.owner("worker-1", "claim", "Rewards", cycle=0).error == "AlreadyClaimed"
    assert world.owner("worker-1", "claimAll", "Rewards").error == "NothingToClaim"
    assert world.owner("worker-1", "claim", "Rewards", cycle=1).error == "CycleNotEnded"
    assert world.balance("worker-1-owner") == (10_000 - 500 + 100) * KOMP


def test_c4_a_reward_without_v_rolls_on_once_someone_adds_or_publishes(world: World) -> None:
    world.stake("worker-1")
    world.add_reward(100 * KOMP)
    world.next_cycle(3)
    assert world.ledger().cycles[0].reward == 100 * KOMP
    world.mine()
    published(world, "worker-1")
    assert {n: c.reward for n, c in world.ledger().cycles.items()} == {3: 100 * KOMP}
    world.next_cycle()
    world.add_reward(7)
    assert world.ledger().cycles[3].reward == 100 * KOMP
    assert claimable(world, "worker-1") == 100 * KOMP


def test_c6_only_the_owner_claims(world: World) -> None:
    world.stake("worker-1")
    node = address("worker-1")
    assert world.send("mallory", "Rewards", "claimAll", node=node).error == "NotOwner"
    assert world.send("worker-1", "Rewards", "claim", node=node, cycle=0).error == "CycleNotEnded"


def test_w4_a_publication_follows_every_rule(world: World) -> None:
    world.stake("worker-1")
    world.mine(2)
    refused = {
        "NotNode": world.publish("worker-1", sender="worker-2"),
        "NotActive": world.publish("worker-2"),
        "MeasuredOutOfRange": world.publish("worker-1", measuredBlock=world.block),
        "MeasuredHashMismatch": world.publish("worker-1", measuredHash=block_hash(7)),
        "WrongCycle": world.publish("worker-1", cycle=1),
        "WrongSequence": world.publish("worker-1", sequence=2),
        "TooFewSignatures": world.publish("worker-1", signers=("gatekeeper-1",)),
        "NotGatekeeper": world.publish("worker-1", signers=("gatekeeper-1", "mallory")),
        "FactorOutOfRange": world.publish("worker-1", sgx=0),
        "ValueOutOfRange": world.publish("worker-1", c1=10**12),
    }
    assert {name: outcome.error for name, outcome in refused.items()} == {n: n for n in refused}
    assert world.publish("worker-1").ok
    assert world.publish("worker-1").error == "PublishedTooSoon"
    world.mine(300)
    late = world.publish("worker-1", measuredBlock=world.block - 257)
    assert late.error == "MeasuredOutOfRange"


def test_w5_v_adds_up_with_the_bonus_of_the_period(world: World) -> None:
    world.stake("worker-1", 12)
    world.stake("worker-2", 3)
    world.mine()
    published(world, "worker-1", "worker-2")
    world.mine(2)
    published(world, "worker-1")
    cycle = world.ledger().cycles[0]
    assert cycle.total_v == 2 * 12 * 10**17 + 105 * 10**16
    assert cycle.v[address("worker-1")] == 24 * 10**17
