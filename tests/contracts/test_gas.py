"""The gas of whole transactions stays within PROTOCOL §13."""

from __future__ import annotations

import pytest
from contracts_stage import GATEKEEPERS, HOUR, KOMP, STAKE, Stage, address, signed


def request(kind: int = 0, deposit: int = 20 * KOMP) -> tuple[object, ...]:
    """2 vCPU and 4 GiB, or functions, for an hour."""
    return (kind, b"\x5e" * 32, 2_000, 4_096, 0, 3, 1 * HOUR, deposit, 2**127, 2**127)


def test_staking(stage: Stage) -> None:
    stage.stake(1)
    assert stage.stake(2).gas <= 130_000
    exit_at = stage.send("owner-1", "Staking", "requestExit", address("node-1")).event(
        "ExitRequested"
    )["exitAt"]
    stage.until(exit_at)
    assert stage.send("owner-1", "Staking", "withdraw", address("node-1")).gas <= 60_000


def test_rewards(stage: Stage) -> None:
    stage.stake(1)
    opening = stage.send("treasury", "Rewards", "addReward", KOMP)
    same = stage.send("treasury", "Rewards", "addReward", KOMP)
    assert (opening.gas <= 95_000, same.gas <= 55_000) == (True, True), (opening.gas, same.gas)
    first = stage.publish(1)
    stage.mine(5)
    repeat = stage.publish(1)
    stage.next_cycle()
    stage.send("treasury", "Rewards", "addReward", KOMP)
    new_cycle = stage.publish(1)
    gas = {"first": first.gas, "repeat": repeat.gas, "new cycle": new_cycle.gas}
    assert gas["first"] <= 125_000, gas
    assert gas["repeat"] <= 90_000, gas
    assert gas["new cycle"] <= 125_000, gas
    stage.next_cycle()
    claims = [stage.send("owner-1", "Rewards", "claim", address("node-1"), c).gas for c in (0, 1)]
    assert claims[0] <= 85_000, claims
    assert claims[1] <= 64_000, claims


@pytest.mark.parametrize("rolls", [True, False], ids=["with a roll", "without"])
def test_publish_in_a_new_cycle(stage: Stage, rolls: bool) -> None:
    stage.stake(1)
    stage.send("treasury", "Rewards", "addReward", KOMP)
    stage.publish(1)
    stage.next_cycle(offset=1)
    if rolls:
        stage.send("treasury", "Rewards", "addReward", KOMP)
        stage.next_cycle(offset=1)
    assert stage.publish(1).gas <= 125_000


@pytest.mark.parametrize("cycles", [3, 12, 52])
def test_claim_all_is_flat(stage: Stage, cycles: int) -> None:
    stage.stake(1)
    for _ in range(cycles):
        stage.send("treasury", "Rewards", "addReward", KOMP)
        stage.publish(1)
        stage.next_cycle()
    assert stage.balance("owner-1") > 0
    claimed = stage.send("owner-1", "Rewards", "claimAll", address("node-1"))
    assert claimed.event("ClaimedAll")["amount"] == cycles * KOMP
    assert claimed.gas <= 55_000


def test_pricing(stage: Stage) -> None:
    assert stage.send("mallory", "Pricing", "poke", 0).gas <= 75_000


def test_slashing(stage: Stage) -> None:
    stage.stake(1)
    stage.stake(2)
    stage.send("treasury", "Rewards", "addReward", KOMP)
    start = stage.now
    stage.until(start + HOUR)
    reported = stage.send("mallory", "Slashing", "report", *stage.incident(1, start, start + 60))
    assert reported.gas <= 160_000
    stage.until(reported.timestamp + 6 * HOUR)
    executed = stage.send("mallory", "Slashing", "execute", 1)
    assert executed.gas <= 120_000
    assert stage.balance("Staking") == 2 * STAKE - executed.event("IncidentExecuted")["amount"]


def test_market(stage: Stage) -> None:
    stage.stake(1)
    stage.send("treasury", "Rewards", "addReward", KOMP)
    stage.send("bob", "Market", "createOrder", request())
    created = stage.send("alice", "Market", "createOrder", request())
    assert created.gas <= 165_000
    accepted = stage.send("node-1", "Market", "accept", 2)
    assert accepted.gas <= 40_000
    digest = stage.domains.running(2, 1, 2, accepted.timestamp)
    signatures = signed(digest, *GATEKEEPERS[:2])
    stage.send("mallory", "Market", "reportRunning", 2, 1, 2, accepted.timestamp, signatures)
    stage.send("treasury", "Kompute", "transfer", address("company"), 1)
    stage.until(accepted.timestamp + 3 * HOUR)
    stage.send("treasury", "Rewards", "addReward", KOMP)
    settled = stage.send("alice", "Market", "settle", 2)
    assert settled.gas <= 120_000
    assert settled.event("Settled")["consumed"] > 0


def test_pools(stage: Stage) -> None:
    """Nothing to harvest in a collect."""
    stage.send("alice", "PoolFactory", "create", 1_000)
    pool = stage.address("Pool:1")
    for member in ("alice", "bob"):
        stage.send(member, "Kompute", "approve", pool, 2**256 - 1)
    stage.send("alice", "Pool:1", "join", 200 * KOMP)
    assert stage.send("bob", "Pool:1", "join", 300 * KOMP).gas <= 80_000
    node, hardware, deadline = address("node-1"), b"\x01" * 32, 2**39
    digest = stage.domains.admission(node, pool, hardware, deadline)
    signatures = signed(digest, *GATEKEEPERS[:2])
    stage.send("alice", "Pool:1", "activate", node, hardware, 1, deadline, signatures)
    gas: list[int] = []
    for cycle in range(2):
        stage.next_cycle(offset=1)
        stage.send("treasury", "Rewards", "addReward", KOMP)
        stage.publish(1)
        stage.next_cycle()
        stage.send("mallory", "Pool:1", "harvest")
        if not cycle:
            everything = stage.balance("bob")
            stage.send("bob", "Kompute", "transfer", address("treasury"), everything)
        gas.append(stage.send("bob", "Pool:1", "collect").gas)
    assert gas[0] <= 75_000, gas
    assert gas[1] <= 56_000, gas
