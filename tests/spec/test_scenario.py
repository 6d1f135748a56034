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
from devnet.spec.verbs import VERBS

if TYPE_CHECKING:
    from tests.spec.conftest import Town

SCENARIOS = Path(__file__).parents[2] / "e2e" / "scenarios"


def with_steps(town: Town, *steps: str) -> None:
    lines = "".join(f"  - {step}\n" for step in steps)
    town.write_scenario(f"version: 1\nname: a day\nnetwork: network.yaml\nsteps:\n{lines}")


def faults_of_step(town: Town, step: str) -> list[str]:
    with_steps(town, step)
    prefix = "scenario.yaml:5: steps[0]."
    return [fault.removeprefix(prefix) for fault in town.faults_of_scenario()]


def test_every_verb_is_registered_with_its_help() -> None:
    for verb, model in STEPS.items():
        assert model.verb == verb
        assert (model.__doc__ or "").endswith(".")


def test_the_quick_table_of_verbs_says_the_same() -> None:
    assert {verb: model.__doc__ for verb, model in STEPS.items()} == VERBS


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
    with_steps(
        town,
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


@pytest.mark.parametrize(
    ("step", "faults"),
    [
        (
            "steak: {worker: all}",
            ["steak: unknown verb; seen 'steak'; did you mean 'stake'?"],
        ),
        (
            "stake: {worker: worker-9}",
            ["stake.worker: unknown worker; seen 'worker-9'; did you mean 'worker-2'?"],
        ),
        (
            "stake: {worker: [worker-1, worker-1]}",
            ["stake.worker: worker named twice; seen 'worker-1'"],
        ),
        ("stake: {}", ["stake.worker: is missing"]),
        (
            "stake: {worker: all, month: 3}",
            ["stake.month: unknown key; did you mean 'months'?"],
        ),
        (
            "stake: {worker: all, months: 2}",
            ["stake.months: unknown staking period in months (S2); seen '2'; known: 1, 3, 6, 12"],
        ),
        (
            "order: {client: alcie, service: wbe, deposit: 20 KOMPS}",
            [
                "order.client: unknown client; seen 'alcie'; did you mean 'alice'?",
                "order.service: unknown service; seen 'wbe'; did you mean 'web'?",
                "order.deposit: unknown unit 'KOMPS'; seen '20 KOMPS'; did you mean 'KOMP'?",
            ],
        ),
        (
            "order: {client: alice, service: web, deposit: -1 KOMP}",
            ["order.deposit: an amount cannot be negative; seen '-1 KOMP'"],
        ),
        (
            "order: {client: alice, service: web, deposit: 0.5 wei}",
            ["order.deposit: finer than one wei (1e-18 KOMP); seen '0.5 wei'"],
        ),
        (
            "order: {client: alice, service: web, deposit: 0 KOMP}",
            ["order: an order escrows a deposit (M1); seen '0 KOMP'"],
        ),
        (
            "order: {client: alice, service: web, deposit: 1 KOMP, replicas: 11}",
            ["order: replicas must be from 1 to 10 (M1); seen 11"],
        ),
        (
            "order: {client: alice, service: web, deposit: 1 KOMP, duration: 31d}",
            ["order: an order lasts at most 30d (M1); seen '31d'"],
        ),
        (
            "advance: {time: 12 hours}",
            ["advance.time: unknown unit 'hours'; seen '12 hours'; did you mean 'h'?"],
        ),
        (
            "send: {from: alice, to: Stakin, function: exit}",
            ["send.to: unknown contract; seen 'Stakin'; did you mean 'Staking'?"],
        ),
        (
            "send: {from: alice, to: IncentiveVault, function: release}",
            [
                "send.to: unknown contract; seen 'IncentiveVault'; "
                "set 'incentives:' in the network file"
            ],
        ),
        (
            "send: {from: alice, to: LinkToken, function: transfer}",
            [
                "send.to: unknown contract; seen 'LinkToken'; "
                "set 'oracles.request_response: true' in the network file"
            ],
        ),
        (
            "release: {}",
            [
                "release: there is no incentive vault (I1); seen 'none'; "
                "set 'incentives:' in the network file"
            ],
        ),
        (
            "expect: {released: 1 KOMP}",
            [
                "expect: there is no incentive vault (I1); seen 'none'; "
                "set 'incentives:' in the network file"
            ],
        ),
        (
            "govern: {proposal: p, calls: [{to: Rewards}]}",
            ["govern.calls[0].function: is missing"],
        ),
        ("govern: {proposal: p, calls: []}", ["govern.calls: must not be empty"]),
        (
            "govern: {proposal: p, calls: [{to: Kompute, function: transfer}]}",
            [
                "govern.calls[0]: governance may not call that (R5); seen 'Kompute.transfer'; "
                "known: Gatekeepers.change, Rewards.setMaxV, Pricing.setContingency, "
                "Slashing.setArbiter, ExecutionQueue.setGuardian"
            ],
        ),
        (
            "remove_gatekeeper: {proposal: p, gatekeeper: gatekeeper-1, perf_quorum: 4}",
            [
                "remove_gatekeeper.gatekeeper: it hosts the control plane: without it nobody "
                "proposes anything any more; seen 'gatekeeper-1'; remove another",
                "remove_gatekeeper.perf_quorum: a quorum is of 3 gatekeepers at most (R4); seen 4",
            ],
        ),
        (
            "rule: {incident: 18446744073709551616, upheld: true}",
            ["rule.incident: must be at most 18446744073709551615; seen 18446744073709551616"],
        ),
        (
            "claim: {worker: all, cycle: 18446744073709551616}",
            ["claim.cycle: must be at most 18446744073709551615; seen 18446744073709551616"],
        ),
        (
            "scale: {service: web, replicas: 4294967296}",
            ["scale.replicas: must be at most 4294967295; seen 4294967296"],
        ),
        (
            "order: {client: alice, service: web, deposit: 1 KOMP, max_replicas: 4294967296}",
            ["order.max_replicas: must be at most 4294967295; seen 4294967296"],
        ),
        (
            "advance: {time: 99999999d}",
            ["advance.time: more than 10000000 blocks; seen '99999999d'"],
        ),
        (
            "advance: {time: 10m}",
            ["advance.time: time moves by whole blocks of 12m; seen '10m'; did you mean '12m'?"],
        ),
        (
            "advance: {time: 12h, cycles: 1}",
            [
                (
                    "advance: takes exactly one of 'time', 'blocks', 'cycles', 'appeal_window', "
                    "'arbiter_window'; seen 'time, cycles'"
                )
            ],
        ),
        (
            "advance:",
            [
                (
                    "advance: takes exactly one of 'time', 'blocks', 'cycles', 'appeal_window', "
                    "'arbiter_window'; seen 'none'"
                )
            ],
        ),
        (
            "request: {client: alice, service: thumbnail}",
            ["request.service: not a container service; seen 'thumbnail'; did you mean 'invoke'?"],
        ),
        (
            "request: {client: alice, service: web, path: 'http://10.0.0.1/'}",
            [
                "request.path: a path starts with '/'; seen 'http://10.0.0.1/'; "
                "did you mean '/http://10.0.0.1/'?"
            ],
        ),
        (
            "invoke: {client: alice, service: web}",
            ["invoke.service: not a serverless service; seen 'web'; did you mean 'request'?"],
        ),
        (
            "scale: {order: web, replicas: 2}",
            ["scale.order: unknown order; seen 'web'; known: none"],
        ),
        (
            "fault: {vendor: aws, kind: offline}",
            [
                "fault: no such kind of fault of a vendor; seen 'offline'; "
                "known: outage, stale, zero, negative, wrong_decimals"
            ],
        ),
        (
            "fault: {feed: aws:vcpu_hours, kind: stale}",
            ["fault.feed: unknown feed; seen 'aws:vcpu_hours'; did you mean 'aws:vcpu_hour'?"],
        ),
        (
            "fault: {feed: aws:vcpu_hour, kind: round_gap}",
            [
                "fault: only the feed of a mocked vendor can play 'round_gap'; "
                "seen 'aws:vcpu_hour'; set oracles.mocked in the network file"
            ],
        ),
        (
            "fault: {worker: worker-1, kind: ofline}",
            ["fault.kind: unknown kind of fault; seen 'ofline'; did you mean 'offline'?"],
        ),
        (
            "price: {vendor: azur, usd: 0}",
            [
                "price.vendor: unknown vendor; seen 'azur'; did you mean 'azure'?",
                "price.usd: a price must be above 0 (O2); seen '0'",
            ],
        ),
        (
            "price: {vendor: all, usd: '1', change: '+3%'}",
            ["price: takes exactly one of 'usd', 'change'; seen 'usd, change'"],
        ),
        (
            "claim: {worker: all, expect_error: nothing}",
            [
                (
                    "claim.expect_error: not the name of an error; seen 'nothing'; "
                    "for example NothingToClaim"
                )
            ],
        ),
        (
            "expect: {worker: worker-1, slahsed: 1 KOMP, stake: '>= 20'}",
            [
                "expect.slahsed: unknown key; did you mean 'slashed'?",
                "expect.stake: an amount needs its unit; seen '20'; did you mean '20 KOMP'?",
            ],
        ),
        (
            "expect: {worker: worker-1, ready: 2}",
            ["expect: 'ready' is asked of a 'service' or 'order'; seen 'worker'"],
        ),
        (
            "expect: {worker: worker-1, client: alice, balance: 1 KOMP}",
            ["expect: asks one subject at a time; seen 'worker, client'"],
        ),
        ("expect: {worker: worker-1}", ["expect: expects nothing; seen 'worker'"]),
        (
            "expect: {service: web, model: equal}",
            ["expect: nothing is asked of the service; seen 'model'"],
        ),
        (
            "expect: {service: web, not_on: worker-7, within: 30}",
            [
                "expect.not_on: unknown worker; seen 'worker-7'; did you mean 'worker-2'?",
                "expect.within: a duration needs its unit: s, m, h or d; seen '30'",
            ],
        ),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_a_faulty_step_is_refused(town: Town, step: str, faults: list[str]) -> None:
    assert sorted(faults_of_step(town, step)) == sorted(faults)


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
    with_steps(town, "steak: {worker: all}")
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
