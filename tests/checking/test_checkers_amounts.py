"""The checkers' own formulas: stated values, and that they are nobody else's."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devnet.checking import amounts
from devnet.checking.amounts import cycle_at, due_share, due_slash, due_v
from devnet.model import rewards, slashing, staking
from devnet.model.parameters import STAKE_WEI

KOMP = 10**18
HOUR = 3600
FACTORS = {"sgx": 10**6, "b": 10**6, "c1": 500_000, "c2": 300_000, "c3": 200_000}


SIDE_BY_SIDE = {"__init__", "agreement", "checker", "checks", "parameters", "reading"}
CHECKING = {path.stem for path in Path(amounts.__file__).parent.glob("*.py")}


@pytest.mark.parametrize("module", sorted(CHECKING - SIDE_BY_SIDE))
def test_they_take_no_formula_from_the_model(module: str) -> None:
    source = Path(amounts.__file__).with_name(f"{module}.py").read_text()
    taken = {
        (node.module, alias.name)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("devnet.model")
        for alias in node.names
    }
    values = ("Ledger", "Parameters", "PoolLedger", "PriceLedger")
    assert taken <= {("devnet.model", name) for name in values}


@pytest.mark.parametrize(("months", "v"), [(1, 1_000), (3, 1_050), (6, 1_100), (12, 1_200)])
def test_w1_s2_the_reference_machine(months: int, v: int) -> None:
    assert due_v(FACTORS, amounts.BONUS[months]) == v * 10**15


@pytest.mark.parametrize(
    ("reward", "v", "total", "due"), [(10, 1, 3, 3), (10, 2, 3, 6), (10, 0, 0, 0), (7, 9, 9, 7)]
)
def test_c3_shares_are_rounded_down(reward: int, v: int, total: int, due: int) -> None:
    assert due_share(reward, v, total) == due


@pytest.mark.parametrize(
    ("level", "seconds", "due"),
    [
        (1, 12 * HOUR, 25),
        (1, 24 * HOUR, 50),
        (1, 240 * HOUR, 500),
        (1, 10**7, 500),
        (2, 12 * HOUR, 125),
        (2, 24 * HOUR, 250),
        (2, 48 * HOUR, 500),
        (2, 10**7, 500),
        (3, 0, 500),
    ],
)
def test_l1_to_l4_what_a_day_costs_and_the_cap(level: int, seconds: int, due: int) -> None:
    assert due_slash(level, seconds, 500 * KOMP) == due * KOMP
    assert due_slash(level, seconds, 7 * KOMP) == 7 * KOMP


def test_l4_never_more_than_there_is() -> None:
    assert [due_slash(level, 10**7, 3) for level in (1, 2, 3)] == [3, 3, 3]


def test_c1_cycles() -> None:
    assert [cycle_at(block, 2, 14) for block in (2, 15, 16, 29, 30)] == [0, 0, 1, 1, 2]


@given(
    st.integers(0, 10**7),
    st.integers(1, 2 * 10**6),
    st.integers(0, 10**7),
    st.integers(0, 10**12),
    st.sampled_from([1, 3, 6, 12]),
)
def test_both_tellings_agree(seconds: int, sgx: int, b: int, c: int, months: int) -> None:
    for level in (slashing.OFFLINE, slashing.MALICIOUS):
        nominal = slashing.nominal_amount(level, seconds)
        assert due_slash(level, seconds, STAKE_WEI) == nominal
    factors = {"sgx": sgx, "b": b, "c1": c, "c2": c // 2, "c3": 1}
    expected = rewards.value(sgx, b, (c, c // 2, 1), staking.PERIODS[months])
    assert due_v(factors, amounts.BONUS[months]) == expected
    assert due_share(c, b, b + sgx) == rewards.share(c, b, b + sgx)
    assert amounts.FULL_STAKE == STAKE_WEI
    assert amounts.BONUS == staking.PERIODS
