"""What actors ask of cluster, gateway and sources, carried out on a real `sim` with processes."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import httpx
import pytest

from cluster.errors import ClusterError, JobFailed
from cluster.faults import OFFLINE
from cluster.interface import (
    Autoscale,
    Capacity,
    Cluster,
    Job,
    Measurement,
    NodeSpec,
    Pod,
    Usage,
    Workload,
)
from cluster.perftest import Cheated, Overloaded
from cluster.scores import profile_measurement
from cluster.sim.cluster import SimCluster
from devnet.actors.attestations import Counters, Running
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
from devnet.actors.outside import ClusterOutside
from devnet.actors.sources import Sources
from devnet.base import wait_for
from devnet.gateway import Gateway
from tests.actors.stage import ROOT, network

NODE = Capacity(milli_cpu=200, memory_bytes=100 << 20, storage_bytes=10**9)
WEB = ROOT / "e2e" / "services" / "web"


@dataclass(frozen=True, slots=True)
class Place:
    cluster: SimCluster
    gateway: Gateway
    sources: Sources
    outside: ClusterOutside

    def ask(self, *operations: External) -> list[tuple[str, object]]:
        answers: list[tuple[str, object]] = []
        asked = [("gatekeeper-1", operation) for operation in operations]
        self.outside.perform(asked, lambda actor, message: answers.append((actor, message)))
        return answers

    def answer(self, operation: External) -> object:
        ((actor, message),) = self.ask(operation)
        assert actor == "gatekeeper-1"
        return message


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    nodes = [NodeSpec(f"worker-{n}", "standard", "eu", "eu-a", NODE) for n in (1, 2)]
    state = tmp_path_factory.mktemp("sim")
    with ExitStack() as stack:
        cluster = stack.enter_context(SimCluster(nodes, state, f"tests-outside-{os.getpid()}"))
        sources = stack.enter_context(Sources(network(), cluster))
        gateway = stack.enter_context(Gateway())
        outside = stack.enter_context(ClusterOutside(cluster, gateway, sources))
        yield Place(cluster, gateway, sources, outside)


def workload(replicas: int, name: str = "order-1") -> Workload:
    requests = Capacity(milli_cpu=50, memory_bytes=16 << 20)
    command = ("python3", "server.py")
    return Workload(name, WEB, command, replicas, requests, readiness_path="/healthz")


def job(name: str, script: str, deadline_seconds: int = 30) -> Job:
    requests = Capacity(milli_cpu=10, memory_bytes=16 << 20)
    command = ("sh", "-c", script)
    return Job(name, Path("/"), command, b"in", requests, deadline_seconds=deadline_seconds)


def test_a_workload_is_deployed_counted_reached_and_removed(place: Place) -> None:
    assert place.ask(Deploy(1, workload(2))) == []
    assert place.answer(AwaitReady(1, "order-1", 2, 2)) == WorkloadReady(1, 2)
    url = place.gateway.url(1)
    assert url is not None
    assert httpx.get(f"{url}/healthz", trust_env=False).status_code == 200

    assert place.answer(AwaitReady(1, "order-1", 1, 3)) == WorkloadReady(1, 2)  # as many as run
    place.ask(Deploy(1, workload(1)))  # scaled: the address stays
    assert place.gateway.url(1) == url
    assert place.answer(AwaitReady(1, "order-1", 1, 1)) == WorkloadReady(1, 1)
    statement = Running(1, 1, 1, 5)
    counted = place.answer(CountReady(statement, "gatekeeper-2", "order-1"))
    assert counted == ReadyCounted(statement, "gatekeeper-2", 1)

    assert place.ask(Remove(1, "order-1")) == []
    assert place.gateway.url(1) is None
    assert place.cluster.pods("order-1") == ()


def test_what_a_new_lead_asks_for_again_is_as_it_was(place: Place) -> None:
    """It deploys every open order, and removes what has ended."""
    place.ask(Deploy(4, workload(2, "order-4")))
    assert place.answer(AwaitReady(4, "order-4", 2, 2)) == WorkloadReady(4, 2)
    pods, url = place.cluster.pods(), place.gateway.url(4)

    again = [Deploy(4, workload(2, "order-4")), Remove(5, "order-5")]
    assert place.ask(*again) == []
    assert (place.cluster.pods(), place.gateway.url(4)) == (pods, url)
    removal = Remove(4, "order-4")
    assert place.ask(removal, removal) == []
    assert (place.cluster.pods(), place.gateway.url(4)) == ((), None)


def test_no_more_is_counted_than_was_wished(place: Place) -> None:
    place.ask(Deploy(2, workload(2, "order-2")))
    assert place.answer(AwaitReady(2, "order-2", 1, 1)) == WorkloadReady(2, 1)
    place.ask(Remove(2, "order-2"))


def test_what_does_not_fit_is_counted_as_missing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("devnet.actors.outside.READY_SECONDS", 1.0)
    place.ask(Deploy(3, workload(9, "order-3")))  # 200 of 200 milli-CPU a node: four each

    assert place.answer(AwaitReady(3, "order-3", 9, 9)) == WorkloadReady(3, 8)
    place.ask(Remove(3, "order-3"))


def test_jobs_answer_in_the_order_asked_whoever_ends_first(place: Place) -> None:
    slow, fast = job("slow", "sleep 0.4; cat"), job("fast", "cat; exit 3")

    answers = place.ask(RunJob(1, 10, slow), RunJob(1, 11, fast), ReadFeed("Feed:komp_usd"))

    messages = [message for _, message in answers]
    assert isinstance(messages[0], FeedRead)  # jobs are waited for last
    ended = [message for message in messages[1:] if isinstance(message, JobEnded)]
    assert [(e.invocation, e.result and (e.result.exit_code, e.result.output)) for e in ended] == [
        (10, (0, b"in")),
        (11, (3, b"in")),
    ]


def test_a_job_past_its_deadline_has_no_result(place: Place) -> None:
    late = job("late", "exec sleep 20", deadline_seconds=1)

    assert place.answer(RunJob(1, 12, late)) == JobEnded(1, 12, None)


def test_without_waiting_a_job_answers_when_it_ends(place: Place) -> None:
    answers: queue.SimpleQueue[tuple[str, object]] = queue.SimpleQueue()
    with ClusterOutside(place.cluster, place.gateway, place.sources, waits=False) as paced:
        asked = [("gatekeeper-1", RunJob(1, 13, job("paced", "sleep 0.3; cat")))]
        paced.perform(asked, lambda actor, message: answers.put((actor, message)))
        assert answers.empty()
        actor, ended = answers.get(timeout=20)

    assert actor == "gatekeeper-1"
    assert isinstance(ended, JobEnded)
    assert ended.result is not None
    assert (ended.invocation, ended.result.output) == (13, b"in")


def test_a_wait_that_came_to_nothing_is_not_made_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until the workload changes, or a node comes or goes; meanwhile others are waited for."""
    monkeypatch.setattr("devnet.actors.outside.READY_SECONDS", 1.0)
    place.ask(Deploy(4, workload(9, "order-4")))  # eight fit

    def seconds(operation: AwaitReady, message: WorkloadReady) -> float:
        started = time.monotonic()
        assert place.answer(operation) == message
        return time.monotonic() - started

    assert seconds(AwaitReady(4, "order-4", 9, 9), WorkloadReady(4, 8)) >= 1.0
    again = [seconds(AwaitReady(4, "order-4", 9, 9), WorkloadReady(4, 8)) for _ in range(20)]
    assert sum(again) < 1.0

    place.ask(Deploy(4, workload(7, "order-4")), Deploy(5, workload(1, "order-5")))
    assert place.answer(AwaitReady(5, "order-5", 1, 1)) == WorkloadReady(5, 1)
    place.ask(Deploy(4, workload(9, "order-4")))
    assert seconds(AwaitReady(4, "order-4", 9, 9), WorkloadReady(4, 7)) >= 1.0
    place.cluster.fault("worker-1", OFFLINE)
    place.cluster.heal("worker-1")
    assert seconds(AwaitReady(4, "order-4", 9, 9), WorkloadReady(4, 7)) >= 1.0
    # Nor for what an autoscaler wishes for in vain, which is enough for its order.
    followed = replace(workload(1, "order-4"), autoscale=Autoscale(1, 9, cpu_percent=50))
    place.ask(Deploy(4, followed))
    place.cluster.use("order-4", Usage(cpu_percent=450))
    assert seconds(AwaitReady(4, "order-4", 1, 9), WorkloadReady(4, 7)) >= 1.0
    assert seconds(AwaitReady(4, "order-4", 1, 9), WorkloadReady(4, 7)) < 1.0
    place.ask(Remove(4, "order-4"), Remove(5, "order-5"))


class Unsettled:
    """A cluster that takes its time; the real one settles too fast to be seen waiting."""

    def __init__(self, error: Exception | None = None) -> None:
        self.go, self.error = threading.Event(), error

    def subscribe(self, sink: object) -> None:
        """Nothing ever happens to it."""

    def settle(self, limit_seconds: float) -> None:
        assert self.go.wait(20)

    def pods(self, workload: str | None = None) -> tuple[Pod, ...]:
        if self.error is not None:
            raise self.error
        return ()


def test_without_waiting_blocks_do_not_wait_for_pods(place: Place) -> None:
    answers: queue.SimpleQueue[tuple[str, object]] = queue.SimpleQueue()
    cluster = Unsettled()
    asked = [("gatekeeper-1", AwaitReady(3, "order-3", 2, 2))]
    slow = cast(Cluster, cluster)
    with ClusterOutside(slow, place.gateway, place.sources, waits=False) as paced:
        paced.perform(asked, lambda actor, message: answers.put((actor, message)))
        assert (answers.empty(), paced.busy()) == (True, True)
        cluster.go.set()
        assert answers.get(timeout=20) == ("gatekeeper-1", WorkloadReady(3, 0))
        wait_for("nothing under way", lambda: not paced.busy() or None, limit_seconds=5)


def test_what_a_thread_met_is_raised_in_the_next_round(place: Place) -> None:
    cluster = Unsettled(RuntimeError("the kubelet died"))
    cluster.go.set()
    slow = cast(Cluster, cluster)
    with ClusterOutside(slow, place.gateway, place.sources, waits=False) as paced:
        paced.perform([("gatekeeper-1", AwaitReady(3, "order-3", 2, 2))], lambda *_: None)
        wait_for("the end of it", lambda: not paced.busy() or None, limit_seconds=5)
        with pytest.raises(RuntimeError, match="the kubelet died"):
            paced.perform([], lambda *_: None)


def test_a_result_is_kept_until_it_is_fetched_once(place: Place) -> None:
    assert place.ask(StoreResult(14, b"out")) == []
    assert place.answer(FetchResult(14)) == ResultFetched(14, b"out")
    assert place.answer(FetchResult(14)) == ResultFetched(14, None)


@pytest.mark.parametrize(
    ("error", "cheated"),
    [(Cheated("made elsewhere"), True), (Overloaded("busy"), False), (JobFailed("lost"), False)],
)
def test_whoever_was_caught_is_told_apart_from_whom_the_machine_kept_waiting(
    place: Place, monkeypatch: pytest.MonkeyPatch, error: ClusterError, cheated: bool
) -> None:
    """`sim` measures at once: what a real test ends with is stated."""

    def measure(node: str, seed: bytes) -> Measurement:
        raise error

    monkeypatch.setattr(place.cluster, "measure", measure)
    said = Measured("worker-1", None, str(error), cheated)
    assert place.answer(RunMeasurement("worker-1", b"s" * 32)) == said


def test_a_node_is_measured_and_a_lost_one_says_why_not(place: Place) -> None:
    seed = b"s" * 32
    assert place.answer(RunMeasurement("worker-1", seed)) == Measured(
        "worker-1", profile_measurement("worker-1", NODE, seed)
    )
    place.cluster.fault("worker-2", OFFLINE)

    lost = place.answer(RunMeasurement("worker-2", seed))

    place.cluster.heal("worker-2")
    assert isinstance(lost, Measured)
    assert lost.measurement is None
    assert "worker-2" in lost.reason


def test_what_an_order_s_jobs_came_to_is_known_to_whoever_asks(place: Place) -> None:
    ended = [
        place.answer(RunJob(7, 20, job("one", "cat"))),
        place.answer(RunJob(7, 21, job("two", "exit 1"))),
        place.answer(RunJob(7, 22, job("late", "exec sleep 20", deadline_seconds=1))),
    ]
    results = [one.result for one in ended if isinstance(one, JobEnded) and one.result]
    assert len(results) == 2
    took = sum(result.milliseconds for result in results)
    statement = Counters(7, 3, 1)

    counted = place.answer(CountJobs(statement, "gatekeeper-2", 7))
    assert counted == JobsCounted(statement, "gatekeeper-2", 3, took)
    none = place.answer(CountJobs(statement, "gatekeeper-2", 8))
    assert none == JobsCounted(statement, "gatekeeper-2", 0, 0)
