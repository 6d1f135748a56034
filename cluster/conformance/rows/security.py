"""What a container may do, and as whom."""

from __future__ import annotations

import socket

from cluster.conformance.bench import Bench
from cluster.conformance.claims import below, contains, equal
from cluster.conformance.pods import Document, started
from cluster.conformance.row import row


@row("security.none", 43)
def a_container_has_no_capabilities_and_gains_no_privileges(bench: Bench) -> None:
    said = bench.ran("grep -E '^(Cap|NoNewPrivs)' /proc/self/status")
    equal(
        dict(line.split(":\t") for line in said.splitlines()),
        {
            **{f"Cap{kind}": "0" * 16 for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")},
            "NoNewPrivs": "1",
        },
    )


@row("security.seccomp", 103)
def system_calls_are_filtered(bench: Bench) -> None:
    script = "grep Seccomp: /proc/self/status; unshare -U true 2>/dev/null || echo refused"
    equal(bench.ran(script), "Seccomp:\t2\nrefused\n")


@row("security.runAsUser", 43)
def it_runs_as_the_user_asked_for(bench: Bench) -> None:
    rights = {"runAsUser": 65534, "runAsGroup": 65533}
    equal(bench.ran("id -u; id -g", securityContext=rights), "65534\n65533\n")


@row("security.runAsNonRoot", 43)
def who_must_not_be_root_is_not(bench: Bench) -> None:
    bench.start(bench.container("id -u"), securityContext={"runAsNonRoot": True})
    message = bench.waiting("CreateContainerConfigError")
    contains(message, "runAsNonRoot")


@row("security.supplementalGroups", 43)
def a_process_is_in_more_groups(bench: Bench) -> None:
    contains(bench.ran("id -G", securityContext={"supplementalGroups": [4321]}).split(), "4321")


@row("security.readOnlyRootFilesystem", 43)
def a_read_only_root_is_one_everywhere(bench: Bench) -> None:
    rights = {"securityContext": {"readOnlyRootFilesystem": True}}
    said = bench.ran("touch /x /tmp/x /usr/x 2>&1; echo ended", container=rights)
    equal(said.count("Read-only file system"), 3)


@row("security.host", 103)
def neither_the_hosts_processes_nor_its_homes_are_seen(bench: Bench) -> None:
    said = bench.ran("ls -d /proc/[0-9]* | wc -l; ls /home /var/lib /etc/shadow 2>&1; true")
    count, *rest = said.splitlines()
    below(int(count), 10)
    equal(len([line for line in rest if "No such file" in line]), 3)


@row("security.runAsUser.container")
def a_container_may_be_somebody_else_than_its_pod(bench: Bench) -> None:
    own = {"securityContext": {"runAsUser": 1234}}
    rights = {"runAsUser": 65534, "runAsGroup": 65533}
    equal(bench.ran("id -u; id -g", securityContext=rights, container=own), "1234\n65533\n")


@row("security.exec")
def a_command_in_a_container_is_who_the_container_is(bench: Bench) -> None:
    rights = {"runAsUser": 1234, "runAsGroup": 1235}
    bench.start(bench.container("while :; do sleep 0.1; done"), securityContext=rights)
    bench.wait("started", started)
    said = bench.execute("sh", "-c", "id -u; id -g; touch /tmp/x; stat -c %u /tmp/x").out
    equal(said, "1234\n1235\n1234\n")


@row("security.stdout")
def whoever_it_is_it_opens_its_output_by_name(bench: Bench) -> None:
    equal(bench.ran("echo heard > /dev/stdout", securityContext={"runAsUser": 1234}), "heard\n")


@row("security.fsGroup")
def volumes_belong_to_the_pods_group(bench: Bench) -> None:
    bench.secret("login", password="pass")
    mounts = [{"name": "v", "mountPath": "/v"}, {"name": "s", "mountPath": "/s"}]
    secret = {"secretName": "login", "defaultMode": 0o400}
    said = bench.ran(
        "id -G; stat -c '%g %A' /v; touch /v/x; stat -c '%u %g' /v/x; "
        "stat -Lc '%g %a' /s/password; cat /s/password",
        container={"volumeMounts": mounts},
        volumes=[{"name": "v", "emptyDir": {}}, {"name": "s", "secret": secret}],
        securityContext={"runAsUser": 1234, "runAsGroup": 1235, "fsGroup": 4321},
    )
    equal(said, "1235 4321\n4321 drwxrwsrwx\n1234 4321\n4321 440\npass")


@row("security.sharedVolume")
def containers_of_two_users_see_whose_a_file_is(bench: Bench) -> None:
    mounts: Document = {"volumeMounts": [{"name": "v", "mountPath": "/v"}]}
    first = bench.container(
        "echo mine > /v/x; chmod 600 /v/x",
        name="first",
        securityContext={"runAsUser": 1001},
        **mounts,
    )
    said = bench.ran(
        "stat -c %u /v/x; cat /v/x 2>/dev/null || echo shut",
        container={"securityContext": {"runAsUser": 1002}, **mounts},
        initContainers=[first],
        volumes=[{"name": "v", "emptyDir": {}}],
    )
    bench.control()
    equal(said, "1001\nshut\n")


@row("security.loopback", 103)
def what_listens_on_the_hosts_loopback_is_not_reached(bench: Bench) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = listening.getsockname()
        bench.start(
            bench.container(
                "python3", "-c", f"import socket; socket.create_connection({address}, 2)"
            )
        )
        code = bench.ended()["exitCode"]
    bench.control()
    equal(code, 1)
    contains(bench.printed(), "refused")
