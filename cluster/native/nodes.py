"""A native node's files, and how its kubelet is started with them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from cluster.errors import ClusterLacks
from cluster.interface import Enforcement, NodeSpec
from cluster.kubernetes import names
from cluster.native.components import HOST
from cluster.native.pki import Authority, write_kubeconfig
from cluster.processes import free_ports, is_free

_LEASE_SECONDS = 2
_RESTART_SECONDS = 5  # Kubernetes' own pause grows to 300 s: nobody waits for that here
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_KERNEL_LOG = Path("/dev/kmsg")
_TRIAL = (
    *("--unshare-user", "--unshare-pid", "--unshare-uts", "--unshare-ipc", "--cap-drop", "ALL"),
    *("--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "--"),
)
_TRIAL_SECONDS = 20.0
_NODES = "system:nodes"  # upstream's Node authorizer knows them by it


@dataclass(frozen=True, slots=True)
class NodeFiles:
    """What one kubelet is started with, in a folder of its node's own."""

    config: Path
    statement: Path  # the node writes here what it enforces
    pace: Path  # the node looks here for the share of its processors that its pods get
    disk: Path  # where the node has a file system of its own, in its kubelet's eyes alone
    port: int  # its kubelet's
    milli_cpu: int  # of its profile

    @classmethod
    def write(
        cls,
        spec: NodeSpec,
        folder: Path,
        *,
        devnet_id: str,
        server: str,
        authority: Authority,
        bubblewrap: Path | None,
        folders: Path,
        hidden: tuple[Path, ...],
    ) -> NodeFiles:
        """Certificates, kubeconfig and configuration of a new node; its pods are sandboxed by
        `bubblewrap`, and plain processes where that is None. `folders` is the file of those
        that its pods may name, `hidden` is what they never see, wherever it lies."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # The kernel knows a disk's image by its real path, and a link is not followed into the
        # kubelet's mounts.
        folder = folder.resolve()
        user = f"system:node:{spec.name}"
        client = authority.client(f"{spec.name}-client", user, (_NODES,))
        serving = authority.server(f"{spec.name}-serving", user, (HOST, "localhost", spec.name))
        kubeconfig = write_kubeconfig(
            folder / "kubeconfig",
            server=server,
            ca_file=authority.cert_file,
            identity=client,
            namespace=names.NAMESPACE,
        )
        (port,) = free_ports(1)
        files = cls(
            *(folder / "kubelet.json", folder / "enforcement.json", folder / "pace.json"),
            folder / "disk",
            port,
            spec.capacity.milli_cpu,
        )
        document = {
            "devnet_id": devnet_id,
            "node": spec.name,
            "labels": {
                names.PROFILE: spec.profile,
                names.REGION: spec.region,
                names.ZONE: spec.zone,
                names.HOSTNAME: spec.name,
                names.INSTANCE_TYPE: spec.profile,
            },
            "capacity": names.to_resources(spec.capacity),
            "kubeconfig": str(kubeconfig),
            "client_ca_file": str(authority.cert_file),
            "cert_file": str(serving.cert_file),
            "key_file": str(serving.key_file),
            "port": port,
            "folder": str(folder),
            "bubblewrap": str(bubblewrap or ""),
            "unsandboxed": bubblewrap is None,
            "visible": _visible(),
            "hidden": [str(path) for path in hidden],
            "folders": str(folders),
            "path": f"{Path(sys.executable).parent}:{_SYSTEM_PATH}",
            "enforcement": str(files.statement),
            "pace": str(files.pace),
            "lease_seconds": _LEASE_SECONDS,
            "restart_seconds": _RESTART_SECONDS,
        }
        files.config.write_text(json.dumps(document, indent=1), encoding="utf-8")
        # Of another node: this one need not hold as much, and has an empty disk.
        for left in (files.statement, files.pace, folder / "disk.img"):
            left.unlink(missing_ok=True)
        return files

    def on_free_port(self) -> NodeFiles:
        """These files, with another port where somebody has taken theirs since it was chosen: pods
        share the host's. For a kubelet that is about to be started; it tells the API its port."""
        if is_free(self.port):
            return self
        (port,) = free_ports(1)
        document = json.loads(self.config.read_text(encoding="utf-8"))
        self.config.write_text(json.dumps(document | {"port": port}, indent=1), encoding="utf-8")
        return replace(self, port=port)

    def set_pace(self, percent: int | None) -> None:
        """What its pods get of its processors from now on; None: all. The node follows."""
        if percent is None:
            self.pace.unlink(missing_ok=True)
            return
        part = self.pace.with_suffix(".part")
        part.write_text(json.dumps({"percent": percent}), encoding="utf-8")
        part.rename(self.pace)

    def enforcement(self) -> Enforcement | None:
        """What the node says that it enforces; None while it has said nothing."""
        try:
            said = json.loads(self.statement.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return Enforcement(tuple(said["enforced"]), tuple(said["narrowed"]))


def kubelet_command(tools: Path, files: NodeFiles, namespaces: tuple[str, ...]) -> list[str | Path]:
    """In namespaces of its own, so that the volumes it mounts end with it; without any, which is
    for one that mounts nothing, as it is."""
    if not namespaces:
        return [tools / "kubelet", "--config", files.config]
    return ["unshare", *namespaces, tools / "kubelet", "--config", files.config]


def allowed_namespaces(bubblewrap: Path, kernel_log: Path = _KERNEL_LOG) -> tuple[str, ...]:
    """What `unshare` is to make for a kubelet here, found out by making it with a sandbox inside.

    A user namespace is only made where it is needed: by who may not mount without one, and where
    the kernel's log cannot be read, which a kubelet outside of one insists on.

    Raises `ClusterLacks` with the machine's own words where nothing is allowed.
    """
    ways: list[tuple[str, ...]] = [("--mount", "--user", "--map-root-user")]
    if os.geteuid() == 0 and os.access(kernel_log, os.R_OK):
        ways.insert(0, ("--mount",))
    said: list[str] = []
    for namespaces in ways:
        words = ["unshare", *namespaces, str(bubblewrap), *_TRIAL, "true"]
        try:
            trial = subprocess.run(
                words, capture_output=True, text=True, timeout=_TRIAL_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            said.append(str(error))
            continue
        if trial.returncode == 0:
            return namespaces
        said.append(trial.stderr.strip() or f"exit code {trial.returncode}")
    raise ClusterLacks(
        f"no sandbox for pods can be made here: {'; '.join(said)}",
        hint="native needs user namespaces: on Debian and Ubuntu `sysctl "
        "kernel.unprivileged_userns_clone` and `kernel.apparmor_restrict_unprivileged_userns` "
        "say whether they are allowed. Without: --unsandboxed (of up, run and load) has pods be "
        "plain processes, who do whatever you may; devnet doctor says what holds then. "
        "--cluster sim needs nothing",
    )


def _visible() -> list[str]:
    """This Python and what it was made from: `python3` in a pod is the project's own."""
    return list(dict.fromkeys((sys.prefix, sys.base_prefix)))
