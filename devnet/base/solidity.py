"""What comes from npm: anvil, the compiler, the contract libraries, and what draws charts."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path

from devnet.base import assets, obstacles
from devnet.base.commands import run_tool
from devnet.base.environment import installing_environment
from devnet.base.errors import MachineLacks
from devnet.base.node import Node, get_node
from devnet.base.store import Store, key_of

SOLC_VERSION = "0.8.30"
CHAINLINK_SOLC_VERSION = "0.8.19"  # their pragma names no other
# Asking the WebAssembly for it costs half a second on every compile.
SOLC_LONG_VERSION = "0.8.30+commit.73712a01.Linux.g++"
_COMPILERS = {  # npm's name for the package, and what it says of itself
    SOLC_VERSION: ("solc", SOLC_LONG_VERSION),
    CHAINLINK_SOLC_VERSION: ("solc-0.8.19", "0.8.19+commit.7dd6d404.Linux.g++"),
}
LIBRARIES_MEGABYTES = 78
NOT_WRITTEN = "TAR_ENTRY_ERROR"

# py-solc-x calls a compiler with `--version` or `--standard-json --base-path DIR`, JSON on stdin.
SOLC_LAUNCHER = """#!/bin/sh
# The official compiler (WebAssembly, from npm) in the shape of a native solc.
case "$1" in --version)
    echo "solc, the solidity compiler commandline interface"
    echo "Version: {version}"
    exit 0 ;;
esac
unset NODE_OPTIONS NODE_PATH
exec "{node}" --stack-size=8000 "{script}" "$@"
"""
SOLC_SCRIPT = """// Standard JSON in and out; imports lie below --base-path and --include-path.
const fs = require("fs");
const path = require("path");
const solc = require({solc});
const words = process.argv.slice(2);
const roots = words.flatMap((word, i) =>
    ["--base-path", "--include-path"].includes(word) ? [words[i + 1]] : []);
function find(name) {{
    const file = [...(roots.length ? roots : ["."]).map((root) => path.join(root, name)), name]
        .find((candidate) => fs.existsSync(candidate));
    if (!file) return {{ error: `${{name}} not found` }};
    return {{ contents: fs.readFileSync(file, "utf8") }};
}}
const input = fs.readFileSync(0, "utf8");
process.stdout.write(solc.compile(input, {{ import: find }}) + "\\n");
"""


def libraries_key() -> str:
    """The key of the npm part: its lock, and the platform its binaries are for."""
    return key_of([assets.root() / "package-lock.json", sys.platform, platform.machine()])


def find_libraries(store: Store) -> Path | None:
    """`node_modules` when it is installed, else None."""
    folder = store.found("npm", libraries_key())
    return folder and folder / "node_modules"


def get_libraries(store: Store, say: Callable[[str], None]) -> Path:
    """`node_modules` with anvil, solc, OpenZeppelin and Chainlink, installed when it is missing.

    Raises MachineLacks when npm cannot install it.
    """
    if (modules := find_libraries(store)) is not None:
        return modules
    node = get_node(store, say)
    say(
        "installing anvil, solc, OpenZeppelin and Chainlink from npm "
        f"({LIBRARIES_MEGABYTES} MB, some 10 s)"
    )
    folder = store.make("npm", libraries_key(), lambda into: _install(node, into), say=say)
    return folder / "node_modules"


def npm_environment(node: Node) -> dict[str, str]:
    """npm's, which looks for its Node on PATH."""
    search = f"{node.executable.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return installing_environment(**node.environment) | {"PATH": search}


def anvil_in(modules: Path) -> Path:
    """The real anvil binary, without npm's launcher around it.

    Raises MachineLacks on a platform that has none.
    """
    for package in sorted((modules / "@foundry-rs").glob("anvil-*")):
        binary = package / "bin" / "anvil"
        if binary.is_file():
            return binary
    raise MachineLacks(
        f"there is no anvil for {sys.platform} on {platform.machine()} in {modules}",
        hint="use Linux or macOS on x86-64 or arm64",
    )


def get_solc(store: Store, say: Callable[[str], None]) -> Path:
    """A folder with an executable `solc-v…` of each version, for SOLCX_BINARY_PATH."""
    modules = get_libraries(store, say)
    node = get_node(store, say)
    parts = (SOLC_LAUNCHER, SOLC_SCRIPT, json.dumps(_COMPILERS))
    key = key_of([str(modules), str(node.executable), *parts])
    return store.make("solc", key, lambda into: _write_solc(store, key, modules, node, into))


def solc_in(folder: Path, version: str = SOLC_VERSION) -> Path:
    return folder / f"solc-v{version}"


def link_libraries(project: Path, modules: Path) -> None:
    """Let Ape find npm's packages: `node_modules` in the project, where it may be written.

    A folder that someone else made there stays.
    """
    link = project / "node_modules"
    if link.is_symlink() and link.readlink() == modules:
        return
    if (link.exists() and not link.is_symlink()) or not os.access(project, os.W_OK):
        return
    fresh = project / f".node_modules.{os.getpid()}"
    fresh.symlink_to(modules)
    fresh.replace(link)


def _install(node: Node, into: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        (into / name).write_bytes((assets.root() / name).read_bytes())
    # npm ends with 0 whatever it could not write, and tells it as a warning (tried).
    unwritten: list[str] = []
    run_tool(
        "npm ci",
        [
            *node.npm,
            "ci",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--loglevel=warn",
            "--fetch-retry-mintimeout=1000",
            "--fetch-retry-maxtimeout=5000",
        ],
        cwd=into,
        env=npm_environment(node),
        limit_seconds=600.0,
        line=lambda text: unwritten.append(text) if NOT_WRITTEN in text else None,
        hint="check the network and npm's registry (`npm config get registry`)",
    )
    if unwritten:
        obstacle = obstacles.in_words(unwritten)
        raise MachineLacks(
            f"npm ci: {len(unwritten)} files are not whole in {into}: "
            f"{obstacle.name if obstacle else unwritten[0]}",
            hint=obstacle.hint if obstacle else "run the command again",
        )
    anvil_in(into / "node_modules")


def _write_solc(store: Store, key: str, modules: Path, node: Node, into: Path) -> None:
    for version, (package, long_version) in _COMPILERS.items():
        script = into / f"{package}.js"
        script.write_text(SOLC_SCRIPT.format(solc=json.dumps(str(modules / package))))
        launcher = solc_in(into, version)
        launcher.write_text(
            SOLC_LAUNCHER.format(
                version=long_version,
                node=node.executable,
                script=store.path("solc", key) / script.name,
            )
        )
        launcher.chmod(0o755)
