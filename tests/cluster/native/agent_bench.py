"""A control plane with one agent, on which tests put pods by hand."""

from __future__ import annotations

import base64
import json
import subprocess
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cluster.errors import UnknownSubject
from cluster.kubernetes import names
from cluster.kubernetes.api import Api
from cluster.kubernetes.manifests import pod_ready
from cluster.native.provider import NativeProvider
from cluster.waiting import Seen, wait_for

NODE = "agent-1"
PODS = f"/api/v1/namespaces/{names.NAMESPACE}/pods"
LIMIT = 20.0
SERVER = """
import http.server, os, signal, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/exit": os._exit(5)
        self.send_response(200 if self.path == "/ready" else 404); self.end_headers()
def leave(*_):
    print("bye", flush=True); sys.exit(0)
signal.signal(signal.SIGTERM, leave)
print(os.environ["POD_NAME"], os.environ["NODE_NAME"], os.environ["GREETING"], flush=True)
http.server.HTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Handler).serve_forever()
"""


class Bench:
    """A control plane, one agent, and short ways to make and see pods."""

    def __init__(self, provider: NativeProvider, api: Api, folder: Path, tools: Path) -> None:
        self.provider, self.api, self.folder = provider, api, folder
        self._kubectl = [str(tools / "kubectl"), "--kubeconfig", str(provider.kubeconfig())]
        (folder / "server.py").write_text(SERVER)

    def kubectl(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self._kubectl, "-n", names.NAMESPACE, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )

    def create(self, name: str, *command: str, **changes: Any) -> None:
        container: dict[str, Any] = {
            "name": names.CONTAINER,
            "image": names.IMAGE,
            "command": list(command),
            "resources": {"limits": {"cpu": "400m", "memory": "64Mi"}},
        } | changes.pop("container", {})
        annotations = {names.FOLDER: str(self.folder)} | changes.pop("annotations", {})
        spec = {
            "nodeName": NODE,
            "containers": [container],
            "terminationGracePeriodSeconds": 3,
            "automountServiceAccountToken": False,
            # A slow machine may see the node lost; its pods must then wait for the next agent.
            "tolerations": [{"operator": "Exists"}],
        } | changes
        document = {"metadata": {"name": name, "annotations": annotations}, "spec": spec}
        self.api.create(PODS, document)

    def server(self, name: str, probe: str = "/ready") -> None:
        container = {
            "env": [{"name": "GREETING", "value": "hello"}],
            "readinessProbe": {"httpGet": {"path": probe, "port": 80}, "periodSeconds": 1},
        }
        self.create(name, "python3", "server.py", container=container)

    def job(self, name: str, source: str, payload: bytes = b"", **changes: Any) -> None:
        annotations = {names.STDIN: base64.b64encode(payload).decode()}
        command = ("python3", "-c", source)
        self.create(name, *command, annotations=annotations, restartPolicy="Never", **changes)

    def pod(self, name: str) -> dict[str, Any]:
        return dict(self.api.get(f"{PODS}/{name}"))

    def until(
        self, name: str, holds: Callable[[dict[str, Any]], bool], what: str
    ) -> dict[str, Any]:
        seen: dict[str, Any] = {}

        def look() -> Seen:
            seen.clear()
            seen.update(self.pod(name))
            return Seen(holds(seen), json.dumps(seen.get("status")))

        wait_for(f"{name} {what}", look, LIMIT)
        return seen

    def until_ready(self, name: str) -> dict[str, Any]:
        return self.until(name, pod_ready, "ready")

    def until_ended(self, name: str) -> dict[str, Any]:
        def ended(pod: Mapping[str, Any]) -> bool:
            return pod.get("status", {}).get("phase") in ("Succeeded", "Failed")

        return self.until(name, ended, "ended")

    def until_gone(self, name: str) -> None:
        def look() -> Seen:
            try:
                return Seen(False, json.dumps(self.pod(name)["status"]))
            except UnknownSubject:
                return Seen(True)

        wait_for(f"{name} gone", look, LIMIT)


def container_of(pod: Mapping[str, Any]) -> dict[str, Any]:
    return dict(pod["status"]["containerStatuses"][0])


def terminated(pod: Mapping[str, Any]) -> tuple[str, int]:
    state = container_of(pod)["state"]["terminated"]
    return state["reason"], state["exitCode"]


def address(pod: Mapping[str, Any]) -> tuple[str, int]:
    host, _, port = pod["metadata"]["annotations"][names.ADDRESS].rpartition(":")
    return host, int(port)


def get(pod: Mapping[str, Any], path: str) -> int:
    host, port = address(pod)
    with urllib.request.urlopen(f"http://{host}:{port}{path}", timeout=5) as answer:
        return int(answer.status)
