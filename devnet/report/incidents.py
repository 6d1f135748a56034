"""Slashing as it happened: who was reported for what, and what it cost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from devnet.report.events import Told


@dataclass(frozen=True, slots=True)
class Incident:
    """Times in seconds; `amount` wei and `executed_at` None until it was executed (L6).

    `bond` is what an appeal took, wei, None without one; `overturned_at` None unless it was.
    """

    id: int
    node: str
    level: int
    start: int
    end: int
    reported_at: int
    executed_at: int | None = None
    amount: int | None = None
    bond: int | None = None
    overturned_at: int | None = None

    @property
    def has_interval(self) -> bool:
        """Level 3 has none (L6)."""
        return self.end > self.start


def read_incidents(events: Iterable[Told]) -> tuple[Incident, ...]:
    """Every reported incident, in order of its report."""
    found: dict[int, Incident] = {}
    for event in events:
        number = event.number
        if event.name == "IncidentReported":
            found[number["id"]] = Incident(
                number["id"],
                event.text["node"],
                number["level"],
                number["from"],
                number["to"],
                event.timestamp,
            )
        elif number.get("id") in found:
            found[number["id"]] = _after(found[number["id"]], event)
    return tuple(found.values())


def _after(incident: Incident, event: Told) -> Incident:
    match event.name:
        case "Appealed":
            return replace(incident, bond=event.number["bond"])
        case "IncidentExecuted":
            executed = event.number["amount"]
            return replace(incident, executed_at=event.timestamp, amount=executed)
        case "IncidentOverturned":
            return replace(incident, overturned_at=event.timestamp, amount=0)
        case _:
            return incident
