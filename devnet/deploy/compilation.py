"""Ape compiles; the result is kept by the hash of everything it depends on."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

from devnet.base import MachineLacks, Toolchain
from devnet.base.commands import run_tool
from devnet.base.store import key_of
from devnet.protocol.artifacts import Artifact, Artifacts

COMPILE_SECONDS = 300.0
FILE = "artifacts.json"
APE = "from ape._cli import cli; cli()"  # its script may not be on PATH


def sources(project: Path) -> tuple[Path, ...]:
    """All files a compilation depends on."""
    contracts = sorted((project / "contracts").rglob("*.sol"))
    return (project / "ape-config.yaml", project / "package-lock.json", *contracts)


def compile_contracts(toolchain: Toolchain, say: Callable[[str], None]) -> Artifacts:
    """The contracts' artifacts, compiled once for each content (some 20 s, then milliseconds).

    Raises MachineLacks with the compiler's own words when it refuses.
    """
    project = toolchain.contracts_project()
    names = [path.relative_to(project).as_posix() for path in sources(project)]
    key = key_of(
        [part for path, name in zip(sources(project), names, strict=True) for part in (name, path)]
    )

    def build(into: Path) -> None:
        say("compiling the contracts with Ape (once, about 20 s)")
        run_tool(
            "ape compile",
            [sys.executable, "-c", APE, "compile", "--force"],
            limit_seconds=COMPILE_SECONDS,
            cwd=project,
            env=toolchain.solc_environment(),
            hint="devnet ape compile shows the same",
        )
        read_ape(project / ".build" / "__local__.json").save(into / FILE)

    return Artifacts.load(toolchain.store.make("artifacts", key, build, say=say) / FILE)


def read_ape(manifest: Path) -> Artifacts:
    """Ape's own output; interfaces, which have no code, are left out."""
    try:
        types = json.loads(manifest.read_text())["contractTypes"]
    except (OSError, ValueError, KeyError) as error:
        raise MachineLacks(f"Ape left no contracts at {manifest}: {error!r}") from error
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
