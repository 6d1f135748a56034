"""Amounts are read exactly, and what is no amount is refused with the way to mend it."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devnet.spec import units
from devnet.spec.units import UnitError


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (units.komp, "20 KOMP", 20 * 10**18),
        (units.komp, "0.5 KOMP", 5 * 10**17),
        (units.komp, "12.5KOMP", 125 * 10**17),
        (units.komp, "0.000000000000000001 KOMP", 1),
        (units.komp, "1 wei", 1),
        (units.komp, "1e18 wei", 10**18),
        (units.komp, "1_000 KOMP", 1000 * 10**18),
        (units.komp, "0 KOMP", 0),
        (units.duration, "30s", 30),
        (units.duration, "12h", 43200),
        (units.duration, "15d", 1296000),
        (units.duration, "1d12h", 129600),
        (units.duration, "1.5h", 5400),
        (units.milli_cpu, "50m", 50),
        (units.milli_cpu, "0.5", 500),
        (units.milli_cpu, 2, 2000),
        (units.memory_bytes, "32Mi", 33554432),
        (units.memory_bytes, "1Gi", 1073741824),
        (units.memory_bytes, "500M", 500000000),
        (units.ratio, "1/16", Fraction(1, 16)),
        (units.ratio, "0.1", Fraction(1, 10)),
        (units.usd_1e8, "0.50", 50_000_000),
        (units.usd_1e8, "$0.04048", 4_048_000),
        (units.change_bps, "+30%", 3000),
        (units.change_bps, "-12.5%", -1250),
        (units.share_ppm, "2.5%", 25_000),
        (units.share_ppm, "0.0001 %", 1),
        (units.share_ppm, "100%", 1_000_000),
        (units.whole_percent, "240 %", 240),
        (units.integer, "1e20", 10**20),
        (units.integer, "50_400", 50400),
        (units.truth, "true", True),
    ],
)
def test_reads_exactly(read: Callable[[object], object], text: object, value: object) -> None:
    assert read(text) == value


@pytest.mark.parametrize(
    ("read", "text", "message", "hint"),
    [
        (units.komp, "-5 KOMP", "an amount cannot be negative; seen '-5 KOMP'", ""),
        (units.komp, "0.1 wei", "finer than one wei (1e-18 KOMP); seen '0.1 wei'", ""),
        (
            units.komp,
            "0.0000000000000000001 KOMP",
            "finer than one wei (1e-18 KOMP); seen '0.0000000000000000001 KOMP'",
            "",
        ),
        (units.komp, "20", "an amount needs its unit; seen '20'", "did you mean '20 KOMP'?"),
        (
            units.komp,
            "20 KOMPS",
            "unknown unit 'KOMPS'; seen '20 KOMPS'",
            "did you mean 'KOMP'?",
        ),
        (units.komp, "20 komp", "unknown unit 'komp'; seen '20 komp'", "did you mean 'KOMP'?"),
        (units.komp, "20 EUR", "unknown unit 'EUR'; seen '20 EUR'", "known: KOMP, wei"),
        (units.komp, "much", "not an amount of KOMP; seen 'much'", ""),
        (units.komp, 1.5, "not an amount of KOMP; seen 1.5", ""),
        (units.komp, True, "not an amount of KOMP; seen True", ""),
        (units.komp, None, "not an amount of KOMP; seen None", ""),
        (
            units.komp,
            "1e21 KOMP",
            "more than the supply can be, 2^128 wei (T1); seen '1e21 KOMP'",
            "",
        ),
        (units.duration, "12", "a duration needs its unit: s, m, h or d; seen '12'", ""),
        (
            units.duration,
            "12 hours",
            "unknown unit 'hours'; seen '12 hours'",
            "did you mean 'h'?",
        ),
        (units.duration, "6mo", "unknown unit 'mo'; seen '6mo'", "did you mean 'm'?"),
        (units.duration, "-1h", "a duration cannot be negative; seen '-1h'", ""),
        (units.duration, "0.5s", "finer than one second; seen '0.5s'", ""),
        (units.duration, "soon", "not a duration; seen 'soon'", "for example '90s', '12h', '15d'"),
        (units.milli_cpu, "0", "an amount of CPU must be above 0; seen '0'", ""),
        (units.milli_cpu, "0.5m", "finer than 1m; seen '0.5m'", ""),
        (
            units.memory_bytes,
            "32 MB",
            "unknown unit 'MB'; seen '32 MB'",
            "did you mean 'Mi'?",
        ),
        (units.ratio, "1/0", "a ratio cannot be divided by 0; seen '1/0'", ""),
        (units.ratio, "0", "a ratio must be above 0; seen '0'", ""),
        (units.usd_1e8, "0", "a price must be above 0 (O2); seen '0'", ""),
        (units.usd_1e8, "1e90", "more than a feed reports, 1e9 dollars; seen '1e90'", ""),
        (units.usd_1e8, "0.000000001", "finer than 1e-8 dollar; seen '0.000000001'", ""),
        (
            units.change_bps,
            "30%",
            "a change is a signed percentage; seen '30%'",
            "for example '+30%' or '-12.5%'",
        ),
        (
            units.change_bps,
            "-100%",
            "a change must leave a price above 0 (O2); seen '-100%'",
            "",
        ),
        (units.share_ppm, "2.5", "a share is a percentage; seen '2.5'", "did you mean '2.5%'?"),
        (units.share_ppm, "101%", "a share lies between 0% and 100%; seen '101%'", ""),
        (units.share_ppm, "-1%", "a share lies between 0% and 100%; seen '-1%'", ""),
        (
            units.share_ppm,
            "0.00001%",
            "finer than a millionth, 0.0001%; seen '0.00001%'",
            "",
        ),
        (units.whole_percent, "50", "a use is a percentage; seen '50'", "did you mean '50%'?"),
        (units.whole_percent, "0.4", "a use is a percentage; seen '0.4'", "for example '50%'"),
        (units.whole_percent, "-1%", "a use is a whole percentage, from 0%; seen '-1%'", ""),
        (units.integer, "1.5", "not a whole number; seen '1.5'", ""),
        (units.truth, "yes", "neither true nor false; seen 'yes'", "did you mean 'true'?"),
    ],
)
def test_refuses_with_a_reason(
    read: Callable[[object], object], text: object, message: str, hint: str
) -> None:
    with pytest.raises(UnitError) as caught:
        read(text)
    assert (str(caught.value), caught.value.hint) == (message, hint)


@given(st.integers(min_value=0, max_value=units.MAX_WEI))
def test_an_amount_reads_back_as_itself(wei: int) -> None:
    assert units.komp(units.komp_text(wei)) == wei


@given(st.integers(min_value=0, max_value=10**12))
def test_a_duration_reads_back_as_itself(seconds: int) -> None:
    assert units.duration(units.duration_text(seconds)) == seconds


@given(st.integers(min_value=1, max_value=10**12))
def test_quantities_read_back_as_themselves(value: int) -> None:
    assert units.milli_cpu(units.milli_cpu_text(value)) == value
    assert units.memory_bytes(units.memory_text(value)) == value
    assert units.usd_1e8(units.usd_text(value)) == value


@given(st.integers(min_value=-9_999, max_value=10**9))
def test_a_change_reads_back_as_itself(bps: int) -> None:
    assert units.change_bps(units.change_text(bps)) == bps


@given(st.integers(min_value=0, max_value=10**6))
def test_a_share_reads_back_as_itself(ppm: int) -> None:
    assert units.share_ppm(units.share_text(ppm)) == ppm


@given(st.integers(min_value=0, max_value=10**6))
def test_a_use_reads_back_as_itself(percent: int) -> None:
    assert units.whole_percent(units.percent_text(percent)) == percent


# A value of a file has at most 80 characters.
@given(st.fractions(min_value=Fraction(1, 10**6), max_value=10**6, max_denominator=10**30))
def test_a_ratio_reads_back_as_itself(value: Fraction) -> None:
    assert units.ratio(units.ratio_text(value)) == value


@given(st.text(max_size=100))
def test_any_text_is_an_amount_or_a_fault(text: str) -> None:
    readers: list[Callable[[object], object]] = [
        *(units.komp, units.duration, units.milli_cpu, units.memory_bytes),
        *(units.ratio, units.usd_1e8, units.change_bps, units.share_ppm, units.integer),
    ]
    for read in readers:
        try:
            value = read(text)
        except UnitError:
            continue
        assert isinstance(value, int | Fraction)
