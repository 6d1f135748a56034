"""Which change of a document is an event."""

from __future__ import annotations

from typing import Any

import pytest

from cluster.interface import ClusterEvent, EventKind
from cluster.kubernetes.events import node_event, pod_event


def node(ready: str) -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": ready}] if ready else []
    return {"metadata": {"name": "worker-1"}, "status": {"conditions": conditions}}


def pod(ready: str, *, workload: str | None = "web", leaving: bool = False) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": "web-1", "labels": {}}
    if workload is not None:
        metadata["labels"]["kompute.network/workload"] = workload
    if leaving:
        metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    status = {"conditions": [{"type": "Ready", "status": ready}]}
    return {"metadata": metadata, "spec": {"nodeName": "worker-1"}, "status": status}


LOST = ClusterEvent(EventKind.NODE_LOST, "worker-1", node="worker-1")
BACK = ClusterEvent(EventKind.NODE_READY, "worker-1", node="worker-1")
POD_LOST = ClusterEvent(EventKind.POD_LOST, "web-1", node="worker-1", workload="web")
POD_READY = ClusterEvent(EventKind.POD_READY, "web-1", node="worker-1", workload="web")


@pytest.mark.parametrize(
    ("before", "after", "event"),
    [
        pytest.param(None, node("True"), BACK, id="new and ready"),
        pytest.param(None, node(""), None, id="new, not ready yet"),
        pytest.param(node("True"), node("True"), None, id="still ready"),
        pytest.param(node("True"), node("Unknown"), LOST, id="lease ran out"),
        pytest.param(node("True"), node("False"), LOST, id="says so itself"),
        pytest.param(node("Unknown"), node("False"), None, id="lost only once"),
        pytest.param(node("True"), None, LOST, id="removed while ready"),
        pytest.param(node("Unknown"), None, None, id="removed while lost"),
        pytest.param(node("Unknown"), node("True"), BACK, id="back"),
    ],
)
def test_node_event(before: Any, after: Any, event: ClusterEvent | None) -> None:
    assert node_event(before, after) == event


@pytest.mark.parametrize(
    ("before", "after", "event"),
    [
        pytest.param(None, pod("False"), None, id="new"),
        pytest.param(pod("False"), pod("True"), POD_READY, id="turned ready"),
        pytest.param(pod("True"), pod("False"), POD_LOST, id="probe fails"),
        pytest.param(pod("True"), pod("True", leaving=True), POD_LOST, id="told to leave"),
        pytest.param(pod("True", leaving=True), None, None, id="left, told before"),
        pytest.param(pod("True"), None, POD_LOST, id="gone at once"),
        pytest.param(None, pod("True", workload=None), None, id="a job's pod"),
    ],
)
def test_pod_event(before: Any, after: Any, event: ClusterEvent | None) -> None:
    assert pod_event(before, after) == event
