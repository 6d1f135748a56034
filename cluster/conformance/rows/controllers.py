"""Deployments, StatefulSets and DaemonSets: what keeps pods, on nodes that run them."""

from __future__ import annotations

from typing import Any

from kubernetes.client import AppsV1Api, AutoscalingV2Api

from cluster.conformance.bench import Bench
from cluster.conformance.claims import contains, equal, holds
from cluster.conformance.pods import FOREVER, Document, ready
from cluster.conformance.row import row
from cluster.waiting import Seen

LABELS = {"app": "toy"}
SELECTOR = "app=toy"
MANY = 40


def kept(bench: Bench, *containers: Document, **spec: Any) -> Document:
    """What a controller of pods is made from; a container of its own where none is named."""
    template = bench.template(*(containers or (bench.container(FOREVER),)))
    template["metadata"]["labels"] = LABELS
    return {
        "metadata": {"name": "toy"},
        "spec": {"selector": {"matchLabels": LABELS}, "template": template, **spec},
    }


def deploy(bench: Bench, *containers: Document, replicas: int = 1, **spec: Any) -> None:
    document = kept(bench, *containers, replicas=replicas, **spec)
    bench.group(AppsV1Api).create_namespaced_deployment(bench.namespace, document)


def scale(bench: Bench, replicas: int) -> None:
    change = {"spec": {"replicas": replicas}}
    bench.group(AppsV1Api).patch_namespaced_deployment_scale("toy", bench.namespace, change)


@row("deployment.scale", 109)
def replicas_come_and_go(bench: Bench) -> None:
    deploy(bench, replicas=3)
    bench.several("ready", 3, ready, SELECTOR)
    scale(bench, 1)
    bench.several("ready", 1, ready, SELECTOR)


@row("deployment.replaced", 67)
def a_deleted_replica_is_made_anew(bench: Bench) -> None:
    deploy(bench)
    (first,) = bench.several("ready", 1, ready, SELECTOR)
    bench.delete(first["metadata"]["name"])
    (second,) = bench.several(
        "another, ready",
        1,
        lambda pod: ready(pod) and pod["metadata"]["uid"] != first["metadata"]["uid"],
        SELECTOR,
    )
    holds("another name", first["metadata"]["name"] != second["metadata"]["name"])


@row("deployment.rollout", 74)
def a_change_is_rolled_out_and_taken_back(bench: Bench) -> None:
    deploy(bench, bench.container(FOREVER, env=[{"name": "COLOUR", "value": "blue"}]), replicas=2)
    bench.several("ready", 2, ready, SELECTOR)
    bench.said("set", "env", "deployment/toy", "COLOUR=red")
    bench.said("rollout", "status", "deployment/toy", "--timeout=30s")

    def coloured(colour: str) -> None:
        def holds(pod: Document) -> bool:
            (variable,) = pod["spec"]["containers"][0]["env"]
            return ready(pod) and variable["value"] == colour

        bench.several(colour, 2, holds, SELECTOR)

    coloured("red")
    history = bench.said("rollout", "history", "deployment/toy").splitlines()
    equal([line.split()[0] for line in history if line[:1].isdigit()], ["1", "2"])
    bench.said("rollout", "undo", "deployment/toy")
    coloured("blue")


@row("deployment.unavailable", 74)
def a_change_that_never_gets_ready_leaves_the_old_ones(bench: Bench) -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
    deploy(bench, strategy=strategy, progressDeadlineSeconds=5)
    (first,) = bench.several("ready", 1, ready, SELECTOR)
    never = {"exec": {"command": ["false"]}, "periodSeconds": 1}
    change = {
        "spec": {"template": {"spec": {"containers": [{"name": "main", "readinessProbe": never}]}}}
    }
    apps = bench.group(AppsV1Api)
    apps.patch_namespaced_deployment("toy", bench.namespace, change)

    def look() -> Seen:
        status = apps.read_namespaced_deployment("toy", bench.namespace).status
        said = [each.reason for each in status.conditions or ()]
        return Seen("ProgressDeadlineExceeded" in said, str(said))

    bench.until("told that it does not get on", look)
    holds("the old one, ready", ready(bench.pod(first["metadata"]["name"])))


@row("statefulSet.order", 67)
def one_comes_after_the_other_is_ready(bench: Bench) -> None:
    probe = {"exec": {"command": ["test", "-e", "/tmp/up"]}, "periodSeconds": 1}
    document = kept(bench, bench.container(FOREVER, readinessProbe=probe), replicas=2)
    document["spec"]["serviceName"] = "toy"
    bench.group(AppsV1Api).create_namespaced_stateful_set(bench.namespace, document)
    bench.several("made", 1, lambda pod: pod["status"].get("phase") == "Running", SELECTOR)
    bench.never("joined by another", lambda _: len(bench.pods(SELECTOR)) > 1, "toy-0", seconds=2)
    for name in ("toy-0", "toy-1"):
        bench.wait("running", lambda pod: pod["status"].get("phase") == "Running", name)
        equal(bench.execute("touch", "/tmp/up", name=name).code, 0)
        bench.wait("ready", ready, name)
        if name == "toy-0":
            bench.several("made", 2, lambda pod: pod["status"].get("phase") == "Running", SELECTOR)


@row("statefulSet.name", 38, 67)
def a_deleted_one_comes_back_under_its_name(bench: Bench) -> None:
    document = kept(bench, bench.container(f"hostname; {FOREVER}"))
    document["spec"]["serviceName"] = "toy"
    bench.group(AppsV1Api).create_namespaced_stateful_set(bench.namespace, document)
    (first,) = bench.several("ready", 1, ready, SELECTOR)
    bench.delete("toy-0")
    bench.several(
        "another, ready",
        1,
        lambda pod: ready(pod) and pod["metadata"]["uid"] != first["metadata"]["uid"],
        SELECTOR,
    )
    equal(bench.printed("toy-0"), "toy-0\n")


@row("statefulSet.volumes", 68)
def each_has_a_volume_that_outlives_it(bench: Bench) -> None:
    mount: Document = {"volumeMounts": [{"name": "data", "mountPath": "/data"}]}
    script = f"echo run >> /data/runs; {FOREVER}"
    document = kept(bench, bench.container(script, **mount))
    document["spec"] |= {
        "serviceName": "toy",
        "volumeClaimTemplates": [
            {
                "metadata": {"name": "data"},
                "spec": {
                    "accessModes": ["ReadWriteOnce"],
                    "resources": {"requests": {"storage": "1Mi"}},
                },
            }
        ],
    }
    bench.group(AppsV1Api).create_namespaced_stateful_set(bench.namespace, document)
    bench.several("made", 1, lambda pod: pod["metadata"]["name"] == "toy-0", SELECTOR)
    bench.control()
    (first,) = bench.several("ready", 1, ready, SELECTOR)
    bench.delete("toy-0")
    bench.several(
        "another, ready",
        1,
        lambda pod: ready(pod) and pod["metadata"]["uid"] != first["metadata"]["uid"],
        SELECTOR,
    )
    equal(bench.execute("cat", "/data/runs", name="toy-0").out, "run\nrun\n")


@row("daemonSet.nodes", 66)
def every_node_has_one(bench: Bench) -> None:
    bench.group(AppsV1Api).create_namespaced_daemon_set(bench.namespace, kept(bench))
    nodes = sorted(node["metadata"]["name"] for node in bench.nodes())
    pods = bench.several("ready", len(nodes), ready, SELECTOR)
    equal(sorted(pod["spec"]["nodeName"] for pod in pods), nodes)


@row("deployment.many", 92, 106, disturbs=True)
def dozens_of_replicas_start_and_no_node_is_called_lost(bench: Bench) -> None:
    def transitions() -> list[str]:
        return [
            condition["lastTransitionTime"]
            for node in bench.nodes()
            for condition in node["status"]["conditions"]
            if condition["type"] == "Ready"
        ]

    before = transitions()
    deploy(bench, bench.container("exec sleep 1000"), replicas=MANY)
    pods = bench.several("ready", MANY, ready, SELECTOR, limit_seconds=120)
    holds("pods on every node", len({pod["spec"]["nodeName"] for pod in pods}) == len(before))
    scale(bench, 0)
    bench.several("gone", 0, ready, SELECTOR, limit_seconds=60)
    equal(transitions(), before)


@row("autoscaler.cpu", 80, disturbs=True)
def replicas_follow_the_use_of_the_processor_up_and_down(bench: Bench) -> None:
    load = "while [ ! -e /tmp/quiet ]; do :; done; while :; do sleep 1; done"
    asked = {"requests": {"cpu": "40m"}, "limits": {"cpu": "60m"}}
    deploy(bench, bench.container(load, resources=asked))
    bench.several("ready", 1, ready, SELECTOR)
    metric = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}
    at_once = {"stabilizationWindowSeconds": 0}
    bench.group(AutoscalingV2Api).create_namespaced_horizontal_pod_autoscaler(
        bench.namespace,
        {
            "metadata": {"name": "toy"},
            "spec": {
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "toy"},
                "minReplicas": 1,
                "maxReplicas": 3,
                "metrics": [{"type": "Resource", "resource": metric}],
                "behavior": {"scaleUp": at_once, "scaleDown": at_once},
            },
        },
    )
    pods = bench.several("ready under load", 3, ready, SELECTOR, limit_seconds=120)
    for pod in pods:
        name = pod["metadata"]["name"]
        equal(bench.execute("touch", "/tmp/quiet", name=name).code, 0)
    bench.several("ready without it", 1, ready, SELECTOR, limit_seconds=180)
    said = bench.said("describe", "hpa", "toy")
    contains(said, "SuccessfulRescale")
