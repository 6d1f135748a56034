"""Chance in whole numbers: seeded, bounded, apart for each purpose."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from devnet.economics.chance import Chance

seeds = st.integers(min_value=0, max_value=2**64)


def test_a_seed_gives_the_same_numbers_for_ever() -> None:
    chance = Chance(7, "measured")
    assert [chance.below(1_000_000) for _ in range(4)] == [97550, 827082, 243450, 920956]


def test_each_purpose_has_a_stream_of_its_own() -> None:
    one, other = Chance(7, "measured"), Chance(7, "demand")
    assert [one.below(10**9) for _ in range(3)] != [other.below(10**9) for _ in range(3)]


@given(seeds, st.integers(min_value=1, max_value=10**30))
def test_below_stays_below(seed: int, count: int) -> None:
    chance = Chance(seed, "any")
    assert all(0 <= chance.below(count) < count for _ in range(20))


@given(seeds)
def test_what_is_certain_happens_and_what_is_not_never_does(seed: int) -> None:
    chance = Chance(seed, "any")
    assert all(chance.happens(1_000_000) for _ in range(20))
    assert not any(chance.happens(0) for _ in range(20))


@given(seeds, st.integers(0, 10**24), st.integers(0, 1_000_000))
def test_a_step_is_at_most_what_it_may_be(seed: int, value: int, ppm: int) -> None:
    stepped = Chance(seed, "any").around(value, ppm)
    assert value * (1_000_000 - ppm) // 1_000_000 <= stepped
    assert stepped <= value * (1_000_000 + ppm) // 1_000_000
