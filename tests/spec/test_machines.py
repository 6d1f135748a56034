"""Hardware profiles of a network's own, in the file or as files beside it."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest
import yaml

from cluster.interface import Capacity
from cluster.profiles import REFERENCE_MACHINE, UnknownProfile
from devnet.runs.clusters import nodes_of
from devnet.spec import SpecError, load_network, resolved_yaml
from devnet.spec.network import NetworkSpec
from devnet.spec.schema import network_schema
from tests.spec.conftest import Town

EDGE = """\
description: a board at the edge
cpu: 500m
memory: 1Gi
storage: 64G
disk_write: 20M
network: 10M
"""
RACK = (
    "{name: rack, cpu: 32, memory: 256Gi, storage: 4T, disk_write: 1G, network: 1G, sgx_epc: 1Gi}"
)


def town_with(town: Town, *entries: str, workers: str = "edge, rack") -> None:
    lines = "".join(f"  - {entry}\n" for entry in entries)
    made = "".join(
        f"  - {{name: worker-{n}, profile: {profile.strip()}}}\n"
        for n, profile in enumerate(workers.split(","), start=1)
    )
    town.write_network(f"version: 1\nname: town\nscale: 1/2\nprofiles:\n{lines}workers:\n{made}")


def machine(town: Town, name: str, text: str) -> None:
    folder = town.folder / "machines"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")


def loaded(town: Town) -> NetworkSpec:
    return load_network(town.network_path, environment={})


def faults(town: Town) -> list[str]:
    with pytest.raises(SpecError) as caught:
        loaded(town)
    return [str(fault).replace(f"{town.folder}/", "") for fault in caught.value.faults]


def test_a_profile_is_a_file_or_an_entry_and_nodes_are_raised_by_it(town: Town) -> None:
    machine(town, "edge.yaml", EDGE)
    town_with(town, "machines/edge.yaml", RACK)

    network = loaded(town)

    edge = network.profile("edge")
    assert (edge.name, edge.description, edge.sgx) == ("edge", "a board at the edge", False)
    assert edge.capacity == Capacity(500, 1 << 30, 64 * 10**9, 20 * 10**6, 10 * 10**6)
    assert network.profile("rack").sgx
    assert network.profile("standard").capacity == REFERENCE_MACHINE
    first, second = nodes_of(network)
    assert first.capacity == Capacity(250, 1 << 29, 32 * 10**9, 10 * 10**6, 5 * 10**6)
    assert (second.profile, second.capacity.milli_cpu) == ("rack", 16_000)
    assert second.capacity.sgx_epc_bytes == 1 << 29
    with pytest.raises(UnknownProfile, match="no profile 'huge'"):
        network.profile("huge")


def test_a_network_printed_whole_needs_its_files_no_more(town: Town) -> None:
    machine(town, "edge.yaml", EDGE)
    town_with(town, "machines/edge.yaml", RACK)
    network = loaded(town)

    (town.folder / "machines" / "edge.yaml").unlink()
    town.write_network(resolved_yaml(network))

    assert loaded(town) == network


def test_all_faults_of_profiles_at_once_each_at_its_line(town: Town) -> None:
    machine(town, "edge.yaml", EDGE.replace("cpu: 500m", "cpu: two").replace("memory", "memmory"))
    machine(town, "named.yaml", EDGE + "name: other\n")
    machine(town, "list.yaml", "- 1\n")
    machine(town, "odd name.yaml", EDGE)
    town_with(
        town,
        "machines/edge.yaml",
        "machines/edgy.yaml",
        "machines/named.yaml",
        "machines/list.yaml",
        "machines/odd name.yaml",
        "{name: standard, cpu: 2000, memory: 1Gi, storage: 1G, disk_write: 1M, network: 2P}",
        workers="edge, rack",
    )

    # Of the worker whose profile is unknown nothing is said: a faulty one may be meant.
    assert faults(town) == [
        "machines/list.yaml:1: profiles[3]: must be a mapping of cpu, memory, storage, "
        "disk_write, network",
        "machines/edge.yaml:1: profiles[0].memory: is missing",
        "machines/edge.yaml:2: profiles[0].cpu: not an amount of CPU; seen 'two'",
        "machines/edge.yaml:3: profiles[0].memmory: unknown key; did you mean 'memory'?",
        "network.yaml:6: profiles[1]: no such file; seen 'machines/edgy.yaml'; did you mean "
        "'edge.yaml'?",
        "machines/named.yaml:7: profiles[2].name: a profile's file names it: 'named'; leave the "
        "key out",
        "network.yaml:9: profiles[4].name: a name is at most 63 of a-z, 0-9 and -, and starts and "
        "ends without -; seen 'odd name'; did you mean 'odd-name'?",
        "network.yaml:10: profiles[5].cpu: must be at most 1024; seen '2000'",
        "network.yaml:10: profiles[5].network: unknown unit 'P'; seen '2P'; known: k, M, G, T, Ki, "
        "Mi, Gi, Ti",
    ]


def test_a_figure_is_told_as_what_it_is(town: Town) -> None:
    nothing = "{name: edge, cpu: 0, memory: 0, storage: 0, disk_write: 0, network: x}"
    town_with(town, nothing, workers="edge")

    assert faults(town) == [
        "network.yaml:5: profiles[0].cpu: an amount of CPU must be above 0; seen '0'",
        "network.yaml:5: profiles[0].memory: an amount of memory must be above 0; seen '0'",
        "network.yaml:5: profiles[0].storage: an amount of storage must be above 0; seen '0'",
        "network.yaml:5: profiles[0].disk_write: a rate must be above 0; seen '0'",
        "network.yaml:5: profiles[0].network: not a rate; seen 'x'",
    ]


@pytest.mark.parametrize("path", ["profiles.0.cpu", "profiles[0].cpu", "profiles.edge.cpu"])
def test_what_a_file_of_a_profile_says_is_not_set_from_outside(town: Town, path: str) -> None:
    machine(town, "edge.yaml", EDGE)
    town_with(town, "machines/edge.yaml", RACK)

    with pytest.raises(SpecError) as caught:
        load_network(town.network_path, {path: "3"}, environment={})

    why = "no such path in the file; profiles[0] is the text 'machines/edge.yaml'"
    assert [str(fault) for fault in caught.value.faults] == [f"--set: {path}: {why}"]


def test_a_profile_has_a_name_of_its_own(town: Town) -> None:
    standard = RACK.replace("rack", "standard")
    town_with(town, standard, RACK, RACK, workers="rack, rakc")

    assert faults(town) == [
        "network.yaml:5: profiles[0].name: a profile of that name comes with the project; seen "
        "'standard'; name it, or its file, otherwise",
        "network.yaml:7: profiles[2].name: a profile of that name is in the list already; seen "
        "'rack'; name it, or its file, otherwise",
        "network.yaml:10: workers[1].profile: unknown profile; seen 'rakc'; did you mean 'rack'?",
    ]


def test_the_schema_takes_both_forms(town: Town) -> None:
    town_with(town, "machines/edge.yaml", RACK)
    validator = jsonschema.Draft202012Validator(network_schema())
    document = yaml.safe_load(town.network_path.read_text())
    assert [error.message for error in validator.iter_errors(document)] == []
    document["profiles"].append({"name": "x", "cpus": 2})
    assert not validator.is_valid(document)


def test_the_example_that_comes_with_the_project_has_both_forms() -> None:
    path = Path(__file__).parents[2] / "e2e" / "networks" / "machines.yaml"
    network = load_network(path, environment={})
    assert [own.name for own in network.profiles] == ["edge", "rack"]
