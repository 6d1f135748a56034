"""A report whose signer governance removes in the same block, on a real chain (L1, R4)."""

from __future__ import annotations

from cluster.interface import ClusterEvent, EventKind
from devnet.actors.messages import Stake
from devnet.actors.operations import Send
from devnet.actors.worker import Worker
from tests.actors.scheduler_stage import Deployed, Stands
from tests.actors.stage import KEEPERS, Stage, gatekeeper

QUEUE, PROPOSAL = "ExecutionQueue", b"\x07" * 32


def test_l1_an_outage_is_charged_once_though_its_first_report_reverts(
    stand: Stands, deployed: Deployed
) -> None:
    stage, accounts = Stage(), deployed.directory.accounts
    worker = Worker(accounts["worker-1"], stage.spec.publishes_per_day)
    made = stand(*(gatekeeper(stage, name) for name in KEEPERS), worker)
    scheduler = made.scheduler
    scheduler.wish("worker-1", Stake(1, 1))
    scheduler.drain()
    assert scheduler.wishes[1].outcome == "ok"
    lost = made.now
    scheduler.cluster_event(ClusterEvent(EventKind.NODE_LOST, "worker-1"))
    removed = [deployed.directory.address("gatekeeper-2")]
    scheduler.send(Send("guardian", QUEUE, "queueRemoval", (PROPOSAL, removed), 2))
    scheduler.drain()
    scheduler.advance(250)  # past the timelock
    back = made.now
    scheduler.cluster_event(ClusterEvent(EventKind.NODE_READY, "worker-1"))
    assert scheduler.round()  # the lead asks
    assert scheduler.round()  # its peers sign
    call = deployed.contracts.encode("Gatekeepers", "remove", removed)
    calls = [(call.to, call.data)]
    scheduler.send(Send("guardian", QUEUE, "execute", (PROPOSAL, calls), 3))

    scheduler.drain()  # the removal is mined before the report, in one block

    sent = [tx for _, transactions in made.mined for tx in transactions]
    reports = [tx for tx in sent if tx.function == "report"]
    assert [(tx.ok, tx.error) for tx in reports] == [(False, "NotGatekeeper"), (True, None)]
    (incident,) = (e for e in reports[1].events if e.name == "IncidentReported")
    assert (incident.args["from"], incident.args["to"]) == (lost, back)
    scheduler.advance(40)  # past the appeal window: it is executed, and reported no more
    names = [e.name for _, mined in made.mined for tx in mined for e in tx.events]
    assert (names.count("IncidentReported"), names.count("IncidentExecuted")) == (1, 1)
