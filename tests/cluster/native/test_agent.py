"""The node agent against a real API server; pods are bound by hand, without a scheduler."""

from __future__ import annotations

import base64
import http.client
import json
import logging
import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from cluster.errors import UnknownSubject
from cluster.faults import OFFLINE
from cluster.interface import Capacity, NodeSpec
from cluster.kubernetes import names
from cluster.kubernetes.api import Api
from cluster.kubernetes.bootstrap import create_namespace
from cluster.kubernetes.manifests import pod_ready
from cluster.native.provider import NativeProvider
from cluster.waiting import Seen, wait_for
from devnet.base.environment import python_environment
from tests.cluster.native.agent_bench import (
    LIMIT,
    NODE,
    PODS,
    Bench,
    container_of,
    get,
    terminated,
)

MACHINE = Capacity(1000, 256 << 20, 10**9, 10**8, 10**7, 8 << 20)


@pytest.fixture(scope="module")
def bench(tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    state = tmp_path_factory.mktemp("agent")
    provider = NativeProvider(
        state=state,
        tools=tools,
        devnet_id=f"tests-agent-{os.getpid()}",
        log=logging.getLogger("tests.agent"),
        env=python_environment(),
        python=sys.executable,
    )
    try:
        provider.up()
        api = Api(provider.kubeconfig())
        create_namespace(api)
        provider.add_node(NodeSpec(NODE, "sgx", "eu-west", "eu-west-a", MACHINE))
        wait_for("the node", lambda: Seen(len(api.get("/api/v1/nodes")["items"]) == 1), LIMIT)
        yield Bench(provider, api, tmp_path_factory.mktemp("service"), tools)
        api.close()
    finally:
        provider.down()


def test_the_node_shows_its_profile(bench: Bench) -> None:
    node = bench.api.get(f"/api/v1/nodes/{NODE}")
    labels = node["metadata"]["labels"]
    assert {name: labels[name] for name in (names.PROFILE, names.REGION, names.ZONE)} == {
        names.PROFILE: "sgx",
        names.REGION: "eu-west",
        names.ZONE: "eu-west-a",
    }
    assert labels[names.HOSTNAME] == NODE
    assert names.to_capacity(node["status"]["allocatable"]) == MACHINE
    assert node["status"]["allocatable"]["pods"] == "110"
    statement = json.loads(node["metadata"]["annotations"][names.ENFORCEMENT])
    assert set(statement) == {"enforced", "narrowed"}


def test_a_lease_is_renewed(bench: Bench) -> None:
    path = f"/apis/coordination.k8s.io/v1/namespaces/{names.LEASES}/leases/{NODE}"

    def held() -> Seen:
        try:
            return Seen("spec" in bench.api.get(path))
        except UnknownSubject as error:
            return Seen(False, str(error))

    wait_for("the lease", held, LIMIT)
    first = bench.api.get(path)["spec"]
    assert (first["holderIdentity"], first["leaseDurationSeconds"]) == (NODE, 2)

    def renewed() -> Seen:
        now = bench.api.get(path)["spec"]["renewTime"]
        return Seen(now > first["renewTime"], now)

    wait_for("a renewal", renewed, LIMIT)


def test_a_service_becomes_ready_answers_and_leaves_gracefully(bench: Bench) -> None:
    bench.server("graceful")
    pod = bench.until_ready("graceful")
    assert (pod["status"]["phase"], pod["status"]["podIP"]) == ("Running", "127.0.0.1")
    assert get(pod, "/ready") == 200
    followed: list[str] = []

    def follow() -> None:
        followed.append(bench.kubectl("logs", "graceful", "--follow").stdout)

    follower = threading.Thread(target=follow)
    follower.start()
    bench.api.delete(f"{PODS}/graceful")
    bench.until_gone("graceful")
    follower.join(LIMIT)
    with pytest.raises(OSError, match="refused"):
        get(pod, "/ready")
    log = bench.provider._state / "nodes" / NODE / "pods" / f"{names.NAMESPACE}_graceful.log"
    lines = log.read_text().splitlines()
    assert (lines[0], lines[-1]) == (f"graceful {NODE} hello", "bye")


def test_a_service_that_fails_its_probe_is_not_ready(bench: Bench) -> None:
    bench.server("unready", probe="/never")
    pod = bench.until("unready", lambda pod: "running" in str(pod["status"]), "running")
    assert not pod_ready(pod)
    bench.api.delete(f"{PODS}/unready")


def test_a_crashed_service_is_restarted(bench: Bench) -> None:
    bench.server("crashing")
    pod = bench.until_ready("crashing")
    with pytest.raises((OSError, http.client.HTTPException)):
        get(pod, "/exit")
    again = bench.until(
        "crashing",
        lambda pod: pod_ready(pod) and container_of(pod)["restartCount"] == 1,
        "restarted",
    )
    assert container_of(again)["lastState"]["terminated"]["exitCode"] == 5
    assert get(again, "/ready") == 200
    bench.api.delete(f"{PODS}/crashing")


def test_logs_and_exec(bench: Bench) -> None:
    bench.server("spoken")
    bench.until_ready("spoken")
    assert bench.kubectl("logs", "spoken").stdout.splitlines()[0] == f"spoken {NODE} hello"
    assert "GET /ready" in bench.kubectl("logs", "spoken", "--tail=1").stdout
    done = bench.kubectl("exec", "spoken", "--", "sh", "-c", "echo $GREETING; pwd; exit 7")
    assert (done.returncode, done.stdout) == (7, f"hello\n{bench.folder}\n")
    assert bench.kubectl("exec", "-i", "spoken", "--", "cat", stdin="in\n").stdout == "in\n"
    assert "no-such" in bench.kubectl("exec", "spoken", "--", "no-such").stderr
    bench.api.delete(f"{PODS}/spoken")


def test_a_job_leaves_its_result(bench: Bench) -> None:
    bench.job("upper", "import sys; print(sys.stdin.read().upper(), end='')", b"kompute")
    pod = bench.until_ended("upper")
    annotations = pod["metadata"]["annotations"]
    assert (pod["status"]["phase"], terminated(pod)) == ("Succeeded", ("Completed", 0))
    assert base64.b64decode(annotations[names.RESULT]) == b"KOMPUTE"
    assert int(annotations[names.MILLISECONDS]) > 0
    assert int(annotations[names.MEMORY_BYTES]) > 1 << 20


def test_a_large_result_is_in_the_log(bench: Bench) -> None:
    bench.job("large", "print('x' * 100_000, end='')")
    pod = bench.until_ended("large")
    assert names.RESULT not in pod["metadata"]["annotations"]
    assert bench.api.text(f"{PODS}/large/log") == b"x" * 100_000


def test_a_failing_job_says_how(bench: Bench) -> None:
    bench.job("failing", "import sys; print('no', file=sys.stderr); sys.exit(3)")
    pod = bench.until_ended("failing")
    assert (pod["status"]["phase"], terminated(pod)) == ("Failed", ("Error", 3))
    assert bench.kubectl("logs", "failing").stdout == "no\n"


def test_a_job_above_its_memory_is_ended(bench: Bench) -> None:
    bench.job("hungry", "held = bytearray(500 << 20); print(len(held))")
    pod = bench.until_ended("hungry")
    assert pod["status"]["phase"] == "Failed"
    statement = json.loads(
        bench.api.get(f"/api/v1/nodes/{NODE}")["metadata"]["annotations"][names.ENFORCEMENT]
    )
    limited = any("memory limit" in each for each in statement["enforced"])
    assert terminated(pod) == (("OOMKilled", 137) if limited else ("Error", 1))


def test_a_job_whose_command_is_missing_fails(bench: Bench) -> None:
    bench.create("lost", "no-such-program", restartPolicy="Never")
    assert terminated(bench.until_ended("lost")) == ("Error", 127)
    assert "no-such-program" in bench.kubectl("logs", "lost").stdout


def test_a_pod_without_a_folder_is_refused(bench: Bench) -> None:
    bench.create("homeless", "true", annotations={names.FOLDER: "/no/such/folder"})
    pod = bench.until_ended("homeless")
    assert "/no/such/folder" in pod["status"]["message"]


def kubelet(bench: Bench, path: str, *, known: bool) -> tuple[int, str]:
    credentials = bench.provider._plane.credentials
    context = ssl.create_default_context(cafile=str(credentials.authority.cert_file))
    if known:
        context.load_cert_chain(credentials.admin.cert_file, credentials.admin.key_file)
    node = bench.api.get(f"/api/v1/nodes/{NODE}")
    port = node["status"]["daemonEndpoints"]["kubeletEndpoint"]["Port"]
    link = http.client.HTTPSConnection("127.0.0.1", port, timeout=5, context=context)
    try:
        link.request("GET", path)
        answer = link.getresponse()
        return answer.status, answer.read().decode()
    finally:
        link.close()


def test_the_kubelet_serves_only_those_it_knows(bench: Bench) -> None:
    assert kubelet(bench, "/healthz", known=True) == (200, "ok")
    with pytest.raises(OSError, match="(?i)certificate|reset|closed|eof"):
        kubelet(bench, "/healthz", known=False)


def test_metrics_name_every_running_pod(bench: Bench) -> None:
    bench.server("measured")
    bench.until_ready("measured")
    status, text = kubelet(bench, "/metrics/resource", known=True)
    assert status == 200
    pod = f'{{container="main",namespace="{names.NAMESPACE}",pod="measured"}}'
    figures = dict(line.split()[:2] for line in text.splitlines())
    assert float(figures["container_cpu_usage_seconds_total" + pod]) > 0.001
    assert 1 << 20 < int(figures["container_memory_working_set_bytes" + pod]) < 64 << 20
    assert float(figures["node_cpu_usage_seconds_total"]) > 0
    bench.api.delete(f"{PODS}/measured")
    assert kubelet(bench, "/containerLogs/kompute/nobody/main", known=True)[0] == 404


def test_a_killed_agent_takes_its_pods_along_and_its_successor_starts_them_again(
    bench: Bench,
) -> None:
    bench.server("surviving")
    bench.job("halfway", "import time; time.sleep(60)")
    before = bench.until_ready("surviving")
    bench.until("halfway", lambda pod: "running" in str(pod["status"]), "running")
    devnet = bench.provider._devnet_id
    assert len(pod_processes(devnet)) == 2
    bench.provider.fault(NODE, OFFLINE)
    wait_for("no pod left", lambda: Seen(not pod_processes(devnet)), LIMIT)
    bench.provider.heal(NODE)
    after = bench.until(
        "surviving",
        lambda pod: pod_ready(pod) and container_of(pod)["restartCount"] == 1,
        "ready again",
    )
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert get(after, "/ready") == 200
    assert "its node was lost" in bench.until_ended("halfway")["status"]["message"]
    bench.api.delete(f"{PODS}/surviving")


def pod_processes(devnet: str) -> list[int]:
    """Processes of this devnet that are pods: they know their pod's name."""
    found = []
    for process in psutil.process_iter():
        try:
            env = process.environ()
        except psutil.Error:
            continue
        if env.get("KOMPUTE_DEVNET_ID") == devnet and "POD_NAME" in env:
            found.append(process.pid)
    return found


def test_an_unusable_configuration_is_said_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "agent.json"
    path.write_text('{"node": "x"}')
    done = subprocess.run(
        [sys.executable, "-m", "cluster.native.agent", str(path)],
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
        cwd=Path(__file__).resolve().parents[3],
    )
    assert done.returncode == 4
    assert done.stderr.startswith(f"agent: agent configuration {path}: ")
    assert "Traceback" not in done.stderr
