"""Ape compiles; the result is kept by the hash of everything it depends on."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from devnet.base import MachineLacks, Toolchain
from devnet.base.commands import run_tool
from devnet.base.environment import python_environment
from devnet.base.solidity import SOLC_LONG_VERSION
from devnet.base.sources import MANIFEST, MODULES, Sources
from devnet.protocol.artifacts import Artifact, Artifacts

APE: Final = (sys.executable, "-m", "devnet.deploy.ape_program")
COMPILE_SECONDS: Final = 300.0
FILE: Final = "artifacts.json"
KIND: Final = "contracts"  # `artifacts` held code of other sources than its keys said
_COMPILERS: Final = ("eth-ape", "ape-solidity")


def compile_contracts(toolchain: Toolchain, say: Callable[[str], None]) -> Artifacts:
    """The contracts' artifacts, compiled once for each content (some 20 s, then milliseconds).

    What is compiled is a copy of what was hashed, with nothing of an earlier compilation beside
    it: an edit meanwhile belongs to the next call.
    Raises MachineLacks with the compiler's own words when it refuses, and when what it made is
    not of these sources.
    """
    sources = Sources.of(toolchain.contracts_project())
    key = sources.key(SOLC_LONG_VERSION, *(f"{name} {version(name)}" for name in _COMPILERS))

    def build(into: Path) -> None:
        say("compiling the contracts with Ape (once, about 20 s)")
        work = into / "work"
        _compiled(sources, toolchain, work).save(into / FILE)
        shutil.rmtree(work)

    return Artifacts.load(toolchain.store.make(KIND, key, build, say=say) / FILE)


def _compiled(sources: Sources, toolchain: Toolchain, work: Path) -> Artifacts:
    project, modules = work / "project", toolchain.contracts_libraries()
    sources.check_libraries(modules)
    sources.write(project)
    (project / MODULES).symlink_to(modules)
    # Ape keeps libraries by the version that a configuration claims: let it keep none from before.
    folders = {"TMPDIR": work / "temporary", "APE_DATA_FOLDER": work / "data"}
    for folder in folders.values():
        folder.mkdir()
    run_tool(
        "ape compile",
        [*APE, "compile", "--force"],
        limit_seconds=COMPILE_SECONDS,
        cwd=project,
        # Below the temporary folder Ape would compile in place, beside its copy of the libraries.
        env=python_environment()
        | toolchain.solc_environment()
        | {name: str(path) for name, path in folders.items()},
        hint="devnet ape compile shows the same",
    )
    return read_ape(project / MANIFEST, sources)


def read_ape(manifest: Path, sources: Sources) -> Artifacts:
    """Ape's own output; interfaces, which have no code, are left out.

    Raises MachineLacks when there is none, or when it is not of these `sources`.
    """
    try:
        document: dict[str, Any] = json.loads(manifest.read_text())
        types = document["contractTypes"]
    except (OSError, ValueError, KeyError) as error:
        raise MachineLacks(f"Ape left no contracts at {manifest}: {error!r}") from error
    if wrong := sources.differences(document):
        raise MachineLacks(
            "Ape compiled other sources than those it was given:\n"
            + "\n".join(f"  {difference}" for difference in wrong)
        )
    contracts = {
        name: Artifact(
            name,
            entry["abi"],
            _code(entry["deploymentBytecode"]),
            _code(entry["runtimeBytecode"]),
        )
        for name, entry in types.items()
        if entry.get("deploymentBytecode", {}).get("bytecode", "0x") != "0x"
    }
    return Artifacts(contracts)


def _code(entry: dict[str, str]) -> bytes:
    return bytes.fromhex(entry["bytecode"].removeprefix("0x"))
