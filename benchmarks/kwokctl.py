"""The peer of our control plane: `kwokctl create cluster --runtime binary` with the same programs.

It listens on 127.0.0.1 only. kwok's own controller, where it is wanted, is of the same release as
ours.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from devnet.base import Toolchain
from devnet.base.commands import run_tool
from devnet.base.golang import get_go
from devnet.base.store import key_of
from devnet.base.waiting import wait_for

KWOK: Final = "v0.8.0"
READY_SECONDS: Final = 90.0
EVERY_SECONDS: Final = 0.05  # as we ask our own
PROGRAMS: Final = ("kwok", "kwokctl")
HOST: Final = "127.0.0.1"
NAME: Final = "bench"
COMPONENTS: Final = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
CONFIG: Final = f"""\
apiVersion: config.kwok.x-k8s.io/v1alpha1
kind: KwokctlConfiguration
options:
  bindAddress: {HOST}
"""
TABLE: Final = "application/json;as=Table;v=v1;g=meta.k8s.io"


def kwokctl_cached(toolchain: Toolchain) -> Path | None:
    """The folder of PROGRAMS when they have been built, else None."""
    return toolchain.store.found("kwokctl", _key())


def get_kwokctl(toolchain: Toolchain) -> Path:
    """The folder of PROGRAMS, built of their Go module; raises MachineLacks when it cannot be."""

    def build(into: Path) -> None:
        go = get_go(toolchain.store, toolchain.say)
        toolchain.say(f"building kwok and kwokctl {KWOK} from Go sources: some 3 min, once")
        run_tool(
            "kwokctl",
            [
                *(go.executable, "install"),
                *(f"sigs.k8s.io/kwok/cmd/{program}@{KWOK}" for program in PROGRAMS),
            ],
            limit_seconds=1800.0,
            cwd=into,
            env=go.building(CGO_ENABLED="0", GOBIN=str(into)),
            hint="check the network and Go's proxy",
        )

    return toolchain.store.make("kwokctl", _key(), build, say=toolchain.say)


def _key() -> str:
    return key_of([KWOK, *PROGRAMS])


@dataclass(frozen=True, slots=True)
class Peer:
    """A cluster of kwokctl's; `folder` holds all that is its own."""

    programs: Path
    folder: Path
    ports: Mapping[str, int]

    @property
    def log(self) -> Path:
        return self.folder / "kwokctl.log"

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "KWOK_WORKDIR": str(self.folder / "work")}

    def wait_ready(self) -> None:
        """Until /readyz of the API server and /healthz of the two others answer 200."""
        for name, port in self.ports.items():
            path = "/readyz" if name == "kube-apiserver" else "/healthz"
            wait_for(
                f"kwokctl's {name} {path}",
                lambda port=port, path=path: self._answer(port, path) is not None or None,  # type: ignore[misc]
                limit_seconds=READY_SECONDS,
                log=self.log,
                every_seconds=EVERY_SECONDS,
            )

    def scale(self, nodes: int, limit_seconds: float) -> None:
        """`kwokctl scale node`: so many more are asked for, not yet ready."""
        with self.log.open("ab") as log:
            subprocess.run(
                [
                    *(str(self.programs / "kwokctl"), "--name", NAME, "scale", "node"),
                    *("--replicas", str(nodes)),
                ],
                env=self.environment,
                stdout=log,
                stderr=log,
                timeout=limit_seconds,
                check=True,
            )

    def ready_nodes(self) -> int:
        """How many the API server shows as ready, as `kubectl get nodes` would."""
        path = "/api/v1/nodes?resourceVersion=0&includeObject=None"
        body = self._answer(self.ports["kube-apiserver"], path, accept=TABLE)
        return ready_of(json.loads(body)) if body else 0

    def _answer(self, port: int, path: str, accept: str = "*/*") -> bytes | None:
        """What it answered with 200, else None."""
        pki = self.folder / "work" / "clusters" / NAME / "pki"
        certificate, key = pki / "admin.crt", pki / "admin.key"
        if not (certificate.exists() and key.exists()):
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # the machine's authorities take 20 ms
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        try:
            context.load_cert_chain(certificate, key)
            connection = http.client.HTTPSConnection(HOST, port, timeout=10, context=context)
            try:
                connection.request("GET", path, headers={"Accept": accept})
                answer = connection.getresponse()
                body = answer.read()
                return body if answer.status == 200 else None
            finally:
                connection.close()
        except (OSError, http.client.HTTPException):
            return None  # not there yet, or its certificate is half written


@contextmanager
def created(programs: Path, tools: Path, folder: Path, *, light: bool = False) -> Iterator[Peer]:
    """Its creation has begun when this is entered; `light`: with kwok's own controller."""
    folder.mkdir(parents=True, exist_ok=True)
    ports = dict(zip(COMPONENTS[1:], free_ports(len(COMPONENTS) - 1), strict=True))
    peer = Peer(programs, folder, ports)
    config = folder / "kwok.yaml"
    config.write_text(CONFIG)
    command = [
        *(str(programs / "kwokctl"), "create", "cluster", "--name", NAME, "--runtime", "binary"),
        *("--config", str(config), "--kubeconfig", str(folder / "kubeconfig")),
        *(f"--{component}-binary={tools / component}" for component in COMPONENTS),
        *(f"--{component}-port={port}" for component, port in ports.items()),
        (f"--kwok-controller-binary={programs / 'kwok'}" if light else "--disable=kwok-controller"),
    ]
    with peer.log.open("wb") as output:
        process = subprocess.Popen(command, env=peer.environment, stdout=output, stderr=output)
    try:
        yield peer
    finally:
        process.wait(READY_SECONDS)
        subprocess.run(
            [
                *(str(programs / "kwokctl"), "delete", "cluster", "--name", NAME),
                *("--kubeconfig", os.devnull),
            ],
            env=peer.environment,
            capture_output=True,
            timeout=READY_SECONDS,
            check=False,
        )


def ready_of(table: Mapping[str, Any]) -> int:
    """How many rows of a Table of nodes say that their node is ready."""
    columns = [column["name"] for column in table["columnDefinitions"]]
    status = columns.index("Status")
    return sum(row["cells"][status] == "Ready" for row in table["rows"])


def free_ports(count: int) -> list[int]:
    """Free a moment ago, all different."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind((HOST, 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()
