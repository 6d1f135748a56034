"""Twenty pods that ignore SIGTERM are leaving one node: the others there notice nothing of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.conformance.bench import Bench
from cluster.conformance.bench import bench as bench_of
from cluster.conformance.pods import ready, restarts, started
from cluster.conformance.subject import subject
from cluster.kubernetes.packing import FolderPacking
from cluster.native.provider import NativeCluster
from devnet.base import wait_for
from tests.cluster.native.running import running_pods

NODE = "worker-1"
MANY = 20
GRACE_SECONDS = 25
ROUNDS = 5
DEAF = "trap '' TERM; while :; do sleep 1; done"
# Its own memory of its probes: a line a second, whatever else ends beside it.
PROBED = {"exec": {"command": ["sh", "-c", "echo . >> /tmp/probes"]}, "periodSeconds": 1}
WHO = [
    {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}
    for name, path in (("POD_NAME", "metadata.name"), ("NODE_NAME", "spec.nodeName"))
]


@pytest.fixture
def bench(native: NativeCluster, tools: Path, tmp_path: Path) -> Iterator[Bench]:
    with (
        subject(native, FolderPacking(), tmp_path / "folder", tools / "kubectl") as there,
        bench_of(there) as own,
    ):
        yield own


def started_and_probed(bench: Bench, name: str) -> float:
    """Start a pod with a readiness probe and end it again; seconds until it was ready."""
    begin = time.monotonic()
    probe = {"exec": {"command": ["true"]}, "periodSeconds": 1}
    bench.start(bench.container("sleep 60", readinessProbe=probe), name=name, nodeName=NODE)
    bench.wait("ready", ready, name)
    seconds = time.monotonic() - begin
    bench.delete(name, grace_seconds=0)
    bench.gone(name)
    return seconds


@pytest.mark.timeout(240)
def test_twenty_that_ignore_the_signal_hold_up_nobody(bench: Bench) -> None:
    watched = bench.container("sleep 600", livenessProbe=PROBED)
    bench.start(watched, name="watched", nodeName=NODE)
    deaf = [f"deaf-{number}" for number in range(MANY)]
    for name in deaf:
        bench.start(
            bench.container(DEAF, env=WHO),
            name=name,
            nodeName=NODE,
            terminationGracePeriodSeconds=GRACE_SECONDS,
        )
    for name in ("watched", *deaf):
        bench.wait("started", started, name, limit_seconds=60)
    before = max(started_and_probed(bench, f"before-{n}") for n in range(ROUNDS))

    for name in deaf:
        bench.delete(name)
    begin, probes = time.monotonic(), probes_of(bench)
    meanwhile = max(started_and_probed(bench, f"meanwhile-{n}") for n in range(ROUNDS))
    wait_for("ten seconds", lambda: time.monotonic() - begin > 10, limit_seconds=12)
    probed, seconds = probes_of(bench) - probes, time.monotonic() - begin

    assert running_pods(NODE) == set(deaf)  # all of them are still there: it was meanwhile
    assert meanwhile < before + 2
    assert seconds * 0.7 <= probed <= seconds * 1.3
    assert restarts(bench.pod("watched")) == 0
    for name in deaf:
        bench.gone(name, limit_seconds=60)
    wait_for("their end", lambda: running_pods(NODE) == set(), limit_seconds=10)


def probes_of(bench: Bench) -> int:
    return int(bench.execute("sh", "-c", "wc -l < /tmp/probes", name="watched").out)
