"""The steps of incidents no machine can see by itself: reported, appealed, ruled on (L2 to L6).

An outage (L1) is no step: gatekeepers see it themselves and report it.
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from devnet.spec.fields import MAX_NUMBER, Positive, Seconds, Text, Truth, at_most, one_of_numbers
from devnet.spec.registry import Step, step
from devnet.spec.subjects import GatekeeperNames, PayerName, WorkerName
from devnet.spec.units import UnitError, duration_text

MALICIOUS, SERIOUS = 2, 3


@step("incident", "worker", "level")
class Incident(Step):
    """Let the gatekeepers report a worker: for malice (level 2) or a security risk (level 3)."""

    worker: WorkerName
    level: Annotated[int, *one_of_numbers("level of an incident", MALICIOUS, SERIOUS)]
    begin: Seconds | None = Field(
        default=None,
        alias="from",
        description="so long ago; level 2, absent: 24h, or since the registration",
    )
    end: Seconds = Field(
        default=0, alias="to", description="so long ago; at level 3 the second of the finding"
    )
    evidence: Text | None = Field(default=None, description="a text; its hash goes on chain")
    gatekeeper: GatekeeperNames | None = Field(
        default=None,
        description="who vouch for it, beside the one that leads and proposes it; absent: all",
    )

    @model_validator(mode="after")
    def _interval(self) -> Self:
        if self.level == SERIOUS and self.begin is not None:
            raise UnitError(
                "an incident of level 3 has a second, 'to', and no interval (L6)", "from"
            )
        if self.begin is not None and self.begin <= self.end:
            what = "'from' must be longer ago than 'to'"
            raise UnitError(what, f"{duration_text(self.begin)}, {duration_text(self.end)}")
        return self


class _OfIncident(Step):
    """A step about one incident: the last pending one of a worker, or one by its number."""

    worker: WorkerName | None = Field(default=None, description="its last pending incident")
    incident: Annotated[Positive, at_most(MAX_NUMBER)] | None = Field(
        default=None, description="its number on chain"
    )

    @model_validator(mode="after")
    def _one_subject(self) -> Self:
        self.exactly_one_of("worker", "incident")
        return self


@step("appeal", "worker")
class Appeal(_OfIncident):
    """Contest an incident with a bond, within its appeal window (L6)."""

    payer: PayerName | None = Field(default=None, description="absent: the worker's owner")


@step("rule", "worker", "upheld")
class Rule(_OfIncident):
    """Let the arbiter uphold or overturn an appealed incident (L6)."""

    upheld: Truth


@step("execute", "worker")
class Execute(_OfIncident):
    """Execute an incident whose window is over; gatekeepers do so by themselves (L6)."""
