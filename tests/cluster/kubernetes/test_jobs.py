"""Whoever waits for a job is told at once that nothing comes of it."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cluster.errors import ClusterError, JobFailed
from cluster.interface import Capacity, Job
from cluster.kubernetes.cluster import KubernetesCluster
from cluster.kubernetes.jobs import JobRunner
from cluster.kubernetes.packing import FolderPacking

LONG = Job("long", Path("/"), ("sleep", "600"), b"", Capacity(10, 1 << 20), deadline_seconds=600)


class ApiThatTakesJobs:
    """And has no node to run them: nothing ever becomes of one."""

    def __init__(self) -> None:
        self.created = threading.Event()

    def create(self, path: str, document: Any) -> dict[str, Any]:
        self.created.set()
        return {"metadata": {"uid": "one"}}

    def delete(self, path: str) -> None:
        raise ClusterError("the connection was abandoned")


def test_a_cluster_that_is_stopped_keeps_nobody_waiting_for_a_job() -> None:
    log = logging.getLogger("tests.jobs")
    api: Any = ApiThatTakesJobs()
    provider = SimpleNamespace(name="empty", witnesses=tuple, down=lambda: None)
    cluster = KubernetesCluster(provider, (), log)
    cluster._jobs = JobRunner(api, FolderPacking(), log)
    told: list[str] = []

    def wait() -> None:
        with pytest.raises(JobFailed) as error:
            cluster.run_job(LONG)
        told.append(str(error.value))

    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    assert api.created.wait(10)
    cluster.__exit__(None, None, None)
    waiting.join(5)
    assert told == ["job long: its cluster is being stopped"]
    with pytest.raises(JobFailed, match="its cluster is being stopped"):
        cluster.run_job(LONG)


def test_a_pod_that_its_node_does_not_take_is_the_end_of_its_job() -> None:
    """It has no container that ends: it was waited for until the deadline."""
    api: Any = ApiThatTakesJobs()
    api.get = lambda path: {"status": {"conditions": [{"type": "Failed", "status": "True"}]}}
    jobs, told = JobRunner(api, FolderPacking(), logging.getLogger("tests.jobs")), []

    def wait() -> None:
        with pytest.raises(JobFailed) as error:
            jobs.run(LONG)
        told.append(str(error.value))

    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    assert api.created.wait(10)
    labels = {"batch.kubernetes.io/job-name": "long", "batch.kubernetes.io/controller-uid": "one"}
    pod = {"metadata": {"name": "long-1", "labels": labels}, "spec": {"nodeName": "worker-1"}}
    jobs.observe(None, pod | {"status": {"phase": "Pending"}})
    waiting.join(0.2)
    assert waiting.is_alive()
    words = {"reason": "Evicted", "message": "The node had condition: [DiskPressure]."}
    jobs.observe(pod, pod | {"status": {"phase": "Failed", **words}})
    waiting.join(5)
    assert len(told) == 1
    assert told[0].startswith("job long left no result: ")
    assert told[0].endswith("; long-1: Failed; Evicted: The node had condition: [DiskPressure].")
