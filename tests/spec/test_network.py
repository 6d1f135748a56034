"""A network file becomes exact values, or all its faults at once."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devnet.spec import (
    NetworkSpec,
    SpecError,
    load_network,
    network_from_mapping,
    resolved_yaml,
)

if TYPE_CHECKING:
    from tests.spec.conftest import Town

NETWORKS = Path(__file__).parents[2] / "e2e" / "networks"


def test_three_lines_are_a_network(town: Town) -> None:
    town.write_network("version: 1\nname: tiny\nworkers: [{name: worker-1}]\n")
    network = town.network()
    assert (network.chain.block_seconds, network.chain.chain_id) == (720, 31337)
    assert (network.cycle.blocks, network.cycle.gap_blocks) == (70, 5)
    assert network.scale == 1
    assert [g.name for g in network.gatekeepers if g.control_plane] == ["gatekeeper-1"]
    assert network.parameters.perf_quorum == 2  # R4: the smallest majority of three
    assert [(c.name, c.balance) for c in network.clients] == [
        ("alice", 1000 * 10**18),
        ("bob", 1000 * 10**18),
    ]
    assert (network.workers[0].profile, network.workers[0].stake_months) == ("standard", 1)


def test_the_small_network_of_the_repository() -> None:
    network = load_network(NETWORKS / "small.yaml", environment={})
    assert network.scale == Fraction(1, 16)
    assert [worker.stake_months for worker in network.workers] == [1, 3, 6, 12]
    assert network.parameters.appeal_window == 21600
    assert network.parameters.max_v == 10**20
    assert network.oracles.komp_usd == 50_000_000
    assert network.incentive_per_cycle == 1000 * 10**18
    web, thumbnail = network.services
    assert (web.cpu, web.memory, web.command) == (50, 33554432, ("python3", "server.py"))
    assert (thumbnail.kind, thumbnail.timeout) == ("serverless", 10)
    assert network.service_folder("web") == NETWORKS / "../services/web"


@pytest.mark.parametrize("path", sorted(NETWORKS.glob("*.yaml")), ids=lambda path: path.name)
def test_every_network_of_the_repository_loads(path: Path) -> None:
    assert load_network(path, environment={}).workers


def test_a_resolved_network_reads_back_as_itself(town: Town) -> None:
    network = town.network()
    text = resolved_yaml(network)
    assert "appeal_window: 6h" in text
    town.write_network(text)
    assert town.network() == network


def test_count_stands_for_that_many_workers(town: Town) -> None:
    network = town.network(**{"workers__worker-1__count": "3"})
    assert [worker.name for worker in network.workers] == [
        "worker-1-1",
        "worker-1-2",
        "worker-1-3",
        "worker-2",
    ]
    assert {worker.count for worker in network.workers} == {None}


def test_a_flag_beats_the_environment_which_beats_the_file(town: Town) -> None:
    def blocks(flags: dict[str, str], environment: dict[str, str]) -> int:
        path = town.network_path
        return load_network(
            path, flags, environment=environment, profiles=town.profiles
        ).cycle.blocks

    variable = {"KOMPUTE_SET_CYCLE__BLOCKS": "140"}
    assert blocks({}, {}) == 70
    assert blocks({}, variable) == 140
    assert blocks({"cycle.blocks": "210"}, variable) == 210


def test_a_fault_of_an_override_names_where_it_came_from(town: Town) -> None:
    with pytest.raises(SpecError) as caught:
        load_network(
            town.network_path,
            {"cycle.gap_blocks": "6", "chain.blok_seconds": "12"},
            environment={"KOMPUTE_SET_SCALE": "0"},
            profiles=town.profiles,
        )
    assert str(caught.value).splitlines() == [
        "KOMPUTE_SET_SCALE: scale: a ratio must be above 0; seen '0'",
        "--set: chain.blok_seconds: unknown key; did you mean 'block_seconds'?",
        (
            "--set: cycle.gap_blocks: 2 * gap_blocks must be at most blocks / 7 (W4); "
            "seen gap_blocks 6, blocks 70; at most 5"
        ),
    ]


def test_a_network_is_frozen(town: Town) -> None:
    with pytest.raises(ValueError, match="frozen"):
        town.network().name = "other"


def test_all_faults_are_listed_at_once(town: Town) -> None:
    town.write_network(
        """\
version: 1
name: Town 1
scale: 1/0
cycle: {blocks: 70, gap_blocks: 6}
chian: {}
workers:
  - {name: worker-1, profile: standrad}
  - {name: worker-1, stake_months: 2}
  - {profile: sgx}
clients:
  - {name: alice, balance: -5 KOMP}
  - {name: bob, balance: 0.1 wei}
  - {name: carol, balance: 20 KOMPS}
  - {name: carol, balance: 20}
services:
  - {name: web, kind: contaner, folder: wbe, command: [serve]}
  - {name: web, name: web, kind: container, folder: web, command: []}
"""
    )
    assert town.faults_of_network() == [
        (
            "network.yaml:2: name: a name is at most 63 of a-z, 0-9 and -, and starts and ends "
            "without -; seen 'Town 1'; did you mean 'town-1'?"
        ),
        "network.yaml:3: scale: a ratio cannot be divided by 0; seen '1/0'",
        "network.yaml:5: chian: unknown key; did you mean 'chain'?",
        (
            "network.yaml:8: workers[1].stake_months: unknown staking period in months (S2); "
            "seen '2'; known: 1, 3, 6, 12"
        ),
        "network.yaml:9: workers[2].name: is missing",
        "network.yaml:11: clients[0].balance: an amount cannot be negative; seen '-5 KOMP'",
        "network.yaml:12: clients[1].balance: finer than one wei (1e-18 KOMP); seen '0.1 wei'",
        (
            "network.yaml:13: clients[2].balance: unknown unit 'KOMPS'; seen '20 KOMPS'; "
            "did you mean 'KOMP'?"
        ),
        (
            "network.yaml:14: clients[3].balance: an amount needs its unit; seen '20'; "
            "did you mean '20 KOMP'?"
        ),
        (
            "network.yaml:16: services[0].kind: unknown kind of service; seen 'contaner'; "
            "did you mean 'container'?"
        ),
        "network.yaml:16: services[0].folder: no such folder; seen 'wbe'; did you mean 'web'?",
        "network.yaml:17: services[1].name: duplicate key; first on line 17",
        "network.yaml:17: services[1].command: must not be empty",
    ]


def test_a_wrong_unit_does_not_hide_a_broken_rule(town: Town) -> None:
    town.write_network(
        town.original_network.replace("gap_blocks: 5", "gap_blocks: 6")
        + "clients: [{name: worker-1, balance: 5 KOMPS}]\n"
        + "incentive_per_cycle: 10\n"
    )
    assert town.faults_of_network() == [
        (
            "network.yaml:3: cycle.gap_blocks: 2 * gap_blocks must be at most blocks / 7 (W4); "
            "seen gap_blocks 6, blocks 70; at most 5"
        ),
        (
            "network.yaml:10: clients[0].balance: unknown unit 'KOMPS'; seen '5 KOMPS'; "
            "did you mean 'KOMP'?"
        ),
        "network.yaml:10: clients[0].name: duplicate name; seen 'worker-1', taken by workers[0]",
        (
            "network.yaml:11: incentive_per_cycle: an amount needs its unit; seen '10'; "
            "did you mean '10 KOMP'?"
        ),
    ]


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
            ["network.yaml:10: oracles.nodes: at most 31 oracle nodes; seen 32"],
            id="n <= 31",
        ),
        pytest.param(
            "oracles: {heartbeat: 12m}",
            [
                (
                    "network.yaml:10: oracles.heartbeat: must be longer than a block, or no answer "
                    "is ever fresh (O2); seen 12m, block_seconds 720"
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


def test_the_profiles_are_those_of_the_cluster(town: Town) -> None:
    town.write_network(town.original_network.replace("profile: large", "profile: lrage"))
    with pytest.raises(SpecError) as caught:
        load_network(town.network_path, environment={})
    [fault] = caught.value.faults
    assert (fault.line, fault.path, fault.message, fault.hint) == (
        6,
        "workers[1].profile",
        "unknown profile; seen 'lrage'",
        "did you mean 'large'?",
    )


def test_a_mapping_is_read_like_a_file(town: Town) -> None:
    network = network_from_mapping(
        {"name": "made", "workers": [{"name": "worker-1", "stake_months": 3}]},
        profiles=town.profiles,
    )
    assert isinstance(network, NetworkSpec)
    assert network.worker("worker-1").stake_months == 3
    with pytest.raises(SpecError, match=r"network: workers\[0\]\.nmae: unknown key; did you mean"):
        network_from_mapping({"name": "made", "workers": [{"nmae": "worker-1"}]})


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
