"""`devnet profiles`, and what `devnet profiles measure` refuses before anything is raised."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from cluster.perftest import Trial
from devnet.cli import profiles
from devnet.runs.profiling import Compared, Profiling
from tests.cli.conftest import Shell

MACHINES = Path(__file__).parents[2] / "e2e" / "networks" / "machines.yaml"


def test_those_of_the_project_and_a_networks_own_are_listed(devnet: Shell) -> None:
    ended = devnet("profiles", "--json")
    assert (ended.code, sorted(ended.json())) == (0, ["large", "sgx", "small", "standard"])

    own = devnet("profiles", "--network", MACHINES, "--json", "--set", "profiles.rack.cpu=7").json()
    assert sorted(own) == ["edge", "large", "rack", "sgx", "small", "standard"]
    assert own["edge"]["capacity"]["milli_cpu"] == 1500
    assert own["rack"]["capacity"]["milli_cpu"] == 7000


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["measure", "--cluster", "sim"],
            "sim measures nothing: its figures are the profiles' own, and nothing holds its pods "
            "to them (sim, as asked)",
        ),
        (["--rounds", "3"], "--rounds is for `devnet profiles measure`"),
        (["--cluster", "native"], "--cluster is for `devnet profiles measure`"),
        (["--set", "scale=1"], "--set needs the network it changes: --network NETWORK"),
        (["measure", "--rounds", "0"], "invalid value for '--rounds': 0 is not in the range"),
        (["mesure"], "invalid value for '[measure]': 'mesure' is not 'measure'"),
    ],
)
def test_what_cannot_be_done_as_asked_is_refused(
    devnet: Shell, words: list[str], said: str
) -> None:
    ended = devnet("profiles", *words, "--json")
    assert ended.code == 2
    assert ended.json()["error"].startswith(said)
    assert not (devnet.folder / ".devnet").exists()


def test_what_is_told_of_figures_names_those_that_cannot_exceed_a_claim(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A rate that nothing holds is cut at the claim: "1.000" alone would read as "held"."""
    compared = (
        Compared("large", "C1", 4_000_000, 4_500_000),
        Compared("large", "B", 2_000_000, 2_000_000),
    )
    trial = Trial(62, 62_000_000, 1_000_000_000, 2)
    profiles._print(Profiling("native", Fraction(1, 16), 1, trial, 3_000_000, compared))
    rows = capsys.readouterr().out.splitlines()
    told = [" ".join(row.split()) for row in rows]
    assert told[1] == "large C1 4.000 4.500 1.125 off by more than a tenth"
    assert told[2] == "large B 2.000 2.000 1.000"
    assert "C3 and B are cut at what a profile claims: they show that a node has no less." in rows
    assert rows[-1] == "profiles do not hold on native at 1/16: median of 1"


def test_overrides_that_nobody_reads_are_told(devnet: Shell) -> None:
    ended = devnet("profiles", "--json", KOMPUTE_SET_SCALE="1/2")
    assert ended.code == 0
    assert ended.err == "KOMPUTE_SET_SCALE is not used: profiles reads no file\n"
