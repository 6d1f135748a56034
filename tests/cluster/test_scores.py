"""C1, C2, C3 and B from a measurement."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.interface import Capacity, Measurement
from cluster.profiles import REFERENCE_MACHINE, load_profile, profile_names, scaled
from cluster.scores import Scores, log2_1e6, profile_measurement, quantise, scores

SCALES = st.builds(Fraction, st.just(1), st.sampled_from([1, 2, 4, 8, 16, 32, 64]))


def of_profile(name: str, scale: Fraction) -> Scores:
    capacity = scaled(load_profile(name), scale)
    return scores(_own(capacity), scaled(REFERENCE_MACHINE, scale))


def _own(capacity: Capacity) -> Measurement:
    return profile_measurement("worker-1", capacity, b"\x01" * 32)


@given(SCALES)
def test_the_reference_machine_is_exactly_one_at_every_scale(scale: Fraction) -> None:
    assert of_profile("standard", scale) == Scores(576_000, 253_000, 171_000, 1_000_000)
    assert of_profile("standard", scale).hardware == 1_000_000


@pytest.mark.parametrize("scale", [Fraction(1), Fraction(1, 8)])
def test_every_profile_scores_the_same_at_every_scale(scale: Fraction) -> None:
    assert {name: of_profile(name, scale) for name in profile_names()} == {
        # 4x cores, 8x memory, 4x disk; log2(1 + 4) = 2.3 is held at 2
        "large": Scores(2_304_000, 2_024_000, 684_000, 2_000_000),
        # log2(1 + 2) = 1.584962
        "sgx": Scores(1_152_000, 1_012_000, 342_000, 1_584_962),
        # half the fill rate and half the write rate halve C2 and C3 once more
        "small": Scores(288_000, 63_250, 42_750, 1_000_000),
        "standard": Scores(576_000, 253_000, 171_000, 1_000_000),
    }


def test_noise_of_the_cpu_is_cut_to_two_digits() -> None:
    clean = _own(REFERENCE_MACHINE)
    for steps in (1_840_000, 1_851_234, 1_859_999):
        noisy = replace(clean, cpu_steps_per_second=steps)
        assert scores(noisy, REFERENCE_MACHINE).c1 == 576_000 * 92 // 100


def test_the_slower_direction_decides_b_and_it_is_clamped() -> None:
    clean = _own(REFERENCE_MACHINE)

    def b_of(up: int, down: int) -> int:
        measured = replace(clean, up_bits_per_second=up, down_bits_per_second=down)
        return scores(measured, REFERENCE_MACHINE).b

    assert b_of(75_000_000, 25_000_000) == 1_000_000
    assert b_of(75_000_000, 80_000_000) == 2_000_000
    assert b_of(10**12, 10**12) == 2_000_000
    assert b_of(0, 10**12) == 500_000


@given(st.integers(0, 10**15))
def test_quantising_never_raises_and_keeps_nine_tenths(value: int) -> None:
    cut = quantise(value)
    assert value * 10 // 11 <= cut <= value
    assert quantise(cut) == cut


@given(st.integers(1_000_000, 10**12))
def test_log2_agrees_with_floating_point(value: int) -> None:
    assert abs(log2_1e6(value) - math.log2(value / 10**6) * 10**6) <= 1.01


@pytest.mark.parametrize("power", range(20))
def test_log2_of_powers_of_two_is_exact(power: int) -> None:
    assert log2_1e6(2**power * 10**6) == power * 10**6


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_more_never_scores_less(steps: int, more: int) -> None:
    clean = _own(REFERENCE_MACHINE)
    less, greater = (
        scores(replace(clean, cpu_steps_per_second=value), REFERENCE_MACHINE)
        for value in (steps, steps + more)
    )
    assert less.c1 <= greater.c1
