"""A hardware profile: what a node of that kind has, read from the YAML file of its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from functools import cache
from pathlib import Path

from cluster.errors import ClusterError
from cluster.interface import Capacity
from cluster.profiles.quantity import milli, whole

_FOLDER = Path(__file__).parent
_FIELDS = {
    "cpu": "milli_cpu",
    "memory": "memory_bytes",
    "storage": "storage_bytes",
    "disk_write": "disk_write_bytes_per_second",
    "network": "network_bits_per_second",
    "sgx_epc": "sgx_epc_bytes",
}
_OPTIONAL = {"sgx_epc"}


class UnknownProfile(ClusterError):
    """No profile of that name."""


class BadProfile(ClusterError):
    """A profile file that cannot be used; lists every fault of it."""


@dataclass(frozen=True, slots=True)
class Profile:
    """`capacity` is the unscaled machine's; `sgx` says whether it can prove an enclave."""

    name: str
    description: str
    capacity: Capacity

    @property
    def sgx(self) -> bool:
        return self.capacity.sgx_epc_bytes > 0


def profile_names() -> tuple[str, ...]:
    """Names of the profiles that come with the project, sorted."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.yaml")))


@cache
def load_profile(name: str) -> Profile:
    """The profile of that name, whose file is read once: hundreds of guests have theirs checked
    three times each. Raises `UnknownProfile` with the nearest name.
    """
    names = profile_names()
    if name not in names:
        near = get_close_matches(name, names, n=1)
        guess = f", did you mean {near[0]!r}?" if near else ""
        raise UnknownProfile(f"no profile {name!r}{guess}", hint=f"profiles: {', '.join(names)}")
    return read_profile(_FOLDER / f"{name}.yaml")


def read_profile(path: Path) -> Profile:
    """The profile in a YAML file, named by the file; raises `BadProfile` with all its faults."""
    import yaml  # not at the top: names alone must not cost a YAML parser

    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise BadProfile(f"{path}: {error}") from error
    if not isinstance(document, dict):
        raise BadProfile(f"{path}: not a mapping of {', '.join(_FIELDS)}")
    values, faults = _check(document)
    if faults:
        raise BadProfile("\n".join(f"{path}: {fault}" for fault in faults))
    description = str(document.get("description", ""))
    return Profile(path.stem, description, Capacity(**values))


def _check(document: Mapping[object, object]) -> tuple[dict[str, int], list[str]]:
    values: dict[str, int] = {}
    faults: list[str] = []
    for key in document:
        if key not in _FIELDS and key != "description":
            near = get_close_matches(str(key), _FIELDS, n=1)
            faults.append(
                f"unknown field {key!r}" + (f", did you mean {near[0]!r}?" if near else "")
            )
    for key, field in _FIELDS.items():
        text = document.get(key)
        if text is None:
            if key not in _OPTIONAL:
                faults.append(f"{key} is missing")
            continue
        try:
            values[field] = (milli if key == "cpu" else whole)(str(text))
        except ValueError as error:
            faults.append(f"{key}: {error}")
            continue
        if values[field] <= 0:
            faults.append(f"{key} must be above 0")
    return values, faults


def scaled(profile: Profile | Capacity, scale: Fraction) -> Capacity:
    """The capacity at `scale` (0 < scale <= 1), every figure rounded down, none below 1.

    What the profile lacks (no EPC) stays 0. The reference machine goes through the same
    function, so that ratios stay true.
    """
    if not 0 < scale <= 1:
        raise ValueError(f"scale {scale} is not above 0 and at most 1")
    whole_machine = profile.capacity if isinstance(profile, Profile) else profile
    return Capacity(
        **{
            field: max(1, value * scale.numerator // scale.denominator) if value else 0
            for field in _FIELDS.values()
            for value in (getattr(whole_machine, field),)
        }
    )


REFERENCE_MACHINE = Capacity(
    milli_cpu=2000,
    memory_bytes=8 << 30,
    storage_bytes=220 * 10**9,
    disk_write_bytes_per_second=180 * 10**6,
    network_bits_per_second=25 * 10**6,
)
"""The machine that scores 1.0: the profile `standard` (a test holds them together)."""
