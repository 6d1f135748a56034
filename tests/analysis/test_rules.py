"""Every rule has a contract, a model and a test, or says why not; the page shows which."""

from __future__ import annotations

import pytest

from analysis.citations import Citation, of_python, of_solidity, of_tests
from analysis.rules import DEFAULT_FILE, Row, Rule, page, rows, rules, unknown

SOLIDITY = """\
/// @title Stakes (S1 to S6)
contract Staking is IStaking {
    /// @notice What a node stakes (S1).
    uint256 public constant STAKE = 500e18;

    /// @notice Ends it.
    /// At the later of both (S5).
    function exit(address node)
        external
    {
        uint256 at = now; // S3
        if (at > 0) {
            revert Early(at); // R2: not S9x
        }
    }

    function quiet() external {}
    // M1 of nobody
}
"""
PYTHON = '''\
"""Stakes (S1 to S6)."""

PERIODS = {1: 10_000}  # S2


class Node:
    """Of one worker (R2)."""

    def is_live(self) -> bool:
        """S4."""
        return True  # S5
'''
TESTS = '''\
@pytest.mark.parametrize("level", [1], ids=["L1"])
def test_s5_s6_it_ends(stage, level):
    """W4 stays."""
    assert stage  # C3
'''


def test_comments_of_solidity_belong_to_the_declaration_below_or_around() -> None:
    assert list(of_solidity(SOLIDITY)) == [
        Citation("S1", 1, "Staking.STAKE"),
        Citation("S5", 0, "Staking.exit"),
        Citation("S3", 0, "Staking.exit"),
        Citation("R2", 0, "Staking.exit"),
    ]


def test_an_interface_speaks_for_its_contract() -> None:
    text = "interface IStaking {\n    /// @notice (S5)\n    function exit(address) external;\n}\n"
    assert list(of_solidity(text)) == [Citation("S5", 0, "Staking.exit")]


def test_python_cites_in_the_innermost_declaration() -> None:
    assert list(of_python("staking", PYTHON)) == [
        Citation("S2", 1, "staking.PERIODS"),
        Citation("R2", 1, "staking.Node"),
        Citation("S4", 0, "staking.is_live"),
        Citation("S5", 0, "staking.is_live"),
    ]


def test_every_rule_can_be_cited_by_a_test_s_name_and_by_its_text() -> None:
    for rule in rules():
        text = f'def test_{rule.name.lower()}_holds():\n    """{rule.name}."""\n'
        at = f"a/test_a.py::test_{rule.name.lower()}_holds"
        assert list(of_tests("a/test_a.py", text)) == [
            Citation(rule.name, 0, at),
            Citation(rule.name, 1, at),
        ]


def test_a_test_cites_by_its_name_before_its_text() -> None:
    at = "a/test_a.py::test_s5_s6_it_ends"
    assert sorted(of_tests("a/test_a.py", TESTS), key=lambda one: (one.detail, one.rule)) == [
        *(Citation(rule, 0, at) for rule in ("S5", "S6")),
        *(Citation(rule, 1, at) for rule in ("C3", "L1", "W4")),
    ]


def cited(*entries: tuple[int, str]) -> tuple[Citation, ...]:
    return tuple(Citation("S5", detail, at) for detail, at in entries)


def test_a_row_shows_three_and_counts_the_rest_or_says_why_there_is_none() -> None:
    rule = Rule("S5", "exit", {"model": "off chain"})
    four = cited((0, "A.a"), (0, "A.b"), (1, "A.c"), (1, "A.d"))
    row = Row(rule, {"contract": four, "model": (), "test": ()})

    assert row.line() == "| S5 | exit | `A.a`, `A.b`, `A.c` and 1 more | *off chain* | *nothing* |"
    assert row.faults() == ["has no test"]


def test_a_constant_alone_needs_a_reason_and_stands_beside_it() -> None:
    constant = {"contract": cited((1, "A.MOST")), "model": (), "test": cited((1, "test_a.py::t"))}
    bare, reasoned = Rule("S5", "exit", {"model": "-"}), {"model": "-", "contract": "as of S4"}

    assert Row(bare, constant).faults() == ["has no contract"]
    assert Row(Rule("S5", "exit", reasoned), constant).faults() == []
    assert Row(Rule("S5", "exit", reasoned), constant).line() == (
        "| S5 | exit | `A.MOST`: *as of S4* | *-* | `test_a.py::t` |"
    )


def test_a_reason_beside_a_function_and_a_name_that_cites_no_more_are_faults() -> None:
    functions = {"contract": cited((0, "A.a")), "model": cited((0, "a.a")), "test": ()}
    rule = Rule("S5", "exit", {"contract": "none", "test": "none"}, frozenset({"a.a", "A.gone"}))

    assert Row(rule, functions).faults() == [
        "has no model",
        "has a contract and a reason",
        "is not named by A.gone any more",
    ]
    assert "a.a" not in Row(rule, functions).line()


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.rule.name)
def test_every_rule_has_a_contract_a_model_and_a_test(row: Row) -> None:
    assert row.faults() == []


def test_the_list_has_every_rule_once_and_nothing_cites_another() -> None:
    numbers = {"R": 5, "T": 1, "S": 7, "W": 5, "C": 7, "L": 7, "O": 7, "M": 6, "I": 1, "G": 2}
    numbers["D"] = 1
    every = [f"{letter}{n}" for letter, count in numbers.items() for n in range(1, count + 1)]
    assert [rule.name for rule in rules()] == every
    assert unknown() == []


def test_the_published_page_is_what_the_code_cites() -> None:
    assert DEFAULT_FILE.read_text(encoding="utf-8") == page(), "run: python -m analysis.rules"
