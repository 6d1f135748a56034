"""Survivors, explained ones and what a test noticed: how they count and what fails."""

from __future__ import annotations

from analysis.mutation.__main__ import explanations, faults, tallies
from analysis.mutation.killing import SAME, Outcome
from analysis.mutation.mutants import Mutant


def mutant(contract: str, change: str, line: int = 1) -> Mutant:
    return Mutant("contracts/a/A.sol", contract, f"{contract}.f", change, line, 0, 0, "")


EXPLAINED = {("A.f", "x -> y"): "both are zero there"}
KILLED = Outcome(mutant("A", "k -> l"), "tests/contracts/a/test_a.py::test_k", 1.0)
SURVIVOR = Outcome(mutant("A", "s -> t", 9), None, 1.0)
KNOWN = Outcome(mutant("A", "x -> y"), None, 1.0)
EQUAL = Outcome(mutant("B", "e -> f"), SAME, 0.0)


def test_explained_mutants_and_equal_code_are_not_in_the_score() -> None:
    rows = tallies([KILLED, SURVIVOR, KNOWN, EQUAL], EXPLAINED)

    assert [row.line() for row in rows] == [
        "A: 50.0 % (1 of 2 killed, 1 explained)",
        "mutation score: 50.0 % (1 of 2 killed, 1 explained)",
    ]
    assert tallies([KNOWN], EXPLAINED)[-1].score_percent == "-"


def test_what_fails_is_a_survivor_without_reason_and_a_reason_without_survivor() -> None:
    noticed = Outcome(mutant("A", "x -> y"), "test_x", 1.0)

    assert list(faults([KILLED, SURVIVOR, KNOWN], EXPLAINED)) == [
        "survived  contracts/a/A.sol:9: A.f: s -> t"
    ]
    assert list(faults([noticed, EQUAL], EXPLAINED)) == [
        "explained, but test_x notices it: contracts/a/A.sol:1: A.f: x -> y"
    ]


def test_every_explanation_of_the_file_says_why() -> None:
    assert [key for key, because in explanations().items() if len(because) < 20] == []
