"""Light nodes beside a real one: by the profile, for whoever asks, by a grace of their own."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from cluster.errors import UnknownSubject
from cluster.faults import OFFLINE
from cluster.interface import Capacity, LightNodes, NodeState, Utilization
from cluster.kubernetes import names
from cluster.kubernetes.api import Api, Document
from cluster.kubernetes.manifests import condition
from cluster.native.provider import NativeCluster
from devnet.base import Toolchain, wait_for
from devnet.base.environment import python_environment
from tests.cluster.conftest import MACHINE, WORKERS

FAR = LightNodes(
    tuple(f"far-{n}" for n in range(1, 31)), "large", "us-east", "us-east-a", Capacity(750, 1 << 30)
)
LONE = LightNodes(("lone",), "sgx", "eu-west", "eu-west-b", Capacity(250, 1 << 29, sgx_epc_bytes=9))
PODS = "/api/v1/namespaces/default/pods"
NODES = "/api/v1/nodes"


@pytest.fixture(scope="module")
def cluster(tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NativeCluster]:
    """One worker and 31 light nodes."""
    with NativeCluster(
        WORKERS[:1],
        tmp_path_factory.mktemp("light"),
        tools,
        Toolchain().bubblewrap(),
        f"tests-{uuid.uuid4().hex[:12]}",
        logging.getLogger("tests.light"),
        python_environment(),
        light=(FAR, LONE),
    ) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def api(cluster: NativeCluster) -> Iterator[Api]:
    kubeconfig = cluster.kubeconfig()
    assert kubeconfig is not None
    api = Api(kubeconfig)
    yield api
    api.close()


def program(name: str) -> psutil.Process:
    (found,) = (
        child
        for child in psutil.Process().children()
        if child.status() != psutil.STATUS_ZOMBIE and Path(child.cmdline()[0]).name == name
    )
    return found


def light(api: Api) -> list[Document]:
    found: list[Document] = api.get(NODES, labelSelector=names.LIGHT)["items"]
    return found


def pod(name: str, **spec: object) -> Document:
    container = {"name": "c", "image": "nobody/pulls-it", "resources": {"requests": {"cpu": "20m"}}}
    return {
        "metadata": {"name": name},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 0, **spec},
    }


def test_they_are_ready_with_the_labels_and_the_capacity_of_their_profile(api: Api) -> None:
    found = {node["metadata"]["name"]: node for node in light(api)}

    assert sorted(found) == sorted((*FAR.names, *LONE.names))
    assert {condition(node, "Ready") for node in found.values()} == {"True"}
    labels = found["far-7"]["metadata"]["labels"]
    assert {labels[names.PROFILE], labels[names.INSTANCE_TYPE]} == {"large"}
    assert (labels[names.REGION], labels[names.ZONE]) == ("us-east", "us-east-a")
    assert labels[names.HOSTNAME] == "far-7"
    for kind in ("capacity", "allocatable"):
        assert names.to_capacity(found["far-30"]["status"][kind]) == FAR.capacity
        assert names.to_capacity(found["lone"]["status"][kind]) == LONE.capacity


def test_the_cluster_has_its_workers_and_says_what_else_is_there(cluster: NativeCluster) -> None:
    (node,) = cluster.nodes()
    assert (node.spec.name, node.state) == ("worker-1", NodeState.READY)
    assert cluster.utilization() == Utilization(Capacity(0, 0), MACHINE)
    said = "light nodes: 31; they run nothing, a pod there is only said to"
    assert said in cluster.enforcement().narrowed
    with pytest.raises(UnknownSubject, match="no node 'far-1'"):
        cluster.fault("far-1", OFFLINE)


ASKS = {
    "nodeSelector": {names.LIGHT: "true"},
    "tolerations": [{"key": names.LIGHT, "operator": "Exists"}],
}


def test_a_pod_lands_there_when_it_asks_for_it_and_only_then(api: Api) -> None:
    # More than the one real node has: without the taint it would be placed.
    big = pod("stays-off")
    big["spec"]["containers"][0]["resources"]["requests"]["cpu"] = "600m"
    for document in (pod("asks", **ASKS), big):
        api.create(PODS, document)

    def seen(name: str) -> Document:
        return api.get(f"{PODS}/{name}")

    wait_for("asks", lambda: condition(seen("asks"), "Ready") == "True", limit_seconds=20)
    assert seen("asks")["spec"]["nodeName"] in (*FAR.names, *LONE.names)
    wait_for("a word", lambda: condition(seen("stays-off"), "PodScheduled"), limit_seconds=20)
    (said,) = seen("stays-off")["status"]["conditions"]
    assert (said["reason"], "nodeName" in seen("stays-off")["spec"]) == ("Unschedulable", False)
    assert "31 node(s) had untolerated taint(s)" in said["message"]
    for name in ("asks", "stays-off"):
        api.delete(f"{PODS}/{name}", grace_seconds=0)


def test_a_worker_is_lost_as_fast_as_ever_and_a_light_node_is_not(
    cluster: NativeCluster, api: Api
) -> None:
    """kwok asleep for as long: its nodes renew once a minute, and are given four."""
    kwok = program("kwok")
    kwok.suspend()
    try:
        cluster.fault("worker-1", OFFLINE)
        wait_for("the loss", lambda: cluster.nodes()[0].state is NodeState.LOST, limit_seconds=15)
    finally:
        kwok.resume()
    assert {condition(node, "Ready") for node in light(api)} == {"True"}
    cluster.heal("worker-1")
    assert [node.state for node in cluster.nodes()] == [NodeState.READY]
    assert cluster.ended() == ()


@pytest.mark.parametrize("name", ["kwok", "node-lifecycle"])
def test_whoever_of_them_dies_is_named_and_comes_back(
    cluster: NativeCluster, api: Api, name: str
) -> None:
    before = len(cluster.incidents())
    process = program(name)
    process.kill()
    wait_for("its name", lambda: str(cluster.incidents()[before:]).count(name), limit_seconds=5)
    wait_for("its return", lambda: len(cluster.incidents()) >= before + 2, limit_seconds=30)

    died, back = cluster.incidents()[before:]
    assert str(died) == f"{name} was killed by SIGKILL"
    assert str(back).startswith(f"{name} is back after ")
    assert program(name).pid != process.pid
    assert cluster.ended() == ()
    assert {condition(node, "Ready") for node in light(api)} == {"True"}
    path = f"{PODS}/after-{name}"
    api.create(PODS, pod(f"after-{name}", **ASKS))
    wait_for("its pod", lambda: condition(api.get(path), "Ready") == "True", limit_seconds=20)
    api.delete(path, grace_seconds=0)
