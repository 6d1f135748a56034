"""A cluster whose pods are plain processes: what can be held is held, the rest refused by name."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from cluster.conformance.bench import LIMIT_SECONDS, Bench
from cluster.conformance.bench import bench as bench_of
from cluster.conformance.pods import ready, restarts, started
from cluster.conformance.subject import GREETING, Subject, subject
from cluster.errors import CannotPlay
from cluster.faults import DISK_FULL, OFFLINE, PAUSED
from cluster.interface import Capacity, Job, NodeState
from cluster.native import plain
from cluster.native.provider import NativeCluster
from cluster.native.trial import try_node
from cluster.waiting import Seen, wait_for
from devnet.base.environment import python_environment
from tests.cluster.conftest import WORKERS

NODE = "worker-1"
# A child in its session, one in another, and one in another without the environment's mark.
BROOD = (
    "sleep 600 & setsid sleep 601 & (env -i setsid sleep 602 & exec sleep 603) & "
    "trap '' TERM; while :; do sleep 0.1; done"
)
PROBE = {"exec": {"command": ["cat", "greeting"]}, "periodSeconds": 1}


@pytest.fixture(scope="module")
def devnet_id() -> str:
    return f"tests-{uuid.uuid4().hex[:12]}"


@pytest.fixture(scope="module")
def cluster(
    tools: Path, devnet_id: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[NativeCluster]:
    state = tmp_path_factory.mktemp("unsandboxed")
    log = logging.getLogger("tests.unsandboxed")
    env = python_environment()
    with NativeCluster(WORKERS[:1], state, tools, None, devnet_id, log, env) as running:
        yield running
    assert plain.find(devnet_id) == []


@pytest.fixture(scope="module")
def there(
    cluster: NativeCluster, tools: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Subject]:
    folder = tmp_path_factory.mktemp("folder")
    with subject(cluster, cluster.packing, folder, tools / "kubectl") as found:
        yield found


@pytest.fixture
def bench(there: Subject) -> Iterator[Bench]:
    with bench_of(there, LIMIT_SECONDS) as own:
        yield own


def living(devnet_id: str) -> dict[int, str]:
    """What runs of the devnet's pods, by number."""
    found = {}
    for process in plain.find(devnet_id):
        with contextlib.suppress(psutil.Error):
            found[process.pid] = " ".join(process.cmdline())
    return found


def kubelets() -> list[psutil.Process]:
    """This process's own."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if process.cmdline()[:1] and process.cmdline()[0].endswith("/kubelet"):
                found.append(process)
    return found


def brood(devnet_id: str) -> list[str]:
    return sorted(line for line in living(devnet_id).values() if line.startswith("sleep 60"))


def start_brood(bench: Bench, devnet_id: str, name: str = "pod") -> None:
    bench.start(bench.container(BROOD), name=name)
    bench.wait("started", started, name)
    born = [f"sleep 60{n}" for n in range(4)]
    wait_for("the brood", lambda: Seen(brood(devnet_id) == born, str(brood(devnet_id))), 10)


def test_it_says_what_it_is_and_a_trial_says_the_same(cluster: NativeCluster, tools: Path) -> None:
    said = cluster.enforcement()
    assert said == try_node(tools, None)
    plainly = [line for line in said.narrowed if line.startswith("UNSANDBOXED, as asked: ")]
    assert len(plainly) == 1
    assert f"of user {os.getuid()}" in plainly[0]
    assert not any("see neither" in line for line in said.enforced)
    assert any(line.startswith("Pods have no capabilities") for line in said.enforced)


def test_a_pod_runs_is_probed_entered_and_ended(bench: Bench, devnet_id: str) -> None:
    script = f"cat greeting; echo $TOLD; test -w $HOME && echo writes; {BROOD}"
    told = [{"name": "TOLD", "value": "a word"}]
    bench.start(bench.container(script, env=told, readinessProbe=PROBE, livenessProbe=PROBE))
    bench.wait("ready", ready)
    assert bench.printed() == f"{GREETING}a word\nwrites\n"
    inside = bench.execute("sh", "-c", "id -u; echo $TOLD; exit 3")
    assert (inside.out, inside.code) == (f"{os.getuid()}\na word\n", 3)
    rights = bench.execute("grep", "-E", "^(CapEff|NoNewPrivs|Seccomp):", "/proc/self/status")
    assert rights.out.split() == ["CapEff:", "0" * 16, "NoNewPrivs:", "1", "Seccomp:", "2"]
    assert bench.execute("head", "-n1", stdin="typed\n").out == "typed\n"

    assert len(brood(devnet_id)) == 4
    bench.delete(grace_seconds=1)
    bench.gone()
    assert living(devnet_id) == {}


def test_a_failing_probe_restarts_it(bench: Bench) -> None:
    probe = {"exec": {"command": ["test", "-e", "none"]}, "periodSeconds": 1, "failureThreshold": 1}
    container = bench.container("while :; do sleep 0.1; done", livenessProbe=probe)
    bench.start(container, restartPolicy="Always")
    bench.wait("restarted", restarts)


def test_a_job_gives_what_it_prints(cluster: NativeCluster, tmp_path: Path) -> None:
    job = Job("echo", tmp_path, ("cat",), b"asked", Capacity(50, 32 << 20))
    result = cluster.run_job(job)
    assert (result.output, result.exit_code) == (b"asked", 0)


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("spec.volumes[0] (v)", {"volumes": [{"name": "v", "emptyDir": {}}]}),
        ("spec.securityContext.runAsUser", {"securityContext": {"runAsUser": 65533}}),
        ("spec.securityContext.fsGroup", {"securityContext": {"fsGroup": 65533}}),
        ("spec.hostAliases", {"hostAliases": [{"ip": "127.0.0.1", "hostnames": ["a"]}]}),
    ],
    ids=["a volume", "a user", "a group", "a host"],
)
def test_what_only_a_sandbox_gives_fails_the_pod(
    bench: Bench, field: str, fields: dict[str, Any]
) -> None:
    bench.start(bench.container("true"), **fields)
    status = bench.wait("refused", lambda pod: pod["status"]["phase"] == "Failed")["status"]
    assert status["reason"] == "UnsupportedField"
    assert f"{field}: " in status["message"]
    assert "unsandboxed" in status["message"]


def test_a_kubelet_that_dies_leaves_nothing_to_its_next_life(
    bench: Bench, cluster: NativeCluster, devnet_id: str
) -> None:
    start_brood(bench, devnet_id)
    before = set(living(devnet_id))
    (kubelet,) = kubelets()
    kubelet.send_signal(signal.SIGKILL)

    def look() -> Seen:
        left = before & set(living(devnet_id))
        return Seen(not left, str(left))

    wait_for("the end of what it left", look, 30)
    assert any("kubelet" in str(each) for each in cluster.incidents())


def test_a_lost_node_takes_its_pods_with_it_and_heals(
    bench: Bench, cluster: NativeCluster, devnet_id: str
) -> None:
    start_brood(bench, devnet_id)
    cluster.fault(NODE, OFFLINE)
    assert living(devnet_id) == {}
    cluster.heal(NODE)
    bench.start(bench.container("sleep 60"), name="next")
    bench.wait("started", started, "next", limit_seconds=60)


def test_a_node_that_stands_still_has_every_process_stand(
    bench: Bench, cluster: NativeCluster, devnet_id: str
) -> None:
    """Those too that have left the tree of their kubelet."""
    start_brood(bench, devnet_id)
    cluster.fault(NODE, PAUSED)
    there = [*plain.find(devnet_id), *kubelets()]
    assert len(there) > 5
    assert {each.status() for each in there} == {psutil.STATUS_STOPPED}
    cluster.heal(NODE)
    moving = [each.status() for each in kubelets()]
    assert psutil.STATUS_STOPPED not in moving

    def look() -> Seen:
        standing = [each for each in plain.find(devnet_id) if _stands(each)]
        return Seen(not standing, str(standing))

    wait_for("the end of the standstill", look, 10)


def _stands(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_STOPPED
    except psutil.NoSuchProcess:
        return False


def test_a_disk_of_its_own_is_none_to_fill(cluster: NativeCluster) -> None:
    with pytest.raises(CannotPlay) as caught:
        cluster.fault(NODE, DISK_FULL)
    assert str(caught.value) == (
        f"the fault 'disk_full' cannot be played here: {NODE} has no disk of its own"
    )
    (node,) = cluster.nodes()
    assert (node.state, cluster.faults()) == (NodeState.READY, {})
    (said,) = [line for line in cluster.enforcement().narrowed if "disk is the host's" in line]
    assert said.endswith(" (it is unsandboxed).")
