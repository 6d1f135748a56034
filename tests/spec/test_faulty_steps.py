"""What a step of a scenario gets wrong is told at its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.spec.conftest import Town


def faults_of_step(town: Town, step: str) -> list[str]:
    town.write_steps(step)
    prefix = "scenario.yaml:5: steps[0]."
    return [fault.removeprefix(prefix) for fault in town.faults_of_scenario()]


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
            "usage: {service: web, cpu: 50, memory: 50.5%}",
            [
                "usage.service: nothing follows what its replicas use; seen 'web'; give it an "
                "'autoscale'",
                "usage.cpu[0]: a use is a percentage; seen '50'; did you mean '50%'?",
                "usage.memory[0]: a use is a whole percentage, from 0%; seen '50.5%'",
            ],
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
                "known: Gatekeepers.change, Gatekeepers.remove, Rewards.setMaxV, "
                "Pricing.setContingency, Feed:….setConfig, Slashing.setArbiter, "
                "ExecutionQueue.setGuardian"
            ],
        ),
        (
            "remove_gatekeeper: {proposal: p, gatekeeper: gatekeeper-1}",
            [
                "remove_gatekeeper.gatekeeper: it hosts the control plane: without it nobody "
                "proposes anything any more; seen 'gatekeeper-1'; remove another",
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
            ["advance.time: must be at most 3650d; seen '99999999d'"],
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


@pytest.mark.parametrize(
    ("usage", "fault"),
    [
        ("service: web", "needs 'cpu' or 'memory'; seen 'neither'"),
        (
            "service: web, cpu: '30%,60%', memory: 30%, every: 1h",
            "'cpu' and 'memory' have as many values each; seen '2 and 1'",
        ),
        (
            "service: web, cpu: [30%, 60%]",
            "a curve says with 'every' how long each value lasts; seen '2 values'",
        ),
    ],
)
def test_a_usage_that_is_no_curve_is_refused(town: Town, usage: str, fault: str) -> None:
    town.write_network(
        town.original_network.replace(
            "command: [serve]}", "command: [serve], autoscale: {max: 4, cpu: 50%}}"
        )
    )
    order = "order: {client: alice, service: web, deposit: 1 KOMP}"
    town.write_steps(order, f"usage: {{{usage}}}")
    assert town.faults_of_scenario() == [f"scenario.yaml:6: steps[1].usage: {fault}"]
