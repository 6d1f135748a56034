"""The steps of governance and of the incentive vault."""

from __future__ import annotations

from pydantic import Field

from devnet.spec.arguments import CallData
from devnet.spec.fields import Name, Positive
from devnet.spec.registry import Step, step
from devnet.spec.subjects import GatekeeperNames


class _OfProposal(Step):
    """A step about one proposal; its id is the hash of its name."""

    proposal: Name


@step("govern")
class Govern(_OfProposal):
    """Let the gatekeepers attest that a proposal has passed, and queue its calls (G2)."""

    calls: tuple[CallData, ...] = Field(min_length=1, description="what governance may call (R5)")


@step("enact")
class Enact(_OfProposal):
    """Execute a queued proposal once its timelock is over; anyone may (G2)."""


@step("veto")
class Veto(_OfProposal):
    """Let the guardian stop a queued proposal for ever (G2)."""


@step("remove_gatekeeper")
class RemoveGatekeeper(_OfProposal):
    """Let the guardian queue the removal of gatekeepers, who would attest no such tally (G2)."""

    gatekeeper: GatekeeperNames
    perf_quorum: Positive | None = Field(
        default=None, description="k of those who stay; absent: the smallest above half (R4)"
    )


@step("release")
class Release(Step):
    """Add what is due of the incentive vault to the current cycle's reward; anyone may (I1)."""
