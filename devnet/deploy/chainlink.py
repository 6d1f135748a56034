"""Chainlink's own Operator and LinkToken, from npm, by the compiler their pragma names.

Apart from our contracts: one compiler and one target for each compilation of Ape's, and only a
network that asks for request and response pays for this one.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from devnet.base import MachineLacks, Toolchain
from devnet.base.environment import plain_environment
from devnet.base.solidity import CHAINLINK_SOLC_VERSION
from devnet.base.store import key_of
from devnet.protocol.artifacts import Artifact, Artifacts

FILE: Final = "artifacts.json"
COMPILE_SECONDS: Final = 300.0
_ROOT: Final = "@chainlink/contracts/src/v0.8"
SOURCES: Final = {
    "LinkToken": f"{_ROOT}/shared/token/ERC677/LinkToken.sol",
    "Operator": f"{_ROOT}/operatorforwarder/Operator.sol",
}
# As the package's own foundry.toml and remappings.txt say.
SETTINGS: Final[dict[str, Any]] = {
    "optimizer": {"enabled": True, "runs": 1_000_000},
    "evmVersion": "paris",
    "metadata": {"bytecodeHash": "none"},
    "remappings": ["@openzeppelin/contracts@4.8.3/=@openzeppelin/contracts-4.8.3/"],
    "outputSelection": {"*": {"*": ["abi", "evm.bytecode", "evm.deployedBytecode"]}},
}


def compile_chainlink(toolchain: Toolchain, say: Callable[[str], None]) -> Artifacts:
    """Both artifacts, compiled once (some 10 s, then milliseconds).

    Raises MachineLacks with the compiler's own words when it refuses.
    """
    modules = toolchain.contracts_libraries()
    key = key_of([str(modules), json.dumps([SOURCES, SETTINGS]), CHAINLINK_SOLC_VERSION])

    def build(into: Path) -> None:
        say("compiling Chainlink's Operator and LinkToken (once, about 10 s)")
        compiler = toolchain.solc(CHAINLINK_SOLC_VERSION)
        _artifacts(_compiled(compiler, modules)).save(into / FILE)

    return Artifacts.load(toolchain.store.make("chainlink", key, build, say=say) / FILE)


def _compiled(compiler: Path, modules: Path) -> dict[str, Any]:
    try:
        sources = {path: {"content": (modules / path).read_text()} for path in SOURCES.values()}
        request = {"language": "Solidity", "sources": sources, "settings": SETTINGS}
        told = subprocess.run(
            [compiler, "--standard-json", "--base-path", modules],
            input=json.dumps(request),
            env=plain_environment(),
            capture_output=True,
            text=True,
            timeout=COMPILE_SECONDS,
            check=True,
        )
        output: dict[str, Any] = json.loads(told.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        words = str(getattr(error, "stderr", None) or "").strip()  # of a compiler that ended badly
        raise MachineLacks(
            f"solc {CHAINLINK_SOLC_VERSION} failed: {error}" + (f"\n{words}" if words else "")
        ) from error
    errors = [e["formattedMessage"] for e in output.get("errors", ()) if e["severity"] == "error"]
    if errors:
        raise MachineLacks("Chainlink's contracts do not compile:\n" + "\n".join(errors))
    return output


def _artifacts(output: dict[str, Any]) -> Artifacts:
    built = {name: output["contracts"][path][name] for name, path in SOURCES.items()}
    return Artifacts(
        {
            name: Artifact(
                name,
                entry["abi"],
                bytes.fromhex(entry["evm"]["bytecode"]["object"]),
                bytes.fromhex(entry["evm"]["deployedBytecode"]["object"]),
            )
            for name, entry in built.items()
        }
    )
