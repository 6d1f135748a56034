"""A token that calls back finds every door closed (§12); KOMP itself never calls (T1)."""

from __future__ import annotations

from typing import Any

import pytest
from contracts_stage import HOUR, KOMP, MONTH, Stage, address, signed

NODE = address("node-1")
DAY = 24 * HOUR


def hostile(stage: Stage) -> Stage:
    """Staking, rewards and market over a re-entering token, beside the real ones."""
    assert stage.create("Evil", "ReenteringToken", address("alice"), 10**30) is None
    token, keepers = stage.address("Evil"), stage.address("Gatekeepers")
    staking, pricing = stage.address("Staking"), stage.address("Pricing")
    slashing = stage.address("Slashing")
    rewards_args = (token, keepers, staking, slashing, 70, 5, 10**20)
    assert stage.create("EvilRewards", "Rewards", *rewards_args) is None
    rewards = stage.address("EvilRewards")
    market_args = (token, keepers, staking, rewards, pricing, address("company"), 2 * HOUR)
    assert stage.create("EvilMarket", "Market", *market_args) is None
    staking_args = (token, keepers, slashing, MONTH, 15 * DAY, 14 * DAY)
    assert stage.create("EvilStaking", "Staking", *staking_args) is None
    for who in ("alice", "owner-1"):
        stage.send("alice", "Evil", "transfer", address(who), 10**25)
        for contract in ("EvilRewards", "EvilMarket", "EvilStaking"):
            stage.send(who, "Evil", "approve", stage.address(contract), 2**256 - 1)
    return stage


def arm(stage: Stage, contract: str, function: str, *args: Any) -> None:
    call = stage.contracts.encode(contract, function, *args)
    stage.send("mallory", "Evil", "arm", call.to, call.data)


def guarded(stage: Stage, sender: str, contract: str, function: str, *args: Any) -> bool:
    """Whether the transaction fails because the callback met the guard."""
    error = stage.refused(sender, contract, function, *args)
    guard = bytes.fromhex("3ee5aeb5")  # ReentrancyGuardReentrantCall()
    return guard in bytes(error.values.get("data", b""))


ORDER = (0, b"\x5e" * 32, 2_000, 4_096, 0, 3, 10 * HOUR, KOMP, 2**127, 2**127)


@pytest.mark.parametrize(
    ("function", "args"),
    [("addReward", (1,)), ("claimAll", (NODE,)), ("claim", (NODE, 0))],
    ids=["addReward", "claimAll", "claim"],
)
def test_rewards(stage: Stage, function: str, args: tuple[Any, ...]) -> None:
    hostile(stage)
    stage.next_cycle()
    arm(stage, "EvilRewards", function, *args)
    before = stage.read("EvilRewards", "cycleReward", 0)
    assert guarded(stage, "alice", "EvilRewards", "addReward", KOMP)
    assert stage.read("EvilRewards", "cycleReward", 0) == before


@pytest.mark.parametrize(
    ("function", "args"),
    [("createOrder", (ORDER,)), ("close", (1,)), ("settle", (1,)), ("finalize", (1,))],
    ids=["createOrder", "close", "settle", "finalize"],
)
def test_market(stage: Stage, function: str, args: tuple[Any, ...]) -> None:
    hostile(stage)
    arm(stage, "EvilMarket", function, *args)
    assert guarded(stage, "alice", "EvilMarket", "createOrder", ORDER)
    assert stage.read("EvilMarket", "orderCount") == 0


@pytest.mark.parametrize("function", ["topUp", "withdraw"])
def test_staking(stage: Stage, function: str) -> None:
    hostile(stage)
    arm(stage, "EvilStaking", function, NODE, *((1,) if function == "topUp" else ()))
    domains = type(stage.domains)(31337, {"Staking": stage.address("EvilStaking")})
    digest = domains.admission(NODE, address("owner-1"), b"\x01" * 32, 2**39)
    given = (NODE, b"\x01" * 32, 1, 2**39, signed(digest, "gatekeeper-1", "gatekeeper-2"))
    assert guarded(stage, "owner-1", "EvilStaking", "stake", *given)
    assert stage.read("EvilStaking", "totalStake") == 0


@pytest.mark.parametrize(
    ("function", "args"),
    [
        ("appeal", (1,)),
        ("execute", (1,)),
        ("rule", (1, True)),
        ("report", (NODE, 1, 0, 0, bytes(32), b"")),
    ],
    ids=["appeal", "execute", "rule", "report"],
)
def test_slashing(stage: Stage, function: str, args: tuple[Any, ...]) -> None:
    """Over the real staking, where the node is; the bond comes in the re-entering token."""
    hostile(stage)
    names = ("Evil", "Gatekeepers", "Staking", "EvilRewards", "PoolFactory")
    windows = (address("arbiter"), 6 * HOUR, 12 * HOUR, 14 * DAY)
    where = [stage.address(name) for name in names]
    assert stage.create("EvilSlashing", "Slashing", *where, *windows) is None
    stage.send("owner-1", "Evil", "approve", stage.address("EvilSlashing"), 2**256 - 1)
    start = stage.stake(1).timestamp
    stage.mine(100)
    domains = type(stage.domains)(31337, {"Slashing": stage.address("EvilSlashing")})
    digest = domains.incident(NODE, 1, start, start + 50, bytes(32))
    given = (NODE, 1, start, start + 50, bytes(32), signed(digest, "gatekeeper-1", "gatekeeper-2"))
    stage.send("mallory", "EvilSlashing", "report", *given)
    arm(stage, "EvilSlashing", function, *args)
    assert guarded(stage, "owner-1", "EvilSlashing", "appeal", 1)
    assert stage.read("EvilSlashing", "incidentOf", 1)["appealedAt"] == 0


@pytest.mark.parametrize(
    ("function", "args"),
    [
        ("join", (1,)),
        ("leave", (1,)),
        ("topUp", (1,)),
        ("harvest", ()),
        ("collect", ()),
        ("withdraw", ()),
        ("redeem", ()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_pools(stage: Stage, function: str, args: tuple[Any, ...]) -> None:
    hostile(stage)
    names = ("Evil", "EvilStaking", "EvilRewards", "Slashing", "Gatekeepers")
    where = [stage.address(name) for name in names]
    assert stage.create("EvilPool", "Pool", *where, address("alice"), 0) is None
    stage.send("alice", "Evil", "approve", stage.address("EvilPool"), 2**256 - 1)
    arm(stage, "EvilPool", function, *args)
    assert guarded(stage, "alice", "EvilPool", "join", KOMP)
    assert stage.read("EvilPool", "totalShares") == 0
