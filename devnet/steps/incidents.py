"""Carries out the steps of incidents: gatekeepers vouch and report, owner and arbiter send (L6)."""

from __future__ import annotations

from devnet.actors import messages
from devnet.actors.attestations import Incident as Attested
from devnet.actors.view import ARBITER
from devnet.base import UsageError
from devnet.chain.keccak import keccak
from devnet.spec import incidents as steps
from devnet.spec.units import duration_text, komp_text
from devnet.steps.registry import performs
from devnet.steps.stage import Stage

SLASHING = "Slashing"
DEFAULT_SECONDS = 86_400


@performs(steps.Incident)
def report(stage: Stage, step: steps.Incident) -> str:
    """The gatekeepers vouch for the incident, so that the lead gets its quorum; others refuse."""
    incident = _attested(stage, step)
    lead, peers = stage.registered()
    if step.gatekeeper is not None:
        peers = tuple(peer for peer in peers if peer in step.gatekeeper)
    stage.wish_all([(p, messages.Vouch(stage.next_wish(), incident)) for p in peers])
    (state,) = stage.wish_all([(lead, messages.Vouch(stage.next_wish(), incident))])
    (identity,) = state.values("IncidentReported", "id")
    amount = komp_text(stage.ledger.incident_amount(identity))
    return f"incident {identity} of {step.worker}, level {step.level}, for {amount}"


def _attested(stage: Stage, step: steps.Incident) -> Attested:
    node = stage.directory.address(step.worker)
    now, genesis = stage.head.timestamp, stage.spec.chain.genesis_timestamp
    start = end = now - step.end  # L6: level 3 has the second of its finding
    if step.level == steps.MALICIOUS:
        earliest = max(stage.ledger.registered_at(step.worker), genesis)
        start = max(end - DEFAULT_SECONDS, earliest) if step.begin is None else now - step.begin
    if min(start, end) < genesis:
        raise UsageError(
            f"no incident of {step.worker} lies before genesis",
            hint=f"at most {duration_text(now - genesis)} ago",
        )
    evidence = step.evidence or f"level {step.level}:{step.worker}:{start}:{end}"
    return Attested(step.worker, node, step.level, start, end, keccak(evidence.encode()))


@performs(steps.Appeal)
def appeal(stage: Stage, step: steps.Appeal) -> str:
    """By the owner (a pool's operator), or by the payer that was named."""
    identity = _identity(stage, step)
    workers = {worker.name for worker in stage.spec.workers}
    if step.payer is None:
        account = stage.ledger.appellant_of(stage.ledger.incident_worker(identity))
    else:
        account = stage.owner_of(step.payer) if step.payer in workers else step.payer
    stage.ask(account, SLASHING, "appeal", identity)
    return f"incident {identity}, bond {komp_text(stage.ledger.bond(identity))} of {account}"


@performs(steps.Rule)
def rule(stage: Stage, step: steps.Rule) -> str:
    """By the account of the arbiter that the network began with."""
    identity = _identity(stage, step)
    stage.ask(ARBITER, SLASHING, "rule", identity, step.upheld)
    return f"incident {identity} {'upheld' if step.upheld else 'overturned'}"


@performs(steps.Execute)
def execute(stage: Stage, step: steps.Execute) -> str:
    """Anyone may; here the lead gatekeeper does."""
    identity = _identity(stage, step)
    stage.ask(stage.scheduler.lead(), SLASHING, "execute", identity)
    return f"incident {identity}: {komp_text(stage.ledger.incident_amount(identity))}"


def _identity(stage: Stage, step: steps.Appeal | steps.Rule | steps.Execute) -> int:
    if step.incident is not None:
        return step.incident
    assert step.worker is not None
    found = stage.ledger.last_pending_incident(step.worker)
    if found is None:
        raise UsageError(
            f"{step.worker} has no pending incident", hint="name one by its number: incident: 1"
        )
    return found
