"""What runs on `sim`: its pods and jobs as processes, without any thought of nodes or wishes."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cluster.errors import JobFailed
from cluster.interface import Capacity, Job, Workload
from cluster.process_pod import PodCommand, PodNotStarted, PodProcess
from cluster.processes import free_ports

GRACE_SECONDS = 2.0
_READY_SECONDS = 10.0
_LOOK_SECONDS = 0.005
_RESTART_SECONDS = 0.5  # from the second restart on
_OUTPUT_BYTES = 1 << 20


@dataclass(slots=True)
class SimPod:
    """A pod: `node` is empty until it is placed, `port` 0 until it is started."""

    name: str
    workload: Workload
    node: str = ""
    process: PodProcess | None = None
    ready: bool = False
    port: int = 0
    restarts: int = 0
    not_before: float = 0.0

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.exit_code is None


@dataclass(slots=True)
class SimJob:
    """A job on its way; `lose` may come from another thread than the one that runs it."""

    node: str
    requests: Capacity
    process: PodProcess | None = None
    lost: bool = False

    def lose(self) -> None:
        """Its node is gone, and the process with it."""
        self.lost = True
        if self.process is not None:
            self.process.kill()


class SimRuntime:
    """Starts and ends processes; when `modelled`, everything is ready and nothing runs."""

    def __init__(self, logs: Path, devnet_id: str, *, modelled: bool) -> None:
        self._logs, self._devnet_id, self._modelled = logs, devnet_id, modelled

    def log(self, name: str) -> Path:
        """The log of a pod or a job."""
        return self._logs / f"{name}.log"

    def start(self, pod: SimPod) -> None:
        """Start a placed pod on a port of its own; a command that cannot start is in its log."""
        if self._modelled:
            return
        (pod.port,) = free_ports(1)
        workload = pod.workload
        command = PodCommand(
            pod=pod.name,
            node=pod.node,
            folder=workload.folder,
            command=workload.command,
            devnet_id=self._devnet_id,
            log=self.log(pod.name),
            port=pod.port,
            env=workload.env,
        )
        try:
            pod.process = PodProcess(command)
        except PodNotStarted as error:
            pod.process = None
            with command.log.open("a", encoding="utf-8") as log:
                log.write(f"{error}\n")

    def answers(self, pod: SimPod) -> bool:
        """Whether the pod is ready now."""
        if self._modelled:
            return True
        process = pod.process
        return process is not None and pod.running and process.answers(pod.workload.readiness_path)

    def wait(self, pods: Sequence[SimPod]) -> list[SimPod]:
        """Those of `pods` that answer within 10 s; one that has crashed is not waited for."""
        end = time.monotonic() + _READY_SECONDS
        waiting = list(pods)
        answering: set[str] = set()
        while waiting and time.monotonic() < end:
            answering |= {pod.name for pod in waiting if self.answers(pod)}
            waiting = [pod for pod in waiting if pod.name not in answering and pod.running]
            if waiting:
                time.sleep(_LOOK_SECONDS)
        return [pod for pod in pods if pod.name in answering]

    def crashed(self, pod: SimPod) -> bool:
        """Whether a placed pod has no process although it should."""
        return not self._modelled and not pod.running

    def restart(self, pod: SimPod) -> None:
        """Start a crashed pod again, at most twice a second."""
        now = time.monotonic()
        if now >= pod.not_before:
            pod.not_before = now + _RESTART_SECONDS
            pod.restarts += 1
            self.start(pod)

    def stop(self, pods: Sequence[SimPod], grace_seconds: float = GRACE_SECONDS) -> None:
        """SIGTERM to all, SIGKILL after the grace; at once with a grace of 0."""
        processes = [pod.process for pod in pods if pod.process is not None]
        if grace_seconds:
            for process in processes:
                process.terminate()
        for process in processes:
            if grace_seconds:
                process.stop(grace_seconds)
            else:
                process.kill()

    def run(self, job: Job, running: SimJob) -> tuple[int, bytes]:
        """Exit code and stdout. Raises `JobFailed` without a result.

        A modelled job answers with the SHA-256 of its payload, in hex.
        """
        if self._modelled:
            return 0, hashlib.sha256(job.payload).hexdigest().encode()
        command = PodCommand(
            pod=job.name,
            node=running.node,
            folder=job.folder,
            command=job.command,
            devnet_id=self._devnet_id,
            log=self.log(job.name),
            env=job.env,
            payload=job.payload,
        )
        try:
            process = running.process = PodProcess(command)
        except PodNotStarted as error:
            raise JobFailed(f"job {job.name}: {error}") from error
        if running.lost:  # while it was being started
            process.kill()
        ended = process.wait(job.deadline_seconds)
        code = process.exit_code
        process.kill()
        output = command.output.read_bytes()
        command.output.unlink()
        if running.lost:
            raise JobFailed(f"job {job.name}: node {running.node} was lost")
        if not ended or code is None:
            raise JobFailed(f"job {job.name}: no result within {job.deadline_seconds} s")
        if len(output) > _OUTPUT_BYTES:
            raise JobFailed(f"job {job.name}: more than {_OUTPUT_BYTES} bytes of output")
        return code, output
