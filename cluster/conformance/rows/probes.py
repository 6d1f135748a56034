"""Readiness, liveness and start-up probes."""

from __future__ import annotations

from typing import Any

from cluster.conformance.bench import Bench, Document, ready, restarts, started
from cluster.conformance.claims import any_says, equal
from cluster.conformance.row import row

SERVER = "exec python3 -m http.server --bind $HOST 8080"
OWN_ADDRESS = {"name": "HOST", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}
FOREVER = "while :; do sleep 0.1; done"


def probe(**fields: Any) -> Document:
    return {"periodSeconds": 1, "failureThreshold": 1, **fields}


def server(bench: Bench, **fields: Any) -> str:
    ports = [{"name": "http", "containerPort": 8080}]
    return bench.start(
        bench.container(SERVER, env=[OWN_ADDRESS], ports=ports, **fields), restartPolicy="Always"
    )


@row("readiness.httpGet")
def a_server_is_ready_once_it_answers(bench: Bench) -> None:
    server(bench, readinessProbe=probe(httpGet={"port": "http", "path": "/greeting"}))
    bench.wait("ready", ready)


@row("readiness.httpGet.port")
def a_port_nobody_listens_on_is_not_ready(bench: Bench) -> None:
    server(bench, readinessProbe=probe(httpGet={"port": 9, "path": "/greeting"}))
    bench.wait("started", started)
    bench.never("ready", ready)
    any_says(bench.events("Unhealthy"), "connection refused")


@row("readiness.httpGet.path")
def a_path_that_is_not_there_is_not_ready(bench: Bench) -> None:
    server(bench, readinessProbe=probe(httpGet={"port": "http", "path": "/none"}))
    bench.wait("started", started)
    bench.never("ready", ready)
    any_says(bench.events("Unhealthy"), "statuscode: 404")


@row("readiness.initialDelaySeconds")
def a_probe_waits_for_its_delay(bench: Bench) -> None:
    server(
        bench,
        readinessProbe=probe(httpGet={"port": "http", "path": "/greeting"}, initialDelaySeconds=6),
    )
    bench.wait("started", started)
    bench.never("ready", ready, seconds=4)
    bench.wait("ready", ready)


@row("readiness.tcpSocket")
def a_socket_that_opens_is_ready_and_one_that_does_not_is_not(bench: Bench) -> None:
    server(bench, readinessProbe=probe(tcpSocket={"port": 8080}))
    bench.wait("ready", ready)
    bench.start(
        bench.container(FOREVER, readinessProbe=probe(tcpSocket={"port": 8080})), name="deaf"
    )
    bench.wait("started", started, "deaf")
    bench.never("ready", ready, "deaf", seconds=3)


@row("readiness.exec")
def a_commands_code_decides(bench: Bench) -> None:
    bench.start(
        bench.container(FOREVER, readinessProbe=probe(exec={"command": ["test", "-e", "/tmp/on"]}))
    )
    bench.wait("started", started)
    bench.never("ready", ready, seconds=3)
    equal(bench.execute("touch", "/tmp/on").code, 0)
    bench.wait("ready", ready)
    equal(bench.execute("rm", "/tmp/on").code, 0)
    bench.wait("not ready", lambda pod: not ready(pod))


@row("readiness.gates")
def a_gate_nobody_opens_keeps_a_pod_from_being_ready(bench: Bench) -> None:
    bench.start(
        bench.container(FOREVER), readinessGates=[{"conditionType": "kompute.network/open"}]
    )
    bench.wait("started", started)
    bench.never("ready", ready, seconds=3)


@row("liveness.exec")
def a_container_that_fails_its_probe_is_restarted(bench: Bench) -> None:
    bench.start(
        bench.container(FOREVER, livenessProbe=probe(exec={"command": ["false"]})),
        restartPolicy="Always",
    )
    bench.wait("restarted", lambda pod: restarts(pod) >= 1)
    any_says(bench.events("Killing"), "failed liveness probe")


@row("liveness.httpGet")
def a_server_that_hangs_is_restarted(bench: Bench) -> None:
    server(bench, livenessProbe=probe(httpGet={"port": 9, "path": "/"}))
    bench.wait("restarted", lambda pod: restarts(pod) >= 1)


@row("liveness.timeoutSeconds")
def a_probe_that_takes_too_long_has_failed(bench: Bench) -> None:
    bench.start(
        bench.container(
            FOREVER, livenessProbe=probe(exec={"command": ["sleep", "20"]}, timeoutSeconds=1)
        ),
        restartPolicy="Always",
    )
    bench.wait("restarted", lambda pod: restarts(pod) >= 1)
    any_says(bench.events("Unhealthy"), "timed out")


@row("startup.exec")
def nothing_else_is_probed_before_the_start_has_succeeded(bench: Bench) -> None:
    bench.start(
        bench.container(
            FOREVER,
            startupProbe=probe(exec={"command": ["test", "-e", "/tmp/up"]}, failureThreshold=60),
            livenessProbe=probe(exec={"command": ["test", "-e", "/tmp/up"]}),
        ),
        restartPolicy="Always",
    )
    bench.wait("started", started)
    bench.never("restarted", lambda pod: restarts(pod) > 0, seconds=4)
    equal(bench.state()["started"], False)
    equal(bench.execute("touch", "/tmp/up").code, 0)
    bench.wait("ready", ready)
    equal(bench.execute("rm", "/tmp/up").code, 0)
    bench.wait("restarted by the liveness probe", lambda pod: restarts(pod) == 1)
