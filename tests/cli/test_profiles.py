"""`devnet profiles`, and what `devnet profiles measure` refuses before anything is raised."""

from __future__ import annotations

from pathlib import Path

import pytest

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


def test_overrides_that_nobody_reads_are_told(devnet: Shell) -> None:
    ended = devnet("profiles", "--json", KOMPUTE_SET_SCALE="1/2")
    assert ended.code == 0
    assert ended.err == "KOMPUTE_SET_SCALE is not used: profiles reads no file\n"
