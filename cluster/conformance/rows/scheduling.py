"""Where pods are placed, and what makes room for them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kubernetes.client import SchedulingV1Api

from cluster.conformance.bench import Bench
from cluster.conformance.claims import any_says, contains, equal
from cluster.conformance.pods import FOREVER, Document, ready, started
from cluster.conformance.row import row
from cluster.profiles.quantity import milli

HOSTNAME = "kubernetes.io/hostname"
LABELS = {"app": "toy"}


def placed(bench: Bench, name: str = "pod") -> str:
    return str(bench.wait("started", started, name)["spec"]["nodeName"])


def unschedulable(bench: Bench, name: str = "pod") -> str:
    """Why the scheduler finds no node."""
    pod = bench.wait(
        "told why it has no node",
        lambda pod: any(
            each.get("reason") == "Unschedulable" for each in pod["status"].get("conditions", ())
        ),
        name,
    )
    (said,) = (
        each["message"] for each in pod["status"]["conditions"] if each["type"] == "PodScheduled"
    )
    return str(said)


@row("scheduling.nodeSelector", 69)
def a_pod_goes_where_its_labels_say(bench: Bench) -> None:
    for place in (0, 1):
        node = bench.node(place)
        bench.start(bench.container(FOREVER), name=f"pod-{place}", nodeSelector={HOSTNAME: node})
        equal(placed(bench, f"pod-{place}"), node)
    bench.start(bench.container(FOREVER), nodeSelector={HOSTNAME: "nowhere"})
    contains(unschedulable(bench), "didn't match Pod's node affinity/selector")


@row("scheduling.affinity", 69)
def a_pod_may_prefer_and_must_have(bench: Bench) -> None:
    node = bench.node(1)
    term = {"matchExpressions": [{"key": HOSTNAME, "operator": "In", "values": [node]}]}
    affinity = {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}
        }
    }
    bench.start(bench.container(FOREVER), affinity=affinity)
    equal(placed(bench), node)


@row("scheduling.antiAffinity", 69)
def pods_keep_away_from_each_other(bench: Bench) -> None:
    apart = {"topologyKey": HOSTNAME, "labelSelector": {"matchLabels": LABELS}}
    affinity = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [apart]}}
    nodes = sorted(node["metadata"]["name"] for node in bench.nodes())
    for number, _ in enumerate(nodes):
        bench.start(
            bench.container(FOREVER), name=f"pod-{number}", labels=LABELS, affinity=affinity
        )
    equal(sorted(placed(bench, f"pod-{number}") for number, _ in enumerate(nodes)), nodes)
    bench.start(bench.container(FOREVER), labels=LABELS, affinity=affinity)
    contains(unschedulable(bench), "anti-affinity rules")


@row("scheduling.topologySpread", 69)
def pods_are_spread_evenly(bench: Bench) -> None:
    spread = {
        "maxSkew": 1,
        "topologyKey": HOSTNAME,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": LABELS},
    }
    nodes = [node["metadata"]["name"] for node in bench.nodes()]
    names = [f"pod-{number}" for number in range(2 * len(nodes))]
    for name in names:
        bench.start(
            bench.container(FOREVER), name=name, labels=LABELS, topologySpreadConstraints=[spread]
        )
    found = [placed(bench, name) for name in names]
    equal({node: found.count(node) for node in nodes}, dict.fromkeys(nodes, 2))


@row("scheduling.resources", 69)
def a_pod_that_fits_nowhere_waits_and_says_why(bench: Bench) -> None:
    bench.start(bench.container("true", resources={"requests": {"cpu": "4000"}}))
    contains(unschedulable(bench), "Insufficient cpu")
    any_says(bench.events("FailedScheduling"), "Insufficient cpu")


@contextmanager
def priority(bench: Bench, value: int) -> Iterator[str]:
    name, classes = f"conformance-{uuid.uuid4().hex[:8]}", bench.group(SchedulingV1Api)
    classes.create_priority_class({"metadata": {"name": name}, "value": value})
    try:
        yield name
    finally:
        classes.delete_priority_class(name)


@row("scheduling.preemption", 71, disturbs=True)
def who_is_more_important_takes_the_place(bench: Bench) -> None:
    node: Document = bench.nodes()[0]
    most = milli(node["status"]["allocatable"]["cpu"]) * 3 // 4
    fields: dict[str, Any] = {"resources": {"requests": {"cpu": f"{most}m"}}}
    where = {"nodeSelector": {HOSTNAME: node["metadata"]["name"]}}
    with priority(bench, 1000) as high:
        bench.start(bench.container(FOREVER, **fields), name="low", **where)
        bench.wait("ready", ready, "low")
        bench.start(
            bench.container(FOREVER, **fields), name="high", priorityClassName=high, **where
        )
        bench.wait("ready", ready, "high")
        bench.gone("low")
