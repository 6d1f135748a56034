"""Which files a folder of scenarios stands for."""

from __future__ import annotations

from pathlib import Path

import pytest

from devnet.base import UsageError
from devnet.cli.files import scenario_files

SCENARIO = "version: 1\nname: mine\nnetwork: network.yaml\nsteps:\n  - advance: {blocks: 1}\n"


def write(folder: Path, **texts: str) -> Path:
    for place, text in texts.items():
        file = folder / place.replace("__", "/").replace("DOT", ".")
        file = file.with_name(file.name + ".yaml")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder


def test_neither_networks_nor_what_runs_left_are_scenarios(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        second=SCENARIO,
        inner__first=SCENARIO,
        network="version: 1\nname: mine\nworkers: [{name: worker-1}]\n",
        DOTdevnet__run__runs__one__scenario=SCENARIO,
    )
    expected = [folder / "inner" / "first.yaml", folder / "second.yaml"]
    assert scenario_files((str(folder),)) == expected


def test_a_hidden_folder_is_read_where_it_is_named(tmp_path: Path) -> None:
    folder = write(tmp_path, DOTmine__first=SCENARIO) / ".mine"
    assert scenario_files((str(folder),)) == [folder / "first.yaml"]


@pytest.mark.parametrize("text", ["network: network.yaml\nstep: []\n", "- no\n", "{"], ids=repr)
def test_a_scenario_that_is_wrong_is_left_to_be_told(tmp_path: Path, text: str) -> None:
    assert scenario_files((str(write(tmp_path, wrong=text)),)) == [tmp_path / "wrong.yaml"]


def test_a_folder_without_scenarios_says_what_there_is(tmp_path: Path) -> None:
    folder = write(tmp_path, network="version: 1\nname: mine\n")
    with pytest.raises(UsageError, match=f"no scenario in {folder}: ") as refused:
        scenario_files((str(folder),))
    assert "full-loop, governance" in refused.value.hint
