"""Addresses of pods, and how they are found and reached."""

from __future__ import annotations

from typing import Any

from kubernetes.client import DiscoveryV1Api, NetworkingV1Api

from cluster.conformance.bench import Bench
from cluster.conformance.claims import equal
from cluster.conformance.pods import FOREVER, OWN_ADDRESS, Document, ready, started
from cluster.conformance.row import row
from cluster.conformance.subject import GREETING
from cluster.waiting import Seen


@row("addresses.distinct", 82)
def pods_have_addresses_of_their_own(bench: Bench) -> None:
    for name in ("one", "two"):
        bench.start(bench.container(FOREVER), name=name)
    found = {bench.wait("started", started, name)["status"]["podIP"] for name in ("one", "two")}
    equal(len(found), 2)


def server(bench: Bench, name: str = "server", **fields: Any) -> str:
    """A pod that answers at port 8080 of its address; that."""
    probe = {"tcpSocket": {"port": 8080}, "periodSeconds": 1}
    script = "exec python3 -m http.server --bind $HOST 8080"
    bench.start(
        bench.container(script, env=[OWN_ADDRESS], readinessProbe=probe, **fields),
        name=name,
        labels={"app": "toy"},
    )
    return str(bench.wait("ready", ready, name)["status"]["podIP"])


def service(bench: Bench, **spec: Any) -> Document:
    ports = [{"port": 80, "targetPort": 8080}]
    document = {
        "metadata": {"name": "toy"},
        "spec": {"selector": {"app": "toy"}, "ports": ports, **spec},
    }
    made = bench.core.create_namespaced_service(bench.namespace, document)
    return {"clusterIP": made.spec.cluster_ip}


def client(bench: Bench, **spec: Any) -> None:
    bench.start(bench.container(FOREVER), name="client", **spec)
    bench.wait("started", started, "client")


def asks(bench: Bench, url: str) -> str:
    """What a pod gets from there; what went wrong otherwise."""
    script = (
        "import sys, urllib.request\n"
        "open_ = urllib.request.build_opener(urllib.request.ProxyHandler({})).open\n"
        "sys.stdout.write(open_(sys.argv[1], timeout=2).read().decode())"
    )
    done = bench.execute("python3", "-c", script, url, name="client")
    return done.out or done.err.strip().splitlines()[-1]


def answered(bench: Bench, url: str) -> None:
    def look() -> Seen:
        said = asks(bench, url)
        return Seen(said == GREETING, said)

    bench.until(f"the pod's answer from {url}", look)


@row("network.pods", 82)
def a_pod_reaches_another_at_its_address(bench: Bench) -> None:
    address = server(bench)
    client(bench)
    answered(bench, f"http://{address}:8080/greeting")


@row("network.node", 82)
def a_pod_is_reached_from_every_node(bench: Bench) -> None:
    address = server(bench)
    for node in bench.nodes():
        name = node["metadata"]["name"]
        bench.start(bench.container(FOREVER), name="client", nodeName=name)
        bench.wait("started", started, "client")
        answered(bench, f"http://{address}:8080/greeting")
        bench.delete("client", grace_seconds=0)
        bench.gone("client")


@row("service.endpoints", 81)
def a_service_knows_its_pods(bench: Bench) -> None:
    service(bench)
    address = server(bench)
    bench.control()
    slices = bench.group(DiscoveryV1Api)

    def look() -> Seen:
        found = slices.list_namespaced_endpoint_slice(
            bench.namespace, label_selector="kubernetes.io/service-name=toy"
        ).items
        ends = [(end.addresses, end.conditions.ready) for s in found for end in s.endpoints or ()]
        return Seen(ends == [([address], True)], str(ends))

    bench.until("the pod's address, ready", look)


@row("service.address", 81)
def a_services_address_leads_to_its_pods(bench: Bench) -> None:
    address = service(bench)["clusterIP"]
    own = server(bench)
    client(bench)
    answered(bench, f"http://{own}:8080/greeting")
    bench.control()
    answered(bench, f"http://{address}/greeting")


@row("service.name", 81)
def a_services_name_is_found(bench: Bench) -> None:
    service(bench)
    own = server(bench)
    client(bench, dnsPolicy="ClusterFirst")
    answered(bench, f"http://{own}:8080/greeting")
    bench.control()
    answered(bench, "http://toy/greeting")


@row("service.headless", 81)
def a_headless_services_name_is_its_pods(bench: Bench) -> None:
    service(bench, clusterIP="None")
    address = server(bench)
    client(bench, dnsPolicy="ClusterFirst")
    answered(bench, f"http://{address}:8080/greeting")
    bench.control()

    def look() -> Seen:
        script = f"import socket; print(socket.gethostbyname('toy.{bench.namespace}.svc'))"
        done = bench.execute("python3", "-c", script, name="client")
        return Seen(done.out.strip() == address, done.out + done.err)

    bench.until("the pod's address", look)


@row("service.environment", 81)
def a_service_is_named_in_the_environment_of_pods(bench: Bench) -> None:
    address = service(bench)["clusterIP"]
    said = bench.ran("echo $TOY_SERVICE_HOST $TOY_SERVICE_PORT", enableServiceLinks=True)
    equal(said, f"{address} 80\n")


@row("network.policy", 81)
def a_policy_keeps_others_from_a_pod(bench: Bench) -> None:
    address = server(bench)
    client(bench)
    url = f"http://{address}:8080/greeting"
    answered(bench, url)
    policy = {
        "metadata": {"name": "closed"},
        "spec": {"podSelector": {"matchLabels": {"app": "toy"}}, "policyTypes": ["Ingress"]},
    }
    bench.group(NetworkingV1Api).create_namespaced_network_policy(bench.namespace, policy)
    bench.control()

    def look() -> Seen:
        said = asks(bench, url)
        return Seen(said != GREETING, said)

    bench.until("no answer", look)
