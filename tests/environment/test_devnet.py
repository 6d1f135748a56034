"""Whole commands in a hostile environment: every process they start is the devnet's own, and
nothing meant for this machine leaves through a proxy."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from hostile import Proxy, poison, poisonous_files

from devnet.base import Toolchain
from devnet.base.environment import ID_VARIABLE

ROOT = Path(__file__).resolve().parents[2]
# Only what the person's own Python obeys is kept from it: the rest would end `devnet` itself.
COMMAND = (sys.executable, "-E", "-P", "-m", "devnet.cli")
OWN_TO_PYTHON = ("PYTHONHOME", "PYTHONPATH", "PYTHONWARNINGS")
SCHEMES = ("http", "socks5h")
NETWORK = f"""version: 1
name: hostile
scale: 1/16
chain: {{block_seconds: 720}}
gatekeepers: [{{name: gatekeeper-1, control_plane: true}}]
workers: [{{name: worker-1}}]
clients: [{{name: alice}}]
oracles: {{nodes: 1, faulty: 0}}
services:
  - name: web
    kind: container
    folder: {ROOT}/e2e/services/web
    command: [python3, server.py]
    cpu: 50m
    memory: 32Mi
    readiness: /healthz
  - name: thumbnail
    kind: serverless
    folder: {ROOT}/e2e/services/thumbnail
    command: [python3, handler.py]
    cpu: 50m
    memory: 32Mi
    timeout: 10s
"""
ADDED = ("XDG_CONFIG_HOME", ID_VARIABLE, "PYTHONPATH", "NO_PROXY", "no_proxy")
# The daemon installs and fetches; its children must not.
OF_THE_DAEMON = {f"{kind}_proxy" for kind in ("http", "https", "all")}


@dataclass(frozen=True)
class Hostile:
    """Runs `devnet` in `folder` with the environment `variables`."""

    folder: Path
    variables: dict[str, str]

    def __call__(self, *words: str, code: int = 0, without: tuple[str, ...] = ()) -> str:
        variables = {n: v for n, v in {**os.environ, **self.variables}.items() if n not in without}
        done = subprocess.run(
            [*COMMAND, *words],
            cwd=self.folder,
            env=variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )
        assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def started(self) -> dict[str, dict[str, str]]:
        """The environments of the devnet's living processes, by what they are."""
        [devnet_id] = [path.read_text().strip() for path in self.folder.glob(".devnet/*/id")]
        found = {}
        for process in psutil.process_iter():
            try:
                words, environment = process.cmdline(), process.environ()
            except psutil.Error:
                continue
            if environment.get(ID_VARIABLE) == devnet_id or str(self.folder) in " ".join(words):
                found[_kind(words)] = environment
        return found


def _kind(words: list[str]) -> str:
    module = words[words.index("-m") + 1] if "-m" in words else ""
    return module or Path(words[0]).name


@pytest.fixture
def hostile(proxy: Proxy, tmp_path: Path) -> Callable[[str], Hostile]:
    """By the scheme of its proxies. The home is hostile too, but its caches are the usual ones."""

    def made(scheme: str) -> Hostile:
        variables = poison(tmp_path / "poison") | proxy.variables(scheme)
        poisonous_files(tmp_path / "home")
        folder = tmp_path / "work"
        poisonous_files(folder)
        (folder / "net.yaml").write_text(NETWORK)
        variables["HOME"] = str(tmp_path / "home")
        variables["KOMPUTE_CACHE"] = str(Toolchain().cache)
        return Hostile(folder, variables)

    return made


def check(kind: str, environment: dict[str, str], hostile: Hostile) -> None:
    inherited = {
        name
        for name, value in hostile.variables.items()
        if environment.get(name) == value and name not in ("HOME", "KOMPUTE_CACHE", *ADDED)
    }
    if kind == "devnet.daemon":
        inherited -= OF_THE_DAEMON | {name.upper() for name in OF_THE_DAEMON}
    assert inherited == set(), kind
    for name in ("PYTHONPATH", "NO_PROXY"):
        assert environment.get(name) != hostile.variables[name], kind


@pytest.mark.timeout(300)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_devnet_on_native(scheme: str, hostile: Callable[[str], Hostile], proxy: Proxy) -> None:
    if Toolchain().controlplane_cached() is None:
        pytest.skip("the control plane is not built: devnet doctor --install --native")
    devnet = hostile(scheme)
    devnet("up", "net.yaml", "--cluster", "native", "--json")
    try:
        devnet("stake", "all", "--json")
        devnet("order", "alice", "web", "--replicas", "1", "--deposit", "20 KOMP", "--json")
        devnet("request", "alice", "--service", "web", "--times", "3", "--json")
        devnet("advance", "1h", "--json")
        status: dict[str, Any] = json.loads(devnet("status", "--json"))
        assert status["kubeconfig"]
        started = devnet.started()
        nodes = devnet("kubectl", "get", "nodes", "--no-headers")
        assert nodes.split()[:2] == ["worker-1", "Ready"]
        logs = devnet("kubectl", "logs", "-n", "kompute", "deployment/order-1")
        assert "GET / 200" in logs
        # Ape is the person's own command: it gets the person's environment.
        words = ("ape", "console", "--code", "print(chain.chain_id, ape.__name__)")
        told = devnet(*words, without=OWN_TO_PYTHON)
        assert f"{status['chain_id']} ape" in told
    finally:
        devnet("down")
    components = {"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"}
    ours = {"devnet.daemon", "anvil", "metrics-server", "kubelet"}
    assert set(started) >= components | ours
    for kind, environment in started.items():
        check(kind, environment, devnet)
    assert proxy.asked == []


@pytest.mark.timeout(200)
def test_a_run_and_its_replay(hostile: Callable[[str], Hostile], proxy: Proxy) -> None:
    devnet = hostile("socks5h")
    devnet("run", str(ROOT / "e2e/scenarios/order-refund.yaml"), "--cluster", "sim", "--json")
    devnet("replay", "--json")
    assert proxy.asked == []


@pytest.mark.timeout(200)
def test_a_load(hostile: Callable[[str], Hostile], proxy: Proxy) -> None:
    devnet = hostile("http")
    words = ("load", "net.yaml", "--users", "3", "--time", "2s", "--json")
    # Two seconds are too short for the whole loop: it ends as failed, with its figures.
    loaded = json.loads(devnet(*words, code=1))
    [stake] = [stage for stage in loaded["stages"] if stage["stage"] == "stake"]
    assert (stake["on_chain"], stake["succeeded"]) == (3, 3)
    assert proxy.asked == []
