"""Readiness, liveness and start-up probes."""

from __future__ import annotations

from typing import Any

from cluster.conformance.bench import Bench
from cluster.conformance.claims import any_says, contains, equal, holds
from cluster.conformance.pods import FOREVER, OWN_ADDRESS, Document, ready, restarts, started
from cluster.conformance.row import row

SERVER = "exec python3 -m http.server --bind $HOST 8080"
PARTICULAR = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.headers["X-Ask"] == "yes" else 400)
        self.end_headers()
http.server.HTTPServer((os.environ["HOST"], 8080), Handler).serve_forever()
"""


def probe(**fields: Any) -> Document:
    return {"periodSeconds": 1, "failureThreshold": 1, **fields}


def server(bench: Bench, **fields: Any) -> str:
    ports = [{"name": "http", "containerPort": 8080}]
    return bench.start(
        bench.container(SERVER, env=[OWN_ADDRESS], ports=ports, **fields), restartPolicy="Always"
    )


@row("readiness.httpGet", 27)
def a_server_is_ready_once_it_answers(bench: Bench) -> None:
    server(bench, readinessProbe=probe(httpGet={"port": "http", "path": "/greeting"}))
    bench.wait("ready", ready)


@row("readiness.httpGet.port", 28)
def a_port_nobody_listens_on_is_not_ready(bench: Bench) -> None:
    server(bench, readinessProbe=probe(httpGet={"port": 9, "path": "/greeting"}))
    bench.wait("started", started)
    bench.never("ready", ready)
    any_says(bench.events("Unhealthy"), "connection refused")


@row("readiness.httpGet.path", 27)
def a_path_that_is_not_there_is_not_ready(bench: Bench) -> None:
    server(bench, readinessProbe=probe(httpGet={"port": "http", "path": "/none"}))
    bench.wait("started", started)
    bench.never("ready", ready)
    any_says(bench.events("Unhealthy"), "statuscode: 404")


@row("readiness.initialDelaySeconds", 28)
def a_probe_waits_for_its_delay(bench: Bench) -> None:
    server(
        bench,
        readinessProbe=probe(httpGet={"port": "http", "path": "/greeting"}, initialDelaySeconds=6),
    )
    bench.wait("started", started)
    bench.never("ready", ready, seconds=4)
    bench.wait("ready", ready)


@row("readiness.tcpSocket", 29)
def a_socket_that_opens_is_ready_and_one_that_does_not_is_not(bench: Bench) -> None:
    server(bench, readinessProbe=probe(tcpSocket={"port": 8080}))
    bench.wait("ready", ready)
    bench.start(
        bench.container(FOREVER, readinessProbe=probe(tcpSocket={"port": 8080})), name="deaf"
    )
    bench.wait("started", started, "deaf")
    bench.never("ready", ready, "deaf", seconds=3)


@row("readiness.exec", 29)
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


@row("readiness.gates", 32)
def a_gate_nobody_opens_keeps_a_pod_from_being_ready(bench: Bench) -> None:
    bench.start(
        bench.container(FOREVER), readinessGates=[{"conditionType": "kompute.network/open"}]
    )
    bench.wait("started", started)
    bench.never("ready", ready, seconds=3)


@row("liveness.exec", 30)
def a_container_that_fails_its_probe_is_restarted(bench: Bench) -> None:
    bench.start(
        bench.container(FOREVER, livenessProbe=probe(exec={"command": ["false"]})),
        restartPolicy="Always",
    )
    bench.wait("restarted", lambda pod: restarts(pod) >= 1)
    any_says(bench.events("Killing"), "failed liveness probe")


@row("liveness.httpGet", 30)
def a_server_that_hangs_is_restarted(bench: Bench) -> None:
    server(bench, livenessProbe=probe(httpGet={"port": 9, "path": "/"}))
    bench.wait("restarted", lambda pod: restarts(pod) >= 1)


@row("liveness.timeoutSeconds", 30)
def a_probe_that_takes_too_long_has_failed(bench: Bench) -> None:
    bench.start(
        bench.container(
            FOREVER, livenessProbe=probe(exec={"command": ["sleep", "20"]}, timeoutSeconds=1)
        ),
        restartPolicy="Always",
    )
    bench.wait("restarted", lambda pod: restarts(pod) >= 1)
    any_says(bench.events("Unhealthy"), "timed out")


@row("startup.exec", 31)
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


@row("readiness.httpGet.scheme", 28)
def a_server_without_tls_is_not_ready_by_https(bench: Bench) -> None:
    server(bench, readinessProbe=probe(httpGet={"port": "http", "path": "/", "scheme": "HTTPS"}))
    bench.wait("started", started)
    bench.never("ready", ready)
    said = " ".join(bench.events("Unhealthy"))
    if "TLS handshake" not in said:  # by how far the server came before it hung up
        contains(said, "HTTP response to HTTPS client")


@row("readiness.httpGet.headers", 28)
def a_probe_says_the_headers_it_is_given(bench: Bench) -> None:
    asked = {"port": "http", "path": "/", "httpHeaders": [{"name": "X-Ask", "value": "yes"}]}
    for name, get in (("told", asked), ("untold", {"port": "http", "path": "/"})):
        bench.start(
            bench.container(
                "python3",
                "-c",
                PARTICULAR,
                env=[OWN_ADDRESS],
                ports=[{"name": "http", "containerPort": 8080}],
                readinessProbe=probe(httpGet=get),
            ),
            name=name,
        )
    bench.wait("ready", ready, "told")
    bench.never("ready", ready, "untold", seconds=3)


@row("readiness.thresholds", 27, 28)
def so_many_answers_in_a_row_change_what_it_is(bench: Bench) -> None:
    asked = probe(exec={"command": ["test", "-e", "/tmp/on"]}, failureThreshold=3)
    bench.start(bench.container(FOREVER, readinessProbe={**asked, "successThreshold": 3}))
    bench.wait("started", started)
    equal(bench.execute("touch", "/tmp/on").code, 0)
    bench.never("ready", ready, seconds=1.2)
    bench.wait("ready", ready)
    equal(bench.execute("rm", "/tmp/on").code, 0)
    bench.never("not ready", lambda pod: not ready(pod), seconds=1.2)
    bench.wait("not ready", lambda pod: not ready(pod))


@row("readiness.grpc", 29)
def a_server_that_speaks_no_grpc_is_not_ready_by_it(bench: Bench) -> None:
    server(bench, readinessProbe=probe(grpc={"port": 8080}))
    bench.wait("started", started)
    bench.never("ready", ready)
    bench.events("Unhealthy")


@row("readiness.gates.open", 32)
def a_gate_that_is_opened_lets_a_pod_be_ready(bench: Bench) -> None:
    gate = "kompute.network/open"
    bench.start(bench.container(FOREVER), readinessGates=[{"conditionType": gate}])
    bench.wait("started", started)
    opened = {"status": {"conditions": [{"type": gate, "status": "True"}]}}
    bench.core.patch_namespaced_pod_status("pod", bench.namespace, opened)
    bench.wait("ready", ready)


@row("liveness.tcpSocket", 30)
def a_port_that_does_not_open_restarts_its_container(bench: Bench) -> None:
    bench.start(
        bench.container(FOREVER, livenessProbe=probe(tcpSocket={"port": 9})),
        restartPolicy="Always",
    )
    bench.wait("restarted", lambda pod: restarts(pod) >= 1)


@row("startup.failure", 31)
def a_container_that_does_not_start_in_time_is_restarted(bench: Bench) -> None:
    bench.start(
        bench.container(FOREVER, startupProbe=probe(exec={"command": ["false"]})),
        restartPolicy="Always",
    )
    bench.wait("restarted", lambda pod: restarts(pod) >= 1)
    any_says(bench.events("Killing"), "failed startup probe")


@row("status.transitions", 25)
def a_condition_has_the_time_of_its_own_change(bench: Bench) -> None:
    """To the second, which is all that the API keeps."""
    bench.start(
        bench.container(FOREVER, readinessProbe=probe(exec={"command": ["test", "-e", "/tmp/on"]}))
    )
    before = bench.wait("started", started)
    bench.never("ready", ready, seconds=2)
    equal(bench.execute("touch", "/tmp/on").code, 0)
    after = bench.wait("ready", ready)

    def changed(pod: Document, kind: str) -> str:
        (found,) = (each for each in pod["status"]["conditions"] if each["type"] == kind)
        return str(found["lastTransitionTime"])

    for kind in ("PodScheduled", "Initialized"):
        equal(changed(after, kind), changed(before, kind))
    holds("a later time", changed(after, "Ready") > changed(before, "Ready"))
    equal(after["status"]["startTime"], before["status"]["startTime"])
