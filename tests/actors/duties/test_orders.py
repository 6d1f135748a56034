"""Containers on the cluster: deployed, counted, stated and ended (M3, M6)."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from cluster.interface import Autoscale as Bounds
from cluster.interface import ClusterEvent, EventKind
from devnet.actors.attestations import Running
from devnet.actors.duties.orders import RECHECK_SECONDS
from devnet.actors.gatekeeper import Gatekeeper
from devnet.actors.messages import (
    ClusterSeen,
    LeadChanged,
    ReadyCounted,
    SendFailed,
    SignatureGiven,
    SignatureRefused,
    WorkloadReady,
)
from devnet.actors.operations import (
    AwaitReady,
    CountReady,
    Deploy,
    Remove,
    Send,
    Tell,
)
from devnet.actors.view import order_spec_of, spec_hash
from devnet.chain.keccak import keccak
from devnet.spec.autoscale import Autoscale
from tests.actors.duties.orders_stage import (
    LEAD,
    WEB,
    accepted,
    counts,
    peers_count,
    reported,
    tell_all,
    tell_lead,
)
from tests.actors.stage import Stage, directory, happened, order_state, talk, time_of


def test_an_accepted_order_becomes_its_workload(stage: Stage, actors: list[Gatekeeper]) -> None:
    deploy, wait = tell_all(stage, actors, 10, accepted(WEB))

    assert isinstance(deploy, Deploy)
    workload = deploy.workload
    assert (deploy.order, workload.name, workload.replicas) == (WEB, "order-1", 3)
    assert workload.command == ("python3", "server.py")
    assert (workload.folder / "server.py").is_file()
    assert (workload.requests.milli_cpu, workload.requests.memory_bytes) == (50, 32 * 2**20)
    assert workload.readiness_path == "/healthz"
    assert workload.env == {"SERVICE": "web", "ORDER": "1"}
    assert wait == AwaitReady(WEB, "order-1", 3, 3)


def test_replicas_set_before_the_acceptance_count(stage: Stage, actors: list[Gatekeeper]) -> None:
    scaled = happened("OrderScaled", 9, id=WEB, replicas=2)
    deploy, wait = tell_all(stage, actors, 10, scaled, accepted(WEB))

    assert isinstance(deploy, Deploy)
    assert deploy.workload.replicas == 2
    assert wait == AwaitReady(WEB, "order-1", 2, 2)


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
    assert AwaitReady(WEB, "order-1", 3, 3) in tell_all(
        stage, actors, 20, stage.lost("worker-1", 20)
    )

    asked = counts(tell_lead(stage, actors, 20, WorkloadReady(WEB, 1)))
    operations = peers_count(stage, actors, 20, asked, 1)
    assert reported(operations) == [("reportRunning", (WEB, 2, 1, time_of(20)))]
    stated = happened("UsageReported", 21, id=WEB, replicas=1, seq=2, at=time_of(20))
    tell_all(stage, actors, 21, stated)

    pod = ClusterSeen(ClusterEvent(EventKind.POD_READY, "order-1-x", "worker-3", "order-1"))
    assert tell_all(stage, actors, 22, pod) == [AwaitReady(WEB, "order-1", 3, 3)]
    asked = counts(tell_lead(stage, actors, 22, WorkloadReady(WEB, 3)))
    operations = peers_count(stage, actors, 22, asked, 3)
    assert reported(operations) == [("reportRunning", (WEB, 3, 3, time_of(22)))]


def test_missing_pods_are_looked_for_again_an_hour_later(
    stage: Stage, actors: list[Gatekeeper]
) -> None:
    running(stage, actors, ready=2)

    assert actors[0].due() == time_of(11) + RECHECK_SECONDS == time_of(16)
    assert tell_lead(stage, actors, 15) == []
    assert tell_lead(stage, actors, 16) == [AwaitReady(WEB, "order-1", 3, 3)]
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
    assert tell_lead(stage, actors, 12) == [AwaitReady(WEB, "order-1", 3, 3)]


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
    assert wait == AwaitReady(WEB, "order-1", 1, 1)


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


def test_a_new_lead_deploys_what_is_open_and_removes_what_has_ended(
    stage: Stage, actors: list[Gatekeeper]
) -> None:
    """Again, if the lead before it has: it cannot know what that one came to."""
    stage.reads.orders[3] = stage.reads.orders[WEB]
    stage.reads.ends[3] = stage.reads.ends[WEB]
    (deploy, *_) = tell_all(stage, actors, 10, accepted(WEB), accepted(3))
    assert tell_all(stage, actors, 20, happened("OrderClosed", 20, id=3)) == [Remove(3, "order-3")]

    name = actors[1].name
    told = talk(actors, stage.view(21, lead=name), {name: [LeadChanged(name)]})
    assert told == [
        (name, Remove(3, "order-3")),
        (name, deploy),
        (name, AwaitReady(WEB, "order-1", 3, 3)),
    ]


def test_a_used_up_deposit_ends_the_workload(stage: Stage, actors: list[Gatekeeper]) -> None:
    """M3: nobody would pay for what runs on."""
    hours_of_three = 2
    stage.reads.orders[WEB] = replace(
        stage.reads.orders[WEB], rate=100, deposit=100 * 3 * hours_of_three
    )
    running(stage, actors)  # three from block 11 on

    used_up = time_of(11) + 3600 * hours_of_three
    assert actors[0].due() == used_up == time_of(21)
    stated = happened("UsageReported", 17, id=WEB, replicas=1, seq=2, at=time_of(16))
    assert tell_all(stage, actors, 17, stated) == []  # an hour of three, then three of one
    assert actors[0].due() == time_of(16) + 3600 * 3 == time_of(31)
    assert tell_lead(stage, actors, 30, WorkloadReady(WEB, 1)) == []
    assert tell_all(stage, actors, 31, WorkloadReady(WEB, 0)) == [Remove(WEB, "order-1")]
    assert actors[0].due() is None


@pytest.fixture()
def followed(stage: Stage) -> Stage:
    """Of an order of at most three replicas, whose service follows its use from 2 to 4."""
    said = Autoscale.model_validate({"min": 2, "max": 4, "cpu": "50%"})
    services = tuple(
        each.model_copy(update={"autoscale": said}) if each.name == "web" else each
        for each in stage.spec.services
    )
    stage.directory = directory(stage.spec.model_copy(update={"services": services}))
    web = order_spec_of(stage.directory.spec.service("web"))
    stage.reads.orders[WEB] = order_state(stage.address("alice"), web, maxReplicas=3)
    return stage


def test_m1_an_autoscaled_order_goes_as_far_as_its_client_wishes(
    followed: Stage, actors: list[Gatekeeper]
) -> None:
    deploy, wait = tell_all(followed, actors, 10, accepted(WEB))
    assert isinstance(deploy, Deploy)
    assert (deploy.workload.replicas, deploy.workload.autoscale) == (2, Bounds(2, 3, 50, 0))
    assert wait == AwaitReady(WEB, "order-1", 2, 3)

    for wished, expected in ((1, Bounds(1, 1, 50, 0)), (9, Bounds(2, 4, 50, 0))):
        deploy, _ = tell_all(
            followed, actors, 11, happened("OrderScaled", 11, id=WEB, replicas=wished)
        )
        assert isinstance(deploy, Deploy)
        assert deploy.workload.autoscale == expected


def test_m6_an_autoscaled_order_is_halted_by_its_client(
    followed: Stage, actors: list[Gatekeeper]
) -> None:
    tell_all(followed, actors, 10, accepted(WEB))
    deploy, wait = tell_all(followed, actors, 11, happened("OrderScaled", 11, id=WEB, replicas=0))
    assert isinstance(deploy, Deploy)
    assert (deploy.workload.replicas, deploy.workload.autoscale) == (0, None)
    assert wait == AwaitReady(WEB, "order-1", 0, 0)


def test_m6_what_an_autoscaler_adds_and_takes_away_is_stated(
    followed: Stage, actors: list[Gatekeeper]
) -> None:
    running(followed, actors, ready=2)
    assert actors[0].due() == time_of(1000)  # nothing is missing
    for block, seq, ready in ((20, 2, 3), (30, 3, 2)):
        kind = EventKind.POD_READY if ready == 3 else EventKind.POD_LOST
        pod = ClusterSeen(ClusterEvent(kind, "order-1-x", "worker-3", "order-1"))
        assert tell_all(followed, actors, block, pod) == [AwaitReady(WEB, "order-1", 2, 3)]
        asked = counts(tell_lead(followed, actors, block, WorkloadReady(WEB, ready)))
        operations = peers_count(followed, actors, block, asked, ready)
        assert reported(operations) == [("reportRunning", (WEB, seq, ready, time_of(block)))]
        stated = happened(
            "UsageReported", block + 1, id=WEB, replicas=ready, seq=seq, at=time_of(block)
        )
        tell_all(followed, actors, block + 1, stated)


def test_a_service_without_an_autoscaler_is_named_as_ever(stage: Stage) -> None:
    """What existing orders were placed for is still the same service (M1)."""
    web = stage.spec.service("web")
    told = json.loads(web.model_dump_json())
    assert told.pop("autoscale") is None
    assert spec_hash(web) == keccak(json.dumps(told, separators=(",", ":")).encode())
    followed = web.model_copy(
        update={"autoscale": Autoscale.model_validate({"max": 4, "cpu": "50%"})}
    )
    assert spec_hash(followed) != spec_hash(web)


def test_m6_what_changes_twice_in_a_block_is_stated_twice(
    stage: Stage, actors: list[Gatekeeper]
) -> None:
    running(stage, actors, ready=1)
    for seq, ready in ((2, 2), (3, 3)):
        asked = counts(tell_lead(stage, actors, 20, WorkloadReady(WEB, ready)))
        operations = peers_count(stage, actors, 20, asked, ready)
        assert reported(operations) == [("reportRunning", (WEB, seq, ready, time_of(20)))]
    assert tell_lead(stage, actors, 20, WorkloadReady(WEB, 3)) == []

    (first, _) = counts(tell_lead(stage, actors, 23, WorkloadReady(WEB, 3)))  # none of it arrived
    assert first.attestation == Running(WEB, 2, 3, time_of(23))


def test_m6_a_statement_the_contract_refused_is_made_anew(
    stage: Stage, actors: list[Gatekeeper]
) -> None:
    running(stage, actors, ready=1)
    asked = counts(tell_lead(stage, actors, 20, WorkloadReady(WEB, 3)))
    (send,) = [o for o in peers_count(stage, actors, 20, asked, 3) if isinstance(o, Send)]
    failed = SendFailed("Market", "reportRunning", send.args, "SequenceNotAbove")
    assert tell_lead(stage, actors, 20, failed) == []
    assert tell_lead(stage, actors, 21) == [AwaitReady(WEB, "order-1", 3, 3)]
    (first, _) = counts(tell_lead(stage, actors, 21, WorkloadReady(WEB, 3)))
    assert first.attestation == Running(WEB, 2, 3, time_of(21))
