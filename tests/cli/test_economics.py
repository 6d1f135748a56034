"""`economics` as a process: figures, report, exit codes, faults of its file."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from tests.cli.conftest import Shell

FAST = ("--set", "cycle.blocks=70", "--set", "cycle.gap_blocks=5")
NETWORK = """\
version: 1
name: mine
cycle: {blocks: 5040, gap_blocks: 120}
workers:
  - {name: a, profile: standard, stake_months: 1, count: 6}
  - {name: b, profile: large, stake_months: 12, count: 4}
economics:
  incidents: {level_1: 10%}
"""


@pytest.fixture
def mine(devnet: Shell) -> Path:
    path = devnet.folder / "mine.yaml"
    path.write_text(NETWORK)
    return path


def test_a_year_in_tables_of_80_columns(devnet: Shell, mine: Path) -> None:
    ended = devnet("economics", mine, "--seed", "5", COLUMNS="80")
    assert ended.code == 0, ended.err
    assert max(map(len, ended.out.splitlines()[:-1])) <= 80
    assert "it adds up: balances 100000000 KOMP, supply 100000000 KOMP" in ended.out
    assert "10 nodes, 8 cycles" in ended.out
    report = devnet.folder / ".devnet" / "economics" / "mine-seed-5.html"
    assert ended.out.split()[-2:] == ["report", str(report)]
    assert "<title>mine: economics" in report.read_text()
    assert ended.err.startswith("10 nodes, 8 cycles of 5,040 blocks, seed 5\n")


def test_the_year_of_the_readme_with_fewer_nodes_and_longer_cycles(devnet: Shell) -> None:
    words = ["--set", "cycle.blocks=201600"]
    for group in range(8):
        words += ["--set", f"workers.{group}.count=5"]
    ended = devnet("economics", "year", *words)
    assert ended.code == 0, ended.err
    assert "it adds up: balances 100000000 KOMP, supply 100000000 KOMP\n" in ended.out
    assert "\n40 nodes, 13 cycles, " in ended.out
    assert " pools harvested " in ended.out
    assert ended.out.endswith("/year-seed-0.html\n")


def test_the_same_seed_gives_the_same_json(devnet: Shell, mine: Path) -> None:
    words = ("economics", mine, "--json", "--out", "page.html", "--years", "2")
    first, again = devnet(*words), devnet(*words)
    other = devnet(*words, "--seed", "1")
    assert first.out == again.out
    assert first.json()["groups"] != other.json()["groups"]
    assert first.json()["total"] == first.json()["supply"] == str(10**26)
    assert len(first.json()["cycles"]) == 17
    assert first.json()["report"] == "page.html"


def test_one_changed_parameter_shows(devnet: Shell, mine: Path) -> None:
    words = ("economics", mine, "--json", "--out", "page.html")
    before, after = devnet(*words), devnet(*words, "--set", "incentive_per_cycle=2000 KOMP")
    earned = [int(json.loads(ended.out)["added"]["incentives"]) for ended in (before, after)]
    assert earned == [8 * 1000 * 10**18, 8 * 2000 * 10**18]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("nowhere.yaml",), 2, "error: nowhere.yaml: : no such file"),
        (("yeer",), 2, "hint: did you mean 'year'?"),
        (("mine.yaml", "--years", "0"), 2, "0 is not in the range"),
        (("mine.yaml", "--out", "mine.yaml/x.html"), 3, "the report cannot be written"),
        (("mine.yaml", "--set", "economics.spread=2"), 2, "a share is a percentage; seen '2'"),
        (
            ("mine.yaml", "--set", "supply=1000 KOMP"),
            2,
            "supply: is less than what everybody begins with, 10009500 KOMP: 750 KOMP for each",
        ),
        (
            ("mine.yaml", "--set", "economics.stakes={renew: 90%, leave: 20%}"),
            2,
            "shares of one whole; seen 110% together",
        ),
    ],
)
@pytest.mark.usefixtures("mine")
def test_what_is_wrong_is_said_before_the_year(
    devnet: Shell, words: tuple[str, ...], code: int, said: str
) -> None:
    ended = devnet("economics", *words)
    assert ended.code == code, ended.err
    assert said in ended.err.replace("nowhere.yaml: no", "nowhere.yaml: : no")
    assert "Traceback" not in ended.err


def test_ctrl_c_ends_it_at_once(devnet: Shell, mine: Path) -> None:
    process = devnet.start("economics", mine, "--years", "20", *FAST)
    devnet.said("cycles of")
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 130
    assert "Traceback" not in (devnet.folder / "err").read_text()
    assert not list(devnet.folder.glob(".devnet/economics/*.html"))
