"""What a container may use and do."""

from __future__ import annotations

import pytest

from tests.cluster.conformance.bench import Bench, started

FOREVER = "while :; do sleep 0.1; done"
BURN = """
import time
end = time.monotonic() + 4
while time.monotonic() < end:
    pass
print(time.process_time() / 4)
"""
EAT = "exec python3 -c 'x = bytearray({} << 20); print(len(x))'"


@pytest.mark.behaviour("security.none")
def test_a_container_has_no_capabilities_and_gains_no_privileges(bench: Bench) -> None:
    said = bench.ran("grep -E '^(Cap|NoNewPrivs)' /proc/self/status")
    assert dict(line.split(":\t") for line in said.splitlines()) == {
        **{f"Cap{kind}": "0" * 16 for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")},
        "NoNewPrivs": "1",
    }


@pytest.mark.behaviour("security.seccomp")
def test_system_calls_are_filtered(bench: Bench) -> None:
    script = "grep Seccomp: /proc/self/status; unshare -U true 2>/dev/null || echo refused"
    assert bench.ran(script) == "Seccomp:\t2\nrefused\n"


@pytest.mark.behaviour("security.runAsUser")
def test_it_runs_as_the_user_asked_for(bench: Bench) -> None:
    rights = {"runAsUser": 65534, "runAsGroup": 65533}
    assert bench.ran("id -u; id -g", securityContext=rights) == "65534\n65533\n"


@pytest.mark.behaviour("security.runAsNonRoot")
def test_who_must_not_be_root_is_not(bench: Bench) -> None:
    bench.start(bench.container("id -u"), securityContext={"runAsNonRoot": True})
    message = bench.waiting("CreateContainerConfigError")
    assert "runAsNonRoot" in message


@pytest.mark.behaviour("security.supplementalGroups")
def test_more_groups(bench: Bench) -> None:
    assert "4321" in bench.ran("id -G", securityContext={"supplementalGroups": [4321]}).split()


@pytest.mark.behaviour("security.readOnlyRootFilesystem")
def test_a_read_only_root_is_one_everywhere(bench: Bench) -> None:
    rights = {"securityContext": {"readOnlyRootFilesystem": True}}
    said = bench.ran("touch /x /tmp/x /usr/x 2>&1; echo ended", container=rights)
    assert said.count("Read-only file system") == 3


@pytest.mark.behaviour("security.host")
def test_neither_the_hosts_processes_nor_its_homes_are_seen(bench: Bench) -> None:
    said = bench.ran("ls -d /proc/[0-9]* | wc -l; ls /home /var/lib /etc/shadow 2>&1; true")
    count, *rest = said.splitlines()
    assert int(count) < 10
    assert len([line for line in rest if "No such file" in line]) == 3


@pytest.mark.behaviour("limits.memory")
def test_more_memory_than_the_limit_ends_it_and_says_why(bench: Bench) -> None:
    bench.start(bench.container(EAT.format(80), resources={"limits": {"memory": "32Mi"}}))
    ended = bench.phase("Failed")["status"]["containerStatuses"][0]["state"]["terminated"]
    assert (ended["reason"], ended["exitCode"]) == ("OOMKilled", 137)


@pytest.mark.behaviour("limits.memory.request")
def test_a_request_is_no_limit(bench: Bench) -> None:
    fields = {"resources": {"requests": {"memory": "16Mi", "cpu": "10m"}}}
    assert bench.ran(EAT.format(80), container=fields) == f"{80 << 20}\n"


@pytest.mark.behaviour("limits.killed")
def test_a_kill_is_no_want_of_memory(bench: Bench) -> None:
    bench.start(bench.container("kill -9 $$$$", resources={"limits": {"memory": "32Mi"}}))
    ended = bench.phase("Failed")["status"]["containerStatuses"][0]["state"]["terminated"]
    assert (ended["reason"], ended["exitCode"]) == ("Error", 137)


@pytest.mark.behaviour("limits.cpu")
def test_a_container_gets_its_share_of_a_core(bench: Bench) -> None:
    """By its own processor time, whatever else the machine does: never more, and not far less."""
    used = float(
        bench.ran("python3", "-c", BURN, container={"resources": {"limits": {"cpu": "100m"}}})
    )
    assert 0.05 < used < 0.125


@pytest.mark.behaviour("limits.cpu.aboveNode")
def test_a_limit_above_the_node_is_no_hindrance(bench: Bench) -> None:
    fields = {"resources": {"limits": {"cpu": "64"}, "requests": {"cpu": "10m"}}}
    assert bench.ran("echo ran", container=fields) == "ran\n"


@pytest.mark.behaviour("limits.pids")
def test_the_number_of_processes_is_bounded(bench: Bench) -> None:
    spawn = (
        "import subprocess\nmade = 0\ntry:\n    while made < 400:\n"
        "        subprocess.Popen(['sleep', '30']); made += 1\n"
        "except OSError: pass\nprint(made)"
    )
    assert 200 < int(bench.ran("python3", "-c", spawn)) < 256


@pytest.mark.behaviour("limits.ephemeralStorage")
def test_a_pod_that_writes_more_than_it_may_is_evicted(bench: Bench) -> None:
    fields = {"resources": {"limits": {"ephemeral-storage": "1Mi"}}}
    bench.start(bench.container(f"head -c 8000000 /dev/zero > /tmp/x; {FOREVER}", **fields))
    status = bench.phase("Failed", limit_seconds=60)["status"]
    assert status["reason"] == "Evicted"
    assert "ephemeral local storage usage exceeds" in status["message"]


@pytest.mark.behaviour("limits.emptyDir")
def test_a_pod_that_fills_its_folder_is_evicted(bench: Bench) -> None:
    fields = {"volumeMounts": [{"name": "v", "mountPath": "/v"}]}
    volumes = [{"name": "v", "emptyDir": {"sizeLimit": "1Mi"}}]
    script = f"head -c 8000000 /dev/zero > /v/x; {FOREVER}"
    bench.start(bench.container(script, **fields), volumes=volumes)
    status = bench.phase("Failed", limit_seconds=90)["status"]
    assert status["reason"] == "Evicted"
    assert 'EmptyDir volume "v" exceeds the limit "1Mi"' in status["message"]


@pytest.mark.behaviour("limits.resize")
def test_a_container_can_be_given_more_while_it_runs(bench: Bench) -> None:
    fields = {"resources": {"limits": {"cpu": "50m"}, "requests": {"cpu": "50m"}}}
    bench.start(bench.container(FOREVER, **fields))
    bench.wait("started", started)
    asked = {"limits": {"cpu": "100m"}, "requests": {"cpu": "100m"}}
    change = {"spec": {"containers": [{"name": "main", "resources": asked}]}}
    bench.core.patch_namespaced_pod_resize("pod", bench.namespace, change)
    bench.wait(
        "resized",
        lambda pod: pod["status"]["containerStatuses"][0]["resources"]["limits"]["cpu"] == "100m",
    )
    assert 0.055 < float(bench.execute("python3", "-c", BURN).out) < 0.125
    assert bench.state()["restartCount"] == 0


@pytest.mark.behaviour("admission.resources")
def test_a_request_above_its_node_is_refused(bench: Bench) -> None:
    bench.start(bench.container("true", resources={"requests": {"cpu": "4"}}), nodeName="worker-1")
    assert bench.phase("Failed")["status"]["reason"] == "OutOfcpu"


@pytest.mark.behaviour("admission.nodeSelector")
def test_a_node_refuses_a_pod_that_wants_another(bench: Bench) -> None:
    bench.start(
        bench.container("true"),
        nodeName="worker-1",
        nodeSelector={"kubernetes.io/hostname": "worker-2"},
    )
    assert bench.phase("Failed")["status"]["reason"] == "NodeAffinity"


@pytest.mark.behaviour("admission.fields")
@pytest.mark.parametrize(
    ("field", "spec"),
    [
        ("spec.hostPID", {"hostPID": True}),
        ("spec.hostIPC", {"hostIPC": True}),
        ("spec.shareProcessNamespace", {"shareProcessNamespace": True}),
        ("spec.securityContext.fsGroup", {"securityContext": {"fsGroup": 5}}),
        ("spec.volumes[0] (v)", {"volumes": [{"name": "v", "hostPath": {"path": "/"}}]}),
    ],
)
def test_what_a_node_cannot_give_fails_the_pod_by_name(
    bench: Bench, provider: str, field: str, spec: dict[str, object]
) -> None:
    if provider != "native":
        pytest.skip("nodes of containers give this")
    bench.start(bench.container("true"), **spec)
    status = bench.phase("Failed")["status"]
    assert status["reason"] == "UnsupportedField"
    assert status["message"].startswith(f"Pod was rejected: {field}: ")


@pytest.mark.behaviour("image.unknown")
def test_an_image_that_is_not_there_is_not_run(bench: Bench) -> None:
    container = bench.container("true")
    container["image"] = "kompute.invalid/nothing:1"
    bench.start(container)
    assert "nothing" in bench.waiting("ErrImagePull")


@pytest.mark.behaviour("events.lifecycle")
def test_a_pods_life_is_told_in_events(bench: Bench) -> None:
    bench.start(bench.container(FOREVER))
    bench.wait("started", started)
    assert bench.events("Scheduled")
    assert bench.events("Created")
    assert bench.events("Started")
    bench.delete()
    bench.gone()
    assert bench.events("Killing")


@pytest.mark.behaviour("addresses.distinct")
def test_pods_have_addresses_of_their_own(bench: Bench) -> None:
    for name in ("one", "two"):
        bench.start(bench.container(FOREVER), name=name)
    found = {bench.wait("started", started, name)["status"]["podIP"] for name in ("one", "two")}
    assert len(found) == 2
