"""Slashing as it happened: who was reported for what, and what it cost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from devnet.runs.report.events import Told


@dataclass(frozen=True, slots=True)
class Incident:
    """Times in seconds; `amount` wei and `executed_at` None until it was executed (L6)."""

    id: int
    node: str
    level: int
    start: int
    end: int
    reported_at: int
    executed_at: int | None = None
    amount: int | None = None


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
        elif event.name == "IncidentExecuted" and number["id"] in found:
            found[number["id"]] = replace(
                found[number["id"]], executed_at=event.timestamp, amount=number["amount"]
            )
    return tuple(found.values())
