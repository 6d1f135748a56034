"""Volumes: what is mounted, what it holds, who may write."""

from __future__ import annotations

import base64
import json

import pytest

from tests.cluster.conformance.bench import Bench, started

FOREVER = "while :; do sleep 0.1; done"


def mounted(path: str = "/v", **fields: object) -> dict[str, object]:
    return {"volumeMounts": [{"name": "v", "mountPath": path, **fields}]}


@pytest.mark.behaviour("volumes.emptyDir")
def test_an_empty_folder_is_shared_and_survives_a_restart(bench: Bench) -> None:
    script = "cat /v/note 2>/dev/null || { echo kept > /v/note; exit 1; }"
    bench.start(
        bench.container(script, **mounted()),
        restartPolicy="OnFailure",
        volumes=[{"name": "v", "emptyDir": {}}],
    )
    bench.phase("Succeeded")
    assert bench.printed() == "kept\n"


@pytest.mark.behaviour("volumes.emptyDir.memory")
def test_an_empty_folder_can_be_memory(bench: Bench) -> None:
    volumes = [{"name": "v", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}}]
    assert bench.ran("stat -f -c %T /v", container=mounted(), volumes=volumes) == "tmpfs\n"


@pytest.mark.behaviour("volumes.configMap")
def test_a_config_map_is_files(bench: Bench) -> None:
    bench.config_map("settings", colour="blue", size="3")
    volumes = [{"name": "v", "configMap": {"name": "settings"}}]
    said = bench.ran(
        "cd /v; for f in *; do echo $f=$(cat $f); done", container=mounted(), volumes=volumes
    )
    assert said == "colour=blue\nsize=3\n"


@pytest.mark.behaviour("volumes.configMap.items")
def test_keys_have_the_paths_and_modes_asked_for(bench: Bench) -> None:
    bench.config_map("settings", colour="blue", size="3")
    items = [{"key": "size", "path": "deep/er", "mode": 0o400}]
    volumes = [{"name": "v", "configMap": {"name": "settings", "items": items}}]
    said = bench.ran(
        "cd /v; ls; cat deep/er; stat -L -c %a deep/er", container=mounted(), volumes=volumes
    )
    assert said == "deep\n3400\n"


@pytest.mark.behaviour("volumes.configMap.update")
def test_a_change_of_a_config_map_arrives(bench: Bench) -> None:
    bench.config_map("settings", colour="blue")
    bench.start(
        bench.container(
            "until grep -q red /v/colour; do sleep 0.2; done; cat /v/colour", **mounted()
        ),
        volumes=[{"name": "v", "configMap": {"name": "settings"}}],
    )
    bench.wait("started", started)
    bench.core.patch_namespaced_config_map("settings", bench.namespace, {"data": {"colour": "red"}})
    bench.phase("Succeeded", limit_seconds=90)
    assert bench.printed() == "red"


@pytest.mark.behaviour("volumes.secret")
def test_a_secret_is_files_in_memory(bench: Bench) -> None:
    bench.secret("login", password="x")
    volumes = [{"name": "v", "secret": {"secretName": "login"}}]
    said = bench.ran(
        "cat /v/password; echo; stat -f -c %T /v", container=mounted(), volumes=volumes
    )
    assert said == "x\ntmpfs\n"


@pytest.mark.behaviour("volumes.downwardAPI")
def test_fields_of_the_pod_are_files(bench: Bench) -> None:
    item = {"path": "name", "fieldRef": {"fieldPath": "metadata.name"}}
    volumes = [{"name": "v", "downwardAPI": {"items": [item]}}]
    assert bench.ran("cat /v/name", container=mounted(), volumes=volumes) == "pod"


@pytest.mark.behaviour("volumes.readOnly")
def test_a_mount_can_be_read_only(bench: Bench) -> None:
    volumes = [{"name": "v", "emptyDir": {}}]
    said = bench.ran(
        "touch /v/x 2>&1 || echo no", container=mounted(readOnly=True), volumes=volumes
    )
    assert "Read-only file system" in said
    assert said.endswith("no\n")


@pytest.mark.behaviour("volumes.subPath")
def test_a_part_of_a_volume_can_be_mounted(bench: Bench) -> None:
    bench.config_map("settings", colour="blue", size="3")
    volumes = [{"name": "v", "configMap": {"name": "settings"}}]
    fields = mounted("/data/one", subPath="colour")
    assert bench.ran("cat /data/one; ls /data", container=fields, volumes=volumes) == "blueone\n"


@pytest.mark.behaviour("volumes.missing")
def test_a_missing_config_map_holds_the_pod_up(bench: Bench) -> None:
    bench.start(
        bench.container("true", **mounted()),
        volumes=[{"name": "v", "configMap": {"name": "nowhere"}}],
    )
    assert any('configmap "nowhere" not found' in said for said in bench.events("FailedMount"))
    bench.config_map("nowhere", a="1")
    bench.phase("Succeeded", limit_seconds=60)


@pytest.mark.behaviour("volumes.hostPath")
def test_a_path_of_the_host(bench: Bench) -> None:
    volumes = [{"name": "v", "hostPath": {"path": "/usr"}}]
    assert "bin" in bench.ran("ls /v", container=mounted(), volumes=volumes).split()


@pytest.mark.behaviour("token.mounted")
def test_a_token_of_the_pods_account_is_mounted(bench: Bench) -> None:
    folder = "/var/run/secrets/kubernetes.io/serviceaccount"
    said = bench.ran(
        f"cd {folder}; ls; cat namespace; echo; cat token", automountServiceAccountToken=True
    )
    *names, space, token = said.splitlines()
    assert (names, space) == (["ca.crt", "namespace", "token"], bench.namespace)
    claims = token.split(".")[1]
    payload = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    assert payload["sub"] == f"system:serviceaccount:{bench.namespace}:default"
    assert payload["kubernetes.io"]["pod"]["name"] == "pod"


@pytest.mark.behaviour("files.terminationMessage")
def test_a_containers_last_words(bench: Bench) -> None:
    bench.start(bench.container("echo all done > /dev/termination-log; exit 3"))
    ended = bench.phase("Failed")["status"]["containerStatuses"][0]["state"]["terminated"]
    assert (ended["message"], ended["exitCode"]) == ("all done\n", 3)


@pytest.mark.behaviour("files.hosts")
def test_the_pods_own_hosts_file(bench: Bench) -> None:
    said = bench.ran(
        "grep -c . /etc/hosts >/dev/null; cat /etc/hosts",
        hostAliases=[{"ip": "10.1.2.3", "hostnames": ["elsewhere"]}],
    )
    assert "10.1.2.3\telsewhere" in said
    assert f"{bench.pod()['status']['podIP']}\tpod" in said
