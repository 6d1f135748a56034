"""Pod documents to what the agent runs, and back to pod status."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from cluster.interface import Capacity, Job, Workload
from cluster.kubernetes import names
from cluster.kubernetes.manifests import batch_job, deployment
from cluster.kubernetes.packing import FolderPacking
from cluster.native.agent import documents
from cluster.native.agent.documents import BadPod, Probe, Seen, pod_spec

NOW = "2026-01-01T00:00:00Z"


def bound(template: dict[str, Any]) -> dict[str, Any]:
    """A pod of a template, as the API server would hand it out."""
    about = {"namespace": "kompute", "name": "pod-1", "uid": "u-1"} | template["metadata"]
    return {"metadata": about, "spec": template["spec"]}


def web(folder: Path) -> dict[str, Any]:
    workload = Workload(
        "web", folder, ("python3", "server.py"), 1, Capacity(50, 32 << 20), "/healthz", {"A": "b"}
    )
    return bound(deployment(workload, FolderPacking())["spec"]["template"])


def job(folder: Path) -> dict[str, Any]:
    run = Job("job-1", folder, ("python3", "handler.py"), b"\x00kompute", Capacity(10, 1 << 20))
    return bound(batch_job(run, FolderPacking())["spec"]["template"])


def test_a_deployments_pod(tmp_path: Path) -> None:
    spec = pod_spec(web(tmp_path))
    assert (spec.path, spec.uid, spec.container) == (
        "/api/v1/namespaces/kompute/pods/pod-1",
        "u-1",
        "main",
    )
    assert (spec.folder, spec.command) == (tmp_path, ("python3", "server.py"))
    assert (spec.env, spec.limits) == ({"A": "b"}, Capacity(50, 32 << 20))
    assert spec.probe == Probe("/healthz", 1.0, 2.0, 2)
    assert (spec.restarts, spec.restarts_after_success, spec.payload) == (True, True, None)


def test_a_jobs_pod_has_its_payload_and_never_restarts(tmp_path: Path) -> None:
    spec = pod_spec(job(tmp_path))
    assert (spec.payload, spec.restarts, spec.probe) == (b"\x00kompute", False, None)


def test_arguments_follow_the_command(tmp_path: Path) -> None:
    pod = web(tmp_path)
    pod["spec"]["containers"][0]["args"] = ["--fast"]
    assert pod_spec(pod).command == ("python3", "server.py", "--fast")


def test_a_pod_without_command_or_folder_is_refused(tmp_path: Path) -> None:
    pod = web(tmp_path)
    pod["metadata"]["annotations"] = {names.FOLDER: "relative"}
    with pytest.raises(BadPod, match="'relative': no absolute folder"):
        pod_spec(pod)
    del pod["spec"]["containers"][0]["command"]
    with pytest.raises(BadPod, match="no command"):
        pod_spec(pod)


def test_the_status_of_a_running_and_of_an_ended_pod(tmp_path: Path) -> None:
    spec = pod_spec(web(tmp_path))
    seen = Seen(NOW, {"running": {"startedAt": NOW}}, ready=True, restarts=2, phase="Running")
    running = documents.status(spec, seen, NOW)
    assert {each["type"]: each["status"] for each in running["conditions"]}["Ready"] == "True"
    assert running["containerStatuses"][0]["restartCount"] == 2
    seen.phase = "Succeeded"
    ended = documents.status(spec, seen, NOW)
    ready = next(each for each in ended["conditions"] if each["type"] == "Ready")
    assert (ready["status"], ready["reason"]) == ("False", "PodCompleted")
    assert ended["containerStatuses"][0]["ready"] is False


@pytest.mark.parametrize(
    ("exit_code", "full", "code", "reason"),
    [
        (0, False, 0, "Completed"),
        (3, False, 3, "Error"),
        (-15, False, 143, "Error"),
        (-9, True, 137, "OOMKilled"),
    ],
)
def test_how_a_container_ended(exit_code: int, full: bool, code: int, reason: str) -> None:
    state = documents.terminated(exit_code, NOW, NOW, memory_full=full)["terminated"]
    assert (state["exitCode"], state["reason"]) == (code, reason)


def test_a_result_is_an_annotation_as_long_as_it_is_small(tmp_path: Path) -> None:
    spec = pod_spec(job(tmp_path))
    small = documents.result_annotations(spec, b"\xff\x00", 12, 34)
    assert base64.b64decode(small[names.RESULT]) == b"\xff\x00"
    assert (small[names.MILLISECONDS], small[names.MEMORY_BYTES]) == ("12", "34")
    large = documents.result_annotations(spec, bytes(documents.RESULT_BYTES + 1), 12, 34)
    assert names.RESULT not in large
