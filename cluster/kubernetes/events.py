"""Which change of a Node or Pod document is an event; pure functions of before and after."""

from __future__ import annotations

from cluster.interface import ClusterEvent, EventKind
from cluster.kubernetes import names
from cluster.kubernetes.api import Document
from cluster.kubernetes.manifests import condition, pod_ready


def node_event(before: Document | None, after: Document | None) -> ClusterEvent | None:
    """NODE_LOST once when Ready turns anything but True, or the Node goes; NODE_READY back."""
    was, now = _node_ready(before), _node_ready(after)
    if was == now:
        return None
    document = after or before
    name = document["metadata"]["name"] if document else ""
    kind = EventKind.NODE_READY if now else EventKind.NODE_LOST
    return ClusterEvent(kind, subject=name, node=name)


def pod_event(before: Document | None, after: Document | None) -> ClusterEvent | None:
    """POD_READY and POD_LOST of pods that belong to a workload; jobs' pods are nobody's news."""
    was = before is not None and pod_ready(before)
    now = after is not None and pod_ready(after)
    document = after or before
    if was == now or document is None:
        return None
    workload = document["metadata"].get("labels", {}).get(names.WORKLOAD)
    if workload is None:
        return None
    return ClusterEvent(
        EventKind.POD_READY if now else EventKind.POD_LOST,
        subject=document["metadata"]["name"],
        node=document["spec"].get("nodeName", ""),
        workload=workload,
    )


def _node_ready(document: Document | None) -> bool:
    return document is not None and condition(document, "Ready") == "True"
