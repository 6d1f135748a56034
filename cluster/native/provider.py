"""The `native` cluster: a control plane of local processes and one kubelet process a worker."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from logging import Logger
from pathlib import Path
from typing import Any

from cluster.ended import Ended, Incident, Outlook
from cluster.errors import UnknownSubject
from cluster.faults import FaultKind
from cluster.interface import Enforcement, LightNodes, NodeSpec
from cluster.kubernetes import names
from cluster.kubernetes.api import Api
from cluster.kubernetes.bootstrap import create_leases, register_metrics
from cluster.kubernetes.cluster import KubernetesCluster
from cluster.kubernetes.packing import FolderPacking, Packing
from cluster.leading import only_host
from cluster.native import groups, plain
from cluster.native.breaking import Machine, begin, end
from cluster.native.capabilities import CAPABILITIES
from cluster.native.folders import HandedFolders
from cluster.native.light import names_of
from cluster.native.nodes import NodeFiles, allowed_namespaces, kubelet_command
from cluster.native.plane import ControlPlane, serves
from cluster.processes import Process, end_all, stop_all

_KUBELET_STOP_SECONDS = 6.0


class NativeProvider:
    """Owns the control plane's processes and the kubelets'; all files are under `state`."""

    name = "native"
    packing: Packing = FolderPacking()  # what its nodes run

    def __init__(
        self,
        *,
        state: Path,
        tools: Path,
        bubblewrap: Path | None,
        devnet_id: str,
        log: Logger,
        env: Mapping[str, str],
        hosts: tuple[str, ...] = (),
        hidden: tuple[Path, ...] = (),
        light: tuple[LightNodes, ...] = (),
    ) -> None:
        """`bubblewrap` None: pods are plain processes. `env` is the whole environment of every
        process, `hidden` is what no pod sees beside `state`, `light` what else is in the
        API."""
        self._state, self._tools, self._bubblewrap, self._log = state, tools, bubblewrap, log
        self._hosts = hosts
        self._env = {**env, "KOMPUTE_DEVNET_ID": devnet_id}  # `devnet gc` finds them by it
        self._devnet_id = devnet_id
        self.folders = HandedFolders(state / "folders.json")
        self._hidden = (state.resolve(), *hidden)
        self._plane = ControlPlane(state, tools, self._env, log, light)
        self._light = light
        self._namespaces: tuple[str, ...] = ()
        self._files: dict[str, NodeFiles] = {}
        self._supervisor = self._plane.supervisor

    def up(self) -> None:
        if self._bubblewrap is not None:
            self._namespaces = allowed_namespaces(self._bubblewrap)
        self.folders.hand()
        self._plane.start()
        api = Api(self._plane.kubeconfig)
        try:
            create_leases(api)
            ca_file = self._plane.credentials.authority.cert_file
            register_metrics(api, self._plane.ports.metrics_server, ca_file)
        finally:
            api.close()
        self._plane.wait_ready()
        self._plane.start_metrics()
        self._plane.start_light()
        self._supervisor.watch()

    def down(self) -> None:
        """End everything, whatever of it does not end: the `ClusterError` raised afterwards names
        all of that."""
        self._supervisor.stop()
        released = [self._supervisor.release(_kubelet_of(name)) for name in self._files]
        kubelets = [kubelet for kubelet in released if kubelet is not None]
        for kubelet in kubelets:
            kubelet.resume()  # one that is stopped would not end its pods in order
        endings: tuple[Callable[[], object], ...] = (
            lambda: stop_all(kubelets, _KUBELET_STOP_SECONDS),
            lambda: groups.remove_devnet(self._devnet_id),
            self._end_plain,
            self._plane.stop,
        )
        end_all(endings)

    def kubeconfig(self) -> Path:
        return self._plane.kubeconfig

    def add_node(self, spec: NodeSpec) -> None:
        files = NodeFiles.write(
            spec,
            self._state / "nodes" / spec.name,
            devnet_id=self._devnet_id,
            server=self._plane.server,
            authority=self._plane.credentials.authority,
            bubblewrap=self._bubblewrap,
            folders=self.folders.file,
            hidden=self._hidden,
        )
        self._files[spec.name] = files
        self._start_kubelet(spec.name)

    def remove_node(self, name: str) -> None:
        self._known(name)
        kubelet = self._supervisor.release(_kubelet_of(name))
        if kubelet is not None:
            kubelet.resume()
            kubelet.stop(_KUBELET_STOP_SECONDS)
        self._end_plain(name)
        del self._files[name]

    def fault(self, node: str, kind: FaultKind) -> None:
        CAPABILITIES.require(kind, self.name)
        self._known(node)
        begin(kind, self._machine(node))

    def heal(self, node: str) -> None:
        """Whatever has become of its kubelet: one that is stopped goes on, one that is gone is
        started."""
        self._known(node)
        end(self._machine(node))
        name = _kubelet_of(node)
        away = {part.name: part.outlook for part in self._supervisor.ended()}
        kubelet = self._supervisor.process(name)
        if kubelet is not None and away.get(name) is not Outlook.GONE:
            kubelet.resume()
            return
        self._supervisor.release(name)
        self._start_kubelet(node)

    @contextlib.contextmanager
    def tested(self, node: str) -> Iterator[Callable[[], int | None]]:
        """By the node's control group; where there is none, nothing is preferred nor seen."""
        with groups.preferred(self._devnet_id, node):
            yield groups.processor_time(self._devnet_id, node)

    def reach(self, pod: Mapping[str, Any]) -> tuple[str, int] | None:
        address = pod.get("status", {}).get("podIP")
        ports = [
            int(port["containerPort"])
            for container in pod["spec"]["containers"]
            for port in container.get("ports", ())
            if port.get("name") == names.PORT_NAME
        ]
        return (address, ports[0]) if address and ports else None

    def enforcement(self, nodes: tuple[Mapping[str, Any], ...]) -> Enforcement:
        """The nodes' own statements, each once, in the order of the nodes."""
        enforced: dict[str, None] = {}
        narrowed: dict[str, None] = {}
        for node in nodes:
            files = self._files.get(node["metadata"]["name"])
            if files is not None and (statement := files.enforcement()) is not None:
                enforced |= dict.fromkeys(statement.enforced)
                narrowed |= dict.fromkeys(statement.narrowed)
        if self._light:
            count = f"{len(names_of(self._light)):,}".replace(",", " ")
            narrowed[f"light nodes: {count}; they run nothing, a pod there is only said to"] = None
        return Enforcement(tuple(enforced), tuple(narrowed))

    def ended(self) -> tuple[Ended, ...]:
        """Components of the control plane, and kubelets that no fault has ended."""
        return self._supervisor.ended()

    def answering(self) -> tuple[Ended, ...]:
        return self._plane.answering()

    def witnesses(self) -> tuple[Ended, ...]:
        return self._plane.witnesses()

    def lives(self, node: str) -> bool:
        name = _kubelet_of(node)
        away = {part.name for part in self._supervisor.ended()}
        kubelet = self._supervisor.process(name)
        return name not in away and kubelet is not None and not kubelet.stopped()

    def incidents(self) -> tuple[Incident, ...]:
        return self._supervisor.incidents()

    def leader(self) -> str:
        """All of the control plane is processes here, and one host's."""
        return only_host(self._hosts)

    def check(self, node: str = "") -> None:
        self._supervisor.check(node)

    def _end_plain(self, node: str = "") -> None:
        """No sandbox ends with its kubelet: what has outlived that is looked for."""
        if self._bubblewrap is None:
            plain.end(self._devnet_id, node)

    def _known(self, node: str) -> None:
        if node not in self._files:
            raise UnknownSubject(f"no kubelet runs node {node!r}")

    def _machine(self, node: str) -> Machine:
        return Machine(
            node,
            _kubelet_of(node),
            self._devnet_id,
            self._files[node],
            self._supervisor,
            sandboxed=self._bubblewrap is not None,
        )

    def _start_kubelet(self, node: str) -> None:
        name = _kubelet_of(node)
        log = self._state / "logs" / f"{node}.log"
        authority = self._plane.credentials.authority.cert_file

        def start() -> Process:
            before = self._files[node]
            files = self._files[node] = before.on_free_port()
            if files is not before:
                said = "port %d of %s was taken meanwhile, it is started on %d"
                self._log.info(said, before.port, name, files.port)
            command = kubelet_command(self._tools, files, self._namespaces)
            return Process(name, command, log=log, env=self._env)

        def works() -> bool:
            files = self._files.get(node)  # another thread may remove the node meanwhile
            return files is not None and serves(files.port, node, authority)

        self._supervisor.keep(name, start, works, node)


def _kubelet_of(node: str) -> str:
    """What the part is called."""
    return f"kubelet of {node}"


class NativeCluster(KubernetesCluster):
    """`KubernetesCluster` on a `NativeProvider`; see `cluster.interface.Cluster`."""

    def __init__(
        self,
        nodes: Sequence[NodeSpec],
        state: Path,
        tools: Path,
        bubblewrap: Path | None,
        devnet_id: str,
        log: Logger,
        env: Mapping[str, str],
        hosts: tuple[str, ...] = (),
        hidden: tuple[Path, ...] = (),
        light: tuple[LightNodes, ...] = (),
    ) -> None:
        """`state` is a folder of this cluster's own, `tools` holds the programs by name,
        `bubblewrap` sandboxes pods (None: nothing does, they are plain processes), `env` is
        the environment of its processes, `hosts` who hosts its control plane, `hidden` is what no
        pod sees, `light` what else is in its API."""
        provider = NativeProvider(
            state=state,
            tools=tools,
            bubblewrap=bubblewrap,
            devnet_id=devnet_id,
            log=log,
            env=env,
            hosts=hosts,
            hidden=hidden,
            light=light,
        )
        self._folders = provider.folders
        super().__init__(provider, nodes, log)

    def hand(self, folder: Path) -> None:
        self._folders.hand(folder)
