"""Loading network files: file < environment < `--set`, then every fault at once."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from devnet.spec.document import (
    Document,
    Fault,
    SpecError,
    document_of,
    environment_overrides,
    overridden,
    read_document,
)
from devnet.spec.machines import with_machines
from devnet.spec.network import NetworkSpec, Profiles
from devnet.spec.rules import network_problems
from devnet.spec.validation import Problem, validated

SCENARIO_KEYS = ("seed", "network", "steps")


def known_profiles() -> Collection[str]:
    """The names of the hardware profiles that `cluster` has files for."""
    from cluster.profiles import profile_names

    return profile_names()


def load_network(
    path: Path,
    overrides: Mapping[str, str] | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    profiles: Profiles = known_profiles,
    of_year: bool = False,
    of_scenario: bool = False,
) -> NetworkSpec:
    """The network of a file; raises `SpecError` with every fault of it.

    `overrides` are `--set path=value`; `environment` (the process's own when None) may hold
    `KOMPUTE_SET_CYCLE__BLOCKS=140`. A later source wins: file < environment < overrides.
    Overrides of a scenario's own keys (`seed`, `network`, `steps`) are left to it where the network
    is `of_scenario`, and refused where there is none. `of_year`: what `devnet economics` needs is
    checked as well.
    """
    if not of_scenario and (strange := list(_scenario_keys(overrides, environment))):
        raise SpecError(strange)
    document = with_overrides(read_document(path), overrides, environment, of_scenario=False)
    return network_of(document, path.parent, profiles, of_year=of_year)


def network_from_mapping(
    mapping: Mapping[str, Any], base: Path = Path(), *, profiles: Profiles = known_profiles
) -> NetworkSpec:
    """The network of a mapping in the file's language; raises `SpecError`."""
    return network_of(document_of(dict(mapping), "network"), base, profiles)


def network_of(
    document: Document, base: Path, profiles: Profiles, *, of_year: bool = False
) -> NetworkSpec:
    def rules(spec: NetworkSpec) -> Iterator[Problem]:
        return network_problems(spec, profiles(), of_year=of_year)

    document = with_machines(document, base)
    network, faults = validated(document, NetworkSpec, rules, context=base)
    if faults or network is None:
        raise SpecError(sorted(faults, key=lambda fault: fault.line))
    return network.expanded().placed(base)


def with_overrides(
    document: Document,
    overrides: Mapping[str, str] | None,
    environment: Mapping[str, str] | None,
    *,
    of_scenario: bool,
) -> Document:
    """The document with the overrides that are its own: a scenario's keys, or all others."""
    variables = environment_overrides(os.environ if environment is None else environment)
    for path, (variable, text) in variables.items():
        if _is_scenario_key(path) == of_scenario:
            document = overridden(document, {path: text}, variable)
    own = {p: text for p, text in (overrides or {}).items() if _is_scenario_key(p) == of_scenario}
    return overridden(document, own, "--set")


def resolved_yaml(network: NetworkSpec, *, without: Collection[str] = ()) -> str:
    """The whole configuration with its defaults, in the language of the file, but for some keys."""
    return yaml.safe_dump(
        network.document(without),
        sort_keys=False,
        allow_unicode=True,
        width=100,
    )


def _scenario_keys(
    overrides: Mapping[str, str] | None, environment: Mapping[str, str] | None
) -> Iterator[Fault]:
    """What is set of a scenario, where there is a network only."""
    variables = environment_overrides(os.environ if environment is None else environment)
    told = [(variable, path) for path, (variable, _) in variables.items()]
    for source, path in [*told, *(("--set", path) for path in overrides or ())]:
        if _is_scenario_key(path):
            hint = "--seed gives a seed" if path == "seed" else ""
            yield Fault(source, 0, path, "a key of scenarios, and this is a network", hint)


def _is_scenario_key(path: str) -> bool:
    return path.replace("[", ".").partition(".")[0] in SCENARIO_KEYS
