"""D1: every parameter of every constructor, and what it refuses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any, Final

import pytest
from contracts_stage import DAY, GATEKEEPERS, KOMP, PARAMETERS, Stage, address

from devnet.deploy.parameters import VaultParameters
from devnet.deploy.plan import plan, resolved
from devnet.protocol.artifacts import Artifacts

CONTRACTS = Path(__file__).parents[3] / "contracts"
ZERO = "0x" + "00" * 20
FOUR = [address(f"oracle-{n}") for n in range(1, 5)]
LONGEST = 3_650 * DAY
VAULT = VaultParameters(total_wei=KOMP, cycles=12, start_cycle=0)
PLANNED = replace(PARAMETERS, vault=VAULT, request_response=True)


@dataclass(frozen=True, slots=True)
class Wrong:
    """A value of one parameter and the error it is refused with, None where it is taken."""

    value: Any
    error: str | None
    values: Mapping[str, Any] | None = None


def zero(what: str) -> Wrong:
    return Wrong(0, "ZeroValue", {"what": word(what)})


def longest(what: str, at_most: str | None = None) -> tuple[Wrong, Wrong]:
    """3 650 days are allowed, or meet another rule; a second more is too long."""
    values = {"what": word(what), "given": LONGEST + 1, "most": LONGEST}
    return Wrong(LONGEST, at_most), Wrong(LONGEST + 1, "TooLong", values)


def word(text: str) -> bytes:
    return text.encode().ljust(32, b"\0")


# By (contract, parameter), single addresses left out: they all refuse zero. A text says why
# creation takes whatever it is given.
CASES: Final[Mapping[tuple[str, str], tuple[Wrong, ...] | str]] = {
    ("Kompute", "supply"): (Wrong(2**128, "SupplyTooLarge"),),
    ("Gatekeepers", "gatekeepers"): (
        Wrong(
            [address("alice"), ZERO, address("bob")], "ZeroAddress", {"what": word("gatekeepers")}
        ),
        Wrong([], "QuorumOutOfRange"),
    ),
    ("Gatekeepers", "perfQuorum"): (
        *(Wrong(k, "QuorumOutOfRange") for k in (0, 1, 4)),
        *(Wrong(k, None) for k in (2, 3)),
    ),
    ("Staking", "monthSeconds"): (zero("month"), *longest("month")),
    ("Staking", "exitDelaySeconds"): (Wrong(0, None), *longest("exitDelay")),  # Slashing asks
    ("Slashing", "appealWindowSeconds"): (Wrong(0, None), *longest("appealWindow")),  # L6
    ("Slashing", "arbiterWindowSeconds"): (zero("arbiterWindow"), *longest("arbiterWindow")),
    ("Slashing", "maxAgeSeconds"): (zero("maxAge"), *longest("maxAge", "ExitDelayTooShort")),
    ("Rewards", "cycleBlocks_"): (Wrong(69, "GapOutOfRange"), Wrong(0, "GapOutOfRange")),
    ("Rewards", "gapBlocks_"): (Wrong(0, "GapOutOfRange"), Wrong(6, "GapOutOfRange")),
    ("Rewards", "maxV_"): (
        zero("maxV"),
        Wrong(1, None),
        Wrong(2**96, "SafeCastOverflowedUintDowncast"),
    ),
    ("Pricing", "feeds"): tuple(
        Wrong([["Feed"] * 3] * 5 + [list(row)], "ZeroAddress", {"what": word("feeds")})
        for row in product([ZERO, "Feed"], repeat=3)
        if len(set(row)) == 2  # three or none
    ),
    ("OcrAggregator", "description_"): "any text describes a feed",
    ("OcrAggregator", "decimals_"): "pricing refuses a feed of too many",
    ("OcrAggregator", "oracles_"): (
        Wrong([], "OraclesOutOfRange"),
        *(
            Wrong(
                [*FOUR[:place], ZERO, *FOUR[place + 1 :]], "ZeroAddress", {"what": word("oracles")}
            )
            for place in range(4)
        ),
    ),
    ("OcrAggregator", "faulty_"): (Wrong(0, None), Wrong(2, "OraclesOutOfRange")),
    ("OcrAggregator", "heartbeatSeconds"): (zero("heartbeat"), *longest("heartbeat")),
    ("OcrAggregator", "deviationBps_"): "its nodes alone act by it",
    ("OcrAggregator", "minAnswer_"): (  # the utilization's largest is 1e18
        Wrong(KOMP, "BoundsOutOfOrder", {"min": KOMP, "max": KOMP}),
        Wrong(KOMP + 1, "BoundsOutOfOrder"),
        Wrong(KOMP - 1, None),
    ),
    ("OcrAggregator", "maxAnswer_"): (
        Wrong(0, "BoundsOutOfOrder", {"min": 0, "max": 0}),
        Wrong(1, None),
    ),
    ("Market", "haltDelaySeconds"): (Wrong(0, None), *longest("haltDelay")),
    ("Pool", "commissionBps_"): "the factory bounds it",
    ("ExecutionQueue", "space_"): "any text is a space",
    ("ExecutionQueue", "delaySeconds"): (Wrong(0, None), *longest("delay")),
    ("IncentiveVault", "total_"): (Wrong(12 * 13 - 1, "TotalTooSmall"), Wrong(12 * 13, None)),
    ("IncentiveVault", "cycles_"): (Wrong(0, "CyclesOutOfRange"),),
    ("IncentiveVault", "startCycle_"): "a vault may begin whenever it is to",
    ("UtilizationConsumer", "specId_"): "the operator knows its jobs",
    ("UtilizationConsumer", "fee_"): "a request may cost nothing",
}


def own() -> Iterator[str]:
    """Contracts of this repository that are put on the chain; mocks take whatever a test gives."""
    for path in sorted(CONTRACTS.rglob("*.sol")):
        kept = not {"interfaces", "mocks"} & set(path.parts)
        if kept and f"\ncontract {path.stem} " in path.read_text():
            yield path.stem


OWN: Final = tuple(own())


def parameters(artifacts: Artifacts, contract: str) -> list[tuple[str, str]]:
    """(name, ABI type) of a constructor's, in order."""
    entries = [e for e in artifacts[contract].abi if e["type"] == "constructor"]
    return [(i["name"], i["type"]) for e in entries for i in e["inputs"]]


def given(stage: Stage, contract: str) -> list[Any]:
    """What the devnet's own deployment gives to that constructor."""
    where = {**stage.deployment.addresses, "Feed": stage.address("Feed:komp_usd")}
    where |= {name: stage.address("Kompute") for name in ("LinkToken", "Operator")}
    made = {creation.contract: creation.args for creation in plan(PLANNED)}
    if contract == "Pool":
        parts = ("Kompute", "Staking", "Rewards", "Slashing", "Gatekeepers")
        return [*(stage.address(part) for part in parts), address("alice"), 0]
    return list(resolved(made[contract], where))  # type: ignore[call-overload]


def created(stage: Stage, contract: str, args: list[Any]) -> tuple[str | None, dict[str, Any]]:
    """Name and values of the error that a creation is refused with."""
    refused = stage.create("Tried", contract, *args)
    return (None, {}) if refused is None else (refused.name, dict(refused.values))


def with_feeds(stage: Stage, value: Any) -> Any:
    if isinstance(value, list):
        return [with_feeds(stage, one) for one in value]
    return stage.address("Feed:komp_usd") if value == "Feed" else value


def test_d1_every_parameter_but_an_address_has_its_cases(artifacts: Artifacts) -> None:
    known = {(c, name) for c in OWN for name, kind in parameters(artifacts, c) if kind != "address"}
    assert set(CASES) == known
    assert len(OWN) > 10


@pytest.mark.parametrize("contract", OWN)
def test_d1_no_address_is_zero(stage: Stage, artifacts: Artifacts, contract: str) -> None:
    args = given(stage, contract)
    walked = 0
    for place, (name, kind) in enumerate(parameters(artifacts, contract)):
        if kind != "address":
            continue
        walked += 1
        wrong = [*args[:place], ZERO, *args[place + 1 :]]
        assert created(stage, contract, wrong) == ("ZeroAddress", {"what": word(name.strip("_"))})
    assert walked
    assert created(stage, contract, args) == (None, {})


@pytest.mark.parametrize(
    ("contract", "parameter"),
    [case for case, wrong in CASES.items() if not isinstance(wrong, str)],
    ids=".".join,
)
def test_d1_what_could_never_be_mended_is_refused(
    stage: Stage, artifacts: Artifacts, contract: str, parameter: str
) -> None:
    args = given(stage, contract)
    place = [name for name, _ in parameters(artifacts, contract)].index(parameter)
    for wrong in CASES[contract, parameter]:
        assert isinstance(wrong, Wrong)
        value = with_feeds(stage, wrong.value)
        error, values = created(stage, contract, [*args[:place], value, *args[place + 1 :]])
        assert (wrong.value, error) == (wrong.value, wrong.error)
        assert wrong.values in (None, values)


def test_d1_pricing_answers_to_the_governance_of_its_gatekeepers(stage: Stage) -> None:
    members = [address(name) for name in GATEKEEPERS]
    assert stage.create("Others", "Gatekeepers", address("mallory"), members, 2) is None
    args = given(stage, "Pricing")[:-1]
    assert stage.create("Theirs", "Pricing", *args, stage.address("Others")) is None
    assert stage.read("Theirs", "governance") == address("mallory")
    assert stage.read("Pricing", "governance") == stage.read("Gatekeepers", "governance")
    refused = stage.refused("governance", "Theirs", "setContingency", 0, KOMP, KOMP, True)
    assert refused.values == {"caller": address("governance"), "governance": address("mallory")}
    stage.send("mallory", "Theirs", "setContingency", 0, KOMP, KOMP, True)
