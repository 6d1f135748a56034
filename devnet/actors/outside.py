"""Carries out what actors ask of the cluster, the gateway, the sources and the result store."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from types import TracebackType
from typing import Self

from cluster.errors import ClusterError, JobFailed
from cluster.interface import Cluster, ClusterEvent, EventKind, JobResult
from cluster.perftest import Cheated
from devnet.actors.messages import (
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
from devnet.base import WaitExpired, wait_for
from devnet.gateway import Gateway, PodAddress

READY_SECONDS = 30.0  # once for a workload; one that has used it up is only looked at
LOOK_SECONDS = 0.05
JOBS_AT_ONCE = 4
LOOKS_AT_ONCE = 8

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
        self._given_up: set[str] = set()  # workloads nobody waits for, until a node comes or goes
        self._given_up_lock = threading.Lock()
        self._results: dict[int, bytes] = {}
        self._ended: dict[int, tuple[int, int]] = {}  # order -> jobs, milliseconds
        self._ended_lock = threading.Lock()
        self._jobs = ThreadPoolExecutor(JOBS_AT_ONCE, thread_name_prefix="job")
        self._looks = ThreadPoolExecutor(LOOKS_AT_ONCE, thread_name_prefix="look")
        self._under_way: set[Future[object]] = set()
        self._failure: BaseException | None = None
        cluster.subscribe(self._see)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for pool in (self._jobs, self._looks):
            pool.shutdown(wait=False, cancel_futures=True)

    def perform(self, asked: Sequence[tuple[str, External]], answer: Answer) -> None:
        """Do it all in order; jobs side by side.

        Where nothing waits, whatever may take seconds is left to threads, so that blocks keep
        their pace; `busy` tells while any of it is under way.
        """
        if self._failure is not None:
            raise self._failure
        running: list[tuple[str, Future[object]]] = []
        for actor, operation in asked:
            if isinstance(operation, RunJob):
                running.append((actor, self._jobs.submit(self._run_job, operation)))
            elif not self._waits and isinstance(operation, AwaitReady | RunMeasurement):
                running.append((actor, self._looks.submit(self._do, operation)))
            else:
                message = self._do(operation)
                if message is not None:
                    answer(actor, message)
        for actor, future in running:
            if self._waits:
                answer(actor, future.result())
            else:
                self._under_way.add(future)
                future.add_done_callback(partial(self._answered, actor, answer))

    def _answered(self, actor: str, answer: Answer, done: Future[object]) -> None:
        error = None if done.cancelled() else done.exception()
        if error is not None:
            self._failure = error  # a thread has nobody to raise it to: the next round does
        elif not done.cancelled():
            answer(actor, done.result())
        self._under_way.discard(done)

    def busy(self) -> bool:
        """Whether an answer is still to come."""
        return bool(self._under_way)

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
                self._hope(operation.workload.name)
                self._cluster.apply(operation.workload)
                if self._gateway.url(operation.order) is None:
                    name = operation.workload.name
                    self._gateway.expose(operation.order, partial(self._ready_addresses, name))
            case Remove():
                self._hope(operation.workload)
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
                return self._sources.look(operation.feed)
            case RunJob():
                raise AssertionError("jobs are started by perform")
        return None

    def _measure(self, operation: RunMeasurement) -> Measured:
        try:
            measurement = self._cluster.measure(operation.node, operation.seed)
        except ClusterError as error:
            cheated = isinstance(error, Cheated)
            return Measured(operation.node, None, str(error), cheated)
        return Measured(operation.node, measurement)

    def _await_ready(self, operation: AwaitReady) -> int:
        """A wait that has come to nothing is not made again: a look costs no time, however often
        the gatekeeper asks for one."""
        with self._given_up_lock:
            given_up = frozenset(self._given_up)
        if operation.workload not in given_up:
            try:
                self._settle(operation, alone=bool(given_up))
            except (ClusterError, WaitExpired):  # what is ready is stated; it is looked at later
                with self._given_up_lock:
                    if self._ready(operation.workload) < operation.most:
                        self._given_up.add(operation.workload)
        return min(self._ready(operation.workload), operation.most)

    def _settle(self, operation: AwaitReady, *, alone: bool) -> None:
        """The whole cluster, or the workload alone beside those that are never ready."""
        if not alone:
            self._cluster.settle(READY_SECONDS)
            return
        wait_for(
            f"{operation.least} pods of {operation.workload}",
            lambda: self._ready(operation.workload) >= operation.least,
            limit_seconds=READY_SECONDS,
            every_seconds=LOOK_SECONDS,
        )

    def _hope(self, workload: str | None = None) -> None:
        """Wait again for a workload that changes, or for all where nodes came or went."""
        with self._given_up_lock:
            self._given_up -= {workload} if workload else set(self._given_up)

    def _see(self, event: ClusterEvent) -> None:
        if event.kind in (EventKind.NODE_LOST, EventKind.NODE_READY):
            self._hope()

    def _ready(self, workload: str) -> int:
        return sum(1 for pod in self._cluster.pods(workload) if pod.ready)

    def _ready_addresses(self, workload: str) -> list[PodAddress]:
        return [(pod.host, pod.port, pod.name) for pod in self._cluster.pods(workload) if pod.ready]
