"""Survivors, explained ones and what a test noticed: how they count and what fails."""

from __future__ import annotations

import click
import pytest

from analysis.mutation.__main__ import explanations, faults, refuse_unknown, tallies
from analysis.mutation.killing import Fate, Outcome
from analysis.mutation.mutants import Mutant


def mutant(contract: str, change: str, line: int = 1) -> Mutant:
    return Mutant("contracts/a/A.sol", contract, f"{contract}.f", change, line, 0, 0, "")


EXPLAINED = {("A.f", "x -> y"): "both are zero there"}
KILLED = Outcome(mutant("A", "k -> l"), Fate.KILLED, 1.0, "tests/contracts/a/test_a.py::test_k")
SURVIVOR = Outcome(mutant("A", "s -> t", 9), Fate.SURVIVED, 1.0)
LATE = Outcome(mutant("A", "l -> m", 8), Fate.LATE, 90.0)
KNOWN = Outcome(mutant("A", "x -> y"), Fate.SURVIVED, 1.0)
UNTRIED = Outcome(mutant("A", "x -> y"), Fate.UNTRIED)
UNBUILT = Outcome(mutant("B", "u -> v"), Fate.UNBUILT)
EQUAL = Outcome(mutant("C", "e -> f"), Fate.SAME)


def test_explained_uncompiled_and_equal_ones_are_not_in_the_score() -> None:
    rows = tallies([KILLED, SURVIVOR, LATE, KNOWN, UNBUILT, EQUAL], EXPLAINED)

    assert [row.line() for row in rows] == [
        "A: 33.3 % (1 of 3 killed, 1 explained, 0 not compiled)",
        "B: - (0 of 0 killed, 0 explained, 1 not compiled)",
        "mutation score: 33.3 % (1 of 3 killed, 1 explained, 1 not compiled)",
    ]
    assert tallies([KNOWN], EXPLAINED)[-1].score_percent == "-"


def test_what_fails_is_a_survivor_without_reason_and_a_reason_without_survivor() -> None:
    noticed = Outcome(mutant("A", "x -> y"), Fate.KILLED, 1.0, "test_x")

    assert list(faults([KILLED, SURVIVOR, LATE, KNOWN], EXPLAINED)) == [
        "no end within 90 s  contracts/a/A.sol:8: A.f: l -> m",
        "survived  contracts/a/A.sol:9: A.f: s -> t",
    ]
    assert list(faults([noticed, EQUAL], EXPLAINED)) == [
        "explained, but test_x notices it: contracts/a/A.sol:1: A.f: x -> y"
    ]


@pytest.mark.parametrize(
    "done",
    [[], [UNTRIED], [UNBUILT, EQUAL]],
    ids=["none-chosen", "all-explained", "none-of-another-code"],
)
def test_nothing_tried_is_a_fault(done: list[Outcome]) -> None:
    assert list(faults(done, EXPLAINED)) == ["no mutant was tried"]


def test_a_contract_without_mutants_is_refused() -> None:
    every = [KILLED.mutant, UNBUILT.mutant]
    refuse_unknown(["A", "B"], every)

    with pytest.raises(click.BadParameter, match="named Alpha has mutants; one of A, B"):
        refuse_unknown(["A", "Alpha"], every)
    with pytest.raises(click.BadParameter, match="did you mean 'A'"):
        refuse_unknown(["a"], every)


def test_every_explanation_of_the_file_says_why() -> None:
    assert [key for key, because in explanations().items() if len(because) < 20] == []
