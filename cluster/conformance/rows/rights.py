"""Who may do what: nodes by their certificates, pods by their tokens, nobody by no name."""

from __future__ import annotations

from kubernetes.client import AuthorizationV1Api

from cluster.conformance.bench import Bench
from cluster.conformance.claims import contains, equal
from cluster.conformance.pods import FOREVER, Document, ready
from cluster.conformance.row import row

KUBELET = """
import http.client, ssl, sys
trusting = ssl.create_default_context()
trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
asked = http.client.HTTPSConnection(sys.argv[1], int(sys.argv[2]), context=trusting, timeout=5)
asked.request("GET", "/pods")
print(asked.getresponse().status)
"""


def may(bench: Bench, user: str, groups: list[str], **what: str) -> bool:
    """What the API's own authorizers say."""
    asked: Document = {"namespace": bench.namespace, **what}
    review = {"spec": {"user": user, "groups": groups, "resourceAttributes": asked}}
    answer = bench.group(AuthorizationV1Api).create_subject_access_review(review)
    return bool(answer.status.allowed)


def node_may(bench: Bench, node: str, **what: str) -> bool:
    groups = ["system:nodes", "system:authenticated"]
    return may(bench, f"system:node:{node}", groups, **what)


@row("rights.node.secrets", 99, 100)
def a_node_reads_the_secrets_of_its_pods_and_no_others(bench: Bench) -> None:
    bench.secret("login", password="x")
    mine, other = bench.node(0), bench.node(1)
    asked = {"verb": "get", "resource": "secrets", "name": "login"}
    equal([node_may(bench, node, **asked) for node in (mine, other)], [False, False])
    bench.start(
        bench.container(FOREVER, volumeMounts=[{"name": "v", "mountPath": "/v"}]),
        nodeName=mine,
        volumes=[{"name": "v", "secret": {"secretName": "login"}}],
    )
    bench.wait("ready", ready)
    equal([node_may(bench, node, **asked) for node in (mine, other)], [True, False])


@row("rights.node.pods", 98)
def a_node_reads_its_own_pods_and_no_others(bench: Bench) -> None:
    mine, other = bench.node(0), bench.node(1)
    bench.start(bench.container(FOREVER), nodeName=mine)
    bench.wait("ready", ready)
    asked = {"verb": "get", "resource": "pods", "name": "pod"}
    equal([node_may(bench, node, **asked) for node in (mine, other)], [True, False])


@row("rights.node.exec", 99, 101)
def a_node_runs_no_commands_in_pods_and_enters_no_kubelet(bench: Bench) -> None:
    node = bench.node()
    asked = (
        {"verb": "create", "resource": "pods", "subresource": "exec"},
        {"verb": "get", "resource": "nodes", "subresource": "proxy", "name": bench.node(1)},
        {"verb": "create", "resource": "pods", "subresource": "binding"},
        {"verb": "create", "resource": "deployments", "group": "apps"},
    )
    equal([node_may(bench, node, **each) for each in asked], [False] * len(asked))


@row("rights.node.others", 98)
def a_node_changes_no_other_node(bench: Bench) -> None:
    who = (f"--as=system:node:{bench.node(0)}", "--as-group=system:nodes")
    other = bench.kubectl("label", "node", bench.node(1), "conformance=stolen", *who)
    equal(other.code, 1)
    contains(other.err.lower(), "forbidden")


@row("rights.node.labels", 98)
def a_node_gives_itself_no_label_that_others_trust(bench: Bench) -> None:
    node = bench.node(0)
    who = (f"--as=system:node:{node}", "--as-group=system:nodes")
    label = "node-restriction.kubernetes.io/trusted=yes"
    refused = bench.kubectl("label", "node", node, label, *who)
    equal(refused.code, 1)
    contains(refused.err, "is not allowed to modify labels")


@row("rights.pod.account", 99)
def a_pods_account_may_nothing_by_itself(bench: Bench) -> None:
    user = f"system:serviceaccount:{bench.namespace}:default"
    groups = ["system:serviceaccounts", "system:authenticated"]
    asked = [{"verb": "get", "resource": kind} for kind in ("secrets", "pods", "configmaps")]
    equal([may(bench, user, groups, **each) for each in asked], [False] * 3)


@row("rights.kubelet.anonymous", 102)
def a_kubelet_answers_nobody_without_a_name(bench: Bench) -> None:
    bench.start(bench.container(FOREVER))
    bench.wait("ready", ready)
    for node in bench.nodes():
        (address,) = (
            each["address"] for each in node["status"]["addresses"] if each["type"] == "InternalIP"
        )
        port = node["status"]["daemonEndpoints"]["kubeletEndpoint"]["Port"]
        done = bench.execute("python3", "-c", KUBELET, address, str(port))
        equal((done.out, done.err), ("401\n", ""))
