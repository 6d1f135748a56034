"""What a pod may ask for beyond its own walls."""

from __future__ import annotations

from typing import Any

from cluster.conformance.bench import Bench
from cluster.conformance.claims import contains, equal, holds
from cluster.conformance.pods import FOREVER, OWN_ADDRESS, Document, started
from cluster.conformance.row import row

NET_RAW = 1 << 13


def namespaces(bench: Bench, kind: str, **spec: Any) -> list[str]:
    """That namespace of two pods of one node."""
    return [
        bench.ran(f"readlink /proc/self/ns/{kind}", name=name, nodeName=bench.node(), **spec)
        for name in ("one", "two")
    ]


def capabilities(bench: Bench, rights: Document) -> int:
    said = bench.ran("grep CapEff /proc/self/status", container={"securityContext": rights})
    return int(said.split()[1], 16)


@row("privilege.hostPID")
def a_pod_can_see_the_processes_of_its_node(bench: Bench) -> None:
    one, two = namespaces(bench, "pid", hostPID=True)
    equal(one, two)


@row("privilege.hostIPC")
def a_pod_can_share_the_memory_of_its_node(bench: Bench) -> None:
    one, two = namespaces(bench, "ipc", hostIPC=True)
    equal(one, two)


@row("privilege.hostNetwork")
def a_pod_can_have_the_address_of_its_node(bench: Bench) -> None:
    bench.start(bench.container(FOREVER), hostNetwork=True)
    status = bench.wait("started", started)["status"]
    equal(status["podIP"], status["hostIP"])


@row("privilege.shareProcessNamespace")
def containers_of_a_pod_can_see_each_others_processes(bench: Bench) -> None:
    bench.start(
        bench.container(FOREVER),
        bench.container("sleep 1000", name="side"),
        shareProcessNamespace=True,
    )
    bench.wait("started", lambda pod: started(pod) and started(pod, "side"))
    contains(bench.execute("sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '").out, "sleep 1000")


@row("privilege.privileged")
def a_container_can_have_every_capability(bench: Bench) -> None:
    holds("capabilities", capabilities(bench, {"privileged": True}))


@row("privilege.capabilities")
def a_container_can_have_one_capability_more(bench: Bench) -> None:
    found = capabilities(bench, {"capabilities": {"drop": ["ALL"], "add": ["NET_RAW"]}})
    equal(found, NET_RAW)


@row("privilege.sysctls")
def a_pod_can_set_what_is_its_own_of_the_kernel(bench: Bench) -> None:
    setting = {"name": "kernel.shm_rmid_forced", "value": "1"}
    said = bench.ran("cat /proc/sys/kernel/shm_rmid_forced", securityContext={"sysctls": [setting]})
    equal(said, "1\n")


@row("privilege.hostPort")
def a_port_of_its_node_can_lead_to_a_pod(bench: Bench) -> None:
    ports = [{"containerPort": 8080, "hostPort": 28080}]
    server = "exec python3 -m http.server --bind $HOST 8080"
    bench.start(bench.container(server, env=[OWN_ADDRESS], ports=ports), name="server")
    node = bench.wait("started", started, "server")["status"]["hostIP"]
    bench.start(bench.container(FOREVER), name="client")
    bench.wait("started", started, "client")
    ask = f"import socket; socket.create_connection(('{node}', 28080), 2)"
    bench.wait(
        "an answer",
        lambda _: bench.execute("python3", "-c", ask, name="client").code == 0,
        "client",
    )


@row("privilege.unconfined")
def the_filter_of_system_calls_can_be_left_out(bench: Bench) -> None:
    rights = {"seccompProfile": {"type": "Unconfined"}}
    said = bench.ran("grep Seccomp: /proc/self/status", securityContext=rights)
    equal(said, "Seccomp:\t0\n")
