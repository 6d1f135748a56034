"""Every process of a native cluster that dies is named; one that was asked to end is not."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import psutil
import pytest

from cluster.faults import OFFLINE
from cluster.interface import ClusterEvent, EventKind
from cluster.kubernetes.vigil import DOUBT_SECONDS
from cluster.native.provider import NativeCluster
from devnet.base import wait_for

COMPONENTS = (
    "metrics-server",
    "kube-scheduler",
    "kube-controller-manager",
    "kube-apiserver",
    "etcd",
)
SLEEP_SECONDS = 6.0
LONG_SLEEP_SECONDS = 12.0


def test_nobody_loses_a_node_while_all_slept_and_a_real_loss_after_it_counts(
    native: NativeCluster,
) -> None:
    """This process cannot stop itself: its clock is set forward by what its children slept."""
    seen: list[ClusterEvent] = []
    native.subscribe(seen.append)
    children = psutil.Process().children(recursive=True)
    clock = native._vigil._clock
    awake = threading.Event()
    for child in children:
        child.suspend()
    awake.wait(SLEEP_SECONDS)
    native._vigil._clock = lambda: clock() + SLEEP_SECONDS
    native._vigil.tick()
    for child in children:
        child.resume()
    native.settle(30)
    awake.wait(DOUBT_SECONDS)
    assert [event for event in seen if event.kind is EventKind.NODE_LOST] == []

    native.fault("worker-3", OFFLINE)
    lost = ClusterEvent(EventKind.NODE_LOST, "worker-3", "worker-3")
    wait_for("the loss", lambda: lost in seen, limit_seconds=20)
    native.heal("worker-3")
    assert native.ended() == ()


@pytest.mark.parametrize("witness", ["kube-apiserver", "kube-controller-manager", "etcd"])
def test_nobody_loses_a_node_while_a_part_of_the_control_plane_alone_slept(
    native: NativeCluster, witness: str
) -> None:
    seen: list[ClusterEvent] = []
    native.subscribe(seen.append)
    (process,) = (
        child for child in psutil.Process().children() if Path(child.cmdline()[0]).name == witness
    )
    awake = threading.Event()
    process.suspend()
    awake.wait(LONG_SLEEP_SECONDS)
    process.resume()
    wait_for("its answers", lambda: len(native.nodes()) == 3, limit_seconds=20)
    native.settle(30)
    awake.wait(2 * DOUBT_SECONDS)
    assert [event for event in seen if event.kind is EventKind.NODE_LOST] == []
    assert native.ended() == ()


def test_whoever_dies_is_named(native: NativeCluster) -> None:
    assert native.ended() == ()
    by_name = {
        Path(child.cmdline()[0]).name: child
        for child in psutil.Process().children(recursive=True)
        if Path(child.cmdline()[0]).name in COMPONENTS
    }
    kubelets = {
        child.cmdline()[-1].split("/")[-2]: child
        for child in psutil.Process().children()
        if Path(child.cmdline()[0]).name == "kubelet"
    }
    named: list[str] = []

    def kill(process: psutil.Process, name: str, node: str = "") -> None:
        os.kill(process.pid, signal.SIGKILL)
        named.append(f"{name} was killed by SIGKILL")
        wait_for(name, lambda: len(native.ended()) == len(named), limit_seconds=5)
        assert sorted(map(str, native.ended())) == sorted(named)
        (part,) = [part for part in native.ended() if part.name == name]
        assert part.node == node
        assert part.log is not None and part.log.exists()

    kill(kubelets["worker-1"], "kubelet of worker-1", "worker-1")
    for name in COMPONENTS:
        kill(by_name[name], name)
