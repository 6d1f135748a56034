"""What a benchmark's promises come to: rows, verdicts, the exit code."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import benchmarks.__main__ as command
from benchmarks.bound import Bound, Excess
from benchmarks.gas import SNAPSHOT
from benchmarks.ratio import Ratio

HELD = Bound("help", Fraction(1, 10), Fraction(1, 20), "s", Fraction(1, 5))


@pytest.mark.parametrize(
    ("promise", "limit", "held"),
    [
        (Bound("a", Fraction(2), None, "gas", Fraction(2)), "<= 2 gas", True),
        (Bound("a", Fraction(3), None, "gas", Fraction(2)), "<= 2 gas", False),
        (Excess("a", Fraction(5), Fraction(3), "s", Fraction(2)), "<= peer + 2 s", True),
        (Excess("a", Fraction(6), Fraction(3), "s", Fraction(2)), "<= peer + 2 s", False),
        (Ratio("a", Fraction(6), Fraction(5), "s", Fraction(6, 5), False), "ratio <= 1.2", True),
        (Ratio("a", Fraction(7), Fraction(5), "s", Fraction(6, 5), False), "ratio <= 1.2", False),
        (Ratio("a", Fraction(7), Fraction(10), "tx/s", Fraction(7, 10)), "ratio >= 0.7", True),
        (Ratio("a", Fraction(6), Fraction(10), "tx/s", Fraction(7, 10)), "ratio >= 0.7", False),
    ],
)
def test_a_promise_is_held_at_its_limit_and_missed_beyond(
    promise: command.Promise, limit: str, held: bool
) -> None:
    assert (command.limit_of(promise), promise.held) == (limit, held)
    assert command.row("name", promise)[-1] == ("held" if held else "MISSED")


def test_a_row_shows_both_figures_and_their_ratio() -> None:
    row = command.row("cli", HELD)

    assert row == ("cli", "help", "0.1 s", "0.05 s", "2.00", "<= 0.2 s", "held")
    alone = Bound("claim all", Fraction(51_503), None, "gas", Fraction(55_000))
    assert command.row("gas", alone)[2:5] == ("51 503 gas", "-", "-")


def run(monkeypatch: pytest.MonkeyPatch, *words: str, found: command.Promise = HELD) -> Result:
    """The command over one benchmark named `cli` (measuring takes minutes)."""
    monkeypatch.setattr(command, "present", lambda: ["cli"])
    monkeypatch.setattr(command, "measured", lambda name, smallest: iter([found]))
    return CliRunner().invoke(command.main, words)


def test_the_exit_code_says_whether_all_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    missed = Bound("help", Fraction(1), None, "s", Fraction(1, 5))

    assert run(monkeypatch).exit_code == 0
    assert run(monkeypatch, "cli", found=missed).exit_code == 1
    unknown = run(monkeypatch, "clii")
    assert unknown.exit_code == 2
    assert "no benchmark named clii; known: cli" in unknown.output


def test_the_smallest_form_is_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    missed = Bound("help", Fraction(1), None, "s", Fraction(1, 5))

    ended = run(monkeypatch, "--smallest", "--json", found=missed)
    assert ended.exit_code == 0
    assert json.loads(ended.output[ended.output.index("[") :])[0]["held"] is None
    assert run(monkeypatch, "--smallest", found=missed).output.rstrip().endswith("<= 0.2 s  -")


def test_json_has_the_figures_as_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    output = run(monkeypatch, "--json").output  # progress goes to stderr, which comes first here
    assert json.loads(output[output.index("[") :]) == [
        {
            "benchmark": "cli",
            "what": "help",
            "unit": "s",
            "ours": 0.1,
            "peer": 0.05,
            "ratio": 2.0,
            "limit": "<= 0.2 s",
            "held": True,
        }
    ]


def test_every_benchmark_of_the_folder_is_found() -> None:
    promised = ["attacks", "cli", "cluster", "controlplane", "economics", "gas", "load", "soak"]
    assert command.present() == [*promised, "startup"]


def test_the_page_shows_the_gas_of_the_snapshot() -> None:
    page = (Path(__file__).parents[2] / "docs" / "benchmarks.md").read_text()
    table = page.split("| operation | gas | target |\n")[1].split("\n\n")[0].splitlines()[1:]
    shown = [
        re.split(r"[/;]", row.split("|")[2].replace("*", "").replace(" ", "")) for row in table
    ]

    measured = json.loads(SNAPSHOT.read_text())
    del measured["claim all: most less least of these"]
    assert sorted(int(gas) for cell in shown for gas in cell) == sorted(measured.values())
