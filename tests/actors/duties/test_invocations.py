"""Invocations on the cluster: run, served, counted (M3, M5)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cluster.interface import JobResult
from devnet.actors.attestations import Counters
from devnet.actors.duties.orders import NO_RESULT_EXIT_CODE, RECHECK_SECONDS
from devnet.actors.gatekeeper import Gatekeeper
from devnet.actors.messages import (
    InvocationServed,
    JobEnded,
    JobsCounted,
    PayloadGiven,
    SignatureAsked,
    SignatureGiven,
    SignatureRefused,
)
from devnet.actors.operations import (
    CountJobs,
    Operation,
    RunJob,
    StoreResult,
    Tell,
)
from devnet.chain.keccak import keccak
from devnet.protocol import Kind
from tests.actors.duties.orders_stage import (
    KEEPERS,
    LEAD,
    OUTPUT,
    PAYLOAD,
    THUMBNAIL,
    WEB,
    accepted,
    reported,
    tell_all,
    tell_lead,
)
from tests.actors.stage import Stage, happened, talk, time_of

OTHER = 3


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


def a_job_of_another_order(stage: Stage, actors: list[Gatekeeper]) -> None:
    """Invocation 40, of the order OTHER."""
    stage.reads.orders[OTHER] = stage.reads.orders[THUMBNAIL]
    stage.reads.ends[OTHER] = time_of(1000)
    tell_all(stage, actors, 12, accepted(OTHER))
    args = {"id": OTHER, "invocation": 40, "payloadHash": keccak(PAYLOAD)}
    tell_all(stage, actors, 12, happened("Invoked", 12, **args))
    tell_lead(stage, actors, 12, PayloadGiven(40, PAYLOAD))


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
    a_job_of_another_order(stage, actors)
    tell_all(stage, actors, 13, happened("OrderClosed", 13, id=THUMBNAIL))

    assert tell_lead(stage, actors, 14, job_ended(30), job_ended(31)) == []
    result = JobResult("invocation-40", "worker-1", 0, OUTPUT, 50, 0)
    asked = tell_lead(stage, actors, 14, JobEnded(OTHER, 40, result))
    operations = jobs_counted(stage, actors, 14, asked, 1, 50)

    assert reported(operations) == [("reportCounters", (OTHER, 1, 32 * 50))]


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
    a_job_of_another_order(stage, actors)
    tell_lead(stage, actors, 13, job_ended(30, 250), job_ended(31, 100))

    operations = tell_lead(stage, actors, 14, happened("OrderClosed", 14, id=THUMBNAIL))

    told = jobs_counted(stage, actors, 14, operations, 2, 350)
    assert reported(told) == [("reportCounters", (THUMBNAIL, 2, 32 * 350))]


def test_with_the_deposit_used_up_an_invocation_fails_at_once(
    stage: Stage, actors: list[Gatekeeper]
) -> None:
    """M3: 32 MiB for 250 ms are 8 000 MiB-ms; it costs nothing, and so is not counted."""
    rate2 = 1024 * 1000  # a wei a MiB-millisecond
    stage.reads.orders[THUMBNAIL] = replace(
        stage.reads.orders[THUMBNAIL], kind=Kind.SERVERLESS, rate=0, rate2=rate2, deposit=8_001
    )
    tell_all(stage, actors, 10, accepted(THUMBNAIL))
    tell_all(stage, actors, 12, *(invoked(n) for n in (30, 31, 32)))
    tell_lead(stage, actors, 12, PayloadGiven(30, PAYLOAD))
    tell_lead(stage, actors, 13, job_ended(30, 250))

    (run,) = tell_lead(stage, actors, 14, PayloadGiven(31, PAYLOAD))  # 8 000 of 8 001 wei
    assert isinstance(run, RunJob)
    asked = tell_lead(stage, actors, 15, job_ended(31, 1))
    assert [o.attestation for o in asked if isinstance(o, CountJobs)] == [
        Counters(THUMBNAIL, 2, 8_032)
    ] * 2

    reason = f"the deposit of order {THUMBNAIL} is used up"
    served = InvocationServed(32, NO_RESULT_EXIT_CODE, keccak(b""), reason)
    given = PayloadGiven(32, PAYLOAD)
    assert tell_lead(stage, actors, 16, given) == [StoreResult(32, b""), Tell("bob", served)]
    assert tell_lead(stage, actors, 16) == []  # once
