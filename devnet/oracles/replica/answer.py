"""What a replica answers, and JSON text whose numbers are exact decimals."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from devnet.oracles.prices import Resource

Prices = Mapping[Resource, Decimal]

# When the replicas say their prices took effect: fixed, so that documents are reproducible.
EFFECTIVE = "2026-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: its path, its query, and the replica's own address, for links to further pages."""

    path: str
    query: Mapping[str, str]
    base_url: str


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: str


def found(document: object) -> Answer:
    return Answer(200, to_json(document))


def refused(status: int, message: str) -> Answer:
    return Answer(status, to_json({"error": {"code": status, "message": message}}))


def to_json(value: object) -> str:
    """JSON text; a `Decimal` becomes a number with all its digits, never a float."""
    match value:
        case Decimal():
            return f"{value:f}"
        case Mapping():
            pairs = (f"{json.dumps(str(key))}: {to_json(item)}" for key, item in value.items())
            return "{" + ", ".join(pairs) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(to_json, value)) + "]"
        case _:
            return json.dumps(value)


def cheaper(price: Decimal, percent: int, step: Decimal) -> Decimal:
    """A later tier's price: that many percent of the first, in whole steps."""
    steps = (price * percent / 100 / step).to_integral_value(ROUND_DOWN)
    return steps * step
