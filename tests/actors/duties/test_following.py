"""What gatekeepers remember does not grow with the run, whether they ever lead or not."""

from __future__ import annotations

from collections import deque

from devnet.actors.attestations import Incident, QueuedCall
from devnet.actors.gatekeeper import Gatekeeper
from devnet.actors.messages import Govern, JobEnded, PayloadGiven, Vouch
from devnet.actors.view import order_spec_of
from devnet.chain.keccak import keccak
from tests.actors.duties.orders_stage import PAYLOAD, THUMBNAIL, tell_all, tell_lead
from tests.actors.stage import (
    Stage,
    happened,
    incident_reported,
    order_state,
    time_of,
)

DAY = 120  # blocks
MAX_AGE_DAYS = 14


def remembered(keeper: Gatekeeper) -> dict[str, int]:
    """How much is in each of the containers of its duties."""
    sizes = {}
    for duty in keeper._duties:
        for name, value in vars(duty).items():
            if isinstance(value, dict | set | list | deque):
                sizes[f"{type(duty).__name__}.{name}"] = len(value)
    return sizes


def play_day(stage: Stage, actors: list[Gatekeeper], day: int) -> None:
    """Something of everything; it is over before the day is."""
    first = day * DAY + 10
    web, function, unrun = 3 * day + 1, 3 * day + 2, 3 * day + 3
    for order, service in ((web, "web"), (function, "thumbnail")):
        spec = order_spec_of(stage.spec.service(service))
        stage.reads.orders[order] = order_state(stage.address("alice"), spec)
        stage.reads.ends[order] = time_of(first + 60)
    invoked = [
        happened("Invoked", first, id=function, invocation=2 * day + n, payloadHash=keccak(PAYLOAD))
        for n in (1, 2)
    ]
    scaled = [happened("OrderScaled", first, id=n, replicas=2) for n in (web, unrun)]
    accepted = [happened("OrderAccepted", first, id=n) for n in (web, function)]
    tell_all(stage, actors, first, *scaled, *accepted, *scaled, *invoked)
    tell_lead(stage, actors, first, PayloadGiven(2 * day + 1, PAYLOAD))
    completed = happened("Completed", first + 5, id=function, invocation=2 * day + 1)
    tell_all(stage, actors, first + 5, completed)

    for worker in ("worker-2", "worker-3"):  # worker-3 has no stake: nobody reports its outage
        tell_all(stage, actors, first + 6, stage.lost(worker, first + 6))
        tell_all(stage, actors, first + 20, stage.back(worker, first + 20))
    reported = incident_reported(stage, first + 20, 2 * day, "worker-2", time_of(first + 6))
    finding = (time_of(first + 1), time_of(first + 2))
    vouch = Vouch(1, Incident("worker-2", stage.address("worker-2"), 2, *finding, bytes(32)))
    calls = (QueuedCall(stage.address("alice"), b""),)
    govern = Govern(2, keccak(b"%d" % day), calls, time_of(first + 50))
    tell_all(stage, actors, first + 21, reported, vouch, govern)
    found = incident_reported(stage, first + 2, 2 * day + 1, "worker-2", finding[0], level=2)
    executed = [happened("IncidentExecuted", first + 22, id=2 * day + n) for n in (0, 1)]
    tell_all(stage, actors, first + 22, found, *executed)

    closed = [happened("OrderClosed", first + 30, id=n) for n in (web, function, unrun)]
    tell_all(stage, actors, first + 30, *closed)
    tell_lead(stage, actors, first + 31, JobEnded(function, 2 * day + 1, None))
    tell_all(stage, actors, first + DAY - 1, happened("Finalized", first + 60, id=web))


def test_no_gatekeeper_remembers_more_after_two_months_than_after_three_weeks(
    stage: Stage, actors: list[Gatekeeper]
) -> None:
    stage.reads.live[stage.address("worker-3")] = False
    after = {}
    for day in range(60):
        play_day(stage, actors, day)
        after[day] = [remembered(keeper) for keeper in actors]
    assert after[59] == after[21]
    lead, *peers = after[59]
    assert sum(lead.values()) < 5
    for peer in peers:
        # Who leads next may have to report what still can be (L5).
        assert peer.pop("Incidents._to_report") == MAX_AGE_DAYS
        assert sum(peer.values()) < 5


def test_an_order_of_many_invocations_is_remembered_by_those_that_run(
    stage: Stage, actors: list[Gatekeeper]
) -> None:
    args = {"id": THUMBNAIL, "payloadHash": keccak(PAYLOAD)}
    tell_all(stage, actors, 10, happened("OrderAccepted", 10, id=THUMBNAIL))
    for number in range(1, 51):
        tell_all(stage, actors, 11, happened("Invoked", 11, invocation=number, **args))
        tell_lead(stage, actors, 11, PayloadGiven(number, PAYLOAD))
        if number <= 48:
            tell_lead(stage, actors, 12, JobEnded(THUMBNAIL, number, None))
            completed = happened("Completed", 12, id=THUMBNAIL, invocation=number)
            tell_all(stage, actors, 12, completed)
    assert [remembered(keeper)["Orders._invoked"] for keeper in actors] == [2, 2, 2]
