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


def ended(annotations: dict[str, str], **state: Any) -> dict[str, Any]:
    container = {"state": {"terminated": state}} if state else {"state": {"running": {}}}
    return {
        "metadata": {"annotations": annotations},
        "status": {"containerStatuses": [container]},
    }


def test_a_workload_names_its_folder_and_answers_at_http() -> None:
    web = Workload("order-7", Path("/services/web"), ("python3", "server.py"), 2, ASKS)
    pod = FOLDERS.pod(web)
    assert pod["metadata"] == {"annotations": {"kompute.network/folder": "/services/web"}}
    (container,) = pod["spec"]["containers"]
    assert container["command"] == ["python3", "server.py"]
    assert [port["name"] for port in container["ports"]] == ["http"]


def test_a_job_brings_its_payload_and_no_port() -> None:
    pod = FOLDERS.pod(job(b"\x00kompute"))
    payload = pod["metadata"]["annotations"]["kompute.network/stdin"]
    assert base64.b64decode(payload) == b"\x00kompute"
    assert "ports" not in pod["spec"]["containers"][0]


def test_a_payload_too_large_for_an_annotation_is_refused() -> None:
    FOLDERS.pod(job(b"x" * (180 << 10)))
    with pytest.raises(JobFailed, match="a payload of 184321 bytes, at most 184320 go with a pod"):
        FOLDERS.pod(job(b"x" * ((180 << 10) + 1)))


def test_what_a_node_wrote_down_is_the_result() -> None:
    answer = base64.b64encode(b"42").decode()
    notes = {"kompute.network/result": answer, "kompute.network/memory-bytes": "7000"}
    assert FOLDERS.result(ended(notes, exitCode=3)) == PodResult(3, b"42", None, 7000)


def test_what_did_not_fit_is_in_the_log() -> None:
    assert FOLDERS.result(ended({}, exitCode=0)) == PodResult(0, None, None, 0)
    assert FOLDERS.result(ended({"kompute.network/result": ""}, exitCode=0)).output == b""


def test_no_container_that_ended_is_no_success() -> None:
    assert FOLDERS.result(ended({})).exit_code == -1
