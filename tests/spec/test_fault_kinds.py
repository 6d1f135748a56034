"""One table of what can break: files, schema, help and whoever plays a fault take it from there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal

import pytest
from pydantic import ValidationError

from cluster.faults import FAULTS, NODE, OFFLINE, FaultKind, kinds_of, register
from cluster.native import capabilities as native
from cluster.sim import capabilities as sim
from devnet.oracles import Resource
from devnet.oracles.faults import DISTORTIONS, PUBLISHED, Reading
from devnet.spec import STEPS
from devnet.spec.expectation import Expect
from devnet.spec.faults import (
    FEED,
    ORACLE,
    SUBJECTS,
    VENDOR,
    Fault,
    fault_kind,
    faults_that_stay,
    usual_fault,
)
from devnet.spec.units import UnitError

KEPT_BY_THE_PART = {  # what no effect on a figure tells: see who plays it
    (ORACLE, "offline"),  # devnet.actors.sources
    (FEED, "stale"),
    (FEED, "frozen"),
    (ORACLE, "wrong_key"),  # devnet.actors.reports
    (ORACLE, "replay"),
    (FEED, "future_timestamp"),
    (FEED, "round_gap"),
    (FEED, "phase_change"),
}


def test_every_subject_has_its_usual_fault_first() -> None:
    assert [usual_fault(subject).name for subject in SUBJECTS] == [
        *("offline", "outage", "offline", "stale")
    ]


def test_no_fault_is_declared_that_nobody_plays() -> None:
    assert {kind.name for kind in kinds_of(VENDOR)} == set(PUBLISHED)
    others = {key for key, kind in FAULTS.items() if kind.subject not in (NODE, VENDOR)}
    assert others == set(DISTORTIONS) | KEPT_BY_THE_PART
    assert not set(DISTORTIONS) & KEPT_BY_THE_PART
    for clusters in (sim.CAPABILITIES, native.CAPABILITIES):
        assert set(clusters.faults) == set(kinds_of(NODE))


class Figures(dict[str, int]):
    """Notes which of a fault's parameters its effect looks at."""

    def __init__(self, figures: Mapping[str, int]) -> None:
        super().__init__(figures)
        self.read: set[str] = set()

    def __getitem__(self, name: str) -> int:
        self.read.add(name)
        return super().__getitem__(name)


@pytest.mark.parametrize(
    "kind",  # a node's: tests/cluster/sim/test_node_faults.py
    [kind for kind in FAULTS.values() if kind.parameters and kind.subject != NODE],
    ids=lambda kind: kind.name,
)
def test_every_parameter_of_a_fault_is_used(kind: FaultKind) -> None:
    figures = Figures(kind.parameters)
    watched = replace(kind, parameters=figures)
    if kind.subject == VENDOR:
        PUBLISHED[kind.name](watched, {Resource.VCPU_HOUR: Decimal(1)}, {})
    else:
        DISTORTIONS[(kind.subject, kind.name)](watched, Reading("Feed:komp_usd", 10, 1))
    assert figures.read == set(kind.parameters)


def test_a_kind_is_of_its_subject() -> None:
    assert fault_kind("worker", "offline") is OFFLINE
    with pytest.raises(UnitError) as caught:
        fault_kind("worker", "outlier")
    assert str(caught.value).startswith("no such kind of fault of a worker")
    assert caught.value.hint == "known: offline, paused, slow, disk_full, crashed"


def test_one_name_a_subject() -> None:
    with pytest.raises(ValueError, match="a vendor has a fault of kind 'outage' already"):
        register(FaultKind("vendor", "outage", "again"))


@pytest.fixture
def damp() -> Iterator[FaultKind]:
    yield register(FaultKind(NODE, "damp", "its disk takes its time", {"percent": 50}))
    del FAULTS[(NODE, "damp")]


def test_what_is_registered_is_read_and_is_in_the_schema(damp: FaultKind) -> None:
    step = STEPS["fault"].model_validate({"worker": "worker-1", "kind": "damp"})
    assert isinstance(step, Fault)
    assert step.fault is damp
    schema = Fault.model_json_schema()["properties"]["kind"]
    assert schema["enum"] == [*dict.fromkeys(kind.name for kind in FAULTS.values())]
    (of_nodes, *_) = schema["description"].split("; ")
    assert of_nodes == "worker: offline, paused, slow, disk_full, crashed, damp"


def test_what_is_asked_of_a_node_is_none_or_what_lasts(damp: FaultKind) -> None:
    assert faults_that_stay() == ("none", "offline", "paused", "slow", "disk_full", "damp")
    Expect.model_validate({"worker": "worker-1", "fault": "damp"})
    with pytest.raises(ValidationError, match="unknown fault of a node; seen 'crashed'"):
        Expect.model_validate({"worker": "worker-1", "fault": "crashed"})
