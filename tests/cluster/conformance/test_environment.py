"""What a container finds in its environment."""

from __future__ import annotations

import pytest

from tests.cluster.conformance.bench import Bench


@pytest.mark.behaviour("env.value")
def test_a_plain_value(bench: Bench) -> None:
    fields = {"env": [{"name": "A", "value": "one"}, {"name": "EMPTY", "value": ""}]}
    assert bench.ran('echo "$A/${EMPTY-unset}/${NONE-unset}"', container=fields) == "one//unset\n"


@pytest.mark.behaviour("env.configMapKeyRef")
def test_a_key_of_a_config_map(bench: Bench) -> None:
    bench.config_map("settings", colour="blue")
    source = {"configMapKeyRef": {"name": "settings", "key": "colour"}}
    fields = {"env": [{"name": "COLOUR", "valueFrom": source}]}
    assert bench.ran("echo $COLOUR", container=fields) == "blue\n"


@pytest.mark.behaviour("env.secretKeyRef")
def test_a_key_of_a_secret(bench: Bench) -> None:
    bench.secret("login", password="p=$s")
    source = {"secretKeyRef": {"name": "login", "key": "password"}}
    fields = {"env": [{"name": "PASSWORD", "valueFrom": source}]}
    assert bench.ran('echo "$PASSWORD"', container=fields) == "p=$s\n"


@pytest.mark.behaviour("env.missingKey")
@pytest.mark.parametrize("kind", ["configMapKeyRef", "secretKeyRef"])
def test_a_missing_key_keeps_the_container_from_starting(bench: Bench, kind: str) -> None:
    bench.config_map("there", a="1")
    bench.secret("there", a="1")
    source = {kind: {"name": "there", "key": "b"}}
    bench.start(bench.container("true", env=[{"name": "B", "valueFrom": source}]))
    assert "couldn't find key b" in bench.waiting("CreateContainerConfigError")


@pytest.mark.behaviour("env.optionalKey")
def test_an_optional_key_may_be_missing(bench: Bench) -> None:
    source = {"configMapKeyRef": {"name": "nowhere", "key": "b", "optional": True}}
    fields = {"env": [{"name": "B", "valueFrom": source}]}
    assert bench.ran("echo ${B-unset}", container=fields) == "unset\n"


@pytest.mark.behaviour("env.fieldRef")
def test_fields_of_the_pod(bench: Bench) -> None:
    paths = {
        "NAME": "metadata.name",
        "SPACE": "metadata.namespace",
        "NODE": "spec.nodeName",
        "IP": "status.podIP",
        "UID_": "metadata.uid",
        "FOLDER": "metadata.annotations['kompute.network/folder']",
    }
    env = [
        {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}
        for name, path in paths.items()
    ]
    told = bench.ran('echo "$NAME $SPACE $NODE $IP $UID_ $FOLDER"', container={"env": env}).split()
    pod = bench.pod()
    assert told == [
        "pod",
        bench.namespace,
        pod["spec"]["nodeName"],
        pod["status"]["podIP"],
        pod["metadata"]["uid"],
        pod["metadata"]["annotations"]["kompute.network/folder"],
    ]


@pytest.mark.behaviour("env.resourceFieldRef")
def test_its_own_limits(bench: Bench) -> None:
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
    assert bench.ran("echo $CPU $MEMORY $ASKED", container=fields) == "150 48 50\n"


@pytest.mark.behaviour("env.from")
def test_all_of_a_config_map_and_of_a_secret(bench: Bench) -> None:
    bench.config_map("settings", colour="blue", size="3")
    bench.secret("login", user="ann")
    fields = {
        "envFrom": [
            {"configMapRef": {"name": "settings"}, "prefix": "SET_"},
            {"secretRef": {"name": "login"}},
        ]
    }
    assert bench.ran("echo $SET_colour $SET_size $user", container=fields) == "blue 3 ann\n"


@pytest.mark.behaviour("env.expansion")
def test_references_are_expanded_in_values_command_and_arguments(bench: Bench) -> None:
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
    assert told == "cmd-one pre-one $(A) $(NONE)\n"


@pytest.mark.behaviour("env.hostname")
def test_the_hostname_is_the_pods(bench: Bench) -> None:
    assert bench.ran("hostname; echo $HOSTNAME") == "pod\npod\n"


@pytest.mark.behaviour("env.specHostname")
def test_the_hostname_can_be_chosen(bench: Bench) -> None:
    assert bench.ran("hostname", hostname="db-0") == "db-0\n"


@pytest.mark.behaviour("env.workingDir")
def test_the_working_folder_can_be_chosen(bench: Bench) -> None:
    assert bench.ran("pwd", container={"workingDir": "/usr/bin"}) == "/usr/bin\n"
