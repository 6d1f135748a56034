"""Incentives that fall linearly over N cycles, in the model (I1)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_world import KOMP, World, address

from devnet.model import VaultParameters
from devnet.model.vault import begun, due, released_of

TOTAL = 78 * KOMP
VAULT = VaultParameters(TOTAL, 12, 2)


def release(world: World) -> str | None:
    """The error it is refused with."""
    return world.send("mallory", "IncentiveVault", "release").error


def test_i1_a_part_each_cycle_and_missed_ones_at_once(world: World) -> None:
    assert release(world) == "NothingToRelease"
    world.next_cycle(2)
    assert world.ledger().vault is not None
    assert release(world) is None
    assert release(world) == "NothingToRelease"
    assert world.model.state.released.value == 12 * KOMP
    world.next_cycle(2)
    ledger = world.ledger()
    assert ledger.vault is not None
    assert (ledger.vault.released, ledger.vault.releasable) == (12 * KOMP, 21 * KOMP)
    assert release(world) is None
    world.next_cycle(100)
    assert release(world) is None
    assert world.model.state.released.value == TOTAL
    assert world.balance("IncentiveVault") == 0
    assert sum(cycle.reward for cycle in world.ledger().cycles.values()) == TOTAL


def test_i1_a_release_is_reward_of_the_cycle_it_comes_in(world: World) -> None:
    world.next_cycle(2)
    assert release(world) is None
    released, added, moved = world.history[-1].events
    assert released.args == {"cycle": 2, "k": 1, "amount": 12 * KOMP}
    assert (added.name, added.args["amount"]) == ("RewardAdded", 12 * KOMP)
    assert (moved.name, moved.args["from"]) == ("Transfer", address("IncentiveVault"))


def test_i1_an_empty_vault_pays_nothing() -> None:
    world = World(vault=replace(VAULT, total=79 * KOMP))  # it holds 78
    world.next_cycle(20)
    assert release(world) == "ERC20InsufficientBalance"
    assert world.model.state.released.value == 0


@pytest.mark.parametrize(
    ("cycle", "k"), [(0, 0), (1, 0), (2, 1), (3, 2), (13, 12), (14, 12), (10**6, 12)]
)
def test_i1_the_cycles_that_have_begun(cycle: int, k: int) -> None:
    assert begun(VAULT, cycle) == k
    assert due(VAULT, cycle) == sum(range(12, 12 - k, -1)) * KOMP


@given(st.integers(1, 2**32 - 1), st.integers(0, 2**128), st.integers(0, 2**32))
def test_i1_parts_never_rise_and_sum_to_the_total(cycles: int, extra: int, k: int) -> None:
    total, k = cycles * (cycles + 1) + extra, k % cycles
    three = [released_of(total, cycles, n) for n in (k, k + 1, k + 2)]
    assert three[1] > three[0]
    assert three[2] - three[1] <= three[1] - three[0]
    assert released_of(total, cycles, cycles) == total
    assert released_of(total, cycles, cycles + 1 + k) == total
    assert released_of(total, cycles, 0) == 0


def test_without_a_vault_there_is_none() -> None:
    assert World(vault=None).ledger().vault is None
