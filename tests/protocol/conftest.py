"""The ABIs of the interfaces, compiled once a session, and a deployment of made-up addresses."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from devnet.base.toolchain import Toolchain
from devnet.protocol import Deployment, Genesis

REPOSITORY = Path(__file__).parents[2]
CONTRACTS = REPOSITORY / "contracts"
INTERFACES = CONTRACTS / "interfaces"
ABIS = {
    "Gatekeepers": "IGatekeepers",
    "Staking": "IStaking",
    "Rewards": "IRewards",
    "Slashing": "ISlashing",
    "Pricing": "IPricing",
    "Market": "IMarket",
    "OcrAggregator": "IOcrAggregator",
}
FEED = "Feed:aws:vcpu_hour"

# A busy machine makes examples slow, not wrong.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


def compile_solidity(
    sources: dict[str, str], outputs: tuple[str, ...] = ("abi", "evm.bytecode.object")
) -> dict[str, Any]:
    """Every contract of these sources (by path), by name: its ABI and creation code."""
    request = {
        "language": "Solidity",
        "sources": {path: {"content": content} for path, content in sources.items()},
        "settings": {
            "evmVersion": "cancun",
            "outputSelection": {"*": {"*": list(outputs)}},
        },
    }
    answer = subprocess.run(
        [Toolchain().solc(), "--standard-json"],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    output = json.loads(answer.stdout)
    assert [e for e in output.get("errors", []) if e["severity"] == "error"] == []
    return {
        name: {"abi": built["abi"], "bytecode": code_of(built)}
        for contracts in output["contracts"].values()
        for name, built in contracts.items()
    }


def code_of(built: dict[str, Any]) -> bytes:
    """The creation code where the compiler was asked for it."""
    return bytes.fromhex(built.get("evm", {}).get("bytecode", {}).get("object", ""))


@pytest.fixture(scope="session")
def compiled() -> dict[str, Any]:
    """The interfaces and the tests' own contract."""
    sources = {f"interfaces/{path.name}": path.read_text() for path in INTERFACES.glob("*.sol")}
    stand_in = Path(__file__).parent / "StandIn.sol"
    return compile_solidity({**sources, "test/StandIn.sol": stand_in.read_text()})


@pytest.fixture(scope="session")
def everything() -> dict[str, Any]:
    """All contracts with all they inherit, OpenZeppelin included."""
    found = {path.relative_to(REPOSITORY).as_posix(): "" for path in CONTRACTS.rglob("*.sol")}
    libraries = Toolchain().contracts_libraries()
    open_paths = list(found)
    while open_paths:
        path = open_paths.pop()
        root = libraries if path.startswith("@") else REPOSITORY
        found[path] = (root / path).read_text()
        for imported in re.findall(r'^import [^;]*?"([^"]+)";', found[path], re.MULTILINE):
            target = imported if imported.startswith("@") else beside(path, imported)
            if target not in found:
                found[target] = ""
                open_paths.append(target)
    return compile_solidity(found, outputs=("abi",))


def beside(path: str, imported: str) -> str:
    """The source unit that a relative import means."""
    parts = path.split("/")[:-1]
    for part in imported.split("/"):
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


@pytest.fixture(scope="session")
def abis(compiled: dict[str, Any]) -> dict[str, Any]:
    """ABIs by the deployment's contract names."""
    return {name: compiled[interface]["abi"] for name, interface in ABIS.items()}


@pytest.fixture(scope="session")
def deployment(abis: dict[str, Any]) -> Deployment:
    """Made-up addresses: nothing is deployed there."""
    names = [*(name for name in ABIS if name != "OcrAggregator"), FEED]
    addresses = {name: f"0x{place:040x}" for place, name in enumerate(names, start=0xC0FFEE)}
    return Deployment(addresses, abis, {"cycle_blocks": 70}, Genesis(31337, 1_767_225_600, 1))
