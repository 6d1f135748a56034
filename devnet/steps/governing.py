"""Carries out the steps of governance: what is voted, queued, executed and vetoed (G2, R5)."""

from __future__ import annotations

from devnet.actors import messages
from devnet.actors.attestations import QueuedCall
from devnet.actors.view import GUARDIAN, TREASURY
from devnet.base import UsageError
from devnet.chain import keccak
from devnet.protocol.codec import Parameter
from devnet.spec import governing as steps
from devnet.spec.units import komp_text
from devnet.steps.registry import performs
from devnet.steps.sending import arguments_of
from devnet.steps.stage import Stage

QUEUE = "ExecutionQueue"
DATA = Parameter("data", "bytes")
ATTESTED_SECONDS = 7 * 86_400  # that long what gatekeepers attest of a tally may be queued (G2)


def proposal_id(name: str) -> bytes:
    """A proposal's id on chain."""
    return keccak(name.encode())


@performs(steps.Govern)
def govern(stage: Stage, step: steps.Govern) -> str:
    """Every gatekeeper learns the tally; the lead proposes, a CRITICAL quorum signs."""
    arguments = arguments_of(stage)
    calls = tuple(
        QueuedCall(
            stage.contracts.address(call.to),
            arguments.value(DATA, {"call": call.model_dump()}, f"calls[{place}]"),
        )
        for place, call in enumerate(step.calls)
    )
    proposal = proposal_id(step.proposal)
    deadline = stage.head.timestamp + ATTESTED_SECONDS
    lead, peers = stage.registered()
    for names in (peers, (lead,)):  # the lead's refusal is the step's: its peers only sign
        wishes = [
            (name, messages.Govern(stage.next_wish(), proposal, calls, deadline)) for name in names
        ]
        stage.wish_all(wishes)
    stage.proposals[step.proposal] = calls
    return f"{step.proposal} queued, {_done(step)}"


@performs(steps.RemoveGatekeeper)
def remove_gatekeeper(stage: Stage, step: steps.RemoveGatekeeper) -> str:
    """The guardian queues a removal, which leaves k where R4 allows it."""
    removed = tuple(stage.directory.address(name) for name in step.gatekeeper)
    stage.ask(GUARDIAN, QUEUE, "queueRemoval", proposal_id(step.proposal), removed)
    call = stage.contracts.encode("Gatekeepers", "remove", removed)
    stage.proposals[step.proposal] = (QueuedCall(call.to, call.data),)
    return f"{step.proposal} queued: without {', '.join(step.gatekeeper)}"


@performs(steps.Enact)
def enact(stage: Stage, step: steps.Enact) -> str:
    """The treasury executes: anyone may."""
    if step.proposal not in stage.proposals:
        known = ", ".join(stage.proposals) or "none was queued yet"
        raise UsageError(f"no proposal named '{step.proposal}'", hint=f"known: {known}")
    calls = stage.proposals[step.proposal]
    stage.ask(TREASURY, QUEUE, "execute", proposal_id(step.proposal), calls)
    return f"{step.proposal} executed"


@performs(steps.Veto)
def veto(stage: Stage, step: steps.Veto) -> str:
    stage.ask(GUARDIAN, QUEUE, "veto", proposal_id(step.proposal))
    return f"{step.proposal} vetoed"


@performs(steps.Release)
def release(stage: Stage, step: steps.Release) -> str:
    """The treasury releases: anyone may."""
    released = stage.ask(TREASURY, "IncentiveVault", "release").values("Released", "amount")
    return f"{komp_text(sum(released))} released"


def _done(step: steps.Govern) -> str:
    return ", ".join(f"{call.to}.{call.function}" for call in step.calls)
