"""What a worker's certificate opens: its own node and pods, and nothing of anybody else's."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cluster.interface import Capacity, Pod, Workload
from cluster.kubernetes.api import Api
from cluster.kubernetes.names import NAMESPACE
from cluster.native.components import HOST
from cluster.native.provider import NativeCluster

WEB = Path(__file__).resolve().parents[3] / "e2e" / "services" / "web"
FORBIDDEN = 403
NAMESPACED = f"/api/v1/namespaces/{NAMESPACE}"


class Worker:
    """Calls with the certificate of worker-1."""

    def __init__(self, pki: Path) -> None:
        self._pki = pki

    def context(self, authority: str = "ca") -> ssl.SSLContext:
        made = ssl.create_default_context(cafile=str(self._pki / f"{authority}.crt"))
        client = self._pki / "worker-1-client"
        made.load_cert_chain(client.with_suffix(".crt"), client.with_suffix(".key"))
        return made

    def call(
        self,
        port: int,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str = "application/json",
        authority: str = "ca",
    ) -> tuple[int, str]:
        connection = http.client.HTTPSConnection(
            HOST, port, timeout=10, context=self.context(authority)
        )
        try:
            text = None if body is None else json.dumps(body)
            connection.request(method, path, text, {"Content-Type": content_type})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        finally:
            connection.close()


@pytest.fixture(scope="module")
def worker(native: NativeCluster) -> Worker:
    kubeconfig = native.kubeconfig()
    assert kubeconfig is not None
    return Worker(kubeconfig.parent / "pki")


@pytest.fixture(scope="module")
def admin(native: NativeCluster) -> Iterator[Api]:
    kubeconfig = native.kubeconfig()
    assert kubeconfig is not None
    api = Api(kubeconfig)
    yield api
    api.close()


@pytest.fixture(scope="module")
def apiserver(native: NativeCluster) -> int:
    return native._provider._plane.ports.apiserver  # type: ignore[attr-defined,no-any-return]


@pytest.fixture(scope="module")
def _others(admin: Api) -> None:
    """A secret and a config map that no pod of worker-1 uses."""
    secret = {"metadata": {"name": "login"}, "stringData": {"password": "x"}}
    admin.create(f"{NAMESPACED}/secrets", secret)
    settings = {"metadata": {"name": "settings"}, "data": {"colour": "blue"}}
    admin.create(f"{NAMESPACED}/configmaps", settings)


@pytest.fixture(scope="module")
def elsewhere(native: NativeCluster) -> Pod:
    """A pod on another node than worker-1."""
    native.apply(Workload("web", WEB, ("python3", "server.py"), 3, Capacity(50, 32 << 20)))
    native.settle(60)
    return next(pod for pod in native.pods("web") if pod.node != "worker-1")


def test_etcd_is_not_opened(native: NativeCluster, worker: Worker) -> None:
    port = native._provider._plane.ports.etcd  # type: ignore[attr-defined]
    with pytest.raises((ssl.SSLError, ConnectionError)):
        worker.call(port, "POST", "/v3/kv/range", {"key": "AA=="}, authority="etcd-ca")


def test_its_own_node_is_opened(worker: Worker, apiserver: int) -> None:
    code, text = worker.call(apiserver, "GET", "/api/v1/nodes/worker-1")
    assert code == 200
    assert json.loads(text)["metadata"]["name"] == "worker-1"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "/api/v1/nodes/worker-2", {"metadata": {"labels": {"a": "b"}}}),
        ("PATCH", "/api/v1/nodes/worker-2/status", {"status": {"conditions": []}}),
        ("DELETE", "/api/v1/nodes/worker-2", None),
        ("GET", "/api/v1/secrets", None),
        ("GET", f"{NAMESPACED}/secrets/login", None),
        ("GET", f"{NAMESPACED}/configmaps/settings", None),
        ("PATCH", "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/worker-2", {}),
        ("POST", f"{NAMESPACED}/pods", {"metadata": {"name": "x"}, "spec": {"containers": []}}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.usefixtures("_others")
def test_what_is_not_its_own_is_refused(
    worker: Worker, apiserver: int, method: str, path: str, body: Any
) -> None:
    kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
    code, text = worker.call(apiserver, method, path, body, content_type=kind)
    assert code == FORBIDDEN, text


def test_another_nodes_pod_is_neither_changed_nor_ended_nor_entered(
    worker: Worker, apiserver: int, elsewhere: Pod
) -> None:
    pod = f"{NAMESPACED}/pods/{elsewhere.name}"
    for method, path, body in (
        ("PATCH", f"{pod}/status", {"status": {"phase": "Failed"}}),
        ("DELETE", pod, None),
        ("POST", f"{pod}/exec?command=id&stdout=true", None),
        ("GET", f"{pod}/log", None),
    ):
        code, text = worker.call(
            apiserver, method, path, body, content_type="application/merge-patch+json"
        )
        assert code == FORBIDDEN, f"{method} {path}: {code} {text}"


def test_another_nodes_kubelet_is_not_opened(worker: Worker, admin: Api, elsewhere: Pod) -> None:
    status = admin.get(f"/api/v1/nodes/{elsewhere.node}")["status"]
    port = int(status["daemonEndpoints"]["kubeletEndpoint"]["Port"])
    for method, path in (
        ("GET", "/pods"),
        ("GET", f"/containerLogs/{NAMESPACE}/{elsewhere.name}/main"),
        ("POST", f"/exec/{NAMESPACE}/{elsewhere.name}/main?command=id&output=1"),
        ("POST", f"/run/{NAMESPACE}/{elsewhere.name}/main?cmd=id"),
        ("GET", "/metrics/resource"),
    ):
        code, text = worker.call(port, method, path)
        assert code == FORBIDDEN, f"{method} {path}: {code} {text}"


def test_a_kubelet_opens_to_nobody_without_a_certificate(worker: Worker, admin: Api) -> None:
    status = admin.get("/api/v1/nodes/worker-1")["status"]
    port = int(status["daemonEndpoints"]["kubeletEndpoint"]["Port"])
    context = ssl.create_default_context(cafile=str(worker._pki / "ca.crt"))
    connection = http.client.HTTPSConnection(HOST, port, timeout=10, context=context)
    connection.request("GET", "/pods")
    assert connection.getresponse().status == 401
    connection.close()
