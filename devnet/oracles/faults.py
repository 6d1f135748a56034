"""What a fault does to a vendor's documents, and to what an oracle node reads of a feed's source.

The kinds are values of one table (`devnet.spec.faults`); those that no effect here is registered
for are played by whoever holds the part.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from cluster.faults import FaultKind
from devnet.oracles.replica import Prices
from devnet.spec.faults import FEED, ORACLE
from devnet.spec.feeds import KOMP_USD_FEED

Published = Callable[[FaultKind, Prices, Prices], Prices | None]
"""(kind, true prices, those when it began) to what the documents say, None for no documents."""

PUBLISHED: dict[str, Published] = {}


def publishes(kind: str) -> Callable[[Published], Published]:
    """Register what a vendor's documents say under that kind of fault."""

    def register(effect: Published) -> Published:
        PUBLISHED[kind] = effect
        return effect

    return register


@publishes("outage")
def _outage(_kind: FaultKind, _true: Prices, _then: Prices) -> None:
    return None


@publishes("stale")
def _stale(_kind: FaultKind, _true: Prices, then: Prices) -> Prices:
    return then


@publishes("zero")
def _zero(_kind: FaultKind, true: Prices, _then: Prices) -> Prices:
    return dict.fromkeys(true, Decimal(0))


@publishes("negative")
def _negative(_kind: FaultKind, true: Prices, _then: Prices) -> Prices:
    return {resource: -price for resource, price in true.items()}


@publishes("wrong_decimals")
def _wrong_decimals(kind: FaultKind, true: Prices, _then: Prices) -> Prices:
    return {resource: price * kind.parameters["factor"] for resource, price in true.items()}


@dataclass(frozen=True, slots=True)
class Reading:
    """`seen` at a feed's source, in the feed's decimals; `turn` counts the readings under it."""

    feed: str
    seen: int
    turn: int


Distortion = Callable[[FaultKind, Reading], int]
DISTORTIONS: dict[tuple[str, str], Distortion] = {}


def distorts(subject: str, kind: str) -> Callable[[Distortion], Distortion]:
    """Register what becomes of a reading under that kind of fault of a feed or of a node."""

    def register(effect: Distortion) -> Distortion:
        DISTORTIONS[(subject, kind)] = effect
        return effect

    return register


@distorts(ORACLE, "outlier")
def _outlier(kind: FaultKind, reading: Reading) -> int:
    return reading.seen * kind.parameters["factor"]


@distorts(FEED, "zero")
def _nothing(_kind: FaultKind, _reading: Reading) -> int:
    return 0


@distorts(FEED, "negative")
def _below_zero(_kind: FaultKind, reading: Reading) -> int:
    return -reading.seen


@distorts(FEED, "flapping")
def _flapping(kind: FaultKind, reading: Reading) -> int:
    return reading.seen * kind.parameters["factor"] if reading.turn % 2 else reading.seen


@distorts(FEED, "wrong_decimals")
def _other_decimals(kind: FaultKind, reading: Reading) -> int:
    unit = kind.parameters["unit"]
    return reading.seen * unit if reading.feed == KOMP_USD_FEED else reading.seen // unit
