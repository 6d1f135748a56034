"""Runs to completion: creates the batch Job, times its pod, takes the result, removes the Job."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from dataclasses import dataclass
from logging import Logger

from cluster.errors import ClusterError, JobFailed, UnknownSubject
from cluster.interface import Job, JobResult
from cluster.kubernetes import names
from cluster.kubernetes.api import Api, ApiRefused, Document
from cluster.kubernetes.manifests import batch_job, pod_trouble
from cluster.kubernetes.packing import Packing, terminated
from cluster.waiting import Seen, wait_for

_JOBS = f"/apis/batch/v1/namespaces/{names.NAMESPACE}/jobs"
_PODS = f"/api/v1/namespaces/{names.NAMESPACE}/pods"
_NAME_LABEL = "batch.kubernetes.io/job-name"
_UID_LABEL = "batch.kubernetes.io/controller-uid"
_OUTPUT_BYTES = 1 << 20
_CONFLICT = 409
_VERDICT_SECONDS = 2.0
_MARGIN_SECONDS = 10.0  # beyond the deadline, for the Job controller to act on it


@dataclass(slots=True)
class _Progress:
    """What the pod watch has seen of one job; times are `monotonic_ns`."""

    bound_ns: int = 0
    running_ns: int = 0
    ended_ns: int = 0
    gone: bool = False
    pod: Document | None = None


class JobRunner:
    """Fed with pod changes by the watch; `run` may be called from several threads."""

    def __init__(self, api: Api, packing: Packing, log: Logger) -> None:
        self._api, self._packing, self._log = api, packing, log
        # By job name, then by the Job's uid: the pod of an earlier run of that name may linger.
        self._progress: dict[str, defaultdict[str, _Progress]] = {}
        self._news = threading.Condition()
        self._abandoned = False

    def abandon(self) -> None:
        """Wait for no job from now on, since the cluster is being stopped: whoever does, fails."""
        with self._news:
            self._abandoned = True
            self._news.notify_all()

    def observe(self, before: Document | None, after: Document | None) -> None:
        """A pod changed; only jobs being run are kept."""
        document = after or before
        if document is None:
            return
        labels = document["metadata"].get("labels", {})
        with self._news:
            runs = self._progress.get(labels.get(_NAME_LABEL, ""))
            if runs is None:
                return
            _advance(runs[labels[_UID_LABEL]], document, gone=after is None)
            self._news.notify_all()

    def run(self, job: Job) -> JobResult:
        """Raises `JobFailed` when the run left no result, with the reason Kubernetes gives."""
        document = batch_job(job, self._packing)
        runs: defaultdict[str, _Progress] = defaultdict(_Progress)
        with self._news:
            if job.name in self._progress:
                raise JobFailed(f"job {job.name}: a run of that name has not ended")
            self._progress[job.name] = runs
        try:
            uid = self._create(job.name, document)["metadata"]["uid"]
            with self._news:
                progress = runs[uid]
            self._wait(job, progress)
            return self._result(job, progress)
        finally:
            with self._news:
                del self._progress[job.name]
            self._remove(job)

    def _remove(self, job: Job) -> None:
        try:
            self._api.delete(f"{_JOBS}/{job.name}")
        except ClusterError as error:
            # The result, or the reason why there is none, matters more than a Job left behind.
            self._log.warning("job %s stays: %s", job.name, error)

    def _create(self, name: str, document: Document) -> Document:
        created: Document = {}

        def look() -> Seen:
            nonlocal created
            try:
                created = self._api.create(_JOBS, document)
            except ApiRefused as error:
                # The Job of an earlier run of that name is being removed in the background.
                if error.status != _CONFLICT:
                    raise
                return Seen(False, str(error))
            return Seen(True)

        wait_for(f"job {name} created", look, _MARGIN_SECONDS, every_seconds=0.1, error=JobFailed)
        return created

    def _wait(self, job: Job, progress: _Progress) -> None:
        def pause(seconds: float) -> None:
            with self._news:
                if not (progress.ended_ns or progress.gone or self._abandoned):
                    self._news.wait(seconds)

        def look() -> Seen:
            if self._abandoned and not progress.ended_ns:
                raise JobFailed(f"job {job.name}: its cluster is being stopped")
            text = pod_trouble(progress.pod) if progress.pod else "no pod yet"
            return Seen(bool(progress.ended_ns) or progress.gone, text)

        limit = job.deadline_seconds + _MARGIN_SECONDS
        wait_for(f"job {job.name}", look, limit, every_seconds=1.0, error=JobFailed, pause=pause)
        if not progress.ended_ns:
            seen = pod_trouble(progress.pod) if progress.pod else "no pod"
            raise JobFailed(f"job {job.name} left no result: {self._verdict(job)}; {seen}")

    def _verdict(self, job: Job) -> str:
        """What the Job controller says; it removes the pod a moment before it says why."""
        reason = "its pod was removed"

        def look() -> Seen:
            nonlocal reason
            status = self._api.get(f"{_JOBS}/{job.name}").get("status", {})
            for each in status.get("conditions", ()):
                if each["type"] in ("Failed", "FailureTarget") and each["status"] == "True":
                    reason = f"{each.get('reason', '')}: {each.get('message', '')}"
                    return Seen(True)
            return Seen(False, "no verdict")

        try:
            wait_for("the verdict", look, _VERDICT_SECONDS, every_seconds=0.05, error=JobFailed)
        except ClusterError:
            return reason
        return reason

    def _result(self, job: Job, progress: _Progress) -> JobResult:
        pod = progress.pod
        assert pod is not None  # ended_ns is only set from a pod
        ended = self._packing.result(pod)
        output = ended.output
        if output is None:
            output = self._printed(pod["metadata"]["name"])
        milliseconds = ended.milliseconds
        if milliseconds is None:
            started_ns = progress.running_ns or progress.bound_ns
            milliseconds = max(0, progress.ended_ns - started_ns) // 1_000_000
        return JobResult(
            name=job.name,
            node=pod["spec"].get("nodeName", ""),
            exit_code=ended.exit_code,
            output=output,
            milliseconds=milliseconds,
            memory_bytes=ended.memory_bytes,
        )

    def _printed(self, pod: str) -> bytes:
        try:
            output = self._api.text(
                f"{_PODS}/{pod}/log", limitBytes=_OUTPUT_BYTES + 1, stream="Stdout"
            )
        except UnknownSubject as error:
            raise JobFailed(f"the output of {pod} is gone: {error}") from error
        if len(output) > _OUTPUT_BYTES:
            raise JobFailed(f"{pod} printed more than {_OUTPUT_BYTES} bytes")
        return output


def _refused(document: Document) -> bool:
    """Its node did not take the pod, or evicted it: a container's own end has no such reason."""
    return bool(document.get("status", {}).get("reason"))


def _advance(progress: _Progress, document: Document, *, gone: bool) -> None:
    now = time.monotonic_ns()
    if progress.ended_ns:
        return
    progress.pod = document
    if document["spec"].get("nodeName"):
        progress.bound_ns = progress.bound_ns or now
    phase = document.get("status", {}).get("phase")
    if phase == "Running":
        progress.running_ns = progress.running_ns or now
    # A pod that ends while it is leaving was cut off: by its deadline or with its node.
    leaving = gone or "deletionTimestamp" in document["metadata"]
    if leaving or (phase == "Failed" and terminated(document) is None and _refused(document)):
        progress.gone = True
    elif phase in ("Succeeded", "Failed") and terminated(document) is not None:
        progress.ended_ns = now
