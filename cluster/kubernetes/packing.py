"""How what is to run becomes a pod, and an ended pod a result: one way for each kind of node."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from cluster.errors import JobFailed
from cluster.interface import Capacity, Job, Workload
from cluster.kubernetes import names
from cluster.kubernetes.api import Document

FOLDER_PORT = 8080  # of every pod: each has an address of its own
_PAYLOAD_BYTES = 180 << 10  # in base64 below the 256 KiB that annotations may take


@dataclass(frozen=True, slots=True)
class PodResult:
    """What an ended pod leaves behind.

    `output` None: what it has printed, to be read as its log. `milliseconds` None: as long as the
    watch of its pod saw it run.
    """

    exit_code: int
    output: bytes | None
    milliseconds: int | None
    memory_bytes: int


class Packing(Protocol):
    """What a provider's nodes agree on with whoever has something to run; pure functions.

    What every pod has (labels, grace, tolerations, where it may run) is `manifests`'s.
    """

    def pod(self, asked: Workload | Job) -> Document:
        """The pod template, of one container; a workload's answers at its port named `http`.

        Raises `JobFailed` for a job that cannot go with a pod.
        """

    def result(self, pod: Document) -> PodResult:
        """Of a job's pod that has succeeded or failed."""


class FolderPacking:
    """For nodes that run a folder of this machine: the pod names it in an annotation, a job's
    payload is another. Its result is what it prints; how much memory it took is how its node says
    that it ended."""

    def pod(self, asked: Workload | Job) -> Document:
        container = _container(asked.command, asked.env, asked.requests)
        container["env"] += _told()
        annotations = {names.FOLDER: str(asked.folder)}
        if isinstance(asked, Workload):
            container["ports"] = [{"name": names.PORT_NAME, "containerPort": FOLDER_PORT}]
            container["env"].append({"name": "PORT", "value": str(FOLDER_PORT)})
        else:
            if len(asked.payload) > _PAYLOAD_BYTES:
                raise JobFailed(
                    f"job {asked.name}: a payload of {len(asked.payload)} bytes, "
                    f"at most {_PAYLOAD_BYTES} go with a pod"
                )
            annotations[names.STDIN] = base64.b64encode(asked.payload).decode()
        return {"metadata": {"annotations": annotations}, "spec": {"containers": [container]}}

    def result(self, pod: Document) -> PodResult:
        state = terminated(pod) or {}
        return PodResult(
            exit_code=int(state.get("exitCode", -1)),
            output=None,
            milliseconds=None,
            memory_bytes=_memory(state.get("message", "")),
        )


def _told() -> list[Document]:
    """What every process of a folder is told, in Kubernetes' own words."""
    fields = {
        "HOST": "status.podIP",
        "POD_NAME": "metadata.name",
        "NODE_NAME": "spec.nodeName",
    }
    told: list[Document] = [
        {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}
        for name, path in fields.items()
    ]
    plain = {
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",  # a folder cannot be written to
    }
    return told + [{"name": name, "value": value} for name, value in plain.items()]


def _memory(message: str) -> int:
    """Bytes, of a node's last words on a job: `{"memory_bytes": 1}`; 0 where nobody counted."""
    try:
        return int(json.loads(message)["memory_bytes"])
    except (ValueError, TypeError, KeyError):
        return 0


def terminated(pod: Document) -> Document | None:
    """How its container ended; None while it has not."""
    for container in pod.get("status", {}).get("containerStatuses", ()):
        state: Document | None = container.get("state", {}).get("terminated")
        if state is not None:
            return state
    return None


def _container(
    command: tuple[str, ...], env: Mapping[str, str], requests: Capacity
) -> dict[str, Any]:
    container: dict[str, Any] = {
        "name": names.CONTAINER,
        "image": names.IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": list(command),
        "env": [{"name": name, "value": value} for name, value in sorted(env.items())],
    }
    quantities = names.to_resources(requests)
    if quantities:
        container["resources"] = {"requests": quantities, "limits": quantities}
    return container
