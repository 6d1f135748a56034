"""Amounts as a report writes them."""

from __future__ import annotations

import pytest

from devnet.report.amounts import decimal, komp, komp_short, moment, percent, span
from devnet.report.page import inline_json
from tests.report.fabricated import GENESIS


class TestAmounts:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            (komp(25 * 10**18), "25"),
            (komp(1), "0.000000000000000001"),
            (komp(-1_234_567 * 10**18 - 5 * 10**17), "-1,234,567.5"),
            (komp_short(10**18 // 3), "0.3333…"),
            (komp_short(10**18 // 2), "0.5"),
            (percent(123_456 * 10**13), "123.45…"),
            (decimal(7, places=0), "7"),
            (span(43_200), "12 h"),
            (span(90_061), "1 d 1 h"),
            (span(0), "0 s"),
            (moment(GENESIS), "2026-01-01 00:00"),
            (moment(10**30), "?"),
        ],
    )
    def test_as_people_read_them(self, text: str, value: str) -> None:
        assert text == value

    def test_json_cannot_end_its_script(self) -> None:
        assert inline_json({"a": "</script>&"}) == '{"a":"\\u003c/script\\u003e\\u0026"}'
