"""A scenario file: a network, a seed and steps in the protocol's own verbs."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field

from devnet.spec import expectation as _expectation  # noqa: F401  registers 'expect'
from devnet.spec import faults as _faults  # noqa: F401  registers the verbs
from devnet.spec import governing as _governing  # noqa: F401  registers those of governance
from devnet.spec import incidents as _incidents  # noqa: F401  registers those of incidents
from devnet.spec import pools as _pools  # noqa: F401  registers the verbs of pools
from devnet.spec import steps as _steps  # noqa: F401  registers the verbs
from devnet.spec.attack import Attack, attack_mapping
from devnet.spec.document import Document, Fault, SpecError, document_of, read_document
from devnet.spec.fields import Seed, SpecModel, Text, Version
from devnet.spec.loading import known_profiles, load_network, with_overrides
from devnet.spec.network import NetworkSpec, Profiles
from devnet.spec.registry import STEPS, Step
from devnet.spec.sending import Send, Together  # registers 'send' and 'together'
from devnet.spec.subjects import Known
from devnet.spec.units import did_you_mean
from devnet.spec.validation import validated

MAX_STEPS = 10_000
_PARTS = ("attack", "steps")  # read once the network is known, since they name its parts


class ScenarioHead(SpecModel):
    """A scenario without its steps."""

    version: Version = 1
    name: Text
    network: Text = Field(description="path of the network file, relative to this one")
    seed: Seed = Field(default=0, description="everything random on `sim` follows from it")


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario whose names and values all fit its network."""

    version: int
    name: str
    path: Path
    network: NetworkSpec
    network_path: Path
    seed: int
    steps: tuple[Step, ...]
    attack: Attack | None = None


def load_scenario(
    path: Path,
    overrides: Mapping[str, str] | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    profiles: Profiles = known_profiles,
) -> Scenario:
    """The scenario of a file and its network; raises `SpecError` with every fault of both.

    Overrides of `seed`, `network` and `steps` are the scenario's, all others its network's.
    """
    document = with_overrides(read_document(path), overrides, environment, of_scenario=True)
    if not isinstance(document.tree, dict):
        raise SpecError([*document.faults, document.fault((), "must be a mapping")])
    tree = {key: value for key, value in document.tree.items() if key not in _PARTS}
    head, faults = validated(replace(document, tree=tree), ScenarioHead)
    network, network_path, network_faults = None, path, list[Fault]()
    # Read even where the head has faults: the steps name its parts.
    named = head.network if head is not None else tree.get("network")
    if isinstance(named, str):
        network_path = Path(os.path.normpath(path.parent / named))
        try:
            network = load_network(
                network_path,
                overrides,
                environment=environment,
                profiles=profiles,
                of_scenario=True,
            )
        except SpecError as error:
            network_faults = list(error.faults)
    if network_faults and not network_path.is_file():
        message = f"no such file; seen '{named}'"
        faults.append(document.fault(("network",), message, network_faults[0].hint))
        network_faults = []
    steps, step_faults = _read_steps(document, Known(network, frozenset()))
    attack, attack_faults = _read_attack(document, Known(network, frozenset()))
    faults = sorted([*faults, *step_faults, *attack_faults], key=lambda fault: fault.line)
    if head is None or network is None or faults or network_faults:
        raise SpecError([*faults, *network_faults])
    return Scenario(head.version, head.name, path, network, network_path, head.seed, steps, attack)


def step_from_mapping(
    verb: str, mapping: Mapping[str, Any], network: NetworkSpec | None = None
) -> Step:
    """One step by its verb, as the CLI and the daemon give it.

    Values are texts (or JSON's own integers, booleans, lists). Raises `SpecError` with every
    fault, at paths such as `stake.worker`.
    """
    if verb not in STEPS:
        raise SpecError([Fault("command", 0, verb, *_unknown_verb(verb))])
    listed = STEPS[verb].listed
    given = mapping[listed] if list(mapping) == [listed] else dict(mapping)
    found, faults = _step(document_of(given, "command", (verb,)), verb, Known(network))
    if faults or found is None:
        raise SpecError(faults)
    return found


def step_mapping(step: Step) -> dict[str, Any]:
    """The step as a file writes it: `{"stake": {"worker": [...]}}`; reads back as itself.

    The values of a `together` are a list.
    """
    values = step.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return {step.verb: values[step.listed] if step.listed else values}


def scenario_yaml(scenario: Scenario, network: str) -> str:
    """The scenario with every name spelled out, for a network file at `network`."""
    head: dict[str, Any] = {"version": 1}
    head |= {"name": scenario.name, "network": network, "seed": scenario.seed}
    if scenario.attack is not None:
        head["attack"] = attack_mapping(scenario.attack)
    steps = [step_mapping(step) for step in scenario.steps]
    return yaml.safe_dump(head | {"steps": steps}, sort_keys=False, allow_unicode=True, width=100)


def _read_attack(document: Document, known: Known) -> tuple[Attack | None, list[Fault]]:
    if document.tree.get("attack") is None:
        return None, []
    return validated(document.at(("attack",)), Attack, context=known)


def _read_steps(document: Document, known: Known) -> tuple[tuple[Step, ...], list[Fault]]:
    entries = document.tree.get("steps")
    if not isinstance(entries, list) or not entries:
        message = "is missing" if "steps" not in document.tree else "must be a list of steps"
        return (), [document.fault(("steps",), message)]
    if len(entries) > MAX_STEPS:
        return (), [document.fault(("steps",), f"more than {MAX_STEPS} steps")]
    steps: list[Step] = []
    faults: list[Fault] = []
    orders: dict[str, int] = {}
    pools: dict[str, int] = {}
    for index, entry in enumerate(entries):
        loc = ("steps", index)
        if not isinstance(entry, dict) or len(entry) != 1:
            message = "a step is one verb with its values, such as 'claim: {worker: all}'"
            faults.append(document.fault(loc, message))
            continue
        verb = next(iter(entry))
        if verb not in STEPS:
            faults.append(document.fault((*loc, verb), *_unknown_verb(verb)))
            continue
        part = document.at((*loc, verb))
        found, step_faults = _step(part, verb, _so_far(known, orders, pools))
        faults += step_faults
        if found is not None:
            steps.append(found)
        if verb == "order":
            faults += _order_name_faults(part, orders)
        elif verb == "pool_create":
            faults += _pool_name_faults(part, pools)
    return tuple(steps), faults


def _step(document: Document, verb: str, known: Known) -> tuple[Step | None, list[Fault]]:
    model = STEPS[verb]
    if model.listed:
        if not isinstance(document.tree, list):
            hint = "for example 'together: [{send: …}, {send: …}]'"
            return None, [document.fault((), f"must be a list of its {model.listed}", hint)]
        document = document.under(model.listed)
    if document.tree is None:
        document = replace(document, tree={})
    found, faults = validated(document, model, context=known)
    if isinstance(found, Together):
        lines = (document.line((model.listed, n, Send.verb)) for n in range(len(found.sends)))
        found = found.with_lines(tuple(lines))
    return (found.placed(document.line()) if found else None), faults


def _order_name_faults(document: Document, orders: dict[str, int]) -> list[Fault]:
    """Two orders of one name cannot be told apart by later steps."""
    values = document.tree if isinstance(document.tree, dict) else {}
    key = "name" if values.get("name") else "service"
    name = values.get(key)
    if not isinstance(name, str):
        return []
    if name in orders:
        message = f"an order of this name was made on line {orders[name]}; seen '{name}'"
        return [document.fault((key,), message, f"for example 'name: {name}-2'")]
    orders[name] = document.line()
    return []


def _pool_name_faults(document: Document, pools: dict[str, int]) -> list[Fault]:
    values = document.tree if isinstance(document.tree, dict) else {}
    name = values.get("pool")
    if not isinstance(name, str) or values.get("expect_error"):
        return []  # one that is refused gets no name
    if name in pools:
        message = f"a pool of this name was created on line {pools[name]}; seen '{name}'"
        return [document.fault(("pool",), message, f"for example 'pool: {name}-2'")]
    pools[name] = document.line()
    return []


def _so_far(known: Known, orders: Collection[str], pools: Collection[str]) -> Known:
    return replace(known, orders=frozenset(orders), pools=frozenset(pools))


def _unknown_verb(verb: str) -> tuple[str, str]:
    return f"unknown verb; seen '{verb}'", did_you_mean(verb, STEPS) or f"known: {', '.join(STEPS)}"
