"""The hardware profiles and their scaling."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from cluster.interface import Capacity
from cluster.profiles import (
    REFERENCE_MACHINE,
    BadProfile,
    UnknownProfile,
    load_profile,
    milli,
    parse_quantity,
    profile_names,
    read_profile,
    scaled,
    whole,
)


def test_the_profiles_that_come_with_the_project() -> None:
    assert profile_names() == ("large", "sgx", "small", "standard")
    assert [load_profile(name).sgx for name in profile_names()] == [False, True, False, False]


def test_standard_is_the_reference_machine() -> None:
    assert load_profile("standard").capacity == REFERENCE_MACHINE


def test_large_is_flux_tier_three() -> None:
    assert load_profile("large").capacity == Capacity(
        8000, 64 << 30, 880 * 10**9, 400 * 10**6, 100 * 10**6
    )


def test_scaling_divides_every_figure_and_keeps_what_is_lacking_at_zero() -> None:
    assert scaled(load_profile("sgx"), Fraction(1, 16)) == Capacity(
        250, 2 << 30, 27_500_000_000, 11_250_000, 3_125_000, 8 << 20
    )
    assert scaled(load_profile("standard"), Fraction(1, 16)).sgx_epc_bytes == 0
    assert scaled(REFERENCE_MACHINE, Fraction(1)) == REFERENCE_MACHINE
    assert scaled(REFERENCE_MACHINE, Fraction(1, 10**6)).milli_cpu == 1


@pytest.mark.parametrize("scale", [Fraction(0), Fraction(-1, 2), Fraction(3, 2)])
def test_a_scale_outside_zero_to_one_is_refused(scale: Fraction) -> None:
    with pytest.raises(ValueError, match="scale"):
        scaled(REFERENCE_MACHINE, scale)


def test_an_unknown_profile_names_the_nearest() -> None:
    with pytest.raises(UnknownProfile, match="did you mean 'standard'"):
        load_profile("standart")


def test_all_faults_of_a_profile_file_at_once(tmp_path: Path) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text("cpu: two\nmemmory: 8Gi\nmemory: 0\nstorage: 1G\ndisk_write: 1M\n")
    with pytest.raises(BadProfile) as caught:
        read_profile(path)
    text = str(caught.value)
    assert "unknown field 'memmory', did you mean 'memory'?" in text
    assert "cpu: 'two' is not a quantity" in text
    assert "memory must be above 0" in text
    assert "network is missing" in text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("50m", Fraction(1, 20)),
        ("1.5", Fraction(3, 2)),
        ("32Mi", 32 << 20),
        ("220G", 220 * 10**9),
        (2, Fraction(2)),
    ],
)
def test_quantities(text: str | int, value: Fraction | int) -> None:
    assert parse_quantity(text) == value


def test_quantities_round_up() -> None:
    assert (milli("1.0005"), milli("50m"), whole("0.5"), whole("1Ki")) == (1001, 50, 1, 1024)


@pytest.mark.parametrize("text", ["", "2 Gi", "-1", "1e3", "5x", "i", "3mi"])
def test_other_text_is_no_quantity(text: str) -> None:
    with pytest.raises(ValueError, match="quantity"):
        parse_quantity(text)
