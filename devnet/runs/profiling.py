"""Hardware profiles beside what their nodes prove: claimed and measured."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from typing import Any

from cluster.interface import Capacity, Cluster, Measurement
from cluster.perftest import Trial, try_quota, verify
from cluster.profiles import REFERENCE_MACHINE, Profile, profile_names, scaled
from cluster.scores import MEMORY_RATE_PER_MILLI_CPU, profile_measurement, scores
from devnet.base import MachineLacks
from devnet.spec.network import NetworkSpec, Worker

BASELINE = "standard"  # whose C1 the others' is a multiple of: cores differ, their ratio does not
TOLERANCE = Fraction(1, 10)
FACTORS = ("C1", "C2", "C3", "B")
ONE = 10**6


@dataclass(frozen=True, slots=True)
class Compared:
    """A factor of a profile: the median of what was measured beside what it claims, at 1e6 = 1.0.

    C1 is a multiple of the reference's, measured in the same round.
    """

    profile: str
    factor: str
    claimed: int
    measured: int

    @property
    def over(self) -> Fraction:
        """Measured over claimed."""
        return Fraction(self.measured, self.claimed)

    @property
    def holds(self) -> bool:
        return abs(self.over - 1) <= TOLERANCE


@dataclass(frozen=True, slots=True)
class Profiling:
    """All profiles of a network beside what `rounds` of measurements gave, one node at a time."""

    cluster: str
    scale: Fraction
    rounds: int
    trial: Trial
    core_steps_per_second: int
    compared: tuple[Compared, ...]

    @property
    def broken(self) -> tuple[Compared, ...]:
        """Those that do not hold."""
        return tuple(each for each in self.compared if not each.holds)

    def to_json(self) -> dict[str, Any]:
        profiles: dict[str, dict[str, Any]] = {}
        for each in self.compared:
            profiles.setdefault(each.profile, {})[each.factor.lower()] = {
                "claimed": each.claimed / ONE,
                "measured": each.measured / ONE,
                "over": float(each.over),
                "holds": each.holds,
            }
        return {
            "cluster": self.cluster,
            "scale": str(self.scale),
            "rounds": self.rounds,
            "tolerance": float(TOLERANCE),
            "trial": asdict(self.trial),
            "core_steps_per_second": self.core_steps_per_second,
            "profiles": profiles,
            "ok": not self.broken,
        }


def profiles_of(spec: NetworkSpec | None) -> tuple[Profile, ...]:
    """Those that come with the project and the network's own, by their names."""
    from cluster.profiles import load_profile

    if spec is None:
        return tuple(map(load_profile, profile_names()))
    names = {*profile_names(), *(own.name for own in spec.profiles)}
    return tuple(spec.profile(name) for name in sorted(names))


def one_of_each(spec: NetworkSpec) -> NetworkSpec:
    """The network with a worker of every profile, named by it, in the place of its own."""
    workers = tuple(Worker(name=p.name, profile=p.name) for p in profiles_of(spec))
    return spec.model_copy(update={"workers": workers})


def measure_profiles(
    cluster: Cluster, spec: NetworkSpec, rounds: int, say: Callable[[str], None]
) -> Profiling:
    """Measure each node of `one_of_each` in turn, round after round.

    Raises `MachineLacks` where nothing holds nodes to their quotas, `cluster.errors.JobFailed`
    where a node has no result.
    """
    capacities = {p.name: scaled(p, spec.scale) for p in profiles_of(spec)}
    trial = _tried(cluster, capacities)
    say(f"{trial}: held" if trial.telling else f"{trial}, more than the machine has")
    measured: dict[str, list[Measurement]] = {name: [] for name in capacities}
    for number in range(1, rounds + 1):
        for name, capacity in capacities.items():
            found = cluster.measure(name, secrets.token_bytes(32))
            verify(found, capacity, allow_modelled=False)
            measured[name].append(found)
        told = ", ".join(
            f"{name} {found[-1].cpu_steps_per_second / 1e6:.3f}" for name, found in measured.items()
        )
        say(f"round {number} of {rounds}, million links a second: {told}")
    core = [
        each.cpu_steps_per_second * 1000 // capacities[BASELINE].milli_cpu
        for each in measured[BASELINE]
    ]
    return Profiling(
        cluster.name,
        spec.scale,
        rounds,
        trial,
        median(core),
        compare(capacities, measured, scaled(REFERENCE_MACHINE, spec.scale)),
    )


def _tried(cluster: Cluster, capacities: Mapping[str, Capacity]) -> Trial:
    least = min(capacities, key=lambda name: capacities[name].milli_cpu)
    trial = try_quota(cluster.run_job, least, capacities[least])
    if not trial.held:
        raise MachineLacks(
            f"nothing holds a node to its profile here: {trial}",
            hint="devnet doctor says which control groups this machine allows",
        )
    return trial


def compare(
    capacities: Mapping[str, Capacity],
    measured: Mapping[str, Sequence[Measurement]],
    reference: Capacity,
) -> tuple[Compared, ...]:
    """Profile by profile, factor by factor; `measured` has the same rounds of each."""
    of_reference = [each.cpu_steps_per_second for each in measured[BASELINE]]
    found: list[Compared] = []
    for name, capacity in capacities.items():
        ratios = [
            each.cpu_steps_per_second * ONE // max(1, other)
            for each, other in zip(measured[name], of_reference, strict=True)
        ]
        claimed = capacity.milli_cpu * ONE // capacities[BASELINE].milli_cpu
        found.append(Compared(name, "C1", claimed, median(ratios)))
        own = scores(_claim(name, capacity, reference), reference)
        proven = [scores(each, reference) for each in measured[name]]
        for factor in FACTORS[1:]:
            values = [getattr(each, factor.lower()) for each in proven]
            found.append(Compared(name, factor, getattr(own, factor.lower()), median(values)))
    return tuple(found)


def _claim(name: str, capacity: Capacity, reference: Capacity) -> Measurement:
    """The profile's own figures; how fast a share of a core fills memory is the core's."""
    rate = reference.milli_cpu * MEMORY_RATE_PER_MILLI_CPU
    return replace(profile_measurement(name, capacity, b""), memory_bytes_per_second=rate)


def median(values: Sequence[int]) -> int:
    """The middle one, of an even number the lower of the two."""
    return sorted(values)[(len(values) - 1) // 2]
