"""All checks of the contracts in one command: what is run, what is told at the end, how it ends."""

from __future__ import annotations

import pytest

from analysis import __main__ as analysis
from analysis.__main__ import VERDICT, Check, Done, chosen, main, run

SAID = """
print("collecting")
print("FAILED tests/contracts/test_a.py::test_x[a b] - AssertionError")
print("==== 1 failed, 3 passed in 0.10s ====")
print("mutation score: 50.0 % (1 of 2 killed, 0 explained, 0 not compiled)  ")
"""


def script(text: str, name: str = "tests") -> Check:
    return Check(name, ("-c", text), ("--deep",))


def test_a_check_passes_its_lines_on_and_keeps_the_verdicts(
    capfd: pytest.CaptureFixture[str],
) -> None:
    done = run(script(f"{SAID}\nimport sys, time; time.sleep(1); sys.exit(3)"), deep=False)

    assert (done.name, done.code) == ("tests", 3)
    assert 1 <= done.seconds < 60
    assert done.verdicts == (
        "FAILED tests/contracts/test_a.py::test_x[a b] - AssertionError",
        "==== 1 failed, 3 passed in 0.10s ====",
        "mutation score: 50.0 % (1 of 2 killed, 0 explained, 0 not compiled)",
    )
    assert capfd.readouterr().out.startswith("--- tests\ncollecting\nFAILED tests/")


@pytest.mark.parametrize(
    ("deep", "words"), [(False, "['-x']"), (True, "['--deep', '-x']")], ids=["sample", "deep"]
)
def test_deep_and_further_arguments_reach_the_command(
    capfd: pytest.CaptureFixture[str], deep: bool, words: str
) -> None:
    done = run(script("import sys; print(sys.argv[1:])"), deep, ("-x",))

    assert done.code == 0
    assert capfd.readouterr().out == f"--- tests\n{words}\n"


@pytest.mark.parametrize(
    "line",
    [
        "========= 3 passed, 1 skipped in 2.50s =========",
        "FAILED tests/contracts/a/test_a.py::test_x - assert 1 == 2",
        "ERROR tests/contracts/a/test_a.py::test_x",
        "survived  contracts/a/A.sol:9: A.f: s -> t",
        "no end within 90 s  contracts/a/A.sol:9: A.f: s -> t",
        "explained, but test_x notices it: contracts/a/A.sol:1: A.f: x -> y",
        "no such mutant: A.f: x -> y",
        "no mutant was tried",
        "mutation score: 100.0 % (45 of 45 killed, 0 explained, 2 not compiled)",
        "slither: clean, 29 contracts, 102 detectors, 54 places excused; compiler warnings: 0",
        "slither assembly at Market._call: uses assembly",
        "solc 2072 at contracts/A.sol: Warning: unused variable",
        "excuses.yaml: slither says nothing of assembly at B.c any more",
        "state machine: 20000 steps",
    ],
)
def test_what_says_how_it_ended_is_a_verdict(line: str) -> None:
    assert VERDICT.match(line)


@pytest.mark.parametrize(
    "line",
    ["tests/contracts/a/test_a.py ....", "=== FAILURES ===", "E   FAILED", "2 of 45 mutants"],
)
def test_other_lines_are_not(line: str) -> None:
    assert not VERDICT.match(line)


@pytest.mark.parametrize(
    ("arguments", "names", "deep", "rest"),
    [
        ([], ["findings", "pages", "tests", "properties", "mutants"], False, ()),
        (["--deep"], ["findings", "pages", "tests", "properties", "mutants"], True, ()),
        (["-k", "l4"], ["tests"], False, ("-k", "l4")),
        (["mutants", "--contract", "Pool", "--deep"], ["mutants"], True, ("--contract", "Pool")),
        (["findings"], ["findings"], False, ()),
    ],
    ids=["all", "all-deep", "of-pytest", "of-a-check", "a-check"],
)
def test_which_checks_run(
    arguments: list[str], names: list[str], deep: bool, rest: tuple[str, ...]
) -> None:
    wanted, is_deep, more = chosen(arguments)

    assert ([check.name for check in wanted], is_deep, more) == (names, deep, rest)


def test_the_verdicts_come_last_and_one_that_fails_fails_all(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    codes = {"mutants": 1}

    def ended(check: Check, deep: bool, more: tuple[str, ...] = ()) -> Done:
        said = ("survived  A.sol:9: A.f: s -> t",) if check.name in codes else ()
        return Done(check.name, codes.get(check.name, 0), 7, said)

    monkeypatch.setattr(analysis, "run", ended)

    assert main([]) == 1
    assert capsys.readouterr().out == (
        "--- verdicts\n"
        "findings: held, 7 s\n"
        "pages: held, 7 s\n"
        "tests: held, 7 s\n"
        "properties: held, 7 s\n"
        "mutants: FAILED, exit 1, 7 s\n"
        "  survived  A.sol:9: A.f: s -> t\n"
    )
    codes.clear()
    assert main(["--deep"]) == 0
    assert main(["mutants"]) == 0


def test_a_single_check_ends_as_its_command_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analysis, "CONTRACT_TESTS", script("import sys; sys.exit(5)"))

    assert main(["-k", "nothing"]) == 5
