"""What is told of a pod's life, and of what it cannot have."""

from __future__ import annotations

from typing import Any

from kubernetes import watch

from cluster.conformance.bench import Bench
from cluster.conformance.claims import any_says, contains, equal
from cluster.conformance.pods import FOREVER, started
from cluster.conformance.row import row

CONFLICT = 409


@row("image.unknown", 18)
def an_image_that_is_not_there_is_not_run(bench: Bench) -> None:
    container = bench.container("true")
    container["image"] = "kompute.invalid/nothing:1"
    bench.start(container)
    contains(bench.waiting("ErrImagePull"), "nothing")


@row("events.lifecycle", 21)
def a_pods_life_is_told_in_events(bench: Bench) -> None:
    bench.start(bench.container(FOREVER))
    bench.wait("started", started)
    bench.events("Scheduled")
    bench.events("Created")
    bench.events("Started")
    bench.delete()
    bench.gone()
    bench.events("Killing")


@row("events.backOff", 21)
def a_container_that_keeps_failing_is_told_of(bench: Bench) -> None:
    bench.start(bench.container("exit 1"), restartPolicy="Always")
    any_says(bench.events("BackOff"), "restarting failed container main")


@row("events.failed", 21)
def a_container_that_cannot_be_made_is_told_of(bench: Bench) -> None:
    bench.start(bench.container("no-such-program", "x"))
    any_says(bench.events("Failed"), "no-such-program")


@row("client.watch", 109)
def a_watch_sees_a_pods_life_in_order(bench: Bench) -> None:
    seen: list[tuple[str, str]] = []
    made: Any = watch.Watch  # it has no types
    following = made()
    bench.start(bench.container("true"))
    for event in following.stream(
        bench.core.list_namespaced_pod, bench.namespace, timeout_seconds=20
    ):
        seen.append((event["type"], event["object"].status.phase))
        if seen[-1][1] == "Succeeded" and len(bench.pods()) == 1:
            bench.delete(grace_seconds=0)
        if event["type"] == "DELETED":
            following.stop()
    equal((seen[0][0], seen[-1][0]), ("ADDED", "DELETED"))
    phases = list(dict.fromkeys(phase for _, phase in seen))
    equal(phases[-1], "Succeeded")


@row("client.conflict", 109)
def a_change_of_what_has_changed_meanwhile_is_refused(bench: Bench) -> None:
    bench.config_map("settings", colour="blue")
    old = bench.core.read_namespaced_config_map("settings", bench.namespace)
    change = {"data": {"colour": "red"}}
    bench.core.patch_namespaced_config_map("settings", bench.namespace, change)
    with bench.refused(CONFLICT) as said:
        bench.core.replace_namespaced_config_map("settings", bench.namespace, old)
    contains(said.message, "the object has been modified")
