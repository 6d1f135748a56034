"""What a namespace allows, how it ends, and what an eviction must respect."""

from __future__ import annotations

import uuid

from kubernetes.client import AppsV1Api, PolicyV1Api
from kubernetes.client.exceptions import ApiException

from cluster.conformance.bench import Bench
from cluster.conformance.claims import contains, equal
from cluster.conformance.pods import FOREVER, NOT_FOUND, ready, started
from cluster.conformance.row import row
from cluster.conformance.rows.controllers import LABELS, SELECTOR, kept
from cluster.waiting import Seen

FORBIDDEN = 403
TOO_MANY = 429


@row("quota.pods", 72)
def no_more_pods_than_the_quota(bench: Bench) -> None:
    quota = {"metadata": {"name": "few"}, "spec": {"hard": {"pods": "1"}}}
    bench.core.create_namespaced_resource_quota(bench.namespace, quota)

    def look() -> Seen:
        hard = bench.core.read_namespaced_resource_quota("few", bench.namespace).status.hard
        return Seen(bool(hard), str(hard))

    bench.until("a quota that counts", look)
    bench.start(bench.container(FOREVER))
    with bench.refused(FORBIDDEN) as said:
        bench.start(bench.container(FOREVER), name="second")
    contains(said.message, "exceeded quota: few")


@row("quota.defaults", 72)
def what_a_container_does_not_say_is_filled_in(bench: Bench) -> None:
    limit = {"type": "Container", "default": {"cpu": "90m"}, "defaultRequest": {"cpu": "20m"}}
    document = {"metadata": {"name": "usual"}, "spec": {"limits": [limit]}}
    bench.core.create_namespaced_limit_range(bench.namespace, document)
    bench.start(bench.container("true"))
    asked = bench.phase("Succeeded")["spec"]["containers"][0]["resources"]
    equal(asked, {"limits": {"cpu": "90m"}, "requests": {"cpu": "20m"}})


@row("quota.most", 72)
def a_container_that_asks_for_too_much_is_refused(bench: Bench) -> None:
    limit = {"type": "Container", "max": {"cpu": "100m"}}
    document = {"metadata": {"name": "small"}, "spec": {"limits": [limit]}}
    bench.core.create_namespaced_limit_range(bench.namespace, document)
    with bench.refused(FORBIDDEN) as said:
        bench.start(bench.container("true", resources={"limits": {"cpu": "200m"}}))
    contains(said.message, "maximum cpu usage per Container is 100m")


@row("namespace.deletion", 73)
def all_of_a_namespace_goes_with_it(bench: Bench) -> None:
    other = f"conformance-{uuid.uuid4().hex[:8]}"
    bench.core.create_namespace({"metadata": {"name": other}})
    template = bench.template(bench.container(FOREVER))
    template["metadata"]["name"] = "pod"

    def make() -> Seen:
        try:
            bench.core.create_namespaced_pod(other, template)
        except ApiException as error:  # its account is not there yet
            return Seen(False, str(error.body))
        return Seen(True)

    bench.until("a pod in it", make)
    bench.core.delete_namespace(other)

    def look() -> Seen:
        try:
            return Seen(False, str(bench.core.read_namespace(other).status))
        except ApiException as error:
            return Seen(error.status == NOT_FOUND, str(error.status))

    bench.until("a namespace that is gone", look, limit_seconds=60)
    with bench.refused(NOT_FOUND):
        bench.core.read_namespaced_pod("pod", other)


def evict(bench: Bench, name: str) -> None:
    asked = {"metadata": {"name": name}}
    bench.core.create_namespaced_pod_eviction(name, bench.namespace, asked)


@row("eviction.budget", 64)
def an_eviction_respects_the_budget(bench: Bench) -> None:
    document = kept(bench, replicas=2)
    bench.group(AppsV1Api).create_namespaced_deployment(bench.namespace, document)
    pods = bench.several("ready", 2, ready, SELECTOR)
    policy = bench.group(PolicyV1Api)
    budget = {
        "metadata": {"name": "toy"},
        "spec": {"minAvailable": 2, "selector": {"matchLabels": LABELS}},
    }
    policy.create_namespaced_pod_disruption_budget(bench.namespace, budget)

    def look() -> Seen:
        read = policy.read_namespaced_pod_disruption_budget("toy", bench.namespace)
        status = read.status
        return Seen(status is not None and status.current_healthy == 2, str(status))

    bench.until("a budget that counts", look)
    name = pods[0]["metadata"]["name"]
    with bench.refused(TOO_MANY) as said:
        bench.core.create_namespaced_pod_eviction(
            name, bench.namespace, {"metadata": {"name": name}}
        )
    contains(said.message, "violate the pod's disruption budget")


@row("eviction.carried", 64)
def a_pod_without_a_budget_is_evicted(bench: Bench) -> None:
    bench.start(bench.container(FOREVER))
    bench.wait("started", started)
    evict(bench, "pod")
    bench.gone()
