"""A scenario's steps fit its network, or every fault of both files is named at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devnet.spec import (
    STEPS,
    Expect,
    SpecError,
    Step,
    load_scenario,
    scenario_yaml,
    step_from_mapping,
    step_mapping,
)
from devnet.spec.registry import step as register
from devnet.spec.verbs import VERBS, Words, words_of

if TYPE_CHECKING:
    from tests.spec.conftest import Town

SCENARIOS = Path(__file__).parents[2] / "e2e" / "scenarios"


def test_every_verb_is_registered_with_its_help() -> None:
    for verb, model in STEPS.items():
        assert model.verb == verb
        assert (model.__doc__ or "").endswith(".")


def test_the_quick_table_of_verbs_says_the_same() -> None:
    assert {verb: model.__doc__ for verb, model in STEPS.items()} == VERBS
    for verb, model in STEPS.items():
        keys = [field.alias or name for name, field in model.model_fields.items()]
        listed = [model.listed] if model.listed else keys
        assert words_of(verb) == Words(model.positional, tuple(listed)), (
            f"{verb}: devnet/spec/verbs.py reads a step's text: one base, of the same module or "
            "Step, and a field a line"
        )


def test_a_verb_is_registered_once() -> None:
    with pytest.raises(ValueError, match="the verb 'stake' is taken by Stake"):
        register("stake")(type("Other", (Step,), {}))


def test_the_full_loop_of_the_repository() -> None:
    scenario = load_scenario(SCENARIOS / "full-loop.yaml", environment={})
    assert (scenario.name, scenario.seed, scenario.network.name) == ("full loop", 7, "small")
    assert [(step.verb, step.line) for step in scenario.steps][:4] == [
        ("stake", 6),
        ("measure", 7),
        ("publish", 8),
        ("order", 9),
    ]
    everyone = ["worker-1", "worker-2", "worker-3", "worker-4"]
    by_line = {step.line: step for step in scenario.steps}
    assert step_mapping(by_line[6]) == {"stake": {"worker": everyone}}
    assert step_mapping(by_line[14]) == {"advance": {"time": "12h"}}
    pending = by_line[16]
    assert isinstance(pending, Expect)
    assert (pending.subject, pending.asked()) == ("worker", ("pending_slash",))
    assert pending.pending_slash is not None
    assert pending.pending_slash.value == 25 * 10**18


@pytest.mark.parametrize("path", sorted(SCENARIOS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_scenario_of_the_repository_reads_back_as_itself(path: Path, tmp_path: Path) -> None:
    scenario = load_scenario(path, environment={})
    again = tmp_path / "scenario.yaml"
    again.write_text(scenario_yaml(scenario, str(scenario.network_path.resolve())))
    repeated = load_scenario(again, environment={})
    unplaced = [step.placed(0) for step in scenario.steps]
    assert [step.placed(0) for step in repeated.steps] == unplaced
    assert (repeated.seed, repeated.name) == (scenario.seed, scenario.name)


def test_overrides_go_to_the_file_they_belong_to(town: Town) -> None:
    scenario = town.scenario(seed="9", cycle__blocks="140")
    assert (scenario.seed, scenario.network.cycle.blocks) == (9, 140)


def test_all_is_every_worker_and_a_list_is_a_list(town: Town) -> None:
    town.write_steps(
        "stake: {worker: all}",
        "stake: {worker: worker-2}",
        "stake: {worker: [worker-2, worker-1]}",
        "stake: {worker: 'worker-2, worker-1'}",
    )
    assert [step.model_dump()["worker"] for step in town.scenario().steps] == [
        ("worker-1", "worker-2"),
        ("worker-2",),
        ("worker-2", "worker-1"),
        ("worker-2", "worker-1"),
    ]


def test_all_faults_of_a_scenario_are_listed_at_once(town: Town) -> None:
    town.write_scenario(
        """\
version: 2
nmae: a day
network: network.yaml
steps:
  - steak: {worker: all}
  - claim
  - order: {client: alice, service: web, deposit: 20 KOMP}
  - order: {client: bob, service: web, deposit: 20}
  - scale: {order: wbe, replicas: 2}
"""
    )
    assert town.faults_of_scenario() == [
        "scenario.yaml:1: version: only version 1 is known; seen '2'",
        "scenario.yaml:1: name: is missing",
        "scenario.yaml:2: nmae: unknown key; did you mean 'name'?",
        "scenario.yaml:5: steps[0].steak: unknown verb; seen 'steak'; did you mean 'stake'?",
        (
            "scenario.yaml:6: steps[1]: a step is one verb with its values, such as "
            "'claim: {worker: all}'"
        ),
        (
            "scenario.yaml:8: steps[3].order.deposit: an amount needs its unit; seen '20'; "
            "did you mean '20 KOMP'?"
        ),
        (
            "scenario.yaml:8: steps[3].order.service: an order of this name was made on line 7; "
            "seen 'web'; for example 'name: web-2'"
        ),
        "scenario.yaml:9: steps[4].scale.order: unknown order; seen 'wbe'; did you mean 'web'?",
    ]


def test_a_missing_network_is_named_beside_the_other_faults(town: Town) -> None:
    town.write_scenario(
        "version: 1\nname: a day\nnetwork: netwrok.yaml\nsteps:\n  - advance: {time: 1 year}\n"
    )
    assert town.faults_of_scenario() == [
        "scenario.yaml:3: network: no such file; seen 'netwrok.yaml'; did you mean 'network.yaml'?",
        (
            "scenario.yaml:5: steps[0].advance.time: unknown unit 'year'; seen '1 year'; "
            "known: s, m, h, d"
        ),
    ]


def test_a_faulty_head_hides_no_fault_of_steps_or_network(town: Town) -> None:
    steps = "steps:\n  - stake: {worker: worker-77}\n"
    town.write_scenario("version: 1\nnetwork: network.yaml\n" + steps)
    assert town.faults_of_scenario() == [
        "scenario.yaml:1: name: is missing",
        (
            "scenario.yaml:4: steps[0].stake.worker: unknown worker; seen 'worker-77'; "
            "did you mean 'worker-2'?"
        ),
    ]
    town.write_network("version: 1\nname: town\nworkers: [{name: worker-1, profile: lrage}]\n")
    assert town.faults_of_scenario() == [
        "scenario.yaml:1: name: is missing",
        "network.yaml:3: workers[0].profile: unknown profile; seen 'lrage'; did you mean 'large'?",
    ]
    town.write_scenario("version: 1\nnetwork: netwrok.yaml\n" + steps)
    assert town.faults_of_scenario() == [
        "scenario.yaml:1: name: is missing",
        "scenario.yaml:2: network: no such file; seen 'netwrok.yaml'; did you mean 'network.yaml'?",
    ]


@pytest.mark.parametrize("network", ["", "a\\0b"], ids=["empty", "NUL"])
def test_a_network_that_is_no_file_is_a_fault(town: Town, network: str) -> None:
    town.write_scenario(f'version: 1\nname: a\nnetwork: "{network}"\nsteps:\n  - claim: {{}}\n')
    (fault,) = [fault for fault in town.faults_of_scenario() if "network" in fault]
    assert fault.startswith("scenario.yaml:3: network: no such file; seen '")


def test_the_faults_of_the_network_follow_those_of_the_scenario(town: Town) -> None:
    town.write_network("version: 1\nname: town\nworkers: [{name: worker-1, profile: lrage}]\n")
    town.write_steps("steak: {worker: all}")
    assert town.faults_of_scenario() == [
        "scenario.yaml:5: steps[0].steak: unknown verb; seen 'steak'; did you mean 'stake'?",
        "network.yaml:3: workers[0].profile: unknown profile; seen 'lrage'; did you mean 'large'?",
    ]


@pytest.mark.parametrize(
    ("text", "seen", "holds"),
    [
        ("20 KOMP", 20 * 10**18, True),
        ("20 KOMP", 20 * 10**18 - 1, False),
        (">= 20 KOMP", 20 * 10**18, True),
        ("> 20 KOMP", 20 * 10**18, False),
        ("<20 KOMP", 20 * 10**18 - 1, True),
        ("<= 1 wei", 2, False),
        ("!= 0 KOMP", 1, True),
        ("== 0 KOMP", 0, True),
    ],
)
def test_a_comparison_holds_or_not(text: str, seen: int, holds: bool) -> None:
    expect = step_from_mapping("expect", {"worker": "worker-1", "stake": text})
    assert isinstance(expect, Expect)
    assert expect.stake is not None
    assert expect.stake.holds(seen) is holds


def test_an_event_is_counted() -> None:
    once = step_from_mapping("expect", {"event": "Staked"})
    thrice = step_from_mapping("expect", {"event": {"name": "Staked", "count": 3}})
    assert isinstance(once, Expect)
    assert isinstance(thrice, Expect)
    assert once.event is not None
    assert thrice.event is not None
    assert (once.event.name, once.event.count.holds(2), once.event.count.holds(0)) == (
        "Staked",
        True,
        False,
    )
    assert (thrice.event.count.holds(3), thrice.event.count.holds(4)) == (True, False)


def test_a_step_by_name_fits_the_network(town: Town) -> None:
    network = town.network()
    staked = step_from_mapping("stake", {"worker": "all", "months": "6"}, network)
    assert step_mapping(staked) == {"stake": {"worker": ["worker-1", "worker-2"], "months": 6}}
    assert staked.line == 0
    with pytest.raises(SpecError) as caught:
        step_from_mapping("order", {"client": "alcie", "service": "web", "deposit": "2"}, network)
    assert str(caught.value).splitlines() == [
        "command: order.client: unknown client; seen 'alcie'; did you mean 'alice'?",
        "command: order.deposit: an amount needs its unit; seen '2'; did you mean '2 KOMP'?",
    ]


def test_an_unknown_verb_by_name_is_a_fault() -> None:
    with pytest.raises(SpecError) as caught:
        step_from_mapping("clam", {})
    assert str(caught.value) == "command: clam: unknown verb; seen 'clam'; did you mean 'claim'?"
