"""Every number of every file has two ends; what lies beyond is refused by name."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from devnet.spec import STEPS, NetworkSpec, SpecError, load_network
from devnet.spec.attack import Attack
from devnet.spec.expectation import MAX_COUNT, Comparison
from devnet.spec.fields import Bounds
from devnet.spec.scenario import ScenarioHead, load_scenario, step_from_mapping
from devnet.spec.units import MAX_WEI

HUGE = "1" + 41 * "0"
NUMBERS = ["nan", ".nan", "inf", "-inf", "0", "-1", HUGE, "1e41", ""]
UNITS = ["", " KOMP", "s", "d", "Gi", "%", " wei"]
HOSTILE = [f"{number}{unit}" for number in NUMBERS for unit in UNITS] + [f"+{HUGE}%", f"1/{HUGE}"]
CHOICES = {"version", "stake_months", "months", "level"}  # one of a few, which are listed

NETWORK = """\
version: 1
name: town
workers: [{name: worker-1, count: 1}]
clients: [{name: alice}]
gatekeepers: [{name: keeper, control_plane: true}]
incentives: {total: 100 KOMP, cycles: 5}
services:
  - {name: web, kind: virtual_machine, folder: ., command: [serve], storage: 1Gi,
     autoscale: {max: 4, cpu: 50%}}
oracles: {resources: [vcpu_hour, gib_hour, storage_gib_month]}
"""


def leaves(kind: Any, ends: tuple[Bounds, ...] = ()) -> Iterator[tuple[Any, tuple[Bounds, ...]]]:
    """(plain type, its bounds) of an annotation; of a union and a tuple, those of its parts."""
    if get_origin(kind) is Annotated:
        inner, *more = get_args(kind)
        yield from leaves(inner, (*ends, *(m for m in more if isinstance(m, Bounds))))
    elif get_args(kind) and get_origin(kind) is not dict:
        for part in get_args(kind):
            yield from leaves(part, ends)
    elif get_origin(kind) is dict:
        yield from leaves(get_args(kind)[1], ends)
    else:
        yield kind, ends


def fields(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """(path, annotation, field) of everything below a model; `[0]` for the entry of a list."""
    for name, field in model.model_fields.items():
        here = f"{path}{field.alias or name}"
        annotation = Annotated[field.annotation, *field.metadata] if field.metadata else None
        whole = annotation or field.annotation
        for kind, _ in leaves(field.annotation):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                listed = "[0]" if get_origin(field.annotation) is tuple else ""
                yield from fields(kind, f"{here}{listed}.")
                break
        else:
            yield here, whole, field


def is_numeric(annotation: Any) -> bool:
    kinds = {kind for kind, _ in leaves(annotation)}
    return bool(kinds & {int, Fraction, float, Comparison})


MODELS: dict[str, type[BaseModel]] = {
    "network": NetworkSpec,
    "scenario": ScenarioHead,
    "attack": Attack,
    **STEPS,
}
NUMERIC = [
    pytest.param(model, path, annotation, id=f"{kind}.{path}")
    for kind, model in MODELS.items()
    for path, annotation, _ in fields(model)
    if is_numeric(annotation) and path.rpartition(".")[2] not in CHOICES
]


def test_the_walk_finds_the_numbers() -> None:
    found = {str(param.id) for param in NUMERIC}
    assert {
        *("network.chain.block_seconds", "network.cycle.blocks", "network.scale", "network.supply"),
        *("network.services[0].timeout", "network.incentives.total", "network.workers[0].count"),
        *("network.economics.demand.growth", "scenario.seed", "order.deposit", "expect.v"),
        *("incident.from", "advance.time", "price.change", "attack.lost"),
    } <= found
    assert len(found) > 100


@pytest.mark.parametrize(("model", "path", "annotation"), NUMERIC)
def test_a_number_has_two_ends_and_keeps_within_them(
    model: type[BaseModel], path: str, annotation: Any
) -> None:
    least, most = ends_of(annotation)
    reader = TypeAdapter(annotation)
    for text in HOSTILE:
        value = {"alice": text} if path == "lost" else text
        try:
            read = reader.validate_python(value)
        except ValidationError:
            continue
        read = read["alice"] if path == "lost" else read
        for each in read if isinstance(read, tuple) else (read,):
            number = each.value if isinstance(each, Comparison) else each
            assert least <= number <= most, text


def ends_of(annotation: Any) -> tuple[Any, Any]:
    """Of all bounds together; a comparison has those of its reader."""
    ((kind, bounds),) = [
        (kind, bounds)
        for kind, bounds in leaves(annotation)
        if kind in (int, Fraction, Comparison, float)
    ]
    if kind is Comparison:
        return -max(MAX_COUNT, MAX_WEI), max(MAX_COUNT, MAX_WEI)
    assert kind is not float, "a float has lost digits before it is read"
    least = [end.least for end in bounds if end.least is not None]
    most = [end.most for end in bounds if end.most is not None]
    assert least and most, "a number without an end"
    return max(least), min(most)


NETWORK_PATHS = [path for path, annotation, _ in fields(NetworkSpec) if is_numeric(annotation)]


@pytest.mark.parametrize("path", NETWORK_PATHS)
def test_a_network_is_loaded_or_refused_by_name(tmp_path: Path, path: str) -> None:
    file = tmp_path / "network.yaml"
    file.write_text(NETWORK)
    load_network(file, environment={})  # the base is good
    refused = 0
    for text in HOSTILE:
        try:
            load_network(file, {path: text}, environment={})
        except SpecError as error:
            refused += 1
            last = path.rpartition(".")[2]
            assert any(last in f"{fault.path} {fault.message}" for fault in error.faults), error
    assert refused >= len(HOSTILE) - 3 * len(UNITS)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_seed_is_taken_or_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "network.yaml").write_text(NETWORK)
    file = tmp_path / "scenario.yaml"
    file.write_text("version: 1\nname: x\nnetwork: network.yaml\nsteps: [{advance: {blocks: 1}}]\n")
    try:
        assert load_scenario(file, {"seed": text}, environment={}).seed == 0
    except SpecError as error:
        assert [fault.path for fault in error.faults] == ["seed"]


@pytest.mark.parametrize("verb", STEPS)
def test_every_key_of_every_verb_is_read_or_refused_by_name(verb: str) -> None:
    for name, field in STEPS[verb].model_fields.items():
        key = field.alias or name
        for text in HOSTILE:
            try:
                step_from_mapping(verb, {key: text})
            except SpecError as error:
                assert all(fault.path.startswith(verb) for fault in error.faults)
