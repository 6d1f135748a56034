"""Starts and ends: hooks, init containers, side cars, deadlines, restarts, signals."""

from __future__ import annotations

import time

from cluster.conformance.bench import Bench
from cluster.conformance.claims import below, between, contains, equal, holds, lacks
from cluster.conformance.pods import FOREVER, OWN_ADDRESS, Document, ready, restarts, started
from cluster.conformance.row import row

STUBBORN = f"trap 'echo not yet' TERM; {FOREVER}"
SHARED: Document = {
    "volumes": [{"name": "shared", "emptyDir": {}}],
}
MOUNT: Document = {"volumeMounts": [{"name": "shared", "mountPath": "/shared"}]}


@row("hooks.postStart", 60)
def post_start_runs_in_the_container(bench: Bench) -> None:
    hook = {"postStart": {"exec": {"command": ["sh", "-c", "echo hooked > /tmp/note"]}}}
    bench.start(bench.container(FOREVER, lifecycle=hook))
    bench.wait("started", started)
    equal(bench.execute("cat", "/tmp/note").out, "hooked\n")


@row("hooks.postStart.failure", 60)
def a_post_start_that_fails_ends_the_container(bench: Bench) -> None:
    hook = {"postStart": {"exec": {"command": ["false"]}}}
    bench.start(bench.container(FOREVER, lifecycle=hook), restartPolicy="Always")
    bench.events("FailedPostStartHook")


@row("hooks.preStop", 60)
def pre_stop_runs_before_the_signal(bench: Bench) -> None:
    hook = {"preStop": {"exec": {"command": ["sh", "-c", "touch /tmp/asked; sleep 0.5"]}}}
    script = (
        "trap 'test -e /tmp/asked && echo hook first > /dev/termination-log; exit 0' TERM; "
        f"{FOREVER}"
    )
    bench.start(bench.container(script, lifecycle=hook), terminationGracePeriodSeconds=20)
    bench.wait("started", started)
    with bench.held():
        bench.delete()
        equal(bench.ended()["message"], "hook first\n")
    bench.gone()


@row("init.order", 42)
def init_containers_run_one_after_the_other_before_the_rest(bench: Bench) -> None:
    first, second = (
        bench.container(f"sleep 0.3; echo {name} >> /shared/order", name=name, **MOUNT)
        for name in ("first", "second")
    )
    name = bench.start(
        bench.container("echo main >> /shared/order; cat /shared/order", **MOUNT),
        initContainers=[first, second],
        **SHARED,
    )
    bench.phase("Succeeded", name)
    equal(bench.printed(), "first\nsecond\nmain\n")


@row("init.failure", 42)
def a_failed_init_container_fails_the_pod(bench: Bench) -> None:
    bench.start(
        bench.container("echo never"), initContainers=[bench.container("exit 3", name="first")]
    )
    pod = bench.phase("Failed")
    equal(pod["status"]["initContainerStatuses"][0]["state"]["terminated"]["exitCode"], 3)
    lacks(bench.state()["state"], "terminated")


@row("init.sidecar", 42)
def a_side_car_runs_before_and_beside_the_rest(bench: Bench) -> None:
    beside = bench.container(
        f"echo up > /shared/up; {FOREVER}", name="beside", restartPolicy="Always", **MOUNT
    )
    beside["startupProbe"] = {
        "exec": {"command": ["test", "-e", "/shared/up"]},
        "periodSeconds": 1,
    }
    bench.start(bench.container("cat /shared/up", **MOUNT), initContainers=[beside], **SHARED)
    bench.phase("Succeeded")
    equal(bench.printed(container="main"), "up\n")


@row("containers.several", 41)
def several_containers_run_side_by_side_and_count_together(bench: Bench) -> None:
    bench.start(bench.container(FOREVER), bench.container("exit 0", name="side"))
    bench.wait(
        "the side has ended",
        lambda pod: any(
            "terminated" in each["state"] for each in pod["status"].get("containerStatuses", ())
        ),
    )
    holds("the other runs", started(bench.pod()))
    holds("a pod that is not ready", not ready(bench.pod()))


@row("deadline.active", 57)
def a_pod_beyond_its_deadline_is_ended(bench: Bench) -> None:
    bench.start(bench.container(FOREVER), activeDeadlineSeconds=2)
    equal(bench.phase("Failed")["status"]["reason"], "DeadlineExceeded")


@row("restart.policies", 22)
def a_container_that_ends_for_good_stays_so(bench: Bench) -> None:
    cases = (("Never", 0, "Succeeded"), ("Never", 4, "Failed"), ("OnFailure", 0, "Succeeded"))
    for number, (policy, code, phase) in enumerate(cases):
        name = bench.start(
            bench.container(f"exit {code}"), name=f"pod-{number}", restartPolicy=policy
        )
        pod = bench.phase(phase, name)
        ended = pod["status"]["containerStatuses"][0]["state"]["terminated"]
        equal((ended["exitCode"], restarts(pod)), (code, 0))


@row("restart.backOff", 23, 24)
def a_container_that_fails_is_started_again_after_a_pause(bench: Bench) -> None:
    bench.start(bench.container("exit 4"), restartPolicy="OnFailure")
    contains(bench.waiting("CrashLoopBackOff"), "back-off")
    began = bench.pod()["status"]["startTime"]
    pod = bench.wait("twice", lambda pod: restarts(pod) >= 2, limit_seconds=40)
    equal(pod["status"]["containerStatuses"][0]["lastState"]["terminated"]["exitCode"], 4)
    equal(pod["status"]["startTime"], began)


@row("restart.always", 22)
def a_container_that_ends_well_is_started_again(bench: Bench) -> None:
    bench.start(bench.container("sleep 0.5"), restartPolicy="Always")
    pod = bench.wait("restarted", lambda pod: restarts(pod) >= 1)
    equal(pod["status"]["phase"], "Running")
    bench.events("Started")


@row("restart.processes", 54)
def nothing_of_a_run_outlives_it(bench: Bench) -> None:
    script = (
        "setsid sh -c 'while :; do date +%N > /shared/alive; sleep 0.1; done' & sleep 0.3; exit 1"
    )
    bench.start(
        bench.container(script, **MOUNT),
        bench.container(FOREVER, name="side", **MOUNT),
        **SHARED,
    )
    bench.wait(
        "main has ended",
        lambda pod: any(
            "terminated" in each["state"] for each in pod["status"].get("containerStatuses", ())
        ),
    )
    look = ("sh", "-c", "cat /shared/alive; sleep 0.5; cat /shared/alive")
    before, after = bench.execute(*look, container="side").out.split()
    equal(before, after)


@row("restart.children", 55)
def nothing_of_an_earlier_run_lives_beside_the_next(bench: Bench) -> None:
    script = (
        "echo run >> /shared/runs; test $(wc -l < /shared/runs) -gt 1 && sleep 1000; "
        "setsid sh -c 'while :; do date +%N > /shared/alive; sleep 0.1; done' & sleep 0.3; exit 1"
    )
    bench.start(bench.container(script, **MOUNT), restartPolicy="OnFailure", **SHARED)
    bench.wait("restarted", lambda pod: restarts(pod) == 1 and started(pod))
    look = "cat /shared/alive; sleep 0.5; cat /shared/alive"
    before, after = bench.execute("sh", "-c", look).out.split()
    equal(before, after)


@row("start.badCommand", 26)
def a_command_that_is_not_there_says_so(bench: Bench) -> None:
    bench.start(bench.container("no-such-program", "x"))
    pod = bench.phase("Failed")
    ended = pod["status"]["containerStatuses"][0]["state"]["terminated"]
    equal(ended["reason"], "StartError")
    contains(ended["message"], "no-such-program")


@row("signals.term", 58)
def a_container_is_asked_before_it_is_ended(bench: Bench) -> None:
    script = f"trap 'echo bye > /dev/termination-log; exit 7' TERM; {FOREVER}"
    bench.start(bench.container(script), terminationGracePeriodSeconds=20)
    bench.wait("started", started)
    with bench.held():
        bench.delete()
        ended = bench.ended()
    equal((ended["exitCode"], ended["message"]), (7, "bye\n"))
    bench.gone()


@row("signals.grace", 58)
def one_that_ignores_the_signal_is_ended_after_its_grace(bench: Bench) -> None:
    bench.start(bench.container(STUBBORN), terminationGracePeriodSeconds=3)
    bench.wait("started", started)
    began = time.monotonic()
    bench.delete()
    bench.gone()
    between(3, time.monotonic() - began, 10)


@row("signals.many", 59)
def stubborn_pods_hold_up_nobody(bench: Bench) -> None:
    node = "worker-1"
    stubborn = [f"stubborn-{number}" for number in range(10)]
    for name in stubborn:
        bench.start(
            bench.container(STUBBORN), name=name, nodeName=node, terminationGracePeriodSeconds=15
        )
    for name in stubborn:
        bench.wait("started", started, name, limit_seconds=60)
    began = time.monotonic()
    for name in stubborn:
        bench.delete(name)
    bench.start(bench.container("echo through"), name="new", nodeName=node)
    bench.phase("Succeeded", "new", limit_seconds=12)
    for name in stubborn:
        bench.gone(name, limit_seconds=40)
    below(time.monotonic() - began, 40)  # side by side, not one after the other


@row("delete.forced", 62)
def a_pod_that_is_gone_from_the_api_leaves_no_process(bench: Bench) -> None:
    probe = {"tcpSocket": {"port": 8080}, "periodSeconds": 1}
    server = "exec python3 -m http.server --bind $HOST 8080"
    bench.start(bench.container(server, env=[OWN_ADDRESS], readinessProbe=probe), name="server")
    address = bench.wait("ready", ready, "server")["status"]["podIP"]
    bench.start(bench.container(FOREVER), name="client")
    bench.wait("started", started, "client")
    connect = f"import socket; socket.create_connection(('{address}', 8080), 2)"
    ask = ("python3", "-c", connect)
    equal(bench.execute(*ask, name="client").code, 0)
    bench.delete("server", grace_seconds=0)
    bench.gone("server")
    bench.wait("nobody answers", lambda _: bench.execute(*ask, name="client").code != 0, "client")


@row("delete.hastened", 61)
def a_deletion_that_is_forced_takes_the_pod_from_the_api_at_once(bench: Bench) -> None:
    """Its process keeps the grace that it was given first, as kubelets of 1.36 do."""
    server = "trap '' TERM; while :; do timeout 60 python3 -m http.server --bind $HOST 8080; done"
    probe = {"tcpSocket": {"port": 8080}, "periodSeconds": 1}
    bench.start(
        bench.container(server, env=[OWN_ADDRESS], readinessProbe=probe),
        name="server",
        terminationGracePeriodSeconds=8,
    )
    address = bench.wait("ready", ready, "server")["status"]["podIP"]
    bench.start(bench.container(FOREVER), name="client")
    bench.wait("started", started, "client")
    bench.delete("server")
    bench.delete("server", grace_seconds=0)
    bench.gone("server", limit_seconds=3)
    ask = f"import socket; socket.create_connection(('{address}', 8080), 2)"

    def ended(_: Document) -> bool:
        return bench.execute("python3", "-c", ask, name="client").code != 0

    bench.wait("nobody answers", ended, "client")
