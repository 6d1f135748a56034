"""Incentives that fall linearly over N cycles (I1)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from contracts_stage import KOMP, NO_SHRINKING, Stage
from hypothesis import given, settings
from hypothesis import strategies as st

TOTAL = 78 * KOMP  # 12, 11, 10, … KOMP
CYCLES, START = 12, 2


def made(stage: Stage, total: int = TOTAL, cycles: int = CYCLES, start: int = START) -> None:
    given_ = (stage.address("Kompute"), stage.address("Rewards"), total, cycles, start)
    assert stage.create("Vault", "IncentiveVault", *given_) is None
    stage.send("treasury", "Kompute", "transfer", stage.address("Vault"), total)


@pytest.fixture
def vault(stage: Stage) -> Iterator[Stage]:
    made(stage)
    yield stage


def release(stage: Stage) -> int:
    """What it adds to the current cycle's reward."""
    cycle, before = stage.cycle, stage.balance("Vault")
    sent = stage.send("mallory", "Vault", "release")
    amount = int(sent.event("Released")["amount"])
    assert sent.event("RewardAdded") == {
        "from": stage.address("Vault"),
        "cycle": cycle,
        "amount": amount,
    }
    assert stage.balance("Vault") == before - amount
    return amount


def test_i1_a_part_each_cycle_one_twelfth_less_each_time(vault: Stage) -> None:
    vault.next_cycle(START - vault.cycle)
    parts = []
    for _ in range(CYCLES):
        parts.append(release(vault))
        vault.next_cycle()
    assert parts == [n * KOMP for n in range(12, 0, -1)]
    assert vault.read("Vault", "released") == TOTAL
    assert vault.balance("Vault") == 0
    assert vault.refused("alice", "Vault", "release").name == "NothingToRelease"


def test_i1_missed_cycles_are_caught_up_at_once(vault: Stage) -> None:
    vault.next_cycle(START - vault.cycle + 2, offset=1)
    assert vault.read("Vault", "releasable") == (12 + 11 + 10) * KOMP
    sent = vault.send("mallory", "Vault", "release")
    assert sent.event("Released") == {"cycle": START + 2, "k": 3, "amount": 33 * KOMP}
    assert vault.read("Vault", "releasable") == 0
    vault.next_cycle(50)
    assert vault.read("Vault", "releasable") == TOTAL - 33 * KOMP
    sent = vault.send("mallory", "Vault", "release")
    assert sent.event("Released") == {
        "cycle": START + 52,
        "k": CYCLES,
        "amount": TOTAL - 33 * KOMP,
    }


def test_i1_nothing_before_the_first_cycle_and_once_a_cycle(vault: Stage) -> None:
    vault.next_cycle(START - vault.cycle - 1)
    error = vault.refused("alice", "Vault", "release")
    assert (error.name, error.values) == ("NothingToRelease", {"cycle": START - 1, "released": 0})
    assert vault.read("Vault", "releasable") == 0
    vault.next_cycle()
    assert release(vault) == 12 * KOMP
    error = vault.refused("alice", "Vault", "release")
    assert (error.name, error.values) == (
        "NothingToRelease",
        {"cycle": START, "released": 12 * KOMP},
    )


def test_i1_the_last_block_before_and_the_first_of_its_cycles(vault: Stage) -> None:
    vault.next_cycle(START - vault.cycle)
    vault.until_block(vault.block + 1)
    first = vault.deployment.genesis.block + START * 70
    assert vault.block == first - 1
    assert release(vault) == 12 * KOMP
    vault.until_block(first + 69)
    assert vault.refused("alice", "Vault", "release").name == "NothingToRelease"
    assert release(vault) == 11 * KOMP


def test_i1_what_is_given_to_it_stays(vault: Stage) -> None:
    vault.send("alice", "Kompute", "transfer", vault.address("Vault"), 5 * KOMP)
    vault.next_cycle(START + CYCLES)
    assert release(vault) == TOTAL
    assert vault.balance("Vault") == 5 * KOMP


def test_i1_one_that_was_not_funded_pays_nothing(stage: Stage) -> None:
    given_ = (stage.address("Kompute"), stage.address("Rewards"), TOTAL, CYCLES, 0)
    assert stage.create("Vault", "IncentiveVault", *given_) is None
    assert stage.refused("alice", "Vault", "release").name == "ERC20InsufficientBalance"
    assert stage.read("Vault", "released") == 0


@pytest.mark.parametrize(
    ("total", "cycles", "name"),
    [
        (TOTAL, 0, "CyclesOutOfRange"),
        (TOTAL, 2**32, "SafeCastOverflowedUintDowncast"),
        (12 * 13 - 1, 12, "TotalTooSmall"),
        (2**128, 12, "SafeCastOverflowedUintDowncast"),
        (12 * 13, 12, None),
        (2, 1, None),
        (2**128 - 1, 2**32 - 1, None),
    ],
)
def test_i1_what_can_be_shared_out(stage: Stage, total: int, cycles: int, name: str | None) -> None:
    given_ = (stage.address("Kompute"), stage.address("Rewards"), total, cycles, 0)
    error = stage.create("Vault", "IncentiveVault", *given_)
    assert (error.name if error else None) == name
    if error is None:
        assert stage.read("Vault", "releasedOf", cycles) == total
        assert stage.read("Vault", "releasedOf", 2**200) == total
        assert stage.read("Vault", "releasedOf", 0) == 0


@settings(max_examples=8, phases=NO_SHRINKING)
@given(
    cycles=st.integers(1, 2**32 - 1),
    extra=st.integers(0, 2**127),
    k=st.integers(0, 2**32),
)
def test_invariant_14(base: Stage, cycles: int, extra: int, k: int) -> None:
    """E(N) is the total and E(k) - E(k-1) never rises."""
    snapshot = base.chain.snapshot()
    stage = Stage(base.chain, base.artifacts, base.deployment)
    total = cycles * (cycles + 1) + extra
    given_ = (stage.address("Kompute"), stage.address("Rewards"), total, cycles, 0)
    assert stage.create("Vault", "IncentiveVault", *given_) is None
    k = k % cycles
    three = [stage.read("Vault", "releasedOf", n) for n in (k, k + 1, k + 2)]
    assert 0 < three[1] - three[0] <= total
    assert three[2] - three[1] <= three[1] - three[0]
    assert stage.read("Vault", "releasedOf", cycles) == total
    base.chain.revert(snapshot)


def test_the_vault_as_it_was_created(vault: Stage) -> None:
    names = ("total", "cycles", "startCycle", "released")
    assert [vault.read("Vault", n) for n in names] == [TOTAL, CYCLES, START, 0]
    assert vault.read("Vault", "token") == vault.address("Kompute")
