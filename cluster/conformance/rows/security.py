"""What a container may do, and as whom."""

from __future__ import annotations

from cluster.conformance.bench import Bench
from cluster.conformance.claims import below, contains, equal
from cluster.conformance.row import row


@row("security.none")
def a_container_has_no_capabilities_and_gains_no_privileges(bench: Bench) -> None:
    said = bench.ran("grep -E '^(Cap|NoNewPrivs)' /proc/self/status")
    equal(
        dict(line.split(":\t") for line in said.splitlines()),
        {
            **{f"Cap{kind}": "0" * 16 for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")},
            "NoNewPrivs": "1",
        },
    )


@row("security.seccomp")
def system_calls_are_filtered(bench: Bench) -> None:
    script = "grep Seccomp: /proc/self/status; unshare -U true 2>/dev/null || echo refused"
    equal(bench.ran(script), "Seccomp:\t2\nrefused\n")


@row("security.runAsUser")
def it_runs_as_the_user_asked_for(bench: Bench) -> None:
    rights = {"runAsUser": 65534, "runAsGroup": 65533}
    equal(bench.ran("id -u; id -g", securityContext=rights), "65534\n65533\n")


@row("security.runAsNonRoot")
def who_must_not_be_root_is_not(bench: Bench) -> None:
    bench.start(bench.container("id -u"), securityContext={"runAsNonRoot": True})
    message = bench.waiting("CreateContainerConfigError")
    contains(message, "runAsNonRoot")


@row("security.supplementalGroups")
def a_process_is_in_more_groups(bench: Bench) -> None:
    contains(bench.ran("id -G", securityContext={"supplementalGroups": [4321]}).split(), "4321")


@row("security.readOnlyRootFilesystem")
def a_read_only_root_is_one_everywhere(bench: Bench) -> None:
    rights = {"securityContext": {"readOnlyRootFilesystem": True}}
    said = bench.ran("touch /x /tmp/x /usr/x 2>&1; echo ended", container=rights)
    equal(said.count("Read-only file system"), 3)


@row("security.host")
def neither_the_hosts_processes_nor_its_homes_are_seen(bench: Bench) -> None:
    said = bench.ran("ls -d /proc/[0-9]* | wc -l; ls /home /var/lib /etc/shadow 2>&1; true")
    count, *rest = said.splitlines()
    below(int(count), 10)
    equal(len([line for line in rest if "No such file" in line]), 3)
