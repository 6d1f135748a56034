"""The parts of `benchmarks.cluster` that only decide; what they measure is a real cluster's."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from benchmarks import cluster, kwokctl, scaling


@pytest.mark.parametrize(
    ("quantity", "milli"),
    [
        ("0", Decimal(0)),
        ("98765432n", Decimal("98.765432")),
        ("250u", Decimal("0.25")),
        ("30m", Decimal(30)),
        ("2", Decimal(2000)),
    ],
)
def test_metrics_are_milli_cores(quantity: str, milli: Decimal) -> None:
    assert scaling.to_milli(quantity) == milli


def test_an_unknown_unit_is_no_figure() -> None:
    with pytest.raises((KeyError, ArithmeticError)):
        scaling.to_milli("3Gi")


def test_ready_nodes_are_counted_by_their_column() -> None:
    columns = [{"name": "Name"}, {"name": "Status"}, {"name": "Roles"}]
    states = ["Ready", "NotReady", "Ready,SchedulingDisabled", "Unknown", "Ready"]
    rows = [{"cells": [f"Ready-{n}", state, "Ready"]} for n, state in enumerate(states)]

    assert kwokctl.ready_of({"columnDefinitions": columns, "rows": rows}) == 2
    assert kwokctl.ready_of({"columnDefinitions": columns, "rows": []}) == 0


def test_three_loaded_replicas_are_what_the_autoscaler_asks_for() -> None:
    spec = scaling.document()["spec"]
    (metric,) = spec["metrics"]
    target = metric["resource"]["target"]["averageUtilization"]

    assert (spec["minReplicas"], spec["maxReplicas"]) == (1, 3)
    # One replica at its limit asks for three at once: 100 % over the target, rounded up.
    assert 100 / target > 2


def test_a_pod_written_by_hand_is_nobodys() -> None:
    own, written = (cluster.pod("one", written=wished) for wished in (False, True))

    assert "schedulerName" not in own["spec"]
    assert written["spec"].pop("schedulerName") == "nobody"
    assert written == own  # the same requests otherwise
    assert cluster.binding("one")["target"]["name"] == "nobody"


def test_a_peer_listens_on_this_machine_alone() -> None:
    assert "bindAddress: 127.0.0.1" in kwokctl.CONFIG
    ports = kwokctl.free_ports(5)
    assert len(set(ports)) == 5
    peer = kwokctl.Peer(Path("programs"), Path("folder"), {})
    assert peer.environment["KWOK_WORKDIR"] == "folder/work"


@pytest.mark.parametrize(
    ("node", "phase", "replaces"),
    [
        ("worker-b", "Running", True),
        ("worker-a", "Running", False),  # the lost one's, whose end nobody has told yet
        ("worker-b", "Pending", False),
        ("", "Pending", False),
    ],
)
def test_a_replacement_runs_on_another_node(node: str, phase: str, replaces: bool) -> None:
    document = {"spec": {"nodeName": node} if node else {}, "status": {"phase": phase}}
    assert cluster.runs_elsewhere(document, "worker-a") is replaces
