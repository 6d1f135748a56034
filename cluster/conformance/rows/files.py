"""Volumes: what is mounted, what it holds, who may write."""

from __future__ import annotations

import base64
import json

from cluster.conformance.bench import Bench
from cluster.conformance.claims import any_says, contains, equal
from cluster.conformance.pods import Document, started
from cluster.conformance.row import row


def mounted(path: str = "/v", **fields: object) -> Document:
    return {"volumeMounts": [{"name": "v", "mountPath": path, **fields}]}


@row("volumes.emptyDir", 39)
def an_empty_folder_is_shared_and_survives_a_restart(bench: Bench) -> None:
    script = "cat /v/note 2>/dev/null || { echo kept > /v/note; exit 1; }"
    bench.start(
        bench.container(script, **mounted()),
        restartPolicy="OnFailure",
        volumes=[{"name": "v", "emptyDir": {}}],
    )
    bench.phase("Succeeded")
    equal(bench.printed(), "kept\n")


@row("volumes.emptyDir.memory", 39)
def an_empty_folder_can_be_memory(bench: Bench) -> None:
    volumes = [{"name": "v", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}}]
    equal(bench.ran("stat -f -c %T /v", container=mounted(), volumes=volumes), "tmpfs\n")


@row("volumes.configMap", 39)
def a_config_map_is_files(bench: Bench) -> None:
    bench.config_map("settings", colour="blue", size="3")
    volumes = [{"name": "v", "configMap": {"name": "settings"}}]
    said = bench.ran(
        "cd /v; for f in *; do echo $f=$(cat $f); done", container=mounted(), volumes=volumes
    )
    equal(said, "colour=blue\nsize=3\n")


@row("volumes.configMap.items", 39)
def keys_have_the_paths_and_modes_asked_for(bench: Bench) -> None:
    bench.config_map("settings", colour="blue", size="3")
    items = [{"key": "size", "path": "deep/er", "mode": 0o400}]
    volumes = [{"name": "v", "configMap": {"name": "settings", "items": items}}]
    said = bench.ran(
        "cd /v; ls; cat deep/er; stat -L -c %a deep/er", container=mounted(), volumes=volumes
    )
    equal(said, "deep\n3400\n")


@row("volumes.configMap.update", 39)
def a_change_of_a_config_map_arrives(bench: Bench) -> None:
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
    equal(bench.printed(), "red")


@row("volumes.secret", 39)
def a_secret_is_files_in_memory(bench: Bench) -> None:
    bench.secret("login", password="x")
    volumes = [{"name": "v", "secret": {"secretName": "login"}}]
    said = bench.ran(
        "cat /v/password; echo; stat -f -c %T /v", container=mounted(), volumes=volumes
    )
    equal(said, "x\ntmpfs\n")


@row("volumes.downwardAPI", 39)
def fields_of_the_pod_are_files(bench: Bench) -> None:
    item = {"path": "name", "fieldRef": {"fieldPath": "metadata.name"}}
    volumes = [{"name": "v", "downwardAPI": {"items": [item]}}]
    equal(bench.ran("cat /v/name", container=mounted(), volumes=volumes), "pod")


@row("volumes.readOnly", 39)
def a_mount_can_be_read_only(bench: Bench) -> None:
    volumes = [{"name": "v", "emptyDir": {}}]
    said = bench.ran(
        "touch /v/x 2>&1 || echo no", container=mounted(readOnly=True), volumes=volumes
    )
    contains(said, "Read-only file system")
    equal(said.splitlines()[-1], "no")


@row("volumes.subPath", 39)
def a_part_of_a_volume_can_be_mounted(bench: Bench) -> None:
    bench.config_map("settings", colour="blue", size="3")
    volumes = [{"name": "v", "configMap": {"name": "settings"}}]
    fields = mounted("/data/one", subPath="colour")
    equal(bench.ran("cat /data/one; ls /data", container=fields, volumes=volumes), "blueone\n")


@row("volumes.missing", 39)
def a_missing_config_map_holds_the_pod_up(bench: Bench) -> None:
    bench.start(
        bench.container("true", **mounted()),
        volumes=[{"name": "v", "configMap": {"name": "nowhere"}}],
    )
    any_says(bench.events("FailedMount"), 'configmap "nowhere" not found')
    bench.config_map("nowhere", a="1")
    bench.phase("Succeeded", limit_seconds=60)


@row("volumes.hostPath", 39)
def a_path_of_the_host(bench: Bench) -> None:
    volumes = [{"name": "v", "hostPath": {"path": "/usr"}}]
    contains(bench.ran("ls /v", container=mounted(), volumes=volumes).split(), "bin")


@row("token.mounted", 40)
def a_token_of_the_pods_account_is_mounted(bench: Bench) -> None:
    folder = "/var/run/secrets/kubernetes.io/serviceaccount"
    said = bench.ran(
        f"cd {folder}; ls; cat namespace; echo; cat token", automountServiceAccountToken=True
    )
    *names, space, token = said.splitlines()
    equal((names, space), (["ca.crt", "namespace", "token"], bench.namespace))
    claims = token.split(".")[1]
    payload = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    equal(payload["sub"], f"system:serviceaccount:{bench.namespace}:default")
    equal(payload["kubernetes.io"]["pod"]["name"], "pod")


@row("files.terminationMessage", 26)
def a_containers_last_words(bench: Bench) -> None:
    bench.start(bench.container("echo all done > /dev/termination-log; exit 3"))
    ended = bench.phase("Failed")["status"]["containerStatuses"][0]["state"]["terminated"]
    equal((ended["message"], ended["exitCode"]), ("all done\n", 3))


@row("files.hosts", 38)
def the_pods_own_hosts_file(bench: Bench) -> None:
    said = bench.ran(
        "grep -c . /etc/hosts >/dev/null; cat /etc/hosts",
        hostAliases=[{"ip": "10.1.2.3", "hostnames": ["elsewhere"]}],
    )
    contains(said, "10.1.2.3\telsewhere")
    contains(said, f"{bench.pod()['status']['podIP']}\tpod")


@row("volumes.projected", 39)
def several_sources_are_one_folder(bench: Bench) -> None:
    bench.config_map("settings", colour="blue")
    bench.secret("login", password="x")
    sources = [{"configMap": {"name": "settings"}}, {"secret": {"name": "login"}}]
    volumes = [{"name": "v", "projected": {"sources": sources}}]
    said = bench.ran("cd /v; cat colour password", container=mounted(), volumes=volumes)
    equal(said, "bluex")


@row("token.requested", 40)
def a_token_is_made_on_request(bench: Bench) -> None:
    said = bench.said("create", "token", "default", "--duration=10m").strip()
    claims = said.split(".")[1]
    payload = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    equal(payload["sub"], f"system:serviceaccount:{bench.namespace}:default")
    equal(payload["exp"] - payload["iat"], 600)
