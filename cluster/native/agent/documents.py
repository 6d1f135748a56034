"""Pod documents to what the agent runs, and what it sees back to pod status; pure functions."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cluster.interface import Capacity
from cluster.kubernetes import names
from cluster.native.agent.api import Document
from cluster.process_pod import HOST

RESULT_BYTES = 64 << 10
_ANNOTATIONS_BYTES = 256 << 10  # the API server's own limit
_ROOM_BYTES = 2 << 10


class BadPod(ValueError):
    """A pod this agent cannot run; the message becomes its status."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A readiness probe by HTTP GET."""

    path: str
    period_seconds: float = 10.0
    timeout_seconds: float = 1.0
    failure_threshold: int = 3


@dataclass(frozen=True, slots=True)
class PodSpec:
    """What the agent runs of a pod: its first container, in the folder of its annotation."""

    namespace: str
    name: str
    uid: str
    container: str
    image: str
    folder: Path
    command: tuple[str, ...]
    env: Mapping[str, str]
    limits: Capacity
    probe: Probe | None
    restarts: bool  # restartPolicy Always or OnFailure
    restarts_after_success: bool
    payload: bytes | None  # of a job
    grace_seconds: float
    annotation_bytes: int

    @property
    def path(self) -> str:
        return f"/api/v1/namespaces/{self.namespace}/pods/{self.name}"


def pod_spec(pod: Mapping[str, Any]) -> PodSpec:
    """Raises `BadPod`. A pod that never restarts is a job: it gets stdin and leaves a result."""
    about, spec = pod["metadata"], pod["spec"]
    annotations = about.get("annotations") or {}
    container = spec["containers"][0]
    command = (*container.get("command", ()), *container.get("args", ()))
    if not command:
        raise BadPod(f"container {container['name']} has no command")
    folder = annotations.get(names.FOLDER, "")
    if not Path(folder).is_absolute() or not Path(folder).is_dir():
        raise BadPod(f"annotation {names.FOLDER} is {folder!r}: no absolute folder here")
    policy = spec.get("restartPolicy", "Always")
    resources = container.get("resources", {})
    payload = base64.b64decode(annotations.get(names.STDIN, "")) if policy == "Never" else None
    return PodSpec(
        namespace=about["namespace"],
        name=about["name"],
        uid=about["uid"],
        container=container["name"],
        image=container.get("image", ""),
        folder=Path(folder),
        command=command,
        env={each["name"]: each.get("value", "") for each in container.get("env", ())},
        limits=names.to_capacity(resources.get("limits") or resources.get("requests") or {}),
        probe=_probe(container.get("readinessProbe")),
        restarts=policy != "Never",
        restarts_after_success=policy == "Always",
        payload=payload,
        grace_seconds=float(spec.get("terminationGracePeriodSeconds", 30)),
        annotation_bytes=sum(len(key) + len(value) for key, value in annotations.items()),
    )


def _probe(document: Mapping[str, Any] | None) -> Probe | None:
    if not document or "httpGet" not in document:
        return None
    return Probe(
        path=document["httpGet"].get("path", "/"),
        period_seconds=float(document.get("periodSeconds", 10)),
        timeout_seconds=float(document.get("timeoutSeconds", 1)),
        failure_threshold=int(document.get("failureThreshold", 3)),
    )


@dataclass(slots=True)
class Seen:
    """What the agent knows of a running pod."""

    started: str
    state: Document = field(default_factory=dict)  # waiting, running or terminated
    last_state: Document = field(default_factory=dict)
    ready: bool = False
    restarts: int = 0
    phase: str = "Pending"


def status(spec: PodSpec, seen: Seen, now: str) -> Document:
    """The status patch of a pod."""
    ended = seen.phase in ("Succeeded", "Failed")
    ready = "True" if seen.ready and not ended else "False"
    flags = {
        "PodScheduled": "True",
        "PodReadyToStartContainers": "False" if ended else "True",
        "Initialized": "True",
        "ContainersReady": ready,
        "Ready": ready,
    }
    reason = {"reason": "PodCompleted"} if ended else {}
    return {
        "phase": seen.phase,
        "hostIP": HOST,
        "podIP": HOST,
        "podIPs": [{"ip": HOST}],
        "startTime": seen.started,
        "conditions": [
            {"type": kind, "status": value, "lastTransitionTime": now}
            | (reason if value == "False" else {})
            for kind, value in flags.items()
        ],
        "containerStatuses": [
            {
                "name": spec.container,
                "image": spec.image,
                "imageID": "",
                "containerID": f"process://{spec.name}-{seen.restarts}",
                "ready": ready == "True",
                "started": "running" in seen.state,
                "restartCount": seen.restarts,
                "state": seen.state,
                "lastState": seen.last_state,
            }
        ],
    }


def refused(reason: str, message: str) -> Document:
    """The status of a pod that cannot run here."""
    return {"phase": "Failed", "reason": reason, "message": message}


def terminated(exit_code: int, started: str, finished: str, *, memory_full: bool) -> Document:
    """The state of an ended container; a signal n is exit code 128 + n."""
    code = 128 - exit_code if exit_code < 0 else exit_code
    reason = "OOMKilled" if memory_full and code == 137 else "Completed" if code == 0 else "Error"
    return {
        "terminated": {
            "exitCode": code,
            "reason": reason,
            "startedAt": started,
            "finishedAt": finished,
        }
    }


def result_annotations(
    spec: PodSpec, output: bytes, milliseconds: int, memory_bytes: int
) -> dict[str, str]:
    """What a finished job leaves on its pod; an output too large for that stays in its log."""
    annotations = {
        names.MILLISECONDS: str(milliseconds),
        names.MEMORY_BYTES: str(memory_bytes),
    }
    text = base64.b64encode(output).decode()
    room = _ANNOTATIONS_BYTES - _ROOM_BYTES - spec.annotation_bytes
    if len(output) <= RESULT_BYTES and len(text) <= room:
        annotations[names.RESULT] = text
    return annotations
