"""The bench of one row: pods on a real cluster, made, watched, read and entered by the official
client and by kubectl."""

from __future__ import annotations

import os
import subprocess
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from kubernetes import client
from kubernetes.client.exceptions import ApiException
from kubernetes.stream import portforward, stream

from cluster.conformance.claims import NotHeld
from cluster.conformance.subject import Subject
from cluster.errors import ClusterError
from cluster.waiting import Seen, wait_for

LIMIT_SECONDS = 30.0
NOT_FOUND = 404
_HOLD = "kompute.network/held"

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Executed:
    """What a command in a container printed, and how it ended."""

    out: str
    err: str
    code: int


class Refused:
    """What was refused, once it has been: its words."""

    message = ""


class Bench:
    """A namespace of one row's own on the `subject`, where waits end after `limit_seconds`."""

    def __init__(self, subject: Subject, namespace: str, limit_seconds: float) -> None:
        self.subject, self.namespace, self.limit_seconds = subject, namespace, limit_seconds
        # Documents go in as Kubernetes writes them, which the client takes and its types do not.
        self.core: Any = client.CoreV1Api(subject.api)
        self._client: Any = subject.api

    # -- making

    def container(self, *command: str, name: str = "main", **fields: Any) -> Document:
        """A container that runs `command`; a single word is a script of the shell."""
        words = ["sh", "-c", *command] if len(command) == 1 else list(command)
        return {
            "name": name,
            "image": self.subject.image,
            "imagePullPolicy": "IfNotPresent",
            "command": words,
            **fields,
        }

    def template(self, *containers: Document, **spec: Any) -> Document:
        """A pod of these containers, as a controller's template has it."""
        return {
            "metadata": {"annotations": dict(self.subject.annotations)},
            "spec": {
                "containers": list(containers),
                "terminationGracePeriodSeconds": 1,
                "automountServiceAccountToken": False,
                "enableServiceLinks": False,
                "dnsPolicy": "Default",
                **spec,
            },
        }

    def start(
        self,
        *containers: Document,
        name: str = "pod",
        labels: Mapping[str, str] | None = None,
        notes: Mapping[str, str] | None = None,
        **spec: Any,
    ) -> str:
        """Create the pod with these labels and annotations; its name."""
        body = self.template(*containers, **{"restartPolicy": "Never", **spec})
        body["metadata"] |= {"name": name, "labels": dict(labels or {})}
        body["metadata"]["annotations"] |= notes or {}
        self.core.create_namespaced_pod(self.namespace, body)
        return name

    def config_map(self, name: str, **data: str) -> None:
        self.core.create_namespaced_config_map(
            self.namespace, {"metadata": {"name": name}, "data": data}
        )

    def secret(self, name: str, **data: str) -> None:
        self.core.create_namespaced_secret(
            self.namespace, {"metadata": {"name": name}, "stringData": data}
        )

    @contextmanager
    def held(self, name: str = "pod") -> Iterator[None]:
        """Keep the pod in the API after its end, so that its last state can be read."""
        self._finalizers(name, [_HOLD])
        try:
            yield
        finally:
            self._finalizers(name, None)

    def _finalizers(self, name: str, wished: list[str] | None) -> None:
        self.core.patch_namespaced_pod(name, self.namespace, {"metadata": {"finalizers": wished}})

    def delete(self, name: str = "pod", *, grace_seconds: int | None = None) -> None:
        self.core.delete_namespaced_pod(name, self.namespace, grace_period_seconds=grace_seconds)

    # -- seeing

    def pod(self, name: str = "pod") -> Document:
        found = self.core.read_namespaced_pod(name, self.namespace)
        document: Document = self._client.sanitize_for_serialization(found)
        return document

    def state(self, name: str = "pod", container: str = "main") -> Document:
        """The status of a container, empty while it has none."""
        status = self.pod(name)["status"]
        for kind in ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"):
            for each in status.get(kind, ()):
                if each["name"] == container:
                    return dict(each)
        return {}

    def wait(
        self,
        what: str,
        holds: Callable[[Document], object],
        name: str = "pod",
        limit_seconds: float = 0,
    ) -> Document:
        """The pod, once that holds of it; at once an error where its node has refused it."""
        seen: Document = {}

        def look() -> Seen:
            nonlocal seen
            seen = self.pod(name)
            status = seen["status"]
            if held := bool(holds(seen)):
                return Seen(held)
            if status.get("phase") == "Failed" and "reason" in status:
                raise ClusterError(f"{name} has failed: {status['reason']}: {status['message']}")
            return Seen(held, str(status))

        self.until(f"{name}: {what}", look, limit_seconds)
        return seen

    def until(self, what: str, look: Callable[[], Seen], limit_seconds: float = 0) -> None:
        """Wait for anything; 0 is the bench's own limit."""
        limit = limit_seconds or self.limit_seconds
        wait_for(what, look, limit, every_seconds=0.05, error=ClusterError)

    def never(
        self, what: str, holds: Callable[[Document], object], name: str = "pod", seconds: float = 4
    ) -> None:
        """That does not come to hold of the pod in this time."""
        try:
            self.wait(what, holds, name, limit_seconds=seconds)
        except ClusterError as error:
            if "not within" not in str(error):
                raise
            return
        raise NotHeld(f"{name} should never be: {what}")

    def phase(self, wanted: str, name: str = "pod", limit_seconds: float = 0) -> Document:
        return self.wait(
            wanted, lambda pod: pod["status"].get("phase") == wanted, name, limit_seconds
        )

    def ended(self, name: str = "pod") -> Document:
        """How its first container ended, once it has."""
        pod = self.wait(
            "ended",
            lambda pod: "terminated" in pod["status"]["containerStatuses"][0]["state"],
            name,
        )
        state: Document = pod["status"]["containerStatuses"][0]["state"]["terminated"]
        return state

    def waiting(self, reason: str, name: str = "pod", container: str = "main") -> str:
        """The message of a container that waits for that reason."""
        message = ""

        def holds(pod: Document) -> bool:
            nonlocal message
            for each in (
                *pod["status"].get("containerStatuses", ()),
                *pod["status"].get("initContainerStatuses", ()),
            ):
                state = each["state"].get("waiting", {})
                if each["name"] == container and state.get("reason") == reason:
                    message = state.get("message", "")
                    return True
            return False

        self.wait(f"{container} waits: {reason}", holds, name)
        return message

    def printed(self, name: str = "pod", **query: Any) -> str:
        """The log, with the API's own parameters."""
        answer: Any = self.core.read_namespaced_pod_log(
            name, self.namespace, _preload_content=False, **query
        )
        return bytes(answer.data).decode()

    def ran(self, *command: str, **spec: Any) -> str:
        """What a pod of one container printed; it must succeed."""
        fields = spec.pop("container", {})
        name = self.start(self.container(*command, **fields), **spec)
        self.phase("Succeeded", name)
        return self.printed(name)

    def gone(self, name: str = "pod", limit_seconds: float = 0) -> None:
        def look() -> Seen:
            try:
                return Seen(False, str(self.pod(name)["status"]))
            except ApiException as error:
                return Seen(error.status == NOT_FOUND, str(error))

        self.until(f"{name} gone", look, limit_seconds)

    @contextmanager
    def refused(self, status: int | None = None) -> Iterator[Refused]:
        """The API refuses what is done inside, with that status where one is named."""
        said = Refused()
        try:
            yield said
        except ApiException as error:
            said.message = str(error.body or error.reason)
            if status in (None, error.status):
                return
            raise
        raise NotHeld(f"wanted a refusal {status or ''}, it was carried out")

    def events(self, reason: str, name: str = "pod") -> list[str]:
        """The messages of a pod's events of that reason, once there is one."""
        found: list[str] = []

        def look() -> Seen:
            listed = self.core.list_namespaced_event(
                self.namespace, field_selector=f"involvedObject.name={name}"
            )
            found[:] = [each.message for each in listed.items if each.reason == reason]
            return Seen(bool(found), str([each.reason for each in listed.items]))

        self.until(f"event {reason} of {name}", look)
        return found

    # -- entering

    def execute(
        self,
        *command: str,
        name: str = "pod",
        container: str = "main",
        stdin: str = "",
        tty: bool = False,
    ) -> Executed:
        """Run a command in a container to its end."""
        channel = stream(
            self.core.connect_get_namespaced_pod_exec,
            name,
            self.namespace,
            container=container,
            command=list(command),
            stdin=bool(stdin),
            stdout=True,
            stderr=not tty,
            tty=tty,
            _preload_content=False,
        )
        if stdin:
            channel.write_stdin(stdin)
        channel.run_forever(timeout=LIMIT_SECONDS)
        out, err = channel.read_stdout(timeout=0), channel.read_stderr(timeout=0)
        code = channel.returncode
        channel.close()
        return Executed(out, err, -1 if code is None else code)

    def kubectl(self, *words: str, stdin: str = "", limit_seconds: float = 60) -> Executed:
        """Run kubectl in the bench's namespace to its end."""
        done = subprocess.run(
            [self.subject.kubectl, "--namespace", self.namespace, *words],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=limit_seconds,
            env=os.environ | {"KUBECONFIG": str(self.subject.kubeconfig)},
            check=False,
        )
        return Executed(done.stdout, done.stderr, done.returncode)

    def attach(self, typed: str, name: str = "pod", container: str = "main") -> str:
        """Type into a container and read what it prints until it ends."""
        channel = stream(
            self.core.connect_get_namespaced_pod_attach,
            name,
            self.namespace,
            container=container,
            stdin=True,
            stdout=True,
            stderr=True,
            tty=False,
            _preload_content=False,
        )
        channel.write_stdin(typed)
        channel.run_forever(timeout=LIMIT_SECONDS)
        said = str(channel.read_stdout(timeout=0))
        channel.close()
        return said

    def forwarded(self, port: int, path: str, name: str = "pod") -> bytes:
        """The answer of a pod's HTTP server, asked through the API."""
        tunnel = portforward(
            self.core.connect_get_namespaced_pod_portforward,
            name,
            self.namespace,
            ports=str(port),
        )
        with closing(tunnel.socket(port)) as connection:
            connection.setblocking(True)
            connection.settimeout(LIMIT_SECONDS)
            connection.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
        return answer


@contextmanager
def bench(subject: Subject, limit_seconds: float = LIMIT_SECONDS) -> Iterator[Bench]:
    """A namespace for one row, removed with its pods afterwards."""
    core: Any = client.CoreV1Api(subject.api)
    name = f"conformance-{uuid.uuid4().hex[:8]}"
    core.create_namespace({"metadata": {"name": name}})
    try:
        _await_account(core, name)
        yield Bench(subject, name, limit_seconds)
    finally:
        core.delete_collection_namespaced_pod(name, grace_period_seconds=0)
        core.delete_namespace(name)


def _await_account(core: Any, namespace: str) -> None:
    """Pods are refused before it is there."""

    def look() -> Seen:
        try:
            core.read_namespaced_service_account("default", namespace)
        except ApiException as error:
            return Seen(False, str(error))
        return Seen(True)

    wait_for("the namespace's account", look, LIMIT_SECONDS, error=ClusterError)


def started(pod: Mapping[str, Any], container: str = "main") -> bool:
    """Whether that container runs."""
    return any(
        each["name"] == container and "running" in each["state"]
        for each in pod["status"].get("containerStatuses", ())
    )


def ready(pod: Mapping[str, Any]) -> bool:
    """The pod's own condition."""
    return any(
        each["type"] == "Ready" and each["status"] == "True"
        for each in pod["status"].get("conditions", ())
    )


def restarts(pod: Mapping[str, Any], container: str = "main") -> int:
    """How often that container was started again."""
    return sum(
        int(each["restartCount"])
        for each in pod["status"].get("containerStatuses", ())
        if each["name"] == container
    )
