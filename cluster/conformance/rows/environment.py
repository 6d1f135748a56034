"""What a container finds in its environment."""

from __future__ import annotations

from cluster.conformance.bench import Bench
from cluster.conformance.claims import contains, equal
from cluster.conformance.row import row


@row("env.value", 33)
def a_plain_value(bench: Bench) -> None:
    fields = {"env": [{"name": "A", "value": "one"}, {"name": "EMPTY", "value": ""}]}
    equal(bench.ran('echo "$A/${EMPTY-unset}/${NONE-unset}"', container=fields), "one//unset\n")


@row("env.configMapKeyRef", 34)
def a_key_of_a_config_map(bench: Bench) -> None:
    bench.config_map("settings", colour="blue")
    source = {"configMapKeyRef": {"name": "settings", "key": "colour"}}
    fields = {"env": [{"name": "COLOUR", "valueFrom": source}]}
    equal(bench.ran("echo $COLOUR", container=fields), "blue\n")


@row("env.secretKeyRef", 34)
def a_key_of_a_secret(bench: Bench) -> None:
    bench.secret("login", password="p=$s")
    source = {"secretKeyRef": {"name": "login", "key": "password"}}
    fields = {"env": [{"name": "PASSWORD", "valueFrom": source}]}
    equal(bench.ran('echo "$PASSWORD"', container=fields), "p=$s\n")


@row("env.missingKey", 36)
def a_missing_key_keeps_the_container_from_starting(bench: Bench) -> None:
    bench.config_map("there", a="1")
    bench.secret("there", a="1")
    for number, kind in enumerate(("configMapKeyRef", "secretKeyRef")):
        source = {kind: {"name": "there", "key": "b"}}
        container = bench.container("true", env=[{"name": "B", "valueFrom": source}])
        name = bench.start(container, name=f"pod-{number}")
        contains(bench.waiting("CreateContainerConfigError", name), "couldn't find key b")


@row("env.optionalKey", 36)
def an_optional_key_may_be_missing(bench: Bench) -> None:
    source = {"configMapKeyRef": {"name": "nowhere", "key": "b", "optional": True}}
    fields = {"env": [{"name": "B", "valueFrom": source}]}
    equal(bench.ran("echo ${B-unset}", container=fields), "unset\n")


@row("env.fieldRef", 34)
def fields_of_the_pod(bench: Bench) -> None:
    paths = {
        "NAME": "metadata.name",
        "SPACE": "metadata.namespace",
        "NODE": "spec.nodeName",
        "IP": "status.podIP",
        "UID_": "metadata.uid",
        "NOTE": "metadata.annotations['kompute.network/note']",
    }
    env = [
        {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}
        for name, path in paths.items()
    ]
    script = 'echo "$NAME $SPACE $NODE $IP $UID_ $NOTE"'
    notes = {"kompute.network/note": "noted"}
    told = bench.ran(script, container={"env": env}, notes=notes).split()
    pod = bench.pod()
    equal(
        told,
        [
            "pod",
            bench.namespace,
            pod["spec"]["nodeName"],
            pod["status"]["podIP"],
            pod["metadata"]["uid"],
            "noted",
        ],
    )


@row("env.resourceFieldRef", 34)
def its_own_limits(bench: Bench) -> None:
    env = [
        {
            "name": name,
            "valueFrom": {"resourceFieldRef": {"resource": resource, "divisor": divisor}},
        }
        for name, resource, divisor in (
            ("CPU", "limits.cpu", "1m"),
            ("MEMORY", "limits.memory", "1Mi"),
            ("ASKED", "requests.cpu", "1m"),
        )
    ]
    fields = {
        "env": env,
        "resources": {"limits": {"cpu": "150m", "memory": "48Mi"}, "requests": {"cpu": "50m"}},
    }
    equal(bench.ran("echo $CPU $MEMORY $ASKED", container=fields), "150 48 50\n")


@row("env.from", 35)
def all_of_a_config_map_and_of_a_secret(bench: Bench) -> None:
    bench.config_map("settings", colour="blue", size="3")
    bench.secret("login", user="ann")
    fields = {
        "envFrom": [
            {"configMapRef": {"name": "settings"}, "prefix": "SET_"},
            {"secretRef": {"name": "login"}},
        ]
    }
    equal(bench.ran("echo $SET_colour $SET_size $user", container=fields), "blue 3 ann\n")


@row("env.expansion", 37)
def references_are_expanded_in_values_command_and_arguments(bench: Bench) -> None:
    fields = {
        "env": [
            {"name": "A", "value": "one"},
            {"name": "B", "value": "pre-$(A)"},
            {"name": "C", "value": "$$(A)"},
            {"name": "D", "value": "$(NONE)"},
        ],
        "args": ["$(B)", "$(C)", "$(D)"],
    }
    told = bench.ran("sh", "-c", 'echo "$0 $1 $2 $3"', "cmd-$(A)", container=fields)
    equal(told, "cmd-one pre-one $(A) $(NONE)\n")


@row("env.hostname", 38)
def the_hostname_is_the_pods(bench: Bench) -> None:
    equal(bench.ran("hostname; echo $HOSTNAME"), "pod\npod\n")


@row("env.specHostname", 38)
def the_hostname_can_be_chosen(bench: Bench) -> None:
    equal(bench.ran("hostname", hostname="db-0"), "db-0\n")


@row("env.workingDir", 44)
def the_working_folder_can_be_chosen(bench: Bench) -> None:
    equal(bench.ran("pwd", container={"workingDir": "/usr/bin"}), "/usr/bin\n")
