"""Orders on the cluster: deployed, counted, stated, served and ended (M3, M5, M6)."""

from __future__ import annotations

import pytest

from cluster.interface import ClusterEvent, EventKind, JobResult
from devnet.actors.attestations import Counters, Running
from devnet.actors.duties.orders import NO_RESULT_EXIT_CODE, RECHECK_SECONDS
from devnet.actors.gatekeeper import Gatekeeper
from devnet.actors.messages import (
    ClusterSeen,
    InvocationServed,
    JobEnded,
    JobsCounted,
    PayloadGiven,
    ReadyCounted,
    SignatureAsked,
    SignatureGiven,
    SignatureRefused,
    WorkloadReady,
)
from devnet.actors.operations import (
    AwaitReady,
    CountJobs,
    CountReady,
    Deploy,
    Operation,
    Remove,
    RunJob,
    Send,
    StoreResult,
    Tell,
)
from devnet.actors.view import order_spec_of
from devnet.chain.keccak import keccak
from tests.actors.stage import Stage, happened, lost, order_state, talk, time_of

KEEPERS = ("gatekeeper-1", "gatekeeper-2", "gatekeeper-3")
LEAD = KEEPERS[0]
WEB, THUMBNAIL = 1, 2
PAYLOAD, OUTPUT = b"kompute", b"a thumbnail"
MIB = 2**20


@pytest.fixture()
def stage() -> Stage:
    stage = Stage()
    web, thumbnail = (order_spec_of(stage.spec.service(name)) for name in ("web", "thumbnail"))
    stage.reads.orders = {
        WEB: order_state(stage.address("alice"), web, maxReplicas=3),
        THUMBNAIL: order_state(stage.address("bob"), thumbnail, maxReplicas=1),
    }
    stage.reads.ends = {WEB: time_of(1000), THUMBNAIL: time_of(1000)}
    return stage


@pytest.fixture()
def actors(stage: Stage) -> list[Gatekeeper]:
    accounts = stage.directory.accounts
    return [Gatekeeper(accounts[n], KEEPERS, lead=n == LEAD, modelled=True) for n in KEEPERS]


def tell_all(
    stage: Stage, actors: list[Gatekeeper], block: int, *messages: object
) -> list[Operation]:
    """What they do about it, in order."""
    inboxes = dict.fromkeys(KEEPERS, messages)
    return [operation for _, operation in talk(actors, stage.view(block), inboxes)]


def tell_lead(
    stage: Stage, actors: list[Gatekeeper], block: int, *messages: object
) -> list[Operation]:
    return [o for _, o in talk(actors, stage.view(block), {LEAD: messages})]


def accepted(order: int, block: int = 10) -> object:
    return happened("OrderAccepted", block, id=order)


def counts(operations: list[Operation]) -> list[CountReady]:
    return [o for o in operations if isinstance(o, CountReady)]


def peers_count(
    stage: Stage, actors: list[Gatekeeper], block: int, asked: list[CountReady], ready: int
) -> list[Operation]:
    """Both peers' own counts reach them."""
    inboxes = {
        name: [ReadyCounted(one.attestation, one.asked_by, ready)]
        for name, one in zip(KEEPERS[1:], asked, strict=True)
    }
    return [o for _, o in talk(actors, stage.view(block), inboxes)]


def reported(operations: list[Operation]) -> list[tuple[str, tuple[object, ...]]]:
    """Statements sent, without their signatures."""
    return [(o.function, o.args[:-1]) for o in operations if isinstance(o, Send)]


# --- containers (M6) --------------------------------------------------------------------------


def test_an_accepted_order_becomes_its_workload(stage: Stage, actors: list[Gatekeeper]) -> None:
    deploy, wait = tell_all(stage, actors, 10, accepted(WEB))

    assert isinstance(deploy, Deploy)
    workload = deploy.workload
    assert (deploy.order, workload.name, workload.replicas) == (WEB, "order-1", 3)
    assert workload.command == ("python3", "server.py")
    assert (workload.folder / "server.py").is_file()
    assert (workload.requests.milli_cpu, workload.requests.memory_bytes) == (50, 32 * MIB)
    assert workload.readiness_path == "/healthz"
    assert workload.env == {"SERVICE": "web", "ORDER": "1"}
    assert wait == AwaitReady(WEB, "order-1", 3)


def test_replicas_set_before_the_acceptance_count(stage: Stage, actors: list[Gatekeeper]) -> None:
    scaled = happened("OrderScaled", 9, id=WEB, replicas=2)
    deploy, wait = tell_all(stage, actors, 10, scaled, accepted(WEB))

    assert isinstance(deploy, Deploy)
    assert deploy.workload.replicas == 2
    assert wait == AwaitReady(WEB, "order-1", 2)


def test_a_service_nobody_knows_is_not_run(stage: Stage, actors: list[Gatekeeper]) -> None:
    stage.reads.orders[WEB] = order_state(stage.address("alice"), b"?" * 32)

    assert tell_all(stage, actors, 10, accepted(WEB)) == []
    assert actors[0].due() is None


def running(stage: Stage, actors: list[Gatekeeper], ready: int = 3, block: int = 11) -> None:
    """The order accepted and stated on chain."""
    tell_all(stage, actors, 10, accepted(WEB))
    asked = counts(tell_lead(stage, actors, block, WorkloadReady(WEB, ready)))
    peers_count(stage, actors, block, asked, ready)
    stated = happened("UsageReported", block + 1, id=WEB, replicas=ready, seq=1, at=time_of(block))
    tell_all(stage, actors, block + 1, stated)


def test_what_runs_is_stated_once_two_gatekeepers_have_counted_it(
    stage: Stage, actors: list[Gatekeeper]
) -> None:
    tell_all(stage, actors, 10, accepted(WEB))
    asked = counts(tell_lead(stage, actors, 11, WorkloadReady(WEB, 3)))
    statement = Running(WEB, 1, 3, time_of(11))
    assert asked == [CountReady(statement, LEAD, "order-1")] * 2

    operations = peers_count(stage, actors, 11, asked, 3)

    assert reported(operations) == [("reportRunning", (WEB, 1, 3, time_of(11)))]


def test_the_same_count_again_is_not_stated_again(stage: Stage, actors: list[Gatekeeper]) -> None:
    running(stage, actors)

    assert tell_lead(stage, actors, 20, WorkloadReady(WEB, 3)) == []


def test_a_lost_node_lowers_the_count_and_raises_it_again(
    stage: Stage, actors: list[Gatekeeper]
) -> None:
    running(stage, actors)
    assert AwaitReady(WEB, "order-1", 3) in tell_all(stage, actors, 20, lost("worker-1"))

    asked = counts(tell_lead(stage, actors, 20, WorkloadReady(WEB, 1)))
    operations = peers_count(stage, actors, 20, asked, 1)
    assert reported(operations) == [("reportRunning", (WEB, 2, 1, time_of(20)))]
    stated = happened("UsageReported", 21, id=WEB, replicas=1, seq=2, at=time_of(20))
    tell_all(stage, actors, 21, stated)

    pod = ClusterSeen(ClusterEvent(EventKind.POD_READY, "order-1-x", "worker-3", "order-1"))
    assert tell_all(stage, actors, 22, pod) == [AwaitReady(WEB, "order-1", 3)]
    asked = counts(tell_lead(stage, actors, 22, WorkloadReady(WEB, 3)))
    operations = peers_count(stage, actors, 22, asked, 3)
    assert reported(operations) == [("reportRunning", (WEB, 3, 3, time_of(22)))]


def test_missing_pods_are_looked_for_again_an_hour_later(
    stage: Stage, actors: list[Gatekeeper]
) -> None:
    running(stage, actors, ready=2)

    assert actors[0].due() == time_of(11) + RECHECK_SECONDS == time_of(16)
    assert tell_lead(stage, actors, 15) == []
    assert tell_lead(stage, actors, 16) == [AwaitReady(WEB, "order-1", 3)]
    assert actors[0].due() == time_of(1000)  # its end: nothing more until the answer is here
    assert tell_lead(stage, actors, 16, WorkloadReady(WEB, 2)) == []
    assert actors[0].due() == time_of(21)


def test_peers_that_count_otherwise_refuse_and_the_lead_looks_again_in_the_next_block(
    stage: Stage, actors: list[Gatekeeper]
) -> None:
    tell_all(stage, actors, 10, accepted(WEB))
    asked = counts(tell_lead(stage, actors, 11, WorkloadReady(WEB, 3)))
    peer = actors[1]

    (tell,) = peer.act(stage.view(11), [ReadyCounted(asked[0].attestation, LEAD, 2)])
    reason = "2 pods are ready, not 3"
    assert tell == Tell(LEAD, SignatureRefused(asked[0].attestation, peer.name, reason))
    assert peers_count(stage, actors, 11, asked, 2) == []

    assert actors[0].due() == time_of(12)
    assert tell_lead(stage, actors, 12) == [AwaitReady(WEB, "order-1", 3)]


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        (Running(WEB, 1, 4, time_of(11)), "more replicas than the order's 3"),
        (Running(WEB, 1, 3, time_of(13)), "not a time of this order"),
        (Running(WEB, 1, 3, time_of(9)), "not a time of this order"),
        (Running(9, 1, 3, time_of(11)), "order 9 is not running"),
        (Running(WEB, 1, 3, time_of(11)), None),
    ],
    ids=["too many", "future", "before its acceptance", "no such order", "two blocks ago"],
)
def test_a_peer_refuses_a_statement_that_cannot_be(
    stage: Stage, actors: list[Gatekeeper], statement: Running, reason: str | None
) -> None:
    tell_all(stage, actors, 10, accepted(WEB))
    stage.reads.orders[9] = stage.reads.orders[WEB]

    counted = ReadyCounted(statement, LEAD, statement.replicas)
    (tell,) = actors[1].act(stage.view(12), [counted])

    assert isinstance(tell, Tell)
    if reason is None:
        assert isinstance(tell.message, SignatureGiven)
    else:
        assert tell.message == SignatureRefused(statement, "gatekeeper-2", reason)


def test_a_peer_refuses_to_state_what_ran_long_ago(stage: Stage, actors: list[Gatekeeper]) -> None:
    tell_all(stage, actors, 10, accepted(WEB))
    statement = Running(WEB, 1, 3, time_of(11))

    (fresh,) = actors[1].act(stage.view(13), [ReadyCounted(statement, LEAD, 3)])
    (old,) = actors[1].act(stage.view(14), [ReadyCounted(statement, LEAD, 3)])

    assert isinstance(fresh, Tell)
    assert isinstance(fresh.message, SignatureGiven)
    reason = "2160 s ago, and nobody knows what ran then"
    assert old == Tell(LEAD, SignatureRefused(statement, "gatekeeper-2", reason))


def test_scaling_changes_the_workload(stage: Stage, actors: list[Gatekeeper]) -> None:
    running(stage, actors)
    deploy, wait = tell_all(stage, actors, 20, happened("OrderScaled", 20, id=WEB, replicas=1))

    assert isinstance(deploy, Deploy)
    assert deploy.workload.replicas == 1
    assert wait == AwaitReady(WEB, "order-1", 1)


@pytest.mark.parametrize("event", ["OrderClosed", "Finalized"])
def test_a_closed_order_is_removed(stage: Stage, actors: list[Gatekeeper], event: str) -> None:
    running(stage, actors)

    assert tell_all(stage, actors, 20, happened(event, 20, id=WEB)) == [Remove(WEB, "order-1")]
    assert actors[0].due() is None
    assert tell_lead(stage, actors, 21, WorkloadReady(WEB, 3)) == []  # M6: t < end


def test_an_order_is_removed_at_its_end(stage: Stage, actors: list[Gatekeeper]) -> None:
    stage.reads.ends[WEB] = time_of(50)
    running(stage, actors)

    assert actors[0].due() == time_of(50)
    assert tell_lead(stage, actors, 50) == [Remove(WEB, "order-1")]


# --- serverless (M3, M5) ------------------------------------------------------------------------


def invoked(invocation: int, payload: bytes = PAYLOAD) -> object:
    args = {"id": THUMBNAIL, "invocation": invocation, "payloadHash": keccak(payload)}
    return happened("Invoked", 12, **args)


def job_ended(invocation: int, milliseconds: int = 250, exit_code: int = 0) -> JobEnded:
    name = f"invocation-{invocation}"
    result = JobResult(name, "worker-1", exit_code, OUTPUT, milliseconds, 0)
    return JobEnded(THUMBNAIL, invocation, result)


def test_an_invocation_runs_once_its_payload_is_there(
    stage: Stage, actors: list[Gatekeeper]
) -> None:
    assert tell_all(stage, actors, 10, accepted(THUMBNAIL)) == []
    assert tell_all(stage, actors, 12, invoked(30)) == []

    (run,) = tell_lead(stage, actors, 12, PayloadGiven(30, PAYLOAD))

    assert isinstance(run, RunJob)
    assert (run.order, run.invocation, run.job.name) == (THUMBNAIL, 30, "invocation-30")
    assert (run.job.payload, run.job.command) == (PAYLOAD, ("python3", "handler.py"))
    assert (run.job.requests.milli_cpu, run.job.deadline_seconds) == (50, 10)
    assert tell_lead(stage, actors, 12) == []  # once


def test_a_payload_that_is_not_the_invoked_one_is_not_run(
    stage: Stage, actors: list[Gatekeeper]
) -> None:
    """M5: the chain knows the payload by its hash."""
    tell_all(stage, actors, 10, accepted(THUMBNAIL))
    tell_all(stage, actors, 12, invoked(30))

    assert tell_lead(stage, actors, 12, PayloadGiven(30, b"another")) == []
    assert tell_lead(stage, actors, 12, PayloadGiven(31, PAYLOAD)) == []


def jobs_counted(
    stage: Stage,
    actors: list[Gatekeeper],
    block: int,
    operations: list[Operation],
    jobs: int,
    milliseconds: int,
) -> list[Operation]:
    """What the control plane knows reaches both peers."""
    asked = [o for o in operations if isinstance(o, CountJobs)]
    inboxes = {
        name: [JobsCounted(one.attestation, one.asked_by, jobs, milliseconds)]
        for name, one in zip(KEEPERS[1:], asked, strict=True)
    }
    return [o for _, o in talk(actors, stage.view(block), inboxes)]


def two_jobs(stage: Stage, actors: list[Gatekeeper]) -> None:
    tell_all(stage, actors, 10, accepted(THUMBNAIL))
    tell_all(stage, actors, 12, invoked(30), invoked(31))
    given = (PayloadGiven(30, PAYLOAD), PayloadGiven(31, PAYLOAD))
    assert len(tell_lead(stage, actors, 12, *given)) == 2


def test_a_result_is_stored_told_and_counted_once_all_jobs_have_ended(
    stage: Stage, actors: list[Gatekeeper]
) -> None:
    two_jobs(stage, actors)

    first = tell_lead(stage, actors, 13, job_ended(30, 250))
    served = InvocationServed(30, 0, keccak(OUTPUT))
    assert first == [StoreResult(30, OUTPUT), Tell("bob", served)]
    second = tell_lead(stage, actors, 13, job_ended(31, 100))

    # 32 MiB for 250 + 100 ms.
    counters = Counters(THUMBNAIL, 2, 32 * 350)
    asked = [o for o in second if isinstance(o, CountJobs)]
    assert asked == [CountJobs(counters, LEAD, THUMBNAIL)] * 2
    told = jobs_counted(stage, actors, 13, second, 2, 350)
    assert reported(told) == [("reportCounters", (THUMBNAIL, 2, 32 * 350))]


def test_a_job_that_outlives_its_order_holds_up_no_other_order_s_counters(
    stage: Stage, actors: list[Gatekeeper]
) -> None:
    """On a devnet paced by the wall clock a job may end whenever it likes."""
    two_jobs(stage, actors)
    other = 3
    stage.reads.orders[other] = stage.reads.orders[THUMBNAIL]
    stage.reads.ends[other] = time_of(1000)
    tell_all(stage, actors, 12, accepted(other))
    args = {"id": other, "invocation": 40, "payloadHash": keccak(PAYLOAD)}
    tell_all(stage, actors, 12, happened("Invoked", 12, **args))
    tell_lead(stage, actors, 12, PayloadGiven(40, PAYLOAD))
    tell_all(stage, actors, 13, happened("OrderClosed", 13, id=THUMBNAIL))

    assert tell_lead(stage, actors, 14, job_ended(30), job_ended(31)) == []
    result = JobResult("invocation-40", "worker-1", 0, OUTPUT, 50, 0)
    asked = tell_lead(stage, actors, 14, JobEnded(other, 40, result))
    operations = jobs_counted(stage, actors, 14, asked, 1, 50)

    assert reported(operations) == [("reportCounters", (other, 1, 32 * 50))]


def test_a_job_without_a_result_is_served_as_failed_and_costs_no_time(
    stage: Stage, actors: list[Gatekeeper]
) -> None:
    two_jobs(stage, actors)

    failed = tell_lead(stage, actors, 13, JobEnded(THUMBNAIL, 30, None))
    assert failed == [
        StoreResult(30, b""),
        Tell("bob", InvocationServed(30, NO_RESULT_EXIT_CODE, keccak(b""))),
    ]
    operations = tell_lead(stage, actors, 13, job_ended(31, 100, exit_code=-9))

    assert Tell("bob", InvocationServed(31, 247, keccak(OUTPUT))) in operations  # uint8
    operations = jobs_counted(stage, actors, 13, operations, 2, 100)
    assert reported(operations) == [("reportCounters", (THUMBNAIL, 2, 32 * 100))]


@pytest.mark.parametrize(
    ("counters", "reason"),
    [
        (Counters(THUMBNAIL, 2, 640_000), None),
        (Counters(THUMBNAIL, 3, 0), "only 2 invocations are on chain"),
        (
            Counters(THUMBNAIL, 2, 640_001),
            "640001 MiB-ms is more than the timeout allows (640000)",
        ),
        (Counters(WEB, 0, 0), "order 1 is not running"),
    ],
    ids=["the most", "an invocation too many", "more than the timeout", "another order"],
)
def test_a_peer_checks_the_counters_against_the_chain(
    stage: Stage, actors: list[Gatekeeper], counters: Counters, reason: str | None
) -> None:
    two_jobs(stage, actors)  # two invocations, 32 MiB, at most 10 s each

    counted = JobsCounted(counters, LEAD, 2, 20_000)
    (tell,) = actors[1].act(stage.view(13), [counted])

    assert isinstance(tell, Tell)
    if reason is None:
        assert isinstance(tell.message, SignatureGiven)
    else:
        assert tell.message == SignatureRefused(counters, "gatekeeper-2", reason)


@pytest.mark.parametrize(
    ("jobs", "milliseconds", "reason"),
    [
        (3, 400, None),
        (2, 350, None),
        (1, 350, "only 1 jobs have ended, not 2"),
        (2, 349, "11200 MiB-ms is more than the jobs took (11168)"),
    ],
    ids=["more since", "as many", "a job too many", "a millisecond too many"],
)
def test_a_peer_signs_no_more_than_the_control_plane_has_run(
    stage: Stage, actors: list[Gatekeeper], jobs: int, milliseconds: int, reason: str | None
) -> None:
    two_jobs(stage, actors)
    counters = Counters(THUMBNAIL, 2, 32 * 350)
    asked = actors[1].act(stage.view(13), [SignatureAsked(counters, LEAD)])
    assert asked == [CountJobs(counters, LEAD, THUMBNAIL)]

    counted = JobsCounted(counters, LEAD, jobs, milliseconds)
    (tell,) = actors[1].act(stage.view(13), [counted])

    assert isinstance(tell, Tell)
    if reason is None:
        assert isinstance(tell.message, SignatureGiven)
    else:
        assert tell.message == SignatureRefused(counters, "gatekeeper-2", reason)


def test_refused_counters_are_proposed_again_an_hour_later(
    stage: Stage, actors: list[Gatekeeper]
) -> None:
    two_jobs(stage, actors)
    asked = tell_lead(stage, actors, 13, job_ended(30, 250), job_ended(31, 100))
    assert jobs_counted(stage, actors, 13, asked, 0, 0) == []

    assert actors[0].due() == time_of(13) + RECHECK_SECONDS == time_of(18)
    assert tell_lead(stage, actors, 17) == []
    again = tell_lead(stage, actors, 18)
    operations = jobs_counted(stage, actors, 18, again, 2, 350)
    assert reported(operations) == [("reportCounters", (THUMBNAIL, 2, 32 * 350))]
    assert actors[0].due() == time_of(1000)


def test_a_result_of_the_round_in_which_its_order_closes_is_served_and_counted(
    stage: Stage, actors: list[Gatekeeper]
) -> None:
    two_jobs(stage, actors)
    tell_lead(stage, actors, 13, job_ended(30, 250))

    closed = happened("OrderClosed", 13, id=THUMBNAIL)
    operations = tell_lead(stage, actors, 13, closed, job_ended(31, 100))

    assert Tell("bob", InvocationServed(31, 0, keccak(OUTPUT))) in operations
    told = jobs_counted(stage, actors, 13, operations, 2, 350)
    assert reported(told) == [("reportCounters", (THUMBNAIL, 2, 32 * 350))]
    assert actors[0].due() is None


def test_an_order_that_ends_is_counted_though_another_order_s_job_still_runs(
    stage: Stage, actors: list[Gatekeeper]
) -> None:
    two_jobs(stage, actors)
    other = 3
    stage.reads.orders[other] = stage.reads.orders[THUMBNAIL]
    stage.reads.ends[other] = time_of(1000)
    tell_all(stage, actors, 12, accepted(other))
    args = {"id": other, "invocation": 40, "payloadHash": keccak(PAYLOAD)}
    tell_all(stage, actors, 12, happened("Invoked", 12, **args))
    tell_lead(stage, actors, 12, PayloadGiven(40, PAYLOAD))
    tell_lead(stage, actors, 13, job_ended(30, 250), job_ended(31, 100))

    operations = tell_lead(stage, actors, 14, happened("OrderClosed", 14, id=THUMBNAIL))

    told = jobs_counted(stage, actors, 14, operations, 2, 350)
    assert reported(told) == [("reportCounters", (THUMBNAIL, 2, 32 * 350))]
