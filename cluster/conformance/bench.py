"""The bench of one row: pods of a namespace of its own, which it also enters, and kubectl."""

from __future__ import annotations

import os
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from kubernetes import client
from kubernetes.client.exceptions import ApiException
from kubernetes.stream import portforward, stream

from cluster.conformance.claims import NotHeld
from cluster.conformance.pods import (
    LIMIT_SECONDS,
    Pods,
)
from cluster.conformance.subject import Subject
from cluster.errors import ClusterError
from cluster.waiting import Seen, wait_for


@dataclass(frozen=True, slots=True)
class Executed:
    """What a command in a container printed, and how it ended."""

    out: str
    err: str
    code: int


class Bench(Pods):
    """A namespace of one row's own, its containers entered."""

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
        """Run kubectl in the bench's namespace to its end, whatever that is."""
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

    def said(self, *words: str, stdin: str = "") -> str:
        """What kubectl printed; it must succeed."""
        done = self.kubectl(*words, stdin=stdin)
        if done.code:
            raise NotHeld(f"kubectl {' '.join(words)} ended with {done.code}: {done.err.strip()}")
        return done.out

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
def bench(subject: Subject, claim_seconds: float = LIMIT_SECONDS) -> Iterator[Bench]:
    """A namespace for one row, removed with its pods afterwards."""
    core: Any = client.CoreV1Api(subject.api)
    name = f"conformance-{uuid.uuid4().hex[:8]}"
    core.create_namespace({"metadata": {"name": name}})
    try:
        _await_account(core, name)
        yield Bench(subject, name, LIMIT_SECONDS, claim_seconds)
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
