"""A control plane as local processes: etcd, API server, controller manager, scheduler, metrics."""

from __future__ import annotations

import http.client
import shutil
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from logging import Logger
from pathlib import Path
from types import TracebackType
from typing import Self

from cluster.ended import Ended
from cluster.errors import ClusterLacks, ClusterStartFailed
from cluster.interface import LightNodes
from cluster.kubernetes.names import NAMESPACE
from cluster.native.components import (
    HOST,
    Credentials,
    Ports,
    apiserver_flags,
    controller_manager_flags,
    etcd_flags,
    make_credentials,
    metrics_server_flags,
    scheduler_flags,
)
from cluster.native.light import (
    LIGHT_A_SECOND,
    LIGHT_SECONDS,
    LightFiles,
    names_of,
    write_lifecycle,
)
from cluster.native.pki import Authority, Identity, write_kubeconfig
from cluster.native.supervisor import Supervisor
from cluster.processes import Process, end_all, free_ports
from cluster.waiting import Seen, wait_for

_START_SECONDS = 60.0
_LOOK_SECONDS = 2.0
_ASK_SECONDS = 0.05  # a handshake each, which costs both sides some milliseconds
_QUICK_LOOK_SECONDS = 0.5  # the supervisor's, which has other parts to look at
_PORT_TAKEN = "address already in use"
_ANSWERED = "HTTP"  # how a look's text begins where somebody answered
_STOP_SECONDS = {
    "kwok": 1.0,
    "node-lifecycle": 1.0,
    "metrics-server": 0.1,  # stateless and slow to leave
    "kube-scheduler": 3.0,
    "kube-controller-manager": 3.0,
    "kube-apiserver": 0.5,  # stateless too; it waits a second for nothing
    "etcd": 3.0,
}
# Go's collector rests while a component starts, and is as ever afterwards (controlplane/start).
_STARTING = {"GOGC": "400", "KOMPUTE_GOGC_STARTED": "100"}
_LIGHT = ("kwok", "node-lifecycle")  # where there are light nodes
_ANSWERING = ("etcd", "kube-apiserver")
_WITNESSES = (*_ANSWERING, "kube-controller-manager", "node-lifecycle")


class ControlPlane:
    """Owns five processes and their files in `state`, seven with light nodes; a context manager.

    `tools` holds the programs by name. Every child carries `env`. Once `supervisor` watches (whose
    owner the caller is), a part that ends by itself is started again.
    """

    def __init__(
        self,
        state: Path,
        tools: Path,
        env: Mapping[str, str],
        log: Logger,
        light: Sequence[LightNodes] = (),
    ) -> None:
        self._state, self._tools, self._env, self._log = state, tools, env, log
        self.supervisor = Supervisor(log)
        self._light = tuple(light)
        self._credentials: Credentials | None = None
        self._ports: Ports | None = None
        self.kubeconfig = state / "kubeconfig"

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def credentials(self) -> Credentials:
        if self._credentials is None:
            raise ClusterStartFailed("the control plane has not been started")
        return self._credentials

    @property
    def ports(self) -> Ports:
        if self._ports is None:
            raise ClusterStartFailed("the control plane has not been started")
        return self._ports

    @property
    def server(self) -> str:
        """The API server's URL."""
        return f"https://{HOST}:{self.ports.apiserver}"

    def start(self) -> None:
        """Start all components; return once the API server answers `/readyz`.

        The controller manager and the scheduler may still be a moment away: see `wait_ready`.
        Raises `ClusterLacks` without programs, `ClusterStartFailed` with a log's tail.
        """
        self._check_tools()
        self._state.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._credentials = make_credentials(self._state / "pki")
        for last in (False, False, True):
            self._ports = Ports(*free_ports(6))
            try:
                self._start_all()
            except ClusterStartFailed as error:
                # A free port is free only until somebody else takes it.
                if last or _PORT_TAKEN not in str(error):
                    raise
                self._log.info("a port was taken meanwhile, starting again on others")
                self.stop()
                shutil.rmtree(self._state / "etcd", ignore_errors=True)
            else:
                return

    def _check_tools(self) -> None:
        needed = [name for name in _STOP_SECONDS if self._light or name not in _LIGHT]
        missing = [name for name in needed if not (self._tools / name).exists()]
        if missing:
            raise ClusterLacks(
                f"no {', '.join(missing)} in {self._tools}", hint="build the control plane first"
            )

    def _start_all(self) -> None:
        credentials, ports = self.credentials, self.ports
        # Both at once: the API server loads while etcd elects itself.
        store = _health(
            credentials.etcd_authority,
            credentials.etcd_client,
            ports.etcd,
            "/health",
            _QUICK_LOOK_SECONDS,
        )
        self._spawn(
            "etcd", etcd_flags(ports, credentials, self._state / "etcd"), lambda: store().holds
        )
        self._spawn(
            "kube-apiserver",
            apiserver_flags(ports, credentials),
            self._healthy(ports.apiserver, "/readyz"),
        )
        self._write_kubeconfig(self.kubeconfig, credentials.admin)
        manager = self._state / "controller-manager.kubeconfig"
        self._write_kubeconfig(manager, credentials.controller_manager)
        scheduler = self._state / "scheduler.kubeconfig"
        self._write_kubeconfig(scheduler, credentials.scheduler)
        # Its first answers come a second and more before it is ready (upstream's rest before the
        # first role is written): time enough for who waits for that to load.
        self._wait("kube-apiserver", ports.apiserver, "/readyz", ready=False)
        self._spawn(
            "kube-controller-manager",
            controller_manager_flags(ports, credentials, manager, looks_at_nodes=not self._light),
            self._healthy(ports.controller_manager, "/healthz"),
        )
        self._spawn(
            "kube-scheduler",
            scheduler_flags(ports, credentials, scheduler),
            self._healthy(ports.scheduler, "/healthz"),
        )
        self._wait("kube-apiserver", ports.apiserver, "/readyz")
        if self._light:
            config = write_lifecycle(self._state / "node-lifecycle.json", manager)
            # It serves nothing that could be asked: as long as it runs, it looks.
            self._spawn("node-lifecycle", [f"--config={config}"], lambda: True)

    def wait_ready(self) -> None:
        """Wait until the controller manager and the scheduler are healthy."""
        self._wait("kube-controller-manager", self.ports.controller_manager, "/healthz")
        self._wait("kube-scheduler", self.ports.scheduler, "/healthz")

    def start_metrics(self) -> None:
        """Start metrics-server; nothing waits for it, its first figures take 10 s anyway."""
        flags = metrics_server_flags(self.ports, self.credentials, self.kubeconfig)
        port = self.ports.metrics_server
        self._spawn("metrics-server", flags, lambda: listens(port))

    def start_light(self) -> None:
        """Start the light nodes, where there are some; return once all of them are ready.

        Raises `ClusterStartFailed` with how many are, and kwok's log, when that takes too long.
        """
        if not self._light:
            return
        identity = self.credentials.authority.client("kwok", "kwok", ("system:masters",))
        kubeconfig = self._state / "kwok.kubeconfig"
        self._write_kubeconfig(kubeconfig, identity)
        files = LightFiles.write(self._light, self._state / "light", kubeconfig)

        def ready() -> Seen:
            process = self.supervisor.process("kwok")
            return files.ready(process.pid if process else 0)

        process = self._spawn("kwok", [f"--config={files.config}"], lambda: ready().holds)

        def look() -> Seen:
            self.supervisor.check()
            return ready()

        limit = LIGHT_SECONDS + len(names_of(self._light)) / LIGHT_A_SECOND
        wait_for("light nodes ready", look, limit, every_seconds=0.1, tail=process.tail)

    def stop(self) -> None:
        """Stop what runs, in the one order that does not hang; bounded by 15 s in all where SIGKILL
        ends it. Raises `ClusterError` naming what it does not end."""
        # The API server keeps retrying a store that is gone: etcd goes last.
        end_all([partial(self._stop_part, name, limit) for name, limit in _STOP_SECONDS.items()])

    def _stop_part(self, name: str, limit_seconds: float) -> None:
        process = self.supervisor.release(name)
        if process is not None:
            process.stop(limit_seconds)

    def answering(self) -> tuple[Ended, ...]:
        """What of that is away by which the API answers."""
        return self._away(_ANSWERING)

    def witnesses(self) -> tuple[Ended, ...]:
        """What of that is away which keeps the nodes' leases, or looks at them."""
        return self._away(_WITNESSES)

    def _away(self, names: tuple[str, ...]) -> tuple[Ended, ...]:
        return tuple(part for part in self.supervisor.ended() if part.name in names)

    def _spawn(self, name: str, flags: list[str], works: Callable[[], bool]) -> Process:
        log = self._state / "logs" / f"{name}.log"

        def start() -> Process:
            env = {**self._env, **_STARTING}
            return Process(name, [self._tools / name, *flags], log=log, env=env)

        process = self.supervisor.keep(name, start, works)
        self._log.debug("%s started, pid %d, log %s", name, process.pid, log)
        return process

    def _write_kubeconfig(self, path: Path, identity: Identity) -> None:
        write_kubeconfig(
            path,
            server=self.server,
            ca_file=self.credentials.authority.cert_file,
            identity=identity,
            namespace=NAMESPACE,
        )

    def _wait(self, name: str, port: int, path: str, *, ready: bool = True) -> None:
        """Until it is `ready`, else until it answers anything at all."""
        look = _health(self.credentials.authority, self.credentials.admin, port, path)

        def checked() -> Seen:
            self.supervisor.check()
            seen = look()
            return seen if ready else Seen(seen.text.startswith(_ANSWERED), seen.text)

        process = self.supervisor.process(name)
        assert process is not None  # it was started a moment ago, by this thread
        wait_for(
            f"{name} {path}", checked, _START_SECONDS, every_seconds=_ASK_SECONDS, tail=process.tail
        )

    def _healthy(self, port: int, path: str) -> Callable[[], bool]:
        look = _health(
            self.credentials.authority, self.credentials.admin, port, path, _QUICK_LOOK_SECONDS
        )
        return lambda: look().holds


def listens(port: int) -> bool:
    """Whether somebody on this machine takes connections there."""
    try:
        socket.create_connection((HOST, port), _QUICK_LOOK_SECONDS).close()
    except OSError:
        return False
    return True


def serves(port: int, name: str, authority: Path) -> bool:
    """Whether whoever takes connections there has a certificate of that authority for that name."""
    context = ssl.create_default_context(cafile=str(authority))
    try:
        with (
            socket.create_connection((HOST, port), _QUICK_LOOK_SECONDS) as connection,
            context.wrap_socket(connection, server_hostname=name),
        ):
            return True
    except OSError:  # ssl's errors are some
        return False


def _health(
    authority: Authority,
    identity: Identity,
    port: int,
    path: str,
    limit_seconds: float = _LOOK_SECONDS,
) -> Callable[[], Seen]:
    context = ssl.create_default_context(cafile=str(authority.cert_file))
    context.load_cert_chain(identity.cert_file, identity.key_file)

    def look() -> Seen:
        connection = http.client.HTTPSConnection(HOST, port, timeout=limit_seconds, context=context)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            text = answer.read(4000).decode(errors="replace")
            return Seen(answer.status == 200, f"{_ANSWERED} {answer.status} {text}")
        except (OSError, http.client.HTTPException) as error:
            return Seen(False, f"{type(error).__name__}: {error}")
        finally:
            connection.close()

    return look
