"""Whatever is set reaches what it is for, or is named: each command, `--set`, `KOMPUTE_SET_…`."""

from __future__ import annotations

import json

import click
import pytest

from devnet.cli.ape import cli
from devnet.cli.catalogue import ENTRIES
from devnet.cli.group import reads_overrides
from tests.cli.conftest import Shell, python

READING = {"config", "demo", "economics", "load", "profiles", "run", "up"}
PASSED_ON = {"ape", "kubectl"}  # all that follows is the other program's
DEAF = sorted(set(ENTRIES) - READING - PASSED_ON)
WALK = """
import json, sys
from click.testing import CliRunner
from devnet.cli.ape import cli
found, runner = {}, CliRunner(mix_stderr=False)
for name in json.loads(sys.argv[1]):
    helped = runner.invoke(cli, [name, "--help"])
    refused = runner.invoke(cli, [name, "--set", "seed=3"])
    found[name] = [helped.exit_code, helped.stderr, refused.exit_code, refused.stderr]
print(json.dumps(found))
"""


def test_which_commands_read_a_file() -> None:
    context = click.Context(cli, info_name="devnet")
    commands = {name: cli.get_command(context, name) for name in ENTRIES}
    reading = {name for name, command in commands.items() if command and reads_overrides(command)}
    assert reading == READING


def test_a_command_that_reads_no_file_says_what_was_set_in_vain() -> None:
    done = python(WALK, json.dumps(DEAF), KOMPUTE_SET_SEED="3", KOMPUTE_SET_CYCLE__BLOCKS="140")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert sorted(found) == DEAF
    for name, (code, told, refused_code, refusal) in found.items():
        both = "KOMPUTE_SET_CYCLE__BLOCKS, KOMPUTE_SET_SEED are not used"
        assert (code, told) == (0, f"{both}: {name} reads no file\n")
        assert refused_code == 2, name
        assert "no such option: --set" in refusal, name


@pytest.mark.parametrize("words", ["up tiny --cluster sim", "load", "economics", "config"])
@pytest.mark.parametrize("key", ["seed", "network", "steps"])
@pytest.mark.parametrize("way", ["--set", "variable"])
def test_a_scenarios_key_is_refused_where_there_is_a_network_only(
    devnet: Shell, words: str, key: str, way: str
) -> None:
    variable = f"KOMPUTE_SET_{key.upper()}"
    if way == "--set":
        ended = devnet(*words.split(), "--set", f"{key}=3")
    else:
        ended = devnet(*words.split(), **{variable: "3"})
    assert (ended.code, ended.out) == (2, "")
    source = "--set" if way == "--set" else variable
    told = f"error: {source}: {key}: a key of scenarios, and this is a network"
    assert ended.err.startswith(told)
    assert ("--seed gives a seed" in ended.err) == (key == "seed")
    assert not (devnet.folder / ".devnet").exists()


def test_a_key_that_is_set_twice_is_refused_by_name(devnet: Shell) -> None:
    ended = devnet("config", "tiny", "--set", "cycle.blocks=70", "--set", "cycle.blocks=80")
    assert (ended.code, ended.out) == (2, "")
    assert "'cycle.blocks' is set twice" in ended.err


def test_a_run_takes_its_seed_from_wherever_it_is_set(devnet: Shell) -> None:
    words = ("run", "late-claim", "--cluster", "nowhere")
    assert "no cluster named 'nowhere'" in devnet(*words, KOMPUTE_SET_SEED="3").err
    words = ("run", "order-refund", "--cluster", "sim")
    assert ", seed 3\n" in devnet(*words, KOMPUTE_SET_SEED="3").err
    assert ", seed 4\n" in devnet(*words, "--set", "seed=4", KOMPUTE_SET_SEED="3").err
    assert ", seed 5\n" in devnet(*words, "--seed", "5", KOMPUTE_SET_SEED="3").err
