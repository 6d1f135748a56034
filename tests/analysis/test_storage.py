"""The published layouts are the contracts', and each contract fits a main network."""

from __future__ import annotations

import pytest

from analysis.compiler import Compiler
from analysis.storage import DEFAULT_FILE, SIZE_LIMIT, Layout, Variable, layouts, page


@pytest.fixture(scope="module")
def found() -> list[Layout]:
    return layouts(Compiler())


def test_the_published_page_is_what_the_compiler_says(found: list[Layout]) -> None:
    assert DEFAULT_FILE.read_text(encoding="utf-8") == page(found), (
        "run: python -m analysis.storage"
    )


def test_every_contract_fits_the_limit_of_a_main_network(found: list[Layout]) -> None:
    assert {one.name: one.size for one in found if not 0 < one.size <= SIZE_LIMIT} == {}


def test_packed_structures_keep_their_slots(found: list[Layout]) -> None:
    (rewards,) = [one for one in found if one.name == "Rewards"]
    assert rewards.structs["Rewards.Bucket"] == (
        Variable("reward", "uint128", 0, 0, 16),
        Variable("totalV", "uint128", 0, 16, 16),
    )


def test_a_layout_without_variables_says_so() -> None:
    assert list(Layout("Pure", 12, (), {}).lines()) == ["\n## Pure\n", "Nothing is stored."]
