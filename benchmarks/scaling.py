"""How fast a HorizontalPodAutoscaler follows a load that begins: from one replica to three."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from cluster.errors import UnknownSubject
from cluster.interface import Capacity, Workload
from cluster.kubernetes import names
from cluster.kubernetes.api import Api, ApiRefused
from cluster.native.provider import NativeCluster
from cluster.waiting import Seen, wait_for

NAME: Final = "scaled"
MOST: Final = 3
CPU_MILLI: Final = 100
TARGET_PERCENT: Final = 30
LIMIT_SECONDS: Final = 120.0
CALLERS: Final = 4
REST_SECONDS: Final = 0.1  # of a caller whose pod does not answer
SUFFIXES: Final = {"n": Decimal("1e-6"), "u": Decimal("1e-3"), "m": Decimal(1), "": Decimal(1000)}
SCALERS: Final = f"/apis/autoscaling/v2/namespaces/{names.NAMESPACE}/horizontalpodautoscalers"
METRICS: Final = f"/apis/metrics.k8s.io/v1beta1/namespaces/{names.NAMESPACE}/pods"


def scaled(cluster: NativeCluster, api: Api, service: Path) -> tuple[float, float]:
    """Seconds after a load begins until three replicas are ready, and until metrics-server shows
    the first one's above its target: no autoscaler can know it before."""
    command = ("python3", "server.py")
    cluster.apply(Workload(NAME, service, command, 1, Capacity(CPU_MILLI, 64 << 20), "/healthz"))
    try:
        cluster.settle(LIMIT_SECONDS)
        api.create(SCALERS, document())
        wait_for("the autoscaler to see an idle service", lambda: _seen(api), LIMIT_SECONDS)
        (pod,) = cluster.pods(NAME)
        with _load(cluster):
            started = time.perf_counter()
            wait_for("metrics of the load", lambda: _loaded(api, pod.name), LIMIT_SECONDS)
            known = time.perf_counter() - started
            wait_for("three replicas", lambda: _grown(cluster), LIMIT_SECONDS)
            return time.perf_counter() - started, known
    finally:
        api.delete(f"{SCALERS}/{NAME}")
        cluster.delete(NAME)


def document() -> dict[str, Any]:
    """The autoscaler, as a person writes one."""
    return {
        "metadata": {"name": NAME},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": NAME},
            "minReplicas": 1,
            "maxReplicas": MOST,
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {
                        "name": "cpu",
                        "target": {"type": "Utilization", "averageUtilization": TARGET_PERCENT},
                    },
                }
            ],
        },
    }


def to_milli(quantity: str) -> Decimal:
    """Of a core; metrics come in nano-cores."""
    digits = quantity.rstrip("num")
    return Decimal(digits) * SUFFIXES[quantity[len(digits) :]]


def _seen(api: Api) -> Seen:
    status = api.get(f"{SCALERS}/{NAME}").get("status", {})
    figures = [metric.get("resource", {}) for metric in status.get("currentMetrics") or ()]
    known = any("averageUtilization" in figure.get("current", {}) for figure in figures)
    return Seen(known and status.get("desiredReplicas") == 1, str(status))


def _loaded(api: Api, pod: str) -> Seen:
    try:
        containers: Sequence[dict[str, Any]] = api.get(f"{METRICS}/{pod}")["containers"]
    except (ApiRefused, UnknownSubject) as error:
        return Seen(False, str(error))
    used = sum((to_milli(one["usage"]["cpu"]) for one in containers), Decimal())
    return Seen(used * 100 > TARGET_PERCENT * CPU_MILLI, f"{used:.1f}m used")


def _grown(cluster: NativeCluster) -> Seen:
    pods = cluster.pods(NAME)
    return Seen(sum(pod.ready for pod in pods) == MOST, str(pods))


@contextmanager
def _load(cluster: NativeCluster) -> Iterator[None]:
    """Callers that keep all that is ready at work, until this is left."""
    over = threading.Event()
    callers = [threading.Thread(target=_call, args=(cluster, over, n)) for n in range(CALLERS)]
    for caller in callers:
        caller.start()
    try:
        yield
    finally:
        over.set()
        for caller in callers:
            caller.join()


def _call(cluster: NativeCluster, over: threading.Event, number: int) -> None:
    while not over.is_set():
        ready = [pod for pod in cluster.pods(NAME) if pod.ready]
        if not ready:
            over.wait(REST_SECONDS)
            continue
        pod = ready[number % len(ready)]
        connection = http.client.HTTPConnection(pod.host, pod.port, timeout=10)
        try:
            connection.request("GET", "/work?milliseconds=500")
            connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            over.wait(REST_SECONDS)  # it may be on its way out
        finally:
            connection.close()
