"""The steps of governance and of the incentive vault."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from devnet.spec.arguments import CallData
from devnet.spec.feeds import FEED_PREFIX
from devnet.spec.fields import Name
from devnet.spec.registry import Step, step
from devnet.spec.subjects import GatekeeperNames, known_of, require_vault
from devnet.spec.units import UnitError

ANY_FEED = f"{FEED_PREFIX}…"  # O7
# R5: all that governance may call.
GOVERNED = (
    "Gatekeepers.change",
    "Gatekeepers.remove",
    "Rewards.setMaxV",
    "Pricing.setContingency",
    f"{ANY_FEED}.setConfig",
    "Slashing.setArbiter",
    "ExecutionQueue.setGuardian",
)


class _OfProposal(Step):
    """A step about one proposal; its id is the hash of its name."""

    proposal: Name


def _governed(call: CallData) -> CallData:
    """A pool is open to anyone, and so to the queue (S7)."""
    to = ANY_FEED if call.to.startswith(FEED_PREFIX) else call.to
    if f"{to}.{call.function}" not in GOVERNED and not call.to.startswith("Pool:"):
        what = "governance may not call that (R5)"
        raise UnitError(what, f"{call.to}.{call.function}", f"known: {', '.join(GOVERNED)}")
    return call


@step("govern", "proposal")
class Govern(_OfProposal):
    """Let the gatekeepers attest that a proposal has passed, and queue its calls (G2)."""

    calls: tuple[Annotated[CallData, AfterValidator(_governed)], ...] = Field(
        min_length=1, description="what governance may call (R5)"
    )


@step("enact", "proposal")
class Enact(_OfProposal):
    """Execute a queued proposal once its timelock is over; anyone may (G2)."""


@step("veto", "proposal")
class Veto(_OfProposal):
    """Let the guardian stop a queued proposal for ever (G2)."""


def _leaving_a_host(names: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
    network = known_of(info).network
    if network is not None and network.control_plane_hosts[0] in names:
        what = "it hosts the control plane: without it nobody proposes anything any more"
        raise UnitError(what, network.control_plane_hosts[0], "remove another")
    return names


@step("remove_gatekeeper", "proposal", "gatekeeper")
class RemoveGatekeeper(_OfProposal):
    """Let the guardian queue the removal of gatekeepers, who would attest no such tally (G2)."""

    gatekeeper: Annotated[GatekeeperNames, AfterValidator(_leaving_a_host)] = Field(
        description="but for the one that hosts the control plane, who proposes everything"
    )


@step("release")
class Release(Step):
    """Add what is due of the incentive vault to the current cycle's reward; anyone may (I1)."""

    @model_validator(mode="after")
    def _of_a_vault(self, info: ValidationInfo) -> Self:
        require_vault(info)
        return self
