"""Clusters register themselves: name, worth, what they can do, and how they are made."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.errors import CannotPlay
from cluster.faults import FAULTS, NODE, OFFLINE, FaultKind, kinds_of, register
from cluster.interface import Capacity, NodeSpec, NodeState
from cluster.native.provider import NativeProvider
from cluster.providers import kinds, names
from cluster.registry import Kind, Making
from cluster.registry import register as register_cluster
from cluster.sim import SIM

MACHINE = Capacity(milli_cpu=500, memory_bytes=512 << 20)
NODE_SPEC = NodeSpec("worker-1", "standard", "eu", "eu-a", MACHINE)


class Nothing:
    """A machine where nothing was ever built, and nothing can be."""

    def __init__(self, cache: Path) -> None:
        self.cache = cache

    def bubblewrap(self) -> Path:
        return Path("bwrap")

    def controlplane(self) -> Path:
        raise AssertionError("sim needs no control plane")

    def controlplane_cached(self) -> Path | None:
        return None


@pytest.fixture
def making(tmp_path: Path) -> Making:
    tools = Nothing(tmp_path / "cache")
    log = logging.getLogger("tests.registry")
    return Making(
        (NODE_SPEC,),
        tmp_path,
        f"tests-registry-{os.getpid()}",
        tools,
        log,
        {},
        ("gatekeeper-1",),
        True,
    )


@pytest.fixture
def damp() -> Iterator[FaultKind]:
    yield register(FaultKind(NODE, "damp", "its disk takes its time"))
    del FAULTS[(NODE, "damp")]


def test_the_best_is_the_last() -> None:
    assert names() == ("sim", "native")
    assert [kind.worth for kind in kinds()] == sorted(kind.worth for kind in kinds())


def test_a_name_is_taken_once() -> None:
    with pytest.raises(ValueError, match="a cluster named 'sim' is registered already"):
        register_cluster(SIM)


def test_each_can_play_some_fault_of_a_node_and_no_other() -> None:
    for kind in kinds():
        assert kind.capabilities.faults
        assert set(kind.capabilities.faults) <= set(kinds_of(NODE))


def test_a_cluster_bears_the_name_it_is_registered_under(making: Making) -> None:
    assert SIM.make(making).name == "sim"
    assert NativeProvider.name == "native"


def test_nodes_join_and_leave(making: Making) -> None:
    with SIM.make(making) as cluster:
        cluster.add_node(NodeSpec("worker-2", "standard", "eu", "eu-a", MACHINE))
        assert [node.spec.name for node in cluster.nodes()] == ["worker-1", "worker-2"]
        cluster.remove_node("worker-1")
        assert [node.spec.name for node in cluster.nodes()] == ["worker-2"]


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.name)
def test_what_it_cannot_play_is_refused_by_name(kind: Kind, damp: FaultKind) -> None:
    kind.capabilities.require(OFFLINE, kind.name)
    with pytest.raises(CannotPlay) as caught:
        kind.capabilities.require(damp, kind.name)
    assert str(caught.value) == f"{kind.name} cannot play the fault 'damp' of a worker"
    assert caught.value.hint == "it can: offline, paused, slow, disk_full, crashed"


def test_sim_leaves_a_node_alone_whose_fault_it_cannot_play(
    making: Making, damp: FaultKind
) -> None:
    with SIM.make(making) as cluster:
        with pytest.raises(CannotPlay):
            cluster.fault("worker-1", damp)
        (node,) = cluster.nodes()
        assert node.state is NodeState.READY


def test_sim_lacks_nothing_and_native_a_build_or_room_for_it(making: Making) -> None:
    lacking = {kind.name: kind.lacks(making.tools) for kind in kinds()}
    assert lacking["sim"] == ""
    assert "Linux" in lacking["native"] or "GB" in lacking["native"] or not lacking["native"]
