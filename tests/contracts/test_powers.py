"""`docs/reference/powers.md` names every function that changes state, and who may call it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from contracts_stage import Stage, address

from devnet.protocol.artifacts import Artifacts
from devnet.protocol.codec import Parameter
from devnet.protocol.sentences import SENTENCES

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "powers.md"
RULE = re.compile(r"[RTSWCLOMIGD][1-9]")
FIXED = (  # checked before anything else
    "NotGovernance",
    "NotSlashing",
    "NotGuardian",
    "NotArbiter",
    "NotTransmitter",
    "NotPoolOperator",
    "NotOperator",
)
PLACES = {"OcrAggregator": "Feed:komp_usd", "Pool": "Pool:1"}  # what is deployed under other names
ZERO: Mapping[str, Any] = {"address": "0x" + "00" * 20, "bytes32": bytes(32), "bool": False}


@dataclass(frozen=True)
class Power:
    """One row."""

    contract: str
    function: str
    who: str
    errors: tuple[str, ...]
    rules: tuple[str, ...]


def powers() -> Iterator[Power]:
    contract = ""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            contract = line.removeprefix("## ")
        elif line.startswith("| `"):
            function, who, errors, rules = (cell.strip() for cell in line.strip("|").split("|"))
            named = tuple(rule.strip() for rule in rules.split(","))
            met = tuple(re.findall(r"`(\w+)`", errors))
            yield Power(contract, function.strip("`"), who, met, named)


POWERS = tuple(powers())


def own_contracts() -> set[str]:
    """What is deployed of this repository: no interfaces, no mocks."""
    files = (ROOT / "contracts").rglob("*.sol")
    return {path.stem for path in files if not {"interfaces", "mocks"} & set(path.parts)}


def changing(abi: Any) -> set[str]:
    return {
        entry["name"]
        for entry in abi
        if entry["type"] == "function" and entry["stateMutability"] not in ("view", "pure")
    }


def test_every_function_that_changes_state_has_a_row_and_no_other(artifacts: Artifacts) -> None:
    known = own_contracts() & artifacts.contracts.keys()
    actual = {(name, f) for name in known for f in changing(artifacts[name].abi)}
    said = [(power.contract, power.function) for power in POWERS]
    assert len(said) == len(set(said))
    assert set(said) == actual


@pytest.mark.parametrize("power", POWERS, ids=lambda power: f"{power.contract}.{power.function}")
def test_every_row_says_who_by_which_rule(power: Power, artifacts: Artifacts) -> None:
    assert power.who
    assert all(RULE.fullmatch(rule) for rule in power.rules)
    declared = {e["name"] for e in artifacts[power.contract].abi if e["type"] == "error"}
    assert set(power.errors) <= declared & {kind.partition("(")[0] for kind in SENTENCES}


def test_nothing_takes_eth(artifacts: Artifacts) -> None:
    for name in own_contracts() & artifacts.contracts.keys():
        kinds = {entry.get("stateMutability") for entry in artifacts[name].abi}
        assert "payable" not in kinds, name
        assert not {"receive", "fallback"} & {entry["type"] for entry in artifacts[name].abi}


def nothing(kind: Parameter) -> Any:
    """Zeros of that type: the caller is looked at before them."""
    if kind.type.endswith("]"):
        return []
    if kind.fields:
        return [nothing(one) for one in kind.fields]
    return b"" if kind.type == "bytes" else ZERO.get(kind.type, 0)


@pytest.mark.parametrize(
    "power",
    [power for power in POWERS if set(power.errors) & set(FIXED)],
    ids=lambda power: f"{power.contract}.{power.function}",
)
@pytest.mark.parametrize("who", ["mallory", "deployer", "treasury", "gatekeeper-1", "node-1"])
def test_whoever_else_calls_it_is_refused(stage: Stage, power: Power, who: str) -> None:
    if power.contract == "Pool":
        stage.send("alice", "PoolFactory", "create", 0)
    if power.contract == "UtilizationConsumer":
        asked = (stage.address("Kompute"), address("oracle-1"), bytes(32), 1)
        assert stage.create(power.contract, power.contract, *asked) is None
    place = PLACES.get(power.contract, power.contract)
    inputs = stage.contracts.function(place, power.function).inputs.parameters
    error = stage.refused(who, place, power.function, *(nothing(kind) for kind in inputs))
    assert (error.name,) == power.errors
    assert error.values["caller"] == address(who)
