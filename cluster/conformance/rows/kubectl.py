"""What people do by kubectl."""

from __future__ import annotations

import json
import os
import re
import tempfile
from pathlib import Path

from cluster.conformance.bench import Bench
from cluster.conformance.claims import contains, equal, holds, lacks
from cluster.conformance.pods import FOREVER, ready, started
from cluster.conformance.row import row
from cluster.waiting import Seen

METRICS_SECONDS = 60.0


def running(bench: Bench, name: str = "pod") -> None:
    bench.start(bench.container(FOREVER), name=name, labels={"app": "toy"})
    bench.wait("started", started, name)


@row("logs.selector", 1)
def logs_of_several_pods_are_told_apart(bench: Bench) -> None:
    for name in ("one", "two"):
        bench.start(bench.container(f"echo of {name}"), name=name, labels={"app": "toy"})
        bench.phase("Succeeded", name)
    said = bench.said("logs", "-l", "app=toy", "--prefix").splitlines()
    equal(sorted(said), ["[pod/one/main] of one", "[pod/two/main] of two"])


@row("logs.follow", 2)
def a_log_is_followed_to_its_end(bench: Bench) -> None:
    bench.start(bench.container("for i in 1 2 3 4 5; do echo $i; sleep 0.4; done"))
    bench.wait("started", started)
    equal(bench.said("logs", "-f", "pod"), "1\n2\n3\n4\n5\n")


@row("logs.sinceTime", 5)
def only_what_is_newer_than_a_time(bench: Bench) -> None:
    bench.start(bench.container("echo old; sleep 2; echo new"))
    bench.phase("Succeeded")
    first, second = bench.said("logs", "pod", "--timestamps").splitlines()
    time, _, text = second.partition(" ")
    equal((first.endswith(" old"), text), (True, "new"))
    # whole seconds, as the option is documented
    equal(bench.said("logs", "pod", f"--since-time={time[:19]}Z"), "new\n")


@row("logs.rotation", 9)
def a_log_does_not_grow_for_ever(bench: Bench) -> None:
    fill = "head -c 15000000 /dev/zero | tr '\\0' x | fold -w 99"
    # again and again: the line may be the last of a file that has been put aside
    bench.start(bench.container(f"{fill}; while :; do echo the end; sleep 1; done"))
    bench.wait("started", started)

    def look() -> Seen:
        return Seen(bench.printed(tail_lines=1) == "the end\n")

    bench.until("all printed", look, every_seconds=0.5)

    def bounded() -> Seen:
        size = len(bench.printed())
        return Seen(size < 12_000_000, f"{size} bytes")

    bench.until("a log of 10 MB at most", bounded, limit_seconds=60, every_seconds=3)


@row("exec.large", 11)
def a_command_is_given_megabytes_and_gives_them_back(bench: Bench) -> None:
    running(bench)
    given = "".join(f"{number:07}\n" for number in range(1_000_000))
    done = bench.kubectl("exec", "-i", "pod", "--", "cat", stdin=given)
    equal((done.code, len(done.out)), (0, len(given)))
    holds("the same bytes", done.out == given)


@row("exec.wrongContainer", 13)
def a_container_that_is_not_there_is_named(bench: Bench) -> None:
    running(bench)
    done = bench.kubectl("exec", "pod", "-c", "nobody", "--", "true")
    equal(done.code, 1)
    contains(done.err, "container nobody is not valid for pod pod")


def copy(bench: Bench, *options: str) -> None:
    """In, and out again; the same bytes must come back."""
    running(bench)
    with tempfile.TemporaryDirectory() as folder:
        given, back = Path(folder, "given"), Path(folder, "back")
        given.write_bytes(bytes(range(256)) * 4000)
        bench.said("cp", *options, str(given), f"{bench.namespace}/pod:/tmp/there")
        equal(bench.execute("stat", "-c", "%s", "/tmp/there").out, "1024000\n")
        bench.said("cp", f"{bench.namespace}/pod:/tmp/there", str(back))
        holds("the same bytes", given.read_bytes() == back.read_bytes())


@row("copy.both", 14)
def files_are_copied_in_and_out(bench: Bench) -> None:
    copy(bench, "--no-preserve")


@row("copy.owner", 14)
def files_are_copied_with_their_owner(bench: Bench) -> None:
    copy(bench)
    equal(bench.execute("stat", "-c", "%u", "/tmp/there").out, f"{os.getuid()}\n")


@row("kubectl.run", 18)
def an_image_is_run(bench: Bench) -> None:
    notes = [f"--annotations={key}={value}" for key, value in bench.subject.annotations.items()]
    bench.said(
        *("run", "quick", f"--image={bench.subject.image}", "--image-pull-policy=IfNotPresent"),
        *("--restart=Never", *notes, "--command", "--", "echo", "quick"),
    )
    bench.phase("Succeeded", "quick")
    equal(bench.printed("quick"), "quick\n")


@row("debug.node", 18)
def a_node_can_be_looked_around_on(bench: Bench) -> None:
    said = bench.said(
        "debug", f"node/{bench.node()}", f"--image={bench.subject.image}", "--", "true"
    )
    found = re.search(r"node-debugger-\S+", said)
    holds("the name of the pod", found)
    assert found is not None
    bench.phase("Succeeded", found[0])


@row("top.nodes", 19)
def what_nodes_use_is_told(bench: Bench) -> None:
    def look() -> Seen:
        done = bench.kubectl("top", "nodes", "--no-headers")
        told = {line.split()[0] for line in done.out.splitlines() if "<unknown>" not in line}
        return Seen(told >= {n["metadata"]["name"] for n in bench.nodes()}, done.out + done.err)

    bench.until("figures of all nodes", look, METRICS_SECONDS, every_seconds=1)


@row("top.pods", 19)
def what_pods_use_is_told(bench: Bench) -> None:
    bench.start(bench.container("while :; do :; done", resources={"limits": {"cpu": "50m"}}))
    bench.wait("started", started)

    def look() -> Seen:
        done = bench.kubectl("top", "pods", "--no-headers")
        found = re.fullmatch(r"pod +(\d+)m +(\d+)Mi +", done.out.strip() + " ")
        return Seen(found is not None and int(found[1]) > 10, done.out + done.err)

    bench.until("figures of the pod", look, METRICS_SECONDS, every_seconds=1)


@row("describe.pod", 20)
def a_pod_is_described_with_its_events(bench: Bench) -> None:
    running(bench)
    bench.events("Started")
    said = bench.said("describe", "pod", "pod")
    for part in (f"Node:             {bench.pod()['spec']['nodeName']}/", "Running", "Started"):
        contains(said, part)


@row("describe.node", 20)
def a_node_is_described_with_its_pods(bench: Bench) -> None:
    running(bench)
    said = bench.said("describe", "node", bench.pod()["spec"]["nodeName"])
    for part in ("Capacity:", "Allocatable:", bench.namespace):
        contains(said, part)


@row("kubectl.wait", 109)
def a_condition_is_waited_for(bench: Bench) -> None:
    bench.start(bench.container(FOREVER))
    said = bench.said("wait", "--for=condition=Ready", "pod/pod", "--timeout=30s")
    equal(said, "pod/pod condition met\n")
    holds("a pod that is ready", ready(bench.pod()))


@row("kubectl.apply", 109)
def a_document_is_applied_twice_and_changed_once(bench: Bench) -> None:
    def document(colour: str) -> str:
        named = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}}
        return json.dumps({**named, "data": {"colour": colour}})

    equal(bench.said("apply", "-f", "-", stdin=document("blue")), "configmap/settings created\n")
    said = bench.said("apply", "-f", "-", stdin=document("blue"))
    equal(said, "configmap/settings unchanged\n")
    said = bench.said("apply", "-f", "-", stdin=document("red"))
    equal(said, "configmap/settings configured\n")
    equal(bench.said("get", "cm", "settings", "-o", "jsonpath={.data.colour}"), "red")


@row("kubectl.delete", 58)
def a_deletion_is_waited_for(bench: Bench) -> None:
    running(bench)
    bench.said("delete", "pod", "pod", "--wait=true", "--timeout=20s")
    lacks(bench.said("get", "pods", "-o", "name"), "pod/pod")


@row("kubectl.get", 41)
def a_table_of_pods_says_how_many_containers_are_ready(bench: Bench) -> None:
    bench.start(bench.container(FOREVER), bench.container("exit 0", name="side"))
    bench.wait(
        "the side has ended",
        lambda pod: any(
            "terminated" in each["state"] for each in pod["status"].get("containerStatuses", ())
        ),
    )
    name, ready_of, *_ = bench.said("get", "pods", "--no-headers").split()
    equal((name, ready_of), ("pod", "1/2"))
