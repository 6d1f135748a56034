"""Claimed beside measured, from what every node proved."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from cluster.errors import ClusterError
from cluster.interface import Capacity, Measurement, NodeSpec
from cluster.perftest import Trial
from cluster.profiles import REFERENCE_MACHINE, scaled
from cluster.scores import profile_measurement
from cluster.sim.cluster import SimCluster
from devnet.base import MachineLacks
from devnet.runs.clusters import nodes_of
from devnet.runs.profiling import (
    Compared,
    Profiling,
    compare,
    measure_profiles,
    median,
    one_of_each,
    profiles_of,
)
from devnet.spec import load_network

NETWORKS = Path(__file__).parents[2] / "e2e" / "networks"
SCALE = Fraction(1, 16)
STANDARD = scaled(REFERENCE_MACHINE, SCALE)
LARGE = replace(
    STANDARD, milli_cpu=500, disk_write_bytes_per_second=STANDARD.disk_write_bytes_per_second * 2
)
CAPACITIES = {"large": LARGE, "standard": STANDARD}


def proven(name: str, capacity: Capacity, steps: int) -> Measurement:
    """The profile's own figures but for the links a second, on a core that fills memory fast."""
    return replace(
        profile_measurement(name, capacity, b""),
        cpu_steps_per_second=steps,
        memory_bytes_per_second=10**9,
    )


def test_c1_is_a_multiple_of_the_reference_of_the_same_round() -> None:
    """The machine is twice as fast in the second round, and a third of the fifth is missing."""
    measured = {
        "large": [proven("large", LARGE, n * 1000) for n in (1600, 3280, 1640, 1560, 1060)],
        "standard": [proven("standard", STANDARD, n * 1000) for n in (400, 800, 400, 400, 400)],
    }
    found = compare(CAPACITIES, measured, STANDARD)

    assert [(each.profile, each.factor) for each in found] == [
        (profile, factor) for profile in CAPACITIES for factor in ("C1", "C2", "C3", "B")
    ]
    assert found[0] == Compared("large", "C1", 4_000_000, 4_000_000)  # of 4, 4.1, 4.1, 3.9, 2.65
    assert found[4] == Compared("standard", "C1", 1_000_000, 1_000_000)
    assert {each.over for each in found} == {Fraction(1)}


@pytest.mark.parametrize(
    ("measured", "holds"),
    [(4_400_000, True), (3_600_000, True), (4_400_001, False), (3_599_999, False)],
)
def test_a_tenth_may_be_missing_or_too_much(measured: int, holds: bool) -> None:
    compared = Compared("large", "C1", 4_000_000, measured)
    assert compared.holds is holds
    whole = Profiling("native", SCALE, 5, Trial(62, 1, 1, 2), 3_000_000, (compared,))
    assert whole.to_json()["ok"] is holds
    assert whole.to_json()["profiles"]["large"]["c1"] == {
        "claimed": 4.0,
        "measured": measured / 1e6,
        "over": measured / 4e6,
        "holds": holds,
    }


def test_a_small_share_of_a_fast_core_claims_its_bytes() -> None:
    small = replace(STANDARD, milli_cpu=62, memory_bytes=STANDARD.memory_bytes // 2)
    measured = {
        "small": [proven("small", small, 186_000)],
        "standard": [proven("standard", STANDARD, 375_000)],
    }
    found = compare({"small": small, "standard": STANDARD}, measured, STANDARD)
    assert found[0] == Compared("small", "C1", 496_000, 496_000)
    assert found[1] == Compared("small", "C2", 126_500, 126_500)


def test_a_slow_disk_is_a_c3_that_does_not_hold() -> None:
    slow = replace(proven("large", LARGE, 500_000), storage_write_bytes_per_second=5_000_000)
    measured = {"large": [slow], "standard": [proven("standard", STANDARD, 125_000)]}
    broken = [each for each in compare(CAPACITIES, measured, STANDARD) if not each.holds]
    assert [(each.profile, each.factor) for each in broken] == [("large", "C3")]


@pytest.mark.parametrize(("values", "middle"), [([3, 1, 2], 2), ([4, 1, 3, 2], 2), ([7], 7)])
def test_median(values: list[int], middle: int) -> None:
    assert median(values) == middle


def test_a_node_of_each_profile_and_of_the_networks_own() -> None:
    spec = load_network(NETWORKS / "machines.yaml", environment={})
    names = [profile.name for profile in profiles_of(spec)]
    assert names == ["edge", "large", "rack", "sgx", "small", "standard"]
    nodes = nodes_of(one_of_each(spec))
    assert [(node.name, node.profile) for node in nodes] == [(name, name) for name in names]
    assert nodes[0].capacity.milli_cpu == 93


@pytest.mark.parametrize(
    ("trial", "held", "telling"),
    [
        (Trial(125, 125_000_000, 10**9, 2), True, True),
        (Trial(125, 171_000_000, 10**9, 2), True, True),
        (Trial(125, 172_000_000, 10**9, 2), False, True),
        (Trial(125, 1_900_000_000, 10**9, 2), False, True),
        (Trial(2000, 1_900_000_000, 10**9, 2), True, False),
    ],
)
def test_what_holds_a_node_is_found_by_trying(trial: Trial, held: bool, telling: bool) -> None:
    assert (trial.held, trial.telling) == (held, telling)


def test_where_nothing_holds_a_node_nothing_is_measured(tmp_path: Path) -> None:
    """`sim` runs jobs as plain processes: what they can take, they get."""
    spec = load_network(NETWORKS / "small.yaml", environment={})
    nodes: tuple[NodeSpec, ...] = nodes_of(one_of_each(spec))
    with SimCluster(nodes, tmp_path, "profiling") as cluster:
        with pytest.raises(MachineLacks, match=r"where 62m give 6\d ms") as caught:
            measure_profiles(cluster, spec, 1, lambda _: None)
    assert "nothing holds a node to its profile here: a job that took all it" in str(caught.value)
    assert not isinstance(caught.value, ClusterError)
