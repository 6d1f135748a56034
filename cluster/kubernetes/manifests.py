"""Values of `cluster.interface` to Kubernetes documents and back; pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cluster.interface import Autoscale, Capacity, Job, Node, NodeSpec, NodeState, Workload
from cluster.kubernetes import names
from cluster.kubernetes.api import Document
from cluster.kubernetes.packing import Packing

_GRACE_SECONDS = 3
_HISTORY = 2
_PROBE_LIMIT_SECONDS = 2
_CALM_SECONDS = 15
_FINISHED = ("Succeeded", "Failed")


def deployment(workload: Workload, packing: Packing) -> Document:
    """The Deployment of a workload: one more pod at a time, none less than wished while rolling."""
    selector = {names.WORKLOAD: workload.name}
    pod = _placed(packing.pod(workload), labels={**workload.labels, **selector})
    pod["spec"]["containers"][0]["readinessProbe"] = {
        "httpGet": {"path": workload.readiness_path, "port": "http"},
        "periodSeconds": 1,
        "timeoutSeconds": _PROBE_LIMIT_SECONDS,
        "failureThreshold": 2,
    }
    pod["spec"]["topologySpreadConstraints"] = [
        _spread(key, selector) for key in (names.HOSTNAME, names.ZONE, names.REGION)
    ]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": workload.name, "labels": {**workload.labels, **selector}},
        "spec": {
            "replicas": workload.replicas,
            "revisionHistoryLimit": _HISTORY,
            "selector": {"matchLabels": selector},
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
            },
            "template": pod,
        },
    }


def autoscaler(workload: Workload, autoscale: Autoscale) -> Document:
    """The HorizontalPodAutoscaler of a workload's Deployment."""
    targets = {"cpu": autoscale.cpu_percent, "memory": autoscale.memory_percent}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": workload.name, "labels": dict(workload.labels)},
        "spec": {
            "scaleTargetRef": {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "name": workload.name,
            },
            "minReplicas": autoscale.least,
            "maxReplicas": autoscale.most,
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {
                        "name": resource,
                        "target": {"type": "Utilization", "averageUtilization": percent},
                    },
                }
                for resource, percent in targets.items()
                if percent
            ],
            "behavior": {
                "scaleUp": {"stabilizationWindowSeconds": 0},
                # Longer than a scrape: one quiet look between two requests ends no replica.
                "scaleDown": {"stabilizationWindowSeconds": _CALM_SECONDS},
            },
        },
    }


def budget(workload: Workload) -> Document:
    """The PodDisruptionBudget of a workload: a drain takes one replica after the other."""
    selector = {names.WORKLOAD: workload.name}
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": workload.name, "labels": dict(workload.labels)},
        # Not a least number: a service of one replica would keep its node from ever being drained.
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": selector}},
    }


def batch_job(job: Job, packing: Packing) -> Document:
    """The Job of one run: tried once, pinned when asked, never longer than its deadline.

    Raises `JobFailed` for one that cannot go with a pod.
    """
    pod = _placed(packing.pod(job), labels={})
    pod["spec"]["restartPolicy"] = "Never"
    if job.node is not None:
        # Past the scheduler: a node that serves is tested as a whole too, under its own limits.
        pod["spec"]["nodeName"] = job.node
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": job.name},
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": job.deadline_seconds,
            "template": pod,
        },
    }


def node_value(document: Mapping[str, Any]) -> Node:
    """The node as the rest of the project sees it."""
    metadata, status = document["metadata"], document.get("status", {})
    labels = metadata.get("labels", {})
    spec = NodeSpec(
        name=metadata["name"],
        profile=labels.get(names.PROFILE, ""),
        region=labels.get(names.REGION, ""),
        zone=labels.get(names.ZONE, ""),
        capacity=names.to_capacity(status.get("capacity", {})),
    )
    state = NodeState.READY if condition(document, "Ready") == "True" else NodeState.LOST
    return Node(spec, state, names.to_capacity(status.get("allocatable", {})))


def condition(document: Mapping[str, Any], kind: str) -> str:
    """The status of a condition of a node or pod: `True`, `False`, `Unknown`; empty if absent."""
    for each in document.get("status", {}).get("conditions", ()):
        if each["type"] == kind:
            return str(each["status"])
    return ""


def pod_ready(document: Mapping[str, Any]) -> bool:
    """Ready, and not on its way out."""
    leaving = "deletionTimestamp" in document["metadata"]
    return not leaving and condition(document, "Ready") == "True"


def pod_stays(document: Mapping[str, Any]) -> bool:
    """Neither finished (a node refused it, say) nor on its way out: it counts as a replica."""
    finished = document.get("status", {}).get("phase") in _FINISHED
    return not finished and "deletionTimestamp" not in document["metadata"]


def pod_requests(document: Mapping[str, Any]) -> Capacity | None:
    """What a pod holds of its node; `None` once it has finished or is leaving."""
    if document.get("status", {}).get("phase") in _FINISHED:
        return None
    total = Capacity(0, 0)
    for container in document["spec"]["containers"]:
        requests = container.get("resources", {}).get("requests", {})
        total = names.add(total, names.to_capacity(requests))
    return total


def pod_trouble(document: Mapping[str, Any]) -> str:
    """One line on why a pod is not where it should be: phase, unmet conditions, container state."""
    status = document.get("status", {})
    parts = [f"{document['metadata']['name']}: {status.get('phase', 'unknown')}"]
    if "reason" in status:  # the pod's own: its node did not take it, or evicted it
        parts.append(f"{status['reason']}: {status.get('message', '')}")
    for each in status.get("conditions", ()):
        if each["status"] != "True" and each.get("message"):
            parts.append(f"{each['type']}: {each['message']}")
    for container in status.get("containerStatuses", ()):
        for kind, state in container.get("state", {}).items():
            if kind != "running":
                words = (state.get("reason", ""), state.get("message", ""))
                parts.append(f"{kind} {' '.join(word for word in words if word)}".strip())
    return "; ".join(parts)


def _placed(pod: Document, *, labels: Mapping[str, str]) -> Document:
    """A packed pod with what every pod has, whoever runs it."""
    return {
        "metadata": {**pod["metadata"], "labels": dict(labels)},
        "spec": {
            **pod["spec"],
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "dnsPolicy": "Default",
            "terminationGracePeriodSeconds": _GRACE_SECONDS,
            "tolerations": [
                {
                    "key": f"node.kubernetes.io/{taint}",
                    "operator": "Exists",
                    "effect": "NoExecute",
                    "tolerationSeconds": names.TOLERATION_SECONDS,
                }
                for taint in ("not-ready", "unreachable")
            ],
        },
    }


def _spread(key: str, selector: Mapping[str, str]) -> dict[str, Any]:
    # ScheduleAnyway: after a loss the survivors must be allowed to carry two.
    return {
        "maxSkew": 1,
        "topologyKey": key,
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": dict(selector)},
    }
