"""The `attack:` block of a scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from devnet.spec import scenario_yaml

if TYPE_CHECKING:
    from tests.spec.conftest import Town

HEAD = "version: 1\nname: a day\nnetwork: network.yaml\nsteps:\n  - advance: {blocks: 1}\n"
ATTACK = (
    "attack:\n  line: exit-to-dodge\n  attempt: A worker leaves.\n  stopped_by: [S5, L5]\n"
    "  lost: {worker-1: 25 KOMP, alice: '>= -1.5 KOMP'}\n"
)


def test_an_attack_is_read_and_written(town: Town) -> None:
    town.write_scenario(HEAD + ATTACK)
    scenario = town.scenario()
    attack = scenario.attack
    assert attack is not None
    assert (attack.line, attack.stopped_by) == ("exit-to-dodge", ("S5", "L5"))
    assert attack.lost["worker-1"].value == 25 * 10**18
    assert attack.lost["alice"].holds(-(10**18))
    assert not attack.lost["alice"].holds(-2 * 10**18)
    written = scenario_yaml(scenario, "network.yaml")
    assert yaml.safe_load(written)["attack"] == yaml.safe_load(ATTACK)["attack"]
    town.write_scenario(written)
    assert town.scenario().attack == attack


def test_a_scenario_is_no_attack_by_itself(town: Town) -> None:
    town.write_scenario(HEAD)
    assert town.scenario().attack is None


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("lost: {}", "scenario.yaml:10: attack.lost: must not be empty"),
        ("lost: {eve: 0 KOMP}", "scenario.yaml:10: attack.lost: unknown account; seen 'eve'"),
        ("lost: {alice: 1}", "scenario.yaml:10: attack.lost.alice: an amount needs its unit"),
        ("who: alice", "scenario.yaml:10: attack.who: unknown key"),
    ],
)
def test_faults(town: Town, line: str, fault: str) -> None:
    town.write_scenario(
        HEAD + ATTACK.replace("lost: {worker-1: 25 KOMP, alice: '>= -1.5 KOMP'}", line)
    )
    assert any(seen.startswith(fault) for seen in town.faults_of_scenario())


def test_a_rule_has_an_id_of_protocol(town: Town) -> None:
    town.write_scenario(HEAD + ATTACK.replace("[S5, L5]", "[luck]"))
    fault = "scenario.yaml:9: attack.stopped_by[0]: not the id of a rule; seen 'luck'"
    assert any(seen.startswith(fault) for seen in town.faults_of_scenario())
