"""A folder's pod: what it names, what may go with it, and what is read of it when it has ended."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from cluster.errors import JobFailed
from cluster.interface import Capacity, Job, Workload
from cluster.kubernetes.packing import FolderPacking, PodResult

FOLDERS = FolderPacking()
ASKS = Capacity(50, 32 << 20)


def job(payload: bytes) -> Job:
    return Job("invoke-3", Path("/services/thumbnail"), ("python3",), payload, ASKS)


def ended(**state: Any) -> dict[str, Any]:
    container = {"state": {"terminated": state}} if state else {"state": {"running": {}}}
    return {"metadata": {}, "status": {"containerStatuses": [container]}}


def test_a_workload_names_its_folder_and_answers_at_http() -> None:
    web = Workload("order-7", Path("/services/web"), ("python3", "server.py"), 2, ASKS)
    pod = FOLDERS.pod(web)
    assert pod["metadata"] == {"annotations": {"kompute.network/folder": "/services/web"}}
    (container,) = pod["spec"]["containers"]
    assert container["command"] == ["python3", "server.py"]
    assert container["ports"] == [{"name": "http", "containerPort": 8080}]
    assert {"name": "PORT", "value": "8080"} in container["env"]


def test_a_process_is_told_where_it_is_in_kubernetes_own_words() -> None:
    (container,) = FOLDERS.pod(job(b""))["spec"]["containers"]
    told = {each["name"]: each.get("valueFrom") for each in container["env"]}
    assert told["HOST"] == {"fieldRef": {"fieldPath": "status.podIP"}}
    assert told["POD_NAME"] == {"fieldRef": {"fieldPath": "metadata.name"}}
    assert told["NODE_NAME"] == {"fieldRef": {"fieldPath": "spec.nodeName"}}
    assert "PORT" not in told


def test_a_job_brings_its_payload_and_no_port() -> None:
    pod = FOLDERS.pod(job(b"\x00kompute"))
    payload = pod["metadata"]["annotations"]["kompute.network/stdin"]
    assert base64.b64decode(payload) == b"\x00kompute"
    assert "ports" not in pod["spec"]["containers"][0]


def test_a_payload_too_large_for_an_annotation_is_refused() -> None:
    FOLDERS.pod(job(b"x" * (180 << 10)))
    with pytest.raises(JobFailed, match="a payload of 184321 bytes, at most 184320 go with a pod"):
        FOLDERS.pod(job(b"x" * ((180 << 10) + 1)))


@pytest.mark.parametrize(
    ("message", "memory_bytes"),
    [
        ('{"memory_bytes": 7000}', 7000),
        ("", 0),  # no control groups
        ("killed", 0),
        ("[]", 0),
        ('{"memory_bytes": null}', 0),
    ],
)
def test_a_nodes_last_words_say_how_much_memory_it_took(message: str, memory_bytes: int) -> None:
    state = ended(exitCode=3, message=message)
    assert FOLDERS.result(state) == PodResult(3, None, None, memory_bytes)


def test_no_container_that_ended_is_no_success() -> None:
    assert FOLDERS.result(ended()).exit_code == -1
