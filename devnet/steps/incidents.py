"""Carries out the steps of incidents: gatekeepers vouch and report, owner and arbiter send (L6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devnet.actors import messages
from devnet.actors.attestations import Incident as Attested
from devnet.actors.operations import Send
from devnet.actors.view import ARBITER
from devnet.base import UsageError
from devnet.chain.keccak import keccak
from devnet.spec import incidents as steps
from devnet.spec.units import duration_text, komp_text

if TYPE_CHECKING:
    from devnet.runs.session import Session

DEFAULT_SECONDS = 86_400


def report(session: Session, step: steps.Incident) -> str:
    """Every gatekeeper vouches for the incident, so that the lead gets its quorum."""
    incident = _attested(session, step)
    lead, peers = session.registered()
    session.wish_all([(p, messages.Vouch(session.next_wish(), incident)) for p in peers])
    session.wish_all([(lead, messages.Vouch(session.next_wish(), incident))])
    identity = session.ledger.incident_count()
    amount = komp_text(session.ledger.incident_amount(identity))
    return f"incident {identity} of {step.worker}, level {step.level}, for {amount}"


def _attested(session: Session, step: steps.Incident) -> Attested:
    node = session.directory.address(step.worker)
    start, end = 0, 0
    if step.level == steps.MALICIOUS:
        now, genesis = session.head.timestamp, session.spec.chain.genesis_timestamp
        earliest = max(session.ledger.registered_at(step.worker), genesis)
        end = now - step.end
        if step.begin is None:
            start = max(end - DEFAULT_SECONDS, earliest)
        else:
            start = now - step.begin
        if min(start, end) < genesis:
            raise UsageError(
                f"no incident of {step.worker} lies before genesis",
                hint=f"at most {duration_text(now - genesis)} ago",
            )
    evidence = step.evidence or f"level {step.level}:{step.worker}:{start}:{end}"
    return Attested(step.worker, node, step.level, start, end, keccak(evidence.encode()))


def appeal(session: Session, step: steps.Appeal) -> str:
    """By the owner (a pool's operator), or by the payer that was named."""
    identity = _identity(session, step)
    workers = {worker.name for worker in session.spec.workers}
    if step.payer is None:
        account = session.ledger.appellant_of(session.ledger.incident_worker(identity))
    else:
        account = session.owner_of(step.payer) if step.payer in workers else step.payer
    _send(session, account, "appeal", identity)
    return f"incident {identity}, bond {komp_text(session.ledger.bond(identity))} of {account}"


def rule(session: Session, step: steps.Rule) -> str:
    """By the account of the arbiter that the network began with."""
    identity = _identity(session, step)
    _send(session, ARBITER, "rule", identity, step.upheld)
    return f"incident {identity} {'upheld' if step.upheld else 'overturned'}"


def execute(session: Session, step: steps.Execute) -> str:
    """Anyone may; here the lead gatekeeper does."""
    identity = _identity(session, step)
    _send(session, session.directory.lead_gatekeeper(), "execute", identity)
    return f"incident {identity}: {komp_text(session.ledger.incident_amount(identity))}"


def _identity(session: Session, step: steps.Appeal | steps.Rule | steps.Execute) -> int:
    if step.incident is not None:
        return step.incident
    assert step.worker is not None
    found = session.ledger.last_pending_incident(step.worker)
    if found is None:
        raise UsageError(
            f"{step.worker} has no pending incident", hint="name one by its number: incident: 1"
        )
    return found


def _send(session: Session, account: str, function: str, *args: object) -> None:
    session.send(Send(account, "Slashing", function, args, session.next_wish()))
