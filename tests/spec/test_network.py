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


def test_light_nodes_are_no_workers_and_read_back_as_themselves(town: Town) -> None:
    far = "  - {name: far, profile: large, count: 3, light: true}\n"
    head, tail = town.original_network.split("workers:\n")
    town.write_network(f"{head}workers:\n{far}{tail}")
    network = town.network()

    assert [worker.name for worker in network.workers] == ["worker-1", "worker-2"]
    (entry,) = network.light
    assert (entry.name, entry.profile, entry.count, entry.light) == ("far", "large", 3, True)
    town.write_network(resolved_yaml(network))
    assert town.network() == network
    assert town.network().light == network.light
    without = town.network(workers__far__light="false")
    assert len(without.workers) == 5
    assert without.light == ()


@pytest.mark.parametrize(
    ("workers", "faults"),
    [
        (
            "[{name: a}, {name: b, light: true, stake_months: 3, behaviour: accepts_nothing}]",
            [
                "workers[1].stake_months: a light node stakes nothing (R2); seen 3; leave it out",
                "workers[1].behaviour: a light node does nothing, in no way; leave it out",
            ],
        ),
        (
            "[{name: a, light: true, count: 2}, {name: b, light: true}]",
            ["workers: all are light, and a network has a worker (R2); add one"],
        ),
        (
            "[{name: a}, {name: b, light: true, count: 2}, {name: b-2}]",
            ["workers[2].name: duplicate name; seen 'b-2', taken by workers[1]"],
        ),
        (
            "[{name: a}, {name: b, light: true, profile: lrage}]",
            ["workers[1].profile: unknown profile; seen 'lrage'; did you mean 'large'?"],
        ),
    ],
    ids=["stakes and behaves", "all", "names", "profile"],
)
def test_what_a_light_node_cannot_be_is_told(town: Town, workers: str, faults: list[str]) -> None:
    town.write_network(f"version: 1\nname: tiny\nworkers: {workers}\n")
    told = [fault.removeprefix("network.yaml:3: ") for fault in town.faults_of_network()]
    assert told == faults


@pytest.mark.parametrize(
    ("workers", "alone"),
    [
        ("[{name: a, behaviour: swapped_node}]", True),
        ("[{name: a, behaviour: swapped_node}, {name: b, light: true}]", True),
        ("[{name: a, count: 2, behaviour: swapped_node}]", False),
        ("[{name: a, behaviour: swapped_node}, {name: b}]", False),
    ],
    ids=["alone", "beside a light node", "two", "beside another"],
)
def test_a_swapped_node_needs_another(town: Town, workers: str, alone: bool) -> None:
    """It was measured as an honest one is, without a word."""
    town.write_network(f"version: 1\nname: tiny\nworkers: {workers}\n")
    if not alone:
        assert town.network().workers[0].behaviour == "swapped_node"
        return
    assert town.faults_of_network() == [
        "network.yaml:3: workers[0].behaviour: no other worker could answer in its place; "
        "seen 'swapped_node'; add a worker"
    ]


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


@pytest.mark.parametrize(
    ("key", "value", "fault"),
    [
        ("parameters.arbiter_window", "0s", "must be at least 1s"),
        ("parameters.incident_max_age", "0s", "must be at least 1s"),
        ("oracles.heartbeat", "0s", "must be at least 1s"),
        ("oracles.komp_usd_heartbeat", "0s", "must be at least 1s"),
        ("oracles.utilization_heartbeat", "0s", "must be at least 1s"),
        ("parameters.month_days", "0", "must be at least 1"),
        ("parameters.month_days", "3651", "must be at most 3650"),
        *(
            (f"oracles.{name}", "3651d", "must be at most 3650d")
            for name in ("heartbeat", "komp_usd_heartbeat", "utilization_heartbeat")
        ),
        ("parameters.max_v", "0", "must be at least 1; seen 0"),
        *(
            (f"parameters.{name}", "3651d", "must be at most 3650d")
            for name in (
                *("appeal_window", "arbiter_window", "exit_delay", "incident_max_age"),
                *("halt_delay", "timelock"),
            )
        ),
    ],
)
def test_d1_what_no_network_is_made_with(key: str, value: str, fault: str) -> None:
    with pytest.raises(SpecError) as caught:
        load_network(NETWORKS / "small.yaml", {key: value}, environment={})
    assert f"{key}: " in str(caught.value)
    assert fault in str(caught.value)


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
