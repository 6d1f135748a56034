"""Prices and utilization over time: what was stored (O2) and what followed from it (O3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from devnet.report.amounts import WAD
from devnet.report.events import Told
from devnet.spec.feeds import FEED_PREFIX, UTILIZATION_FEED

# IPricing.Resource, in order.
RESOURCES: Final = (
    "vcpu_hour",
    "gib_hour",
    "storage_gib_month",
    "egress_gib",
    "function_gib_second",
    "million_requests",
)


@dataclass(frozen=True, slots=True)
class Point:
    """USD at 1e18; `utilization` at 1e18, None while there is no fresh answer (which counts 1)."""

    timestamp: int
    median: int
    utilization: int | None

    @property
    def price(self) -> int:
        return dynamic_price(self.median, WAD if self.utilization is None else self.utilization)


@dataclass(frozen=True, slots=True)
class Prices:
    """Per resource a point at each change; `vendors` the last answer by vendor, USD at 1e18."""

    points: Mapping[str, tuple[Point, ...]]
    vendors: Mapping[str, Mapping[str, int]]


def dynamic_price(median: int, utilization: int) -> int:
    """O3: (0.75 + 0.20 u²) · median, u clamped to [0, 1e18]."""
    u = min(max(utilization, 0), WAD)
    return median * (75 * 10**16 + 20 * u * u // 10**20) // WAD


def read_prices(
    events: Iterable[Told], utilization_heartbeat: int | None, end: int | None = None
) -> Prices:
    """Up to the moment `end`. Where the heartbeat (seconds) is not known, answers stay fresh."""
    track = _Track(utilization_heartbeat)
    vendors: dict[str, dict[str, int]] = {}
    for event in events:
        if event.name == "PriceStored":
            track.stored(
                event.timestamp, _resource(event.number["resource"]), event.number["price"]
            )
        elif event.name == "AnswerUpdated" and event.contract == UTILIZATION_FEED:
            track.answered(event.timestamp, event.number["current"], event.number["updatedAt"])
        elif event.name == "AnswerUpdated":
            vendor, _, name = event.contract.removeprefix(FEED_PREFIX).partition(":")
            if name:
                vendors.setdefault(name, {})[vendor] = event.number["current"]
    if end is not None:
        track.passed(end)
    return Prices({name: tuple(points) for name, points in track.points.items()}, vendors)


class _Track:
    """The state of medians and utilization while the events pass by."""

    def __init__(self, heartbeat: int | None) -> None:
        self.points: dict[str, list[Point]] = {}
        self._heartbeat = heartbeat
        self._utilization: int | None = None
        self._stale_at: int | None = None

    def stored(self, timestamp: int, resource: str, median: int) -> None:
        self._age(timestamp)
        self.points.setdefault(resource, []).append(Point(timestamp, median, self._utilization))

    def answered(self, timestamp: int, utilization: int, updated_at: int) -> None:
        self._age(timestamp)
        self._utilization = utilization
        self._stale_at = None if self._heartbeat is None else updated_at + self._heartbeat + 1
        self._everywhere(timestamp)

    def passed(self, timestamp: int) -> None:
        """Nothing more was told until then."""
        self._age(timestamp)
        self._everywhere(timestamp)

    def _age(self, timestamp: int) -> None:
        if self._stale_at is not None and timestamp >= self._stale_at:
            self._utilization = None
            self._everywhere(self._stale_at)
            self._stale_at = None

    def _everywhere(self, timestamp: int) -> None:
        for points in self.points.values():
            points.append(Point(timestamp, points[-1].median, self._utilization))


def _resource(place: int) -> str:
    return RESOURCES[place] if 0 <= place < len(RESOURCES) else f"resource {place}"
