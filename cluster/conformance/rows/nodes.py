"""Nodes: what they say of themselves, how they are taken out of use, lost, and brought back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kubernetes.client import AppsV1Api, CoordinationV1Api

from cluster.conformance.bench import Bench
from cluster.conformance.claims import below, contains, equal, holds
from cluster.conformance.pods import FOREVER, OWN_ADDRESS, Document, ready, started
from cluster.conformance.row import row
from cluster.conformance.rows.controllers import SELECTOR, kept
from cluster.conformance.rows.scheduling import HOSTNAME, unschedulable
from cluster.conformance.subject import NODES
from cluster.faults import OFFLINE
from cluster.kubernetes.names import LEASES, to_resources
from cluster.profiles.quantity import milli, whole
from cluster.waiting import Seen

LOST_SECONDS = 30.0
HEALED_SECONDS = 60.0


def condition(node: Document, kind: str = "Ready") -> str:
    found = (each for each in node["status"]["conditions"] if each["type"] == kind)
    return str(next((each["status"] for each in found), ""))


@row("node.labels", 84)
def a_node_says_its_name_system_and_machine(bench: Bench) -> None:
    for node in bench.nodes():
        labels = node["metadata"]["labels"]
        equal(labels[HOSTNAME], node["metadata"]["name"])
        equal(labels["kubernetes.io/os"], "linux")
        equal(labels["kubernetes.io/arch"], node["status"]["nodeInfo"]["architecture"])


@row("node.place", 84)
def a_node_says_its_region_zone_and_kind(bench: Bench) -> None:
    for node, spec in zip(bench.nodes(), NODES, strict=True):
        labels = node["metadata"]["labels"]
        told = [labels[f"topology.kubernetes.io/{kind}"] for kind in ("region", "zone")]
        equal(told, [spec.region, spec.zone])
        equal(labels["node.kubernetes.io/instance-type"], spec.profile)


@row("node.capacity", 84)
def a_node_has_what_its_profile_has(bench: Bench) -> None:
    for node, spec in zip(bench.nodes(), NODES, strict=True):
        wanted = to_resources(spec.capacity)
        found = node["status"]["capacity"]
        equal(milli(found["cpu"]), milli(wanted["cpu"]))
        equal(whole(found["memory"]), whole(wanted["memory"]))


@row("node.allocatable", 85)
def pods_may_have_no_more_than_a_node_has(bench: Bench) -> None:
    for node in bench.nodes():
        most, free = node["status"]["capacity"], node["status"]["allocatable"]
        holds("some of everything", milli(free["cpu"]) and whole(free["memory"]))
        below(milli(free["cpu"]), milli(most["cpu"]) + 1)
        below(whole(free["memory"]), whole(most["memory"]) + 1)


@row("node.conditions", 21)
def a_node_is_ready_and_under_no_pressure(bench: Bench) -> None:
    for node in bench.nodes():
        kinds = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")
        told = {kind: condition(node, kind) for kind in kinds}
        equal(told, {kind: str(kind == "Ready") for kind in kinds})


@row("node.lease", 92)
def a_node_renews_its_lease(bench: Bench) -> None:
    leases, name = bench.group(CoordinationV1Api), bench.node()

    def renewed() -> str:
        return str(leases.read_namespaced_lease(name, LEASES).spec.renew_time)

    first = renewed()

    def look() -> Seen:
        return Seen(renewed() != first, first)

    bench.until("another time", look)


@contextmanager
def done(bench: Bench, words: tuple[str, ...], undone: tuple[str, ...]) -> Iterator[None]:
    """What kubectl does to a node, and undoes in any case."""
    bench.said(*words)
    try:
        yield
    finally:
        bench.said(*undone)


def on(node: str) -> Document:
    return {"nodeSelector": {HOSTNAME: node}}


@row("node.cordon", 63, disturbs=True)
def nothing_new_comes_to_a_node_that_is_cordoned(bench: Bench) -> None:
    node = bench.node()
    bench.start(bench.container(FOREVER), name="before", **on(node))
    bench.wait("ready", ready, "before")
    with done(bench, ("cordon", node), ("uncordon", node)):
        bench.start(bench.container(FOREVER), name="after", **on(node))
        contains(unschedulable(bench, "after"), "were unschedulable")
        holds("the one before", ready(bench.pod("before")))
    bench.wait("ready", ready, "after")


@row("node.events", 21, disturbs=True)
def what_a_node_is_told_is_an_event_of_it(bench: Bench) -> None:
    node = bench.node()
    of_node = f"involvedObject.kind=Node,involvedObject.name={node}"

    def look() -> Seen:
        listed = bench.core.list_event_for_all_namespaces(field_selector=of_node)
        told = {each.reason for each in listed.items if each.source.component == "kubelet"}
        return Seen("NodeNotSchedulable" in told, str(told))

    with done(bench, ("cordon", node), ("uncordon", node)):
        bench.until("NodeNotSchedulable, by the kubelet", look)


@row("node.drain", 63, disturbs=True)
def a_node_is_drained_of_its_pods(bench: Bench) -> None:
    node = bench.node()
    bench.group(AppsV1Api).create_namespaced_deployment(bench.namespace, kept(bench, replicas=4))
    pods = bench.several("ready", 4, ready, SELECTOR)
    holds("pods on that node", [pod for pod in pods if pod["spec"]["nodeName"] == node])
    drain = ("drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=50s")
    with done(bench, (*drain, "--force"), ("uncordon", node)):
        bench.several(
            "ready elsewhere",
            4,
            lambda pod: ready(pod) and pod["spec"]["nodeName"] != node,
            SELECTOR,
        )


@row("taint.noSchedule", 65, disturbs=True)
def a_taint_keeps_away_who_does_not_tolerate_it(bench: Bench) -> None:
    node = bench.node()
    taint = "conformance=yes:NoSchedule"
    tolerated = {"key": "conformance", "operator": "Exists", "effect": "NoSchedule"}
    with done(bench, ("taint", "node", node, taint), ("taint", "node", node, f"{taint}-")):
        bench.start(bench.container(FOREVER), **on(node))
        contains(unschedulable(bench), "untolerated taint")
        bench.start(bench.container(FOREVER), name="tolerant", tolerations=[tolerated], **on(node))
        bench.wait("ready", ready, "tolerant")
    bench.wait("ready", ready)


@row("taint.noExecute", 65, disturbs=True)
def a_taint_drives_out_who_does_not_tolerate_it(bench: Bench) -> None:
    node = bench.node()
    taint = "conformance=yes:NoExecute"
    tolerated = {"key": "conformance", "operator": "Exists", "effect": "NoExecute"}
    bench.start(bench.container(FOREVER), **on(node))
    bench.start(bench.container(FOREVER), name="tolerant", tolerations=[tolerated], **on(node))
    for name in ("pod", "tolerant"):
        bench.wait("ready", ready, name)
    with done(bench, ("taint", "node", node, taint), ("taint", "node", node, f"{taint}-")):
        bench.gone()
        holds("the tolerant one", ready(bench.pod("tolerant")))


def is_ready(bench: Bench, name: str, wanted: bool, limit_seconds: float) -> None:
    def look() -> Seen:
        node = bench.core.read_node(name)
        (told,) = (each for each in node.status.conditions if each.type == "Ready")
        return Seen((told.status == "True") is wanted, f"Ready is {told.status}: {told.message}")

    bench.until(f"{name} {'ready' if wanted else 'lost'}", look, limit_seconds)


@contextmanager
def lost(bench: Bench, node: str) -> Iterator[None]:
    """A node whose machine has lost its power, and gets it back in any case."""
    bench.subject.cluster.fault(node, OFFLINE)
    try:
        is_ready(bench, node, False, LOST_SECONDS)
        yield
    finally:
        bench.subject.cluster.heal(node)
        is_ready(bench, node, True, HEALED_SECONDS)


@row("loss.replaced", 86, 87, 91, disturbs=True)
def pods_of_a_lost_node_are_replaced_elsewhere(bench: Bench) -> None:
    document = kept(bench)
    at_once = [
        {
            "key": f"node.kubernetes.io/{key}",
            "effect": "NoExecute",
            "tolerationSeconds": 0,
            "operator": "Exists",
        }
        for key in ("not-ready", "unreachable")
    ]
    document["spec"]["template"]["spec"]["tolerations"] = at_once
    bench.group(AppsV1Api).create_namespaced_deployment(bench.namespace, document)
    (first,) = bench.several("ready", 1, ready, SELECTOR)
    node = first["spec"]["nodeName"]
    with lost(bench, node):
        bench.several(
            "ready elsewhere",
            1,
            lambda pod: ready(pod) and pod["spec"]["nodeName"] != node,
            SELECTOR,
            limit_seconds=LOST_SECONDS,
        )


@row("loss.processes", 89, disturbs=True)
def what_runs_on_a_lost_node_ends_with_it(bench: Bench) -> None:
    probe = {"tcpSocket": {"port": 8080}, "periodSeconds": 1}
    server = "setsid python3 -m http.server --bind $HOST 8080 & wait"
    bench.start(
        bench.container(server, env=[OWN_ADDRESS], readinessProbe=probe),
        name="server",
        nodeName=bench.node(),
    )
    address = bench.wait("ready", ready, "server")["status"]["podIP"]
    bench.start(bench.container(FOREVER), name="client", nodeName=bench.node(1))
    bench.wait("started", started, "client")
    ask = f"import socket; socket.create_connection(('{address}', 8080), 2)"
    equal(bench.execute("python3", "-c", ask, name="client").code, 0)
    with lost(bench, bench.node()):
        equal(bench.execute("python3", "-c", ask, name="client").code, 1)


@row("loss.healed", 88, disturbs=True)
def a_node_that_comes_back_runs_pods_again(bench: Bench) -> None:
    node = bench.node()
    with lost(bench, node):
        pass
    bench.start(bench.container("echo back"), **on(node))
    bench.phase("Succeeded")
    equal(bench.printed(), "back\n")


@row("node.deleted", 93, disturbs=True)
def a_node_that_was_deleted_is_healed(bench: Bench) -> None:
    node = bench.node()
    bench.core.delete_node(node)
    bench.subject.cluster.heal(node)
    is_ready(bench, node, True, HEALED_SECONDS)
    bench.start(bench.container("echo back"), **on(node))
    bench.phase("Succeeded")


@row("node.memory", 50, disturbs=True)
def a_pod_that_takes_its_nodes_memory_is_ended_and_its_neighbour_is_not(bench: Bench) -> None:
    node = bench.nodes()[0]
    memory = whole(node["status"]["capacity"]["memory"])
    below(memory, 4 << 30)  # nobody fills a whole machine
    name = node["metadata"]["name"]
    bench.start(bench.container(FOREVER), name="neighbour", nodeName=name)
    bench.wait("started", started, "neighbour")
    eat = f"x = bytearray({memory + (128 << 20)}); print(len(x))"
    bench.start(bench.container("python3", "-c", eat), nodeName=name)
    ended = bench.ended()
    bench.control()
    equal((ended["reason"], ended["exitCode"]), ("OOMKilled", 137))
    holds("the neighbour", started(bench.pod("neighbour")))
