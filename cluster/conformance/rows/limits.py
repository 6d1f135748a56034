"""What a container may use of its node, and what a node takes on."""

from __future__ import annotations

from cluster.conformance.bench import Bench
from cluster.conformance.claims import between, contains, equal
from cluster.conformance.pods import FOREVER, Document, started
from cluster.conformance.row import row

# Cores that eight processes take together, which no busy machine keeps below a small limit.
BURN = """
import os, time
began = time.monotonic()
for _ in range(7):
    if os.fork() == 0:
        while time.monotonic() < began + 4:
            pass
        os._exit(0)
while time.monotonic() < began + 4:
    pass
for _ in range(7):
    os.wait()
print(sum(os.times()[:4]) / (time.monotonic() - began))
"""
EAT = "exec python3 -c 'x = bytearray({} << 20); print(len(x))'"


@row("limits.memory", 46)
def more_memory_than_the_limit_ends_it_and_says_why(bench: Bench) -> None:
    bench.start(bench.container(EAT.format(80), resources={"limits": {"memory": "32Mi"}}))
    ended = bench.ended()
    bench.control()
    equal((ended["reason"], ended["exitCode"]), ("OOMKilled", 137))


@row("limits.memory.request", 47)
def a_request_is_no_limit(bench: Bench) -> None:
    fields: Document = {"resources": {"requests": {"memory": "16Mi", "cpu": "10m"}}}
    equal(bench.ran(EAT.format(80), container=fields), f"{80 << 20}\n")


@row("limits.killed", 51)
def a_kill_is_no_want_of_memory(bench: Bench) -> None:
    bench.start(bench.container("kill -9 $$$$", resources={"limits": {"memory": "32Mi"}}))
    ended = bench.phase("Failed")["status"]["containerStatuses"][0]["state"]["terminated"]
    equal((ended["reason"], ended["exitCode"]), ("Error", 137))


@row("limits.killed.later", 51)
def a_kill_after_a_want_of_memory_is_a_kill(bench: Bench) -> None:
    script = f"test -e /s/again && kill -9 $$$$; touch /s/again; {EAT.format(80)}"
    fields: Document = {
        "volumeMounts": [{"name": "s", "mountPath": "/s"}],
        "resources": {"limits": {"memory": "32Mi"}},
    }
    bench.start(
        bench.container(script, **fields),
        restartPolicy="OnFailure",
        volumes=[{"name": "s", "emptyDir": {}}],
    )

    def ends(pod: Document) -> list[str]:
        (status,) = pod["status"].get("containerStatuses", ({},))
        kinds = (status.get("lastState", {}), status.get("state", {}))
        return [kind["terminated"]["reason"] for kind in kinds if "terminated" in kind]

    bench.wait("ended", ends)
    bench.control()
    bench.wait("ended by a want of memory", lambda pod: "OOMKilled" in ends(pod))
    bench.wait("ended by a kill", lambda pod: "Error" in ends(pod))


@row("limits.child", 52)
def a_child_that_takes_too_much_is_told_of(bench: Bench) -> None:
    """Either it alone is ended, or the container with it: the kernel's control groups differ."""
    eat = "python3 -c 'x = bytearray(80 << 20)'"
    fields: Document = {"resources": {"limits": {"memory": "32Mi"}}}
    silently = "exec 2>/dev/null"  # what the shell says of it is in no order with what is printed
    bench.start(bench.container(f"{silently}; {eat}; echo $?", **fields))
    ended = bench.ended()
    bench.control()
    if ended["exitCode"] == 0:
        equal(bench.printed(), "137\n")
    else:
        equal((ended["reason"], ended["exitCode"]), ("OOMKilled", 137))


@row("limits.escape", 104)
def a_container_cannot_leave_its_limits(bench: Bench) -> None:
    script = (
        "for f in $(find /sys/fs/cgroup -name cgroup.procs 2>/dev/null); do "
        "echo 0 > $f && echo left by $f; done 2>/dev/null; echo stays"
    )
    equal(bench.ran(script), "stays\n")


@row("limits.cpu", 45)
def a_container_gets_its_share_of_a_core(bench: Bench) -> None:
    """By its own processor time, whatever else the machine does: never more, and not far less."""
    used = float(
        bench.ran("python3", "-c", BURN, container={"resources": {"limits": {"cpu": "100m"}}})
    )
    bench.control()
    between(0.05, used, 0.125)


@row("limits.cpu.request", 47)
def a_request_for_the_processor_is_no_limit(bench: Bench) -> None:
    asked: Document = {"resources": {"requests": {"cpu": "50m"}}}
    between(0.1, float(bench.ran("python3", "-c", BURN, container=asked)), 64)


@row("limits.cpu.aboveNode", 48)
def a_limit_above_the_node_is_no_hindrance(bench: Bench) -> None:
    fields: Document = {"resources": {"limits": {"cpu": "64"}, "requests": {"cpu": "10m"}}}
    equal(bench.ran("echo ran", container=fields), "ran\n")


@row("limits.pids", 53)
def the_number_of_processes_is_bounded(bench: Bench) -> None:
    spawn = (
        "import subprocess\nmade = 0\ntry:\n    while made < 400:\n"
        "        subprocess.Popen(['sleep', '30']); made += 1\n"
        "except OSError: pass\nprint(made)"
    )
    between(200, int(bench.ran("python3", "-c", spawn)), 256)


@row("limits.ephemeralStorage", 56)
def a_pod_that_writes_more_than_it_may_is_evicted(bench: Bench) -> None:
    fields: Document = {"resources": {"limits": {"ephemeral-storage": "1Mi"}}}
    bench.start(bench.container(f"head -c 8000000 /dev/zero > /tmp/x; {FOREVER}", **fields))
    status = bench.phase("Failed", limit_seconds=60)["status"]
    equal(status["reason"], "Evicted")
    contains(status["message"], "ephemeral local storage usage exceeds")


@row("limits.emptyDir", 56)
def a_pod_that_fills_its_folder_is_evicted(bench: Bench) -> None:
    fields: Document = {"volumeMounts": [{"name": "v", "mountPath": "/v"}]}
    volumes = [{"name": "v", "emptyDir": {"sizeLimit": "1Mi"}}]
    script = f"head -c 8000000 /dev/zero > /v/x; {FOREVER}"
    bench.start(bench.container(script, **fields), volumes=volumes)
    status = bench.phase("Failed", limit_seconds=90)["status"]
    equal(status["reason"], "Evicted")
    contains(status["message"], 'EmptyDir volume "v" exceeds the limit "1Mi"')


@row("limits.resize", 83)
def a_container_can_be_given_more_while_it_runs(bench: Bench) -> None:
    fields: Document = {"resources": {"limits": {"cpu": "50m"}, "requests": {"cpu": "50m"}}}
    bench.start(bench.container(FOREVER, **fields))
    bench.wait("started", started)
    asked = {"limits": {"cpu": "100m"}, "requests": {"cpu": "100m"}}
    change = {"spec": {"containers": [{"name": "main", "resources": asked}]}}
    bench.core.patch_namespaced_pod_resize("pod", bench.namespace, change)
    bench.control()
    bench.wait(
        "resized",
        lambda pod: pod["status"]["containerStatuses"][0]["resources"]["limits"]["cpu"] == "100m",
    )
    between(0.055, float(bench.execute("python3", "-c", BURN).out), 0.125)
    equal(bench.state()["restartCount"], 0)


@row("admission.resources", 49)
def a_request_above_its_node_is_refused(bench: Bench) -> None:
    bench.start(bench.container("true", resources={"requests": {"cpu": "4"}}), nodeName="worker-1")
    equal(bench.phase("Failed")["status"]["reason"], "OutOfcpu")


@row("admission.nodeSelector", 70)
def a_node_refuses_a_pod_that_wants_another(bench: Bench) -> None:
    bench.start(
        bench.container("true"),
        nodeName="worker-1",
        nodeSelector={"kubernetes.io/hostname": "worker-2"},
    )
    equal(bench.phase("Failed")["status"]["reason"], "NodeAffinity")
