"""Where a pod goes on `sim`: pure, and the same for the same cluster."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from fractions import Fraction

from cluster.interface import Capacity


@dataclass(frozen=True, slots=True)
class Place:
    """A ready node as the scheduler sees it: what it has, what is taken, its pods by workload."""

    node: str
    region: str
    zone: str
    allocatable: Capacity
    requested: Capacity
    workloads: Mapping[str, int]


_HELD = ("milli_cpu", "memory_bytes", "storage_bytes", "sgx_epc_bytes")


def choose(workload: str, requests: Capacity, places: Sequence[Place]) -> str | None:
    """The node for one more pod, or `None` when it fits nowhere.

    Spread by region, then by zone, then by node, then the least requested share, then the name.
    """
    in_region: Counter[str] = Counter()
    in_zone: Counter[str] = Counter()
    for place in places:
        mine = place.workloads.get(workload, 0)
        in_region[place.region] += mine
        in_zone[place.zone] += mine

    def rank(place: Place) -> tuple[int, int, int, Fraction, str]:
        spread = in_region[place.region], in_zone[place.zone], place.workloads.get(workload, 0)
        return *spread, _share(place.requested, place.allocatable), place.node

    fitting = [place for place in places if fits(requests, place)]
    return min(fitting, key=rank).node if fitting else None


def fits(requests: Capacity, place: Place) -> bool:
    """Whether `requests` still has room, in every resource that is held by a pod."""
    return all(
        getattr(place.requested, name) + getattr(requests, name) <= getattr(place.allocatable, name)
        for name in _HELD
        if getattr(requests, name)
    )


def total(capacities: Sequence[Capacity]) -> Capacity:
    """The sum, figure by figure."""
    return Capacity(
        **{
            each.name: sum(getattr(one, each.name) for one in capacities)
            for each in fields(Capacity)
        }
    )


def _share(requested: Capacity, allocatable: Capacity) -> Fraction:
    return max(
        Fraction(requested.milli_cpu, max(1, allocatable.milli_cpu)),
        Fraction(requested.memory_bytes, max(1, allocatable.memory_bytes)),
    )
