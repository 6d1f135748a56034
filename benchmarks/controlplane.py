"""How long a control plane takes to be ready, beside `kwokctl create cluster --runtime binary`.

Both start the same etcd, API server, controller manager and scheduler; both count from the start
of a process of their own (a Python of ours, kwokctl) until the API server's /readyz and the
healthz of the two others answer 200. kwokctl's own controller is left out. In turns; medians.
"""

from __future__ import annotations

import http.client
import logging
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.bound import Bound
from benchmarks.children import environment
from benchmarks.ratio import Ratio
from cluster.native.plane import ControlPlane
from devnet.base import Toolchain
from devnet.base.commands import run_tool
from devnet.base.environment import plain_environment
from devnet.base.golang import get_go
from devnet.base.store import key_of
from devnet.base.waiting import wait_for

PAIRS: Final = 5
TARGET: Final = Fraction(6, 5)
KWOK: Final = "v0.8.0"
READY_SECONDS: Final = 90.0
EVERY_SECONDS: Final = 0.02
HOST: Final = "127.0.0.1"
NAME: Final = "bench"
CONFIG: Final = f"""\
apiVersion: config.kwok.x-k8s.io/v1alpha1
kind: KwokctlConfiguration
options:
  bindAddress: {HOST}
"""


def measure(smallest: bool = False) -> Ratio | Bound:
    """The control plane must be built; kwokctl is built once into the cache, or left out of the
    smallest form."""
    toolchain = Toolchain()
    tools = toolchain.controlplane()
    kwokctl = kwokctl_cached(toolchain) if smallest else get_kwokctl(toolchain)
    ours: list[float] = []
    peer: list[float] = []
    with tempfile.TemporaryDirectory(prefix="kompute-bench-") as folder:
        bytecode = Path(folder)
        _ours(tools, bytecode)  # the first start compiles, and reads 300 MB of programs
        if kwokctl is None:
            alone = Fraction(_ours(tools, bytecode))
            return Bound("control plane ready", alone, None, "s", Fraction(READY_SECONDS))
        for _ in range(1 if smallest else PAIRS):
            peer.append(_kwokctl(kwokctl, tools))
            ours.append(_ours(tools, bytecode))
    return Ratio(
        what=f"control plane ready, beside kwokctl {KWOK}",
        ours=Fraction(median(ours)),
        peer=Fraction(median(peer)),
        unit="s",
        target=TARGET,
        at_least=False,
    )


def kwokctl_cached(toolchain: Toolchain) -> Path | None:
    """The program when it has been built, else None."""
    folder = toolchain.store.found("kwokctl", key_of([KWOK]))
    return folder and folder / "kwokctl"


def get_kwokctl(toolchain: Toolchain) -> Path:
    """Built from its Go module; raises MachineLacks when it cannot be."""

    def build(into: Path) -> None:
        go = get_go(toolchain.store, toolchain.say)
        toolchain.say(f"building kwokctl {KWOK} from Go sources: some 3 min, once")
        run_tool(
            "kwokctl",
            [go.executable, "install", f"sigs.k8s.io/kwok/cmd/kwokctl@{KWOK}"],
            limit_seconds=1800.0,
            cwd=into,
            env=go.building(CGO_ENABLED="0", GOBIN=str(into)),
            hint="check the network and Go's proxy",
        )

    return toolchain.store.make("kwokctl", key_of([KWOK]), build, say=toolchain.say) / "kwokctl"


def _ours(tools: Path, bytecode: Path) -> float:
    with tempfile.TemporaryDirectory(prefix="kompute-bench-") as folder:
        started = time.perf_counter()
        with subprocess.Popen(
            [sys.executable, "-m", "benchmarks.controlplane", folder, str(tools)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(bytecode),
        ) as process:
            assert process.stdin is not None and process.stdout is not None
            said = process.stdout.readline().strip()
            seconds = time.perf_counter() - started
            process.stdin.close()
            process.wait(READY_SECONDS)
    if said != "ready":
        raise RuntimeError(f"our control plane did not come up: exit {process.returncode}")
    return seconds


def raise_ours(folder: Path, tools: Path) -> None:
    """Say "ready" once it is, and stop at the end of stdin."""
    plane = ControlPlane(
        folder / "state",
        tools,
        plain_environment(KOMPUTE_DEVNET_ID=f"bench-{os.getpid()}"),
        logging.getLogger(),
    )
    with plane:
        plane.wait_ready()
        print("ready", flush=True)
        sys.stdin.read()


def _kwokctl(kwokctl: Path, tools: Path) -> float:
    with tempfile.TemporaryDirectory(prefix="kompute-bench-") as name:
        folder = Path(name)
        (folder / "kwok.yaml").write_text(CONFIG)
        environment = {**os.environ, "KWOK_WORKDIR": str(folder / "work")}
        apiserver, manager, scheduler = _free_ports(3)
        command = [
            *(str(kwokctl), "create", "cluster", "--name", NAME, "--runtime", "binary"),
            *("--config", str(folder / "kwok.yaml"), "--kubeconfig", str(folder / "kubeconfig")),
            *("--disable", "kwok-controller"),
            *("--etcd-binary", str(tools / "etcd")),
            *("--kube-apiserver-binary", str(tools / "kube-apiserver")),
            *("--kube-controller-manager-binary", str(tools / "kube-controller-manager")),
            *("--kube-scheduler-binary", str(tools / "kube-scheduler")),
            *("--kube-apiserver-port", str(apiserver)),
            *("--kube-controller-manager-port", str(manager)),
            *("--kube-scheduler-port", str(scheduler)),
        ]
        pki = folder / "work" / "clusters" / NAME / "pki"
        started = time.perf_counter()
        with _cluster(kwokctl, command, environment, folder / "kwokctl.log"):
            paths = {apiserver: "/readyz", manager: "/healthz", scheduler: "/healthz"}
            for port, path in paths.items():
                wait_for(
                    f"kwokctl's port {port} {path}",
                    lambda port=port, path=path: _answers(port, path, pki) or None,  # type: ignore[misc]
                    limit_seconds=READY_SECONDS,
                    log=folder / "kwokctl.log",
                    every_seconds=EVERY_SECONDS,
                )
            return time.perf_counter() - started


@contextmanager
def _cluster(
    kwokctl: Path, command: list[str], environment: Mapping[str, str], log: Path
) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    try:
        yield
    finally:
        process.wait(READY_SECONDS)
        subprocess.run(
            [kwokctl, "delete", "cluster", "--name", NAME, "--kubeconfig", os.devnull],
            env=environment,
            capture_output=True,
            timeout=READY_SECONDS,
            check=False,
        )


def _answers(port: int, path: str, pki: Path) -> bool:
    certificate, key = pki / "admin.crt", pki / "admin.key"
    if not (certificate.exists() and key.exists()):
        return False
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        context.load_cert_chain(certificate, key)
        connection = http.client.HTTPSConnection(HOST, port, timeout=2, context=context)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == 200
        finally:
            connection.close()
    except (OSError, http.client.HTTPException):
        return False  # not there yet, or its certificate is half written


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind((HOST, 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


if __name__ == "__main__":
    raise_ours(Path(sys.argv[1]), Path(sys.argv[2]))
