"""Logs, commands in a container, and what is copied and forwarded through the API."""

from __future__ import annotations

import re

from cluster.conformance.bench import Bench
from cluster.conformance.claims import contains, equal, holds
from cluster.conformance.pods import FOREVER, OWN_ADDRESS, ready, restarts, started
from cluster.conformance.row import row

BAD_REQUEST = 400


@row("logs.both", 1)
def a_log_has_what_was_printed_on_both_streams(bench: Bench) -> None:
    said = bench.ran("echo one; echo two >&2; printf three")
    equal(sorted(re.findall("one|two|three", said)), ["one", "three", "two"])
    equal(said[-1:] == "\n" and said.endswith("three\n"), False)


@row("logs.tail", 1)
def the_last_lines(bench: Bench) -> None:
    bench.ran("seq 1 100")
    equal(bench.printed(tail_lines=2), "99\n100\n")


@row("logs.limitBytes", 1)
def the_first_bytes(bench: Bench) -> None:
    bench.ran("seq 1 100")
    equal(bench.printed(limit_bytes=4), "1\n2\n")


@row("logs.timestamps", 6)
def times_before_the_lines(bench: Bench) -> None:
    bench.ran("echo one")
    said = bench.printed(timestamps=True)
    holds(
        "a time before the line",
        re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+\S+ one\n", said),
    )


@row("logs.sinceSeconds", 5)
def only_what_is_new(bench: Bench) -> None:
    bench.start(bench.container("echo old; sleep 4; echo new"))
    bench.phase("Succeeded")
    equal(bench.printed(since_seconds=2), "new\n")


@row("logs.longLine", 1)
def a_line_longer_than_any_buffer_stays_one(bench: Bench) -> None:
    said = bench.ran("head -c 200000 /dev/zero | tr '\\0' x; echo")
    equal(said, "x" * 200_000 + "\n")


@row("logs.current", 3, 4)
def a_restarted_container_shows_its_own_run_and_the_one_before(bench: Bench) -> None:
    script = "test -e /s/again && { echo second; sleep 60; }; touch /s/again; echo first; exit 1"
    bench.start(
        bench.container(script, volumeMounts=[{"name": "s", "mountPath": "/s"}]),
        restartPolicy="OnFailure",
        volumes=[{"name": "s", "emptyDir": {}}],
    )
    bench.wait("the second run", lambda pod: restarts(pod) == 1 and started(pod))
    equal(bench.printed(), "second\n")
    equal(bench.printed(previous=True), "first\n")


@row("logs.previous.none", 3)
def without_an_earlier_run_there_is_none_to_show(bench: Bench) -> None:
    bench.ran("echo one")
    with bench.refused(BAD_REQUEST) as said:
        bench.printed(previous=True)
    contains(said.message, "previous terminated container")


@row("logs.sameName", 7)
def a_new_pod_of_an_old_name_has_a_log_of_its_own(bench: Bench) -> None:
    equal(bench.ran("echo secret of the first"), "secret of the first\n")
    bench.delete()
    bench.gone()
    equal(bench.ran("echo second"), "second\n")


@row("logs.notYet", 8)
def a_container_that_never_started_has_no_log(bench: Bench) -> None:
    source = {"configMapKeyRef": {"name": "nowhere", "key": "b"}}
    bench.start(bench.container("true", env=[{"name": "B", "valueFrom": source}]))
    bench.waiting("CreateContainerConfigError")
    with bench.refused(BAD_REQUEST) as said:
        bench.printed()
    contains(said.message, "is waiting to start")


@row("logs.containers", 41)
def each_container_has_a_log(bench: Bench) -> None:
    bench.start(
        bench.container("echo main"),
        bench.container("echo side", name="side"),
        initContainers=[bench.container("echo init", name="init")],
    )
    bench.phase("Succeeded")
    said = {name: bench.printed(container=name) for name in ("main", "side", "init")}
    equal(said, {"main": "main\n", "side": "side\n", "init": "init\n"})


@row("exec.streams", 10)
def a_commands_streams_and_code(bench: Bench) -> None:
    bench.start(bench.container(FOREVER))
    bench.wait("started", started)
    done = bench.execute("sh", "-c", "echo out; echo err >&2; exit 5")
    equal((done.out, done.err, done.code), ("out\n", "err\n", 5))


@row("exec.killed", 10)
def a_command_that_is_killed_says_so(bench: Bench) -> None:
    bench.start(bench.container(FOREVER))
    bench.wait("started", started)
    equal(bench.execute("sh", "-c", "kill -9 $$").code, 137)


@row("exec.notFound", 10)
def a_command_that_is_not_there(bench: Bench) -> None:
    bench.start(bench.container(FOREVER))
    bench.wait("started", started)
    done = bench.execute("no-such-program")
    equal(done.code, 127)
    contains(done.err, "no-such-program")


@row("exec.stdin", 11)
def a_command_reads_what_is_typed(bench: Bench) -> None:
    bench.start(bench.container(FOREVER))
    bench.wait("started", started)
    equal(bench.execute("sh", "-c", "read a; echo $a$a", stdin="ab\n").out, "abab\n")


@row("exec.tty", 12)
def a_command_has_a_terminal_where_it_is_asked_for(bench: Bench) -> None:
    bench.start(bench.container(FOREVER))
    bench.wait("started", started)
    look = ("sh", "-c", "test -t 0 && echo terminal; echo merged >&2")
    equal(bench.execute(*look, tty=True).out, "terminal\r\nmerged\r\n")
    equal(bench.execute(*look).out, "")


@row("exec.sees", 10)
def a_command_is_where_its_container_is(bench: Bench) -> None:
    """Its processes, its files, its host name, its user: those of the container."""
    bench.start(
        bench.container(f"echo here > /tmp/mark; {FOREVER}"), securityContext={"runAsUser": 1234}
    )
    bench.wait("started", started)
    done = bench.execute(
        "sh", "-c", "cat /tmp/mark; hostname; id -u; tr '\\0' ' ' < /proc/2/cmdline"
    )
    mark, host, user, beside = done.out.splitlines()
    equal((mark, host, user), ("here", "pod", "1234"))
    contains(beside, "sh -c echo here")


@row("exec.ended", 13)
def nothing_runs_in_a_container_that_has_ended(bench: Bench) -> None:
    bench.ran("true")
    with bench.refused() as said:
        bench.execute("true")
    contains(said.message, "container not found")


@row("attach.output", 16)
def a_client_that_attaches_sees_what_is_printed_from_then_on(bench: Bench) -> None:
    bench.start(bench.container("read go; echo heard $go; sleep 1", stdin=True, stdinOnce=True))
    bench.wait("started", started)
    contains(bench.attach("you\n"), "heard you")
    bench.phase("Succeeded")


@row("portForward.http", 15)
def a_port_of_a_pod_can_be_reached_through_the_api(bench: Bench) -> None:
    server = "exec python3 -m http.server --bind $HOST 8080"
    probe = {"tcpSocket": {"port": 8080}, "periodSeconds": 1}
    bench.start(bench.container(server, env=[OWN_ADDRESS], readinessProbe=probe))
    bench.wait("ready", ready)
    contains(bench.forwarded(8080, "/greeting"), b"hello from the folder")


@row("debug.ephemeralContainer", 17)
def a_container_can_be_added_to_look_around(bench: Bench) -> None:
    bench.start(bench.container(FOREVER))
    bench.wait("started", started)
    added = bench.container(f"echo looking; {FOREVER}", name="look")
    change = {"spec": {"ephemeralContainers": [added]}}
    bench.core.patch_namespaced_pod_ephemeralcontainers("pod", bench.namespace, change)
    bench.wait(
        "the added one", lambda _: "running" in bench.state(container="look").get("state", {})
    )
    bench.wait("its words", lambda _: bench.printed(container="look") == "looking\n")
