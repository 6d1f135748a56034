"""Carries out what actors ask of the cluster, the gateway, the sources and the result store."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from types import TracebackType
from typing import Self

from cluster.errors import ClusterError, JobFailed
from cluster.interface import Cluster, JobResult
from devnet.actors.messages import (
    FeedRead,
    JobEnded,
    JobsCounted,
    Measured,
    ReadyCounted,
    ResultFetched,
    WorkloadReady,
)
from devnet.actors.operations import (
    AwaitReady,
    CountJobs,
    CountReady,
    Deploy,
    External,
    FetchResult,
    ReadFeed,
    Remove,
    RunJob,
    RunMeasurement,
    StoreResult,
)
from devnet.actors.sources import Sources
from devnet.gateway import Gateway, PodAddress

READY_SECONDS = 30.0
JOBS_AT_ONCE = 4

Answer = Callable[[str, object], None]


class ClusterOutside:
    """Context manager; `waits`: a round ends with its jobs' results, in the order asked (a run).

    Without it (paced by the wall clock) jobs answer whenever they end.
    """

    def __init__(
        self, cluster: Cluster, gateway: Gateway, sources: Sources, *, waits: bool = True
    ) -> None:
        self._cluster = cluster
        self._gateway = gateway
        self._sources = sources
        self._waits = waits
        self._results: dict[int, bytes] = {}
        self._ended: dict[int, tuple[int, int]] = {}  # order -> jobs, milliseconds
        self._ended_lock = threading.Lock()
        self._jobs = ThreadPoolExecutor(JOBS_AT_ONCE, thread_name_prefix="job")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._jobs.shutdown(wait=False, cancel_futures=True)

    def perform(self, asked: Sequence[tuple[str, External]], answer: Answer) -> None:
        """Do it all in order; jobs side by side."""
        running: list[tuple[str, Future[JobEnded]]] = []
        for actor, operation in asked:
            if isinstance(operation, RunJob):
                running.append((actor, self._start_job(actor, operation, answer)))
                continue
            message = self._do(operation)
            if message is not None:
                answer(actor, message)
        if self._waits:
            for actor, future in running:
                answer(actor, future.result())

    def _start_job(self, actor: str, operation: RunJob, answer: Answer) -> Future[JobEnded]:
        future = self._jobs.submit(self._run_job, operation)
        if not self._waits:
            future.add_done_callback(
                lambda done: None if done.cancelled() else answer(actor, done.result())
            )
        return future

    def _run_job(self, operation: RunJob) -> JobEnded:
        result: JobResult | None
        try:
            result = self._cluster.run_job(operation.job)
        except JobFailed:
            result = None
        with self._ended_lock:
            jobs, milliseconds = self._ended.get(operation.order, (0, 0))
            milliseconds += result.milliseconds if result else 0
            self._ended[operation.order] = (jobs + 1, milliseconds)
        return JobEnded(operation.order, operation.invocation, result)

    def _do(self, operation: External) -> object | None:
        match operation:
            case Deploy():
                self._cluster.apply(operation.workload)
                if self._gateway.url(operation.order) is None:
                    name = operation.workload.name
                    self._gateway.expose(operation.order, partial(self._ready_addresses, name))
            case Remove():
                self._gateway.close(operation.order)
                self._cluster.delete(operation.workload)
            case AwaitReady():
                return WorkloadReady(operation.order, self._await_ready(operation))
            case CountReady():
                ready = self._ready(operation.workload)
                return ReadyCounted(operation.attestation, operation.asked_by, ready)
            case CountJobs():
                with self._ended_lock:
                    ended = self._ended.get(operation.order, (0, 0))
                return JobsCounted(operation.attestation, operation.asked_by, *ended)
            case RunMeasurement():
                return self._measure(operation)
            case StoreResult():
                self._results[operation.invocation] = operation.output
            case FetchResult():
                return ResultFetched(
                    operation.invocation, self._results.pop(operation.invocation, None)
                )
            case ReadFeed():
                return FeedRead(operation.feed, self._sources.read(operation.feed))
            case RunJob():
                raise AssertionError("jobs are started by perform")
        return None

    def _measure(self, operation: RunMeasurement) -> Measured:
        try:
            measurement = self._cluster.measure(operation.node, operation.seed)
        except ClusterError as error:
            return Measured(operation.node, None, str(error))
        return Measured(operation.node, measurement)

    def _await_ready(self, operation: AwaitReady) -> int:
        try:
            self._cluster.settle(READY_SECONDS)
        except ClusterError:
            pass  # what is ready is stated; the gatekeeper looks again later
        return min(self._ready(operation.workload), operation.wished)

    def _ready(self, workload: str) -> int:
        return sum(1 for pod in self._cluster.pods(workload) if pod.ready)

    def _ready_addresses(self, workload: str) -> list[PodAddress]:
        return [(pod.host, pod.port, pod.name) for pod in self._cluster.pods(workload) if pod.ready]
