"""Workloads and jobs as Kubernetes documents, nodes and pods back."""

from __future__ import annotations

import base64
from pathlib import Path

from cluster.interface import Autoscale, Capacity, Job, Node, NodeSpec, NodeState, Workload
from cluster.kubernetes.manifests import (
    autoscaler,
    batch_job,
    budget,
    deployment,
    node_value,
    pod_ready,
    pod_requests,
    pod_trouble,
)
from cluster.kubernetes.packing import FolderPacking

FOLDERS = FolderPacking()
WEB = Workload(
    name="order-7",
    folder=Path("/services/web"),
    command=("python3", "server.py"),
    replicas=2,
    requests=Capacity(50, 32 << 20),
    readiness_path="/healthz",
    env={"B": "2", "A": "1"},
    labels={"kompute.network/order": "7"},
)
JOB = Job(
    name="invoke-3",
    folder=Path("/services/thumbnail"),
    command=("python3", "handler.py"),
    payload=b"\x00kompute",
    requests=Capacity(0, 0),
    node="worker-2",
    deadline_seconds=9,
)


def test_requests_are_limits() -> None:
    (container,) = deployment(WEB, FOLDERS)["spec"]["template"]["spec"]["containers"]
    wanted = {"cpu": "50m", "memory": str(32 << 20)}
    assert container["resources"] == {"requests": wanted, "limits": wanted}
    assert container["env"][:2] == [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]
    assert container["readinessProbe"]["httpGet"]["path"] == "/healthz"


def test_a_pod_finds_its_folder_and_its_workload() -> None:
    metadata = deployment(WEB, FOLDERS)["spec"]["template"]["metadata"]
    assert metadata["annotations"]["kompute.network/folder"] == "/services/web"
    assert metadata["labels"] == {
        "kompute.network/order": "7",
        "kompute.network/workload": "order-7",
    }


def test_replicas_spread_but_may_share_what_is_left() -> None:
    constraints = deployment(WEB, FOLDERS)["spec"]["template"]["spec"]["topologySpreadConstraints"]
    assert {each["topologyKey"]: each["whenUnsatisfiable"] for each in constraints} == {
        "kubernetes.io/hostname": "ScheduleAnyway",
        "topology.kubernetes.io/zone": "ScheduleAnyway",
        "topology.kubernetes.io/region": "ScheduleAnyway",
    }


def test_an_autoscaler_follows_what_has_a_target() -> None:
    document = autoscaler(WEB, Autoscale(1, 3, cpu_percent=50, memory_percent=80))
    spec = document["spec"]
    assert spec["scaleTargetRef"]["name"] == document["metadata"]["name"] == "order-7"
    assert (spec["minReplicas"], spec["maxReplicas"]) == (1, 3)
    targets = {
        each["resource"]["name"]: each["resource"]["target"]["averageUtilization"]
        for each in spec["metrics"]
    }
    assert targets == {"cpu": 50, "memory": 80}
    (alone,) = autoscaler(WEB, Autoscale(1, 3, memory_percent=80))["spec"]["metrics"]
    assert alone["resource"]["name"] == "memory"


def test_a_drain_takes_one_replica_after_the_other() -> None:
    spec = budget(WEB)["spec"]
    template = deployment(WEB, FOLDERS)["spec"]["template"]
    assert spec["maxUnavailable"] == 1
    assert spec["selector"]["matchLabels"].items() <= template["metadata"]["labels"].items()


def test_pods_hold_no_credentials_and_stay_on_a_node_that_may_be_busy() -> None:
    for document in (deployment(WEB, FOLDERS), batch_job(JOB, FOLDERS)):
        spec = document["spec"]["template"]["spec"]
        assert spec["automountServiceAccountToken"] is False
        assert {each["key"]: each["tolerationSeconds"] for each in spec["tolerations"]} == {
            "node.kubernetes.io/not-ready": 6,
            "node.kubernetes.io/unreachable": 6,
        }


def test_a_job_runs_once_on_its_node_with_its_payload() -> None:
    spec = batch_job(JOB, FOLDERS)["spec"]
    pod = spec["template"]
    assert (spec["backoffLimit"], spec["activeDeadlineSeconds"]) == (0, 9)
    assert pod["spec"]["restartPolicy"] == "Never"
    assert pod["spec"]["nodeName"] == "worker-2"
    stdin = pod["metadata"]["annotations"]["kompute.network/stdin"]
    assert base64.b64decode(stdin) == b"\x00kompute"
    assert "resources" not in pod["spec"]["containers"][0]


def test_a_node_document_is_a_node() -> None:
    labels = {
        "kompute.network/profile": "large",
        "topology.kubernetes.io/region": "us-east",
        "topology.kubernetes.io/zone": "us-east-a",
    }
    status = {
        "capacity": {"cpu": "2", "memory": "1Gi", "pods": "110"},
        "allocatable": {"cpu": "1900m", "memory": "1000Mi", "pods": "110"},
        "conditions": [{"type": "Ready", "status": "True"}],
    }
    spec = NodeSpec("worker-3", "large", "us-east", "us-east-a", Capacity(2000, 1 << 30))
    expected = Node(spec, NodeState.READY, Capacity(1900, 1000 << 20))

    document = {"metadata": {"name": "worker-3", "labels": labels}, "status": status}
    assert node_value(document) == expected
    status["conditions"] = [{"type": "Ready", "status": "Unknown"}]
    assert node_value(document).state is NodeState.LOST


def test_a_pod_on_its_way_out_is_not_ready() -> None:
    status = {"conditions": [{"type": "Ready", "status": "True"}]}
    assert pod_ready({"metadata": {}, "status": status})
    assert not pod_ready({"metadata": {"deletionTimestamp": "now"}, "status": status})


def test_a_finished_pod_holds_nothing() -> None:
    containers = [{"resources": {"requests": {"cpu": "50m"}}}, {}]
    spec = {"containers": containers}
    assert pod_requests({"spec": spec, "status": {"phase": "Running"}}) == Capacity(50, 0)
    assert pod_requests({"spec": spec, "status": {"phase": "Succeeded"}}) is None


def test_trouble_names_the_reason() -> None:
    waiting = {"waiting": {"reason": "CrashLoopBackOff", "message": "exit code 1"}}
    status = {
        "phase": "Pending",
        "conditions": [
            {"type": "PodScheduled", "status": "False", "message": "0/4 nodes are available"}
        ],
        "containerStatuses": [{"state": waiting}],
    }
    assert pod_trouble({"metadata": {"name": "web-1"}, "status": status}) == (
        "web-1: Pending; PodScheduled: 0/4 nodes are available; "
        "waiting CrashLoopBackOff exit code 1"
    )
