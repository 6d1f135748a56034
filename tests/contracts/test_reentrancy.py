"""A token that calls back finds every guarded door closed (§12); KOMP itself never calls (T1)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
from contracts_stage import DAY, HOUR, KOMP, MONTH, UNLIMITED, Stage, address, signed

CONTRACTS = Path(__file__).parents[2] / "contracts"
GUARDED = re.compile(r"\bfunction (\w+)\([^;{]*\bnonReentrant\b")
NODE = address("node-1")
HARDWARE = b"\x01" * 32
FOREVER = 2**39
ORDER = (0, b"\x5e" * 32, 2_000, 4_096, 0, 3, 10 * HOUR, KOMP, 2**127, 2**127)
ADMITTED = (NODE, HARDWARE, 1, FOREVER, b"", b"")  # the guard is met before the signatures are

# What the token calls while another call of the same contract moves it.
DOORS: Final[dict[str, dict[str, tuple[Any, ...]]]] = {
    "Rewards": {"addReward": (1,), "claim": (NODE, 0), "claimAll": (NODE,)},
    "Market": {"createOrder": (ORDER,), "close": (1,), "settle": (1,), "finalize": (1,)},
    "Staking": {
        "stake": ADMITTED,
        "topUp": (NODE, 1),
        "withdraw": (NODE,),
        "slash": (NODE, 1),
        "seize": (NODE,),
        "restore": (NODE, 1),
    },
    "Slashing": {
        "report": (NODE, 1, 0, 0, bytes(32), b""),
        "appeal": (1,),
        "rule": (1, True),
        "execute": (1,),
    },
    "Pool": {
        "join": (1,),
        "leave": (1,),
        "activate": ADMITTED,
        "topUp": (1, 0),
        "harvest": (),
        "collect": (),
        "withdraw": (),
        "redeem": (),
    },
    "IncentiveVault": {"release": ()},
    "UtilizationConsumer": {"request": ()},
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A call that moves the token, and the view of what it would have changed."""

    sender: str
    contract: str
    function: str
    args: tuple[Any, ...]
    view: str
    view_args: tuple[Any, ...] = field(default=())


def hostile(stage: Stage) -> tuple[str, str]:
    """A re-entering token that alice and owner-1 hold, and rewards of it: their addresses."""
    assert stage.create("Evil", "ReenteringToken", address("alice"), 10**30) is None
    stage.send("alice", "Evil", "transfer", address("owner-1"), 10**25)
    names = ("Evil", "Gatekeepers", "Staking", "Slashing")
    where = [stage.address(name) for name in names]
    assert stage.create("EvilRewards", "Rewards", *where, 70, 5, 10**20) is None
    return stage.address("Evil"), stage.address("EvilRewards")


def allowed(stage: Stage, who: str, contract: str) -> None:
    stage.send(who, "Evil", "approve", stage.address(contract), UNLIMITED)


def rewards(stage: Stage) -> Entry:
    hostile(stage)
    stage.next_cycle()
    allowed(stage, "alice", "EvilRewards")
    return Entry("alice", "EvilRewards", "addReward", (KOMP,), "cycleReward", (stage.cycle,))


def market(stage: Stage) -> Entry:
    token, paid = hostile(stage)
    names = ("Gatekeepers", "Staking")
    where = (token, *(stage.address(name) for name in names), paid, stage.address("Pricing"))
    assert stage.create("EvilMarket", "Market", *where, address("company"), 2 * HOUR) is None
    allowed(stage, "alice", "EvilMarket")
    return Entry("alice", "EvilMarket", "createOrder", (ORDER,), "orderCount")


def staking(stage: Stage) -> Entry:
    token, _ = hostile(stage)
    where = (token, stage.address("Gatekeepers"), stage.address("Slashing"))
    assert stage.create("EvilStaking", "Staking", *where, MONTH, 15 * DAY) is None
    allowed(stage, "owner-1", "EvilStaking")
    domains = type(stage.domains)(31337, {"Staking": stage.address("EvilStaking")})
    digest = domains.admission(NODE, address("owner-1"), HARDWARE, FOREVER)
    signatures = signed(digest, "gatekeeper-1", "gatekeeper-2"), signed(digest, "node-1")
    given = (NODE, HARDWARE, 1, FOREVER, *signatures)
    return Entry("owner-1", "EvilStaking", "stake", given, "totalStake")


def slashing(stage: Stage) -> Entry:
    """Over the real staking, where the node is; the bond comes in the re-entering token."""
    hostile(stage)
    names = ("Evil", "Gatekeepers", "Staking", "EvilRewards", "PoolFactory")
    windows = (address("arbiter"), 6 * HOUR, 12 * HOUR, 14 * DAY)
    where = [stage.address(name) for name in names]
    assert stage.create("EvilSlashing", "Slashing", *where, *windows) is None
    allowed(stage, "owner-1", "EvilSlashing")
    start = stage.stake(1).timestamp
    stage.mine(100)
    domains = type(stage.domains)(31337, {"Slashing": stage.address("EvilSlashing")})
    digest = domains.incident(NODE, 1, start, start + 50, bytes(32))
    given = (NODE, 1, start, start + 50, bytes(32), signed(digest, "gatekeeper-1", "gatekeeper-2"))
    stage.send("mallory", "EvilSlashing", "report", *given)
    return Entry("owner-1", "EvilSlashing", "appeal", (1,), "incidentOf", (1,))


def pool(stage: Stage) -> Entry:
    hostile(stage)
    names = ("Evil", "Staking", "EvilRewards", "Slashing", "Gatekeepers")
    where = [stage.address(name) for name in names]
    assert stage.create("EvilPool", "Pool", *where, address("alice"), 0) is None
    allowed(stage, "alice", "EvilPool")
    return Entry("alice", "EvilPool", "join", (5 * KOMP,), "totalShares")


def vault(stage: Stage) -> Entry:
    token, paid = hostile(stage)
    assert stage.create("EvilVault", "IncentiveVault", token, paid, KOMP, 12, 0) is None
    stage.send("alice", "Evil", "transfer", stage.address("EvilVault"), KOMP)
    return Entry("mallory", "EvilVault", "release", (), "released")


def consumer(stage: Stage) -> Entry:
    """The token stands for LINK, whose callback the consumer does meet."""
    token, _ = hostile(stage)
    asked = (token, address("oracle-1"), bytes(32), KOMP)
    assert stage.create("EvilConsumer", "UtilizationConsumer", *asked) is None
    allowed(stage, "alice", "EvilConsumer")
    return Entry("alice", "EvilConsumer", "request", (), "requestCount")


ENTRIES: Final[dict[str, Callable[[Stage], Entry]]] = {
    "Rewards": rewards,
    "Market": market,
    "Staking": staking,
    "Slashing": slashing,
    "Pool": pool,
    "IncentiveVault": vault,
    "UtilizationConsumer": consumer,
}


def guarded(stage: Stage, entry: Entry) -> bool:
    """Whether the transaction fails because the callback met the guard."""
    error = stage.refused(entry.sender, entry.contract, entry.function, *entry.args)
    guard = bytes.fromhex("3ee5aeb5")  # ReentrancyGuardReentrantCall()
    return guard in bytes(error.values.get("data", b""))


@pytest.mark.parametrize(
    ("contract", "function"),
    [(contract, function) for contract, doors in DOORS.items() for function in doors],
    ids=lambda value: value,
)
def test_the_door_is_closed(stage: Stage, contract: str, function: str) -> None:
    entry = ENTRIES[contract](stage)
    call = stage.contracts.encode(entry.contract, function, *DOORS[contract][function])
    stage.send("mallory", "Evil", "arm", call.to, call.data)
    before = stage.read(entry.contract, entry.view, *entry.view_args)
    assert guarded(stage, entry)
    assert stage.read(entry.contract, entry.view, *entry.view_args) == before


def doors() -> Iterator[tuple[str, str]]:
    """Every function that the sources guard."""
    for path in sorted(CONTRACTS.rglob("*.sol")):
        source = path.read_text(encoding="utf-8")
        found = GUARDED.findall(source)
        # One that the expression misses must not go unnoticed.
        assert len(found) == len(re.findall(r"\bnonReentrant\b", source)), path
        yield from ((path.stem, function) for function in found)


def test_every_guarded_function_has_a_row_and_no_other() -> None:
    assert sorted(doors()) == sorted((c, function) for c in DOORS for function in DOORS[c])
