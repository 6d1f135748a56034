"""Rules that a network's values keep together, each named by its id."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from devnet.spec import (
    SpecError,
    load_network,
)

if TYPE_CHECKING:
    from tests.spec.conftest import Town


def test_a_rule_is_silent_about_faulty_values(town: Town) -> None:
    town.write_network(
        town.original_network.replace("{blocks: 70, gap_blocks: 5}", "{blocks: x, gap_blocks: 60}")
    )
    assert town.faults_of_network() == ["network.yaml:3: cycle.blocks: not a number; seen 'x'"]


@pytest.mark.parametrize(
    ("extra", "faults"),
    [
        pytest.param(
            "parameters: {perf_quorum: 1}",
            [
                (
                    "network.yaml:10: parameters.perf_quorum: must be above half of the "
                    "gatekeepers and at most all of them (R4); seen 1 of 3; from 2 to 3"
                )
            ],
            id="R4 low",
        ),
        pytest.param(
            "parameters: {perf_quorum: 4}",
            [
                (
                    "network.yaml:10: parameters.perf_quorum: must be above half of the "
                    "gatekeepers and at most all of them (R4); seen 4 of 3; from 2 to 3"
                )
            ],
            id="R4 high",
        ),
        pytest.param(
            "incentives: {total: 155 wei, cycles: 12}",
            [
                (
                    "network.yaml:10: incentives.total: at least N(N+1) = 156 wei for 12 cycles, "
                    "and below 2^128 (I1); seen 155 wei"
                )
            ],
            id="I1",
        ),
        pytest.param(
            "economics: {stakes: {renew: 90%, leave: 11%}}",
            [
                (
                    "network.yaml:10: economics.stakes.renew: renew and leave are shares of one "
                    "whole; seen 101% together"
                )
            ],
            id="economics whole",
        ),
        pytest.param(
            "economics: {pools: {operator: 19.9999%}}",
            [
                (
                    "network.yaml:10: economics.pools.operator: an operator holds at least 20% of "
                    "the shares (S7); seen 19.9999%"
                )
            ],
            id="S7",
        ),
        pytest.param(
            "economics: {publications: 14}",
            [
                (
                    "network.yaml:10: economics.publications: two publications are at least "
                    "gap_blocks apart (W4); seen 14 in 66 blocks; at most 13"
                )
            ],
            id="W4 economics",
        ),
        pytest.param(
            "parameters: {exit_delay: 14d}",
            [
                (
                    "network.yaml:10: parameters.exit_delay: must be longer than incident_max_age "
                    "(L5); seen 14d, incident_max_age 14d"
                )
            ],
            id="L5",
        ),
        pytest.param(
            "parameters: {incident_max_age: 47m}",
            [
                (
                    "network.yaml:10: parameters.incident_max_age: an outage is reported before "
                    "half of it is over, in whole blocks (L5); seen 47m, block_seconds 720; "
                    "at least 48m"
                )
            ],
            id="L5 blocks",
        ),
        pytest.param(
            "oracles: {nodes: 3, faulty: 1}",
            [
                (
                    "network.yaml:10: oracles.faulty: 3 * faulty must be below nodes; seen faulty "
                    "1, nodes 3; at most 0"
                )
            ],
            id="3f < n",
        ),
        pytest.param(
            "oracles: {nodes: 32, faulty: 1}",
            ["network.yaml:10: oracles.nodes: must be at most 31; seen 32"],
            id="n <= 31",
        ),
        pytest.param(
            "oracles: {heartbeat: 12m}",
            [
                (
                    "network.yaml:10: oracles.heartbeat: must be at least 8 blocks, or storing an "
                    "answer makes the next one due, for ever (O1, O2); seen 12m, "
                    "block_seconds 720; at least 96m"
                )
            ],
            id="O2",
        ),
        pytest.param(
            "economics: {pools: {commission: 30%}}",
            ["network.yaml:10: economics.pools.commission: must be at most 20%; seen '30%'"],
            id="S7 commission",
        ),
        pytest.param(
            "oracles: {mocked: [aws, aws]}",
            ["network.yaml:10: oracles.mocked: named twice; seen 'aws'"],
            id="mocked twice",
        ),
        pytest.param(
            "oracles: {resources: [vcpu_hour, gib_hour, vcpu_hour]}",
            ["network.yaml:10: oracles.resources: named twice; seen 'vcpu_hour'"],
            id="resource twice",
        ),
        pytest.param(
            "oracles: {resources: [vcpu_hour, gib_huor]}",
            [
                (
                    "network.yaml:10: oracles.resources[1]: unknown resource; seen 'gib_huor'; "
                    "did you mean 'gib_hour'?"
                )
            ],
            id="unknown resource",
        ),
        pytest.param(
            "oracles: {resources: [vcpu_hour, function_gib_second]}",
            [
                (
                    "network.yaml:8: services[0].kind: a container service is billed by resources "
                    "without a feed (M3); missing in oracles.resources: gib_hour"
                ),
                (
                    "network.yaml:9: services[1].kind: a serverless service is billed by resources "
                    "without a feed (M3); missing in oracles.resources: million_requests"
                ),
            ],
            id="M3",
        ),
        pytest.param(
            "publishes_per_day: 25",
            [
                (
                    "network.yaml:10: publishes_per_day: two publications are at least gap_blocks "
                    "apart (W4), 1h; seen 25 a day; at most 24"
                )
            ],
            id="W4 pace",
        ),
        pytest.param(
            "gatekeepers: [{name: keeper}]",
            [
                (
                    "network.yaml:10: gatekeepers: no gatekeeper hosts the control plane (R3); "
                    "set 'control_plane: true' on one"
                )
            ],
            id="R3",
        ),
        pytest.param(
            "clients: [{name: all}, {name: worker-1-owner}, {name: oracle-2}]",
            [
                "network.yaml:10: clients[0].name: the name is reserved; seen 'all'",
                "network.yaml:10: clients[1].name: the name is reserved; seen 'worker-1-owner'",
                (
                    "network.yaml:10: clients[2].name: duplicate name; seen 'oracle-2', taken by "
                    "an oracle node"
                ),
            ],
            id="reserved and oracle names",
        ),
        pytest.param(
            "incentives: {total: 100 KOMP, cycles: 10}\nsupply: 6099 KOMP",
            [
                (
                    "network.yaml:11: supply: is less than what everybody begins with, 6100 KOMP: "
                    "2000 KOMP for each worker, clients' balances, incentives.total; "
                    "seen 6099 KOMP; at least 6100 KOMP"
                )
            ],
            id="T1",
        ),
        pytest.param(
            "incentives: {total: 100, cycles: 10}\nsupply: 1 KOMP",
            [
                (
                    "network.yaml:10: incentives.total: an amount needs its unit; seen '100'; "
                    "did you mean '100 KOMP'?"
                )
            ],
            id="T1 is silent about a faulty total",
        ),
        pytest.param(
            "accounts: {mnemonic: test junk}",
            [
                (
                    "network.yaml:10: accounts.mnemonic: a mnemonic has 12, 15, 18, 21 or 24 "
                    "words; seen 2"
                )
            ],
            id="mnemonic",
        ),
        pytest.param(
            "workloads: proces",
            [
                (
                    "network.yaml:10: workloads: unknown way to run workloads; seen 'proces'; "
                    "did you mean 'process'?"
                )
            ],
            id="workloads",
        ),
        pytest.param(
            "chain: {genesis_timestamp: 4000000001}",
            [
                "network.yaml:10: chain.genesis_timestamp: must be at most 4000000000; "
                "seen 4000000001"
            ],
            id="seconds in 32 bits",
        ),
        pytest.param(
            "chain: {port: 70000, prune_history: yes}",
            [
                "network.yaml:10: chain.port: must be at most 65535; seen 70000",
                (
                    "network.yaml:10: chain.prune_history: neither true nor false; seen 'yes'; "
                    "did you mean 'true'?"
                ),
            ],
            id="chain",
        ),
        pytest.param(
            "chain: 7",
            ["network.yaml:10: chain: must be a mapping; seen '7'"],
            id="not a mapping",
        ),
    ],
)
def test_a_broken_rule_is_named_with_its_id(town: Town, extra: str, faults: list[str]) -> None:
    town.write_network(f"{town.original_network}{extra}\n")
    assert town.faults_of_network() == faults


def test_t1_a_year_has_needs_of_its_own(town: Town) -> None:
    words = {"supply": "10003500 KOMP"}
    path, profiles = town.network_path, town.profiles
    assert load_network(path, words, profiles=profiles, of_year=True).supply == 10_003_500 * 10**18
    words = {"supply": "6000 KOMP"}
    assert load_network(path, words, profiles=profiles).supply == 6_000 * 10**18
    with pytest.raises(SpecError) as refused:
        load_network(path, words, profiles=profiles, of_year=True)
    assert [str(fault) for fault in refused.value.faults] == [
        "--set: supply: is less than what everybody begins with, 10003500 KOMP: 750 KOMP for each "
        "worker, economics.demand.exchange 10000000 KOMP, clients' balances, incentives.total; "
        "seen 6000 KOMP; at least 10003500 KOMP"
    ]


@pytest.mark.parametrize(
    ("blocks", "block_seconds", "seen"),
    [
        (10_000_000, 720, "2000000h, block_seconds 720; at most 438000"),
        (438_001, 720, "5256012m, block_seconds 720; at most 438000"),
        (438_000, 720, None),
        (5_256_001, 60, "5256001m, block_seconds 60; at most 5256000"),
        (5_256_000, 60, None),
    ],
)
def test_d1_a_cycle_is_no_longer_than_any_duration(
    town: Town, blocks: int, block_seconds: int, seen: str | None
) -> None:
    chain = f"chain: {{block_seconds: {block_seconds}}}\n"
    text = town.original_network.replace("{blocks: 70,", f"{{blocks: {blocks},")
    town.write_network(text + chain)
    if seen is None:
        assert town.network().cycle.blocks == blocks
        return
    assert town.faults_of_network() == [
        f"network.yaml:3: cycle.blocks: a cycle lasts at most 3650d (D1); seen {seen}"
    ]


@pytest.mark.parametrize("gap_blocks", range(1, 12))
@pytest.mark.parametrize("blocks", [14, 27, 28, 69, 70, 140])
def test_w4_gap_is_at_most_a_fourteenth_of_the_cycle(
    town: Town, blocks: int, gap_blocks: int
) -> None:
    town.write_network(
        town.original_network.replace("{blocks: 70, gap_blocks: 5}", f"{{blocks: {blocks}}}")
    )
    try:
        accepted = town.network(cycle__gap_blocks=str(gap_blocks)).cycle.gap_blocks == gap_blocks
    except SpecError:
        accepted = False
    assert accepted == (2 * gap_blocks <= Fraction(blocks, 7))


@pytest.mark.parametrize(
    ("kind", "storage", "fault"),
    [
        ("virtual_machine", "", "is missing: a virtual machine has storage (M1); for example 10Gi"),
        ("container", "10Gi", "only a virtual machine has storage (M1); seen 10Gi"),
        ("serverless", "1Gi", "only a virtual machine has storage (M1); seen 1Gi"),
        (
            "virtual_machine",
            "1536Mi",
            "storage is billed by whole GiB (M1); seen 1536Mi; for example 2Gi",
        ),
    ],
)
def test_m1_storage_is_a_machine_s_and_whole(
    town: Town, kind: str, storage: str, fault: str
) -> None:
    given = f", storage: {storage}" if storage else ""
    resources = "vcpu_hour, gib_hour, storage_gib_month, function_gib_second, million_requests"
    text = town.original_network.replace(
        "{name: web, kind: container, folder: web, command: [serve]}",
        f"{{name: web, kind: {kind}, folder: web, command: [serve]{given}}}",
    )
    town.write_network(text + f"oracles: {{resources: [{resources}]}}\n")
    assert town.faults_of_network() == [f"network.yaml:8: services[0].storage: {fault}"]


def test_m1_a_machine_needs_a_price_of_storage(town: Town) -> None:
    text = town.original_network.replace(
        "{name: web, kind: container, folder: web, command: [serve]}",
        "{name: web, kind: virtual_machine, folder: web, command: [serve], storage: 10Gi}",
    )
    town.write_network(text)
    (fault,) = town.faults_of_network()
    assert fault.endswith("missing in oracles.resources: storage_gib_month")
    town.write_network(
        text + "oracles: {resources: [vcpu_hour, gib_hour, storage_gib_month, "
        "function_gib_second, million_requests]}\n"
    )
    assert town.network().service("web").storage_gib == 10


def _autoscaled(town: Town, autoscale: str, kind: str = "container", more: str = "") -> None:
    service = f"{{name: web, kind: {kind}, folder: web, command: [serve]{more}, "
    text = town.original_network.replace(
        "{name: web, kind: container, folder: web, command: [serve]}",
        f"{service}autoscale: {autoscale}}}",
    )
    town.write_network(text)


def test_an_autoscale_is_read_and_written_in_percent(town: Town) -> None:
    _autoscaled(town, "{max: 10, cpu: 90%}")
    said = town.network().service("web").autoscale
    assert said is not None
    assert (said.min, said.max, said.cpu, said.memory) == (1, 10, 90, None)
    assert said.model_dump(mode="json", exclude_none=True) == {"min": 1, "max": 10, "cpu": "90%"}


@pytest.mark.parametrize(
    ("autoscale", "kind", "more", "faults"),
    [
        (
            "{min: 4, max: 3}",
            "container",
            "",
            [
                ": neither 'cpu' nor 'memory' says when to scale; for example cpu: 50%",
                ".min: must be at most max; seen 4, max 3",
            ],
        ),
        (
            "{max: 11, memory: 50%}",
            "serverless",
            ", min_replicas: 2",
            [
                ": a serverless service has no replicas (M3); seen 'autoscale'; leave it out",
                ".min: must be at least min_replicas (M1); seen 1, min_replicas 2",
                ".max: must be at most max_replicas (M1); seen 11, max_replicas 10",
            ],
        ),
        (
            "{max: 0, cpu: 91%, memory: 0%, cups: 1}",
            "container",
            "",
            [
                ".max: must be at least 1; seen 0",
                ".cpu: must be at most 90%; seen '91%'",
                ".memory: must be at least 1%; seen '0%'",
                ".cups: unknown key; known: min, max, cpu, memory",
            ],
        ),
    ],
    ids=["bounds and targets", "rules between values", "values"],
)
def test_all_that_is_wrong_with_an_autoscale_is_told(
    town: Town, autoscale: str, kind: str, more: str, faults: list[str]
) -> None:
    _autoscaled(town, autoscale, kind, more)
    prefix = "network.yaml:8: services[0].autoscale"
    assert [each.removeprefix(prefix) for each in town.faults_of_network()] == faults
