"""Carries out the steps of governance: what is voted, queued, executed and vetoed (G2, R5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devnet.actors import messages
from devnet.actors.attestations import QueuedCall
from devnet.actors.operations import Send
from devnet.actors.view import GUARDIAN, TREASURY
from devnet.base import UsageError
from devnet.chain import keccak
from devnet.protocol.codec import Parameter
from devnet.spec import governing as steps
from devnet.spec.units import komp_text
from devnet.steps.sending import arguments_of

if TYPE_CHECKING:
    from devnet.runs.session import Session

QUEUE = "ExecutionQueue"
DATA = Parameter("data", "bytes")


def proposal_id(name: str) -> bytes:
    """A proposal's id on chain."""
    return keccak(name.encode())


def govern(session: Session, step: steps.Govern) -> str:
    """Every gatekeeper learns the tally; the lead proposes, a CRITICAL quorum signs."""
    arguments = arguments_of(session)
    calls = tuple(
        QueuedCall(
            session.contracts.address(call.to),
            arguments.value(DATA, {"call": call.model_dump()}, f"calls[{place}]"),
        )
        for place, call in enumerate(step.calls)
    )
    proposal = proposal_id(step.proposal)
    lead, peers = session.registered()
    for names in (peers, (lead,)):  # the lead's refusal is the step's: its peers only sign
        wishes = [(name, messages.Govern(session.next_wish(), proposal, calls)) for name in names]
        session.wish_all(wishes)
    session.proposals[step.proposal] = calls
    return f"{step.proposal} queued, {_done(step)}"


def remove_gatekeeper(session: Session, step: steps.RemoveGatekeeper) -> str:
    """The guardian queues one change of the registry."""
    removed = tuple(session.directory.address(name) for name in step.gatekeeper)
    left = session.ledger.gatekeepers() - len(removed)
    quorum = step.perf_quorum or left // 2 + 1  # R4
    _send(session, GUARDIAN, "queueRemoval", proposal_id(step.proposal), removed, quorum)
    change = session.contracts.encode("Gatekeepers", "change", (), removed, quorum)
    session.proposals[step.proposal] = (QueuedCall(change.to, change.data),)
    return f"{step.proposal} queued: without {', '.join(step.gatekeeper)}, k = {quorum} of {left}"


def enact(session: Session, step: steps.Enact) -> str:
    """The treasury executes: anyone may."""
    if step.proposal not in session.proposals:
        known = ", ".join(session.proposals) or "none was queued yet"
        raise UsageError(f"no proposal named '{step.proposal}'", hint=f"known: {known}")
    calls = session.proposals[step.proposal]
    _send(session, TREASURY, "execute", proposal_id(step.proposal), calls)
    return f"{step.proposal} executed"


def veto(session: Session, step: steps.Veto) -> str:
    _send(session, GUARDIAN, "veto", proposal_id(step.proposal))
    return f"{step.proposal} vetoed"


def release(session: Session, step: steps.Release) -> str:
    """The treasury releases: anyone may."""
    before = session.ledger.released()
    wish = session.next_wish()
    session.send(Send(TREASURY, "IncentiveVault", "release", (), wish))
    return f"{komp_text(session.ledger.released() - before)} released"


def _send(session: Session, account: str, function: str, *args: object) -> None:
    session.send(Send(account, QUEUE, function, args, session.next_wish()))


def _done(step: steps.Govern) -> str:
    return ", ".join(f"{call.to}.{call.function}" for call in step.calls)
