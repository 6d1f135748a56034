"""The `native` cluster: a control plane of local processes and one agent process a worker."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from logging import Logger
from pathlib import Path
from typing import Any

from cluster.ended import Ended
from cluster.errors import UnknownSubject
from cluster.faults import FaultKind
from cluster.interface import Enforcement, NodeSpec
from cluster.kubernetes import names
from cluster.kubernetes.api import Api
from cluster.kubernetes.bootstrap import AGENTS, grant_agents, register_metrics
from cluster.kubernetes.cluster import KubernetesCluster
from cluster.kubernetes.packing import FolderPacking, Packing
from cluster.leading import only_host
from cluster.native.agent import limits
from cluster.native.capabilities import CAPABILITIES
from cluster.native.components import HOST
from cluster.native.plane import ControlPlane
from cluster.processes import Process, free_ports

_LEASE_SECONDS = 2
_RENEW_SECONDS = 0.5
_AGENT_STOP_SECONDS = 5.0


class NativeProvider:
    """Owns the control plane's processes and the agents'; all files are under `state`."""

    name = "native"
    packing: Packing = FolderPacking()  # what its agents run

    def __init__(
        self,
        *,
        state: Path,
        tools: Path,
        devnet_id: str,
        log: Logger,
        env: Mapping[str, str],
        python: str,
        hosts: tuple[str, ...] = (),
    ) -> None:
        """`env` is the whole environment of every process; `cluster.native.agent` is found by it
        when `python` does not know it by itself."""
        self._state, self._python, self._log = state, python, log
        self._hosts = hosts
        self._env = {**env, "KOMPUTE_DEVNET_ID": devnet_id}  # `devnet gc` finds them by it
        self._devnet_id = devnet_id
        self._plane = ControlPlane(state, tools, self._env, log)
        self._configs: dict[str, Path] = {}
        self._agents: dict[str, Process] = {}
        self._faulted: set[str] = set()

    def up(self) -> None:
        self._plane.start()
        api = Api(self._plane.kubeconfig)
        try:
            grant_agents(api)
            ca_file = self._plane.credentials.authority.cert_file
            register_metrics(api, self._plane.ports.metrics_server, ca_file)
        finally:
            api.close()
        self._plane.wait_ready()
        self._plane.start_metrics()

    def down(self) -> None:
        for agent in self._agents.values():
            agent.terminate()
        for agent in self._agents.values():
            agent.stop(_AGENT_STOP_SECONDS)
        self._agents.clear()
        limits.remove_devnet(self._devnet_id)
        self._plane.stop()

    def kubeconfig(self) -> Path:
        return self._plane.kubeconfig

    def add_node(self, spec: NodeSpec) -> None:
        self._configs[spec.name] = self._write_config(spec)
        self._start_agent(spec.name)

    def remove_node(self, name: str) -> None:
        self._agent(name).stop(_AGENT_STOP_SECONDS)
        del self._agents[name], self._configs[name]
        self._faulted.discard(name)

    def fault(self, node: str, kind: FaultKind) -> None:
        """OFFLINE is a SIGKILL of the agent: its pods die with it, as with a machine's power."""
        CAPABILITIES.require(kind, self.name)
        agent = self._agent(node)
        self._faulted.add(node)
        agent.kill()
        # The kernel's notice reaches the agent's children, not theirs.
        limits.kill_node(self._devnet_id, node)

    def heal(self, node: str) -> None:
        if self._agent(node).running:
            return
        self._start_agent(node)
        self._faulted.discard(node)

    def reach(self, pod: Mapping[str, Any]) -> tuple[str, int] | None:
        address = pod["metadata"].get("annotations", {}).get(names.ADDRESS)
        if not address:
            return None
        host, _, port = address.rpartition(":")
        return host, int(port)

    def enforcement(self, nodes: tuple[Mapping[str, Any], ...]) -> Enforcement:
        """The agents' own statements, each once, in the order of the nodes."""
        enforced: dict[str, None] = {}
        narrowed: dict[str, None] = {}
        for node in nodes:
            text = node["metadata"].get("annotations", {}).get(names.ENFORCEMENT)
            if text:
                statement = json.loads(text)
                enforced |= dict.fromkeys(statement["enforced"])
                narrowed |= dict.fromkeys(statement["narrowed"])
        return Enforcement(tuple(enforced), tuple(narrowed))

    def ended(self) -> tuple[Ended, ...]:
        """Components of the control plane, and agents that no fault has ended."""
        agents = [
            agent.ended(node=name)
            for name, agent in tuple(self._agents.items())
            if name not in self._faulted
        ]
        return (*self._plane.ended(), *(part for part in agents if part is not None))

    def asleep(self) -> bool:
        return self._plane.asleep()

    def leader(self) -> str:
        """All of the control plane is processes here, and one host's."""
        return only_host(self._hosts)

    def check(self) -> None:
        self._plane.check()
        for name, agent in self._agents.items():
            if name not in self._faulted:
                agent.check()

    def _agent(self, name: str) -> Process:
        try:
            return self._agents[name]
        except KeyError:
            raise UnknownSubject(f"no agent runs node {name!r}") from None

    def _start_agent(self, name: str) -> None:
        self._agents[name] = Process(
            f"agent of {name}",
            [self._python, "-m", "cluster.native.agent", self._configs[name]],
            log=self._state / "logs" / f"{name}.log",
            env=self._env,
        )

    def _write_config(self, spec: NodeSpec) -> Path:
        folder = self._state / "nodes" / spec.name
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        credentials = self._plane.credentials
        authority = credentials.authority
        user = f"system:node:{spec.name}"
        client = authority.client(f"{spec.name}-client", user, (AGENTS,))
        serving = authority.server(f"{spec.name}-serving", user, (HOST, "localhost", spec.name))
        (kubelet_port,) = free_ports(1)
        document = {
            "devnet_id": self._devnet_id,
            "node": spec.name,
            "profile": spec.profile,
            "region": spec.region,
            "zone": spec.zone,
            "capacity": asdict(spec.capacity),
            "apiserver": self._plane.server,
            "ca_file": str(authority.cert_file),
            "client_cert_file": str(client.cert_file),
            "client_key_file": str(client.key_file),
            "serving_cert_file": str(serving.cert_file),
            "serving_key_file": str(serving.key_file),
            "kubelet_client_ca_file": str(authority.cert_file),
            "kubelet_port": kubelet_port,
            "state_dir": str(folder),
            "lease_seconds": _LEASE_SECONDS,
            "renew_seconds": _RENEW_SECONDS,
        }
        path = folder / "agent.json"
        path.write_text(json.dumps(document, indent=1), encoding="utf-8")
        return path


class NativeCluster(KubernetesCluster):
    """`KubernetesCluster` on a `NativeProvider`; see `cluster.interface.Cluster`."""

    def __init__(
        self,
        nodes: Sequence[NodeSpec],
        state: Path,
        tools: Path,
        devnet_id: str,
        log: Logger,
        env: Mapping[str, str],
        hosts: tuple[str, ...] = (),
        python: str = sys.executable,
    ) -> None:
        """`state` is a folder of this cluster's own, `tools` holds the programs by name, `env` is
        the environment of its processes, `hosts` who hosts its control plane."""
        provider = NativeProvider(
            state=state,
            tools=tools,
            devnet_id=devnet_id,
            log=log,
            env=env,
            python=python,
            hosts=hosts,
        )
        super().__init__(provider, nodes, log)
