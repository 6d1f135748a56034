"""The deployed contracts and the model decide every transaction alike and hold the same values."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from chain_world import ChainWorld
from governing_world import call, execute, passed, queue, veto
from model_lived import lived_through
from model_world import (
    ACCOUNTS,
    DAY,
    KOMP,
    World,
    address,
)
from wild import Wild
from wild_incidents import WildIncidents
from wild_pools import WildPools

from devnet.chain import Transaction, sign
from devnet.protocol import ObservedTransaction

MOVES = 300


def held(chain_world: ChainWorld, *, whole: bool = False) -> None:
    """No violation, no difference."""
    verdict = chain_world.check(whole=whole)
    assert [str(v) for v in verdict.violations] == []
    assert [str(d) for d in verdict.differences] == []


@pytest.mark.parametrize("seed", [300, 302])
def test_wild_transactions_are_decided_alike(chain_world: ChainWorld, seed: int) -> None:
    wild = Wild(chain_world, seed)
    for count in range(MOVES):
        wild.move()
        if count % 20 == 0:
            held(chain_world)
    held(chain_world, whole=True)
    errors = Counter(seen.error for seen in chain_world.history if not seen.ok)
    done = {seen.function for seen in chain_world.history if seen.ok}
    assert len(errors) > 25, errors  # it was wild indeed
    assert {"publish", "claimAll", "report", "accept", "settle"} <= done
    assert "Unknown" not in errors


@pytest.mark.parametrize("seed", [1, 2])
def test_wild_pools_are_decided_alike(chain_world: ChainWorld, seed: int) -> None:
    wild = WildPools(chain_world, seed)
    wild.begin()
    for count in range(MOVES // 2):
        wild.move()
        if count % 20 == 0:
            held(chain_world)
    held(chain_world, whole=True)
    of_pools = [seen for seen in chain_world.history if seen.contract.startswith("Pool:")]
    errors = Counter(seen.error for seen in of_pools if not seen.ok)
    assert len(errors) >= 10, errors
    assert {"join", "activate", "topUp", "collect", "redeem"} <= {
        s.function for s in of_pools if s.ok
    }


@pytest.mark.parametrize("seed", [1, 2])
def test_wild_incidents_are_decided_alike(chain_world: ChainWorld, seed: int) -> None:
    wild = WildIncidents(chain_world, seed)
    wild.begin()
    for count in range(MOVES):
        wild.move()
        if count % 20 == 0:
            held(chain_world)
    held(chain_world, whole=True)
    events = Counter(event.name for seen in chain_world.history for event in seen.events)
    ends = {"IncidentExecuted", "IncidentOverturned", "BondLost", "BondReturned", "Voided"}
    assert ends | {"Appealed", "Suspended", "Resumed", "Ejected"} <= set(events), events
    errors = {seen.error for seen in chain_world.history if not seen.ok}
    assert len(errors) > 15, errors


def test_a_corrupt_reading_is_told(chain_world: ChainWorld) -> None:
    assert chain_world.stake("worker-1").ok
    held(chain_world)
    chain = chain_world.chain
    slot = "0x" + "0" * 64
    token = chain_world.contracts.address("Staking")
    for place in range(8):  # the total stake lies in one of its first slots
        at = f"0x{place:064x}"
        if int(str(chain.rpc.call("eth_getStorageAt", token, at, "latest")), 16) == 500 * 10**18:
            slot = at
    chain.rpc.call("anvil_setStorageAt", token, slot, f"0x{501 * 10**18:064x}")
    verdict = chain_world.check()
    assert [d.path for d in verdict.differences] == ["total_stake"]
    assert {v.invariant for v in verdict.violations} == {2}


@pytest.mark.parametrize(
    ("contract", "slot", "offset", "rows"),
    [("Market", 5, 16, "orders"), ("Slashing", 4, 0, "incidents")],
)
def test_a_row_that_no_event_told_is_told_again_and_again(
    chain_world: ChainWorld, contract: str, slot: int, offset: int, rows: str
) -> None:
    """The contract counts one more; where its count lies is in docs/reference/storage.md."""
    rpc, where, at = (
        chain_world.chain.rpc,
        chain_world.contracts.address(contract),
        f"0x{slot:064x}",
    )
    held(chain_world)
    word = int(str(rpc.call("eth_getStorageAt", where, at, "latest")), 16) + (1 << 8 * offset)
    rpc.call("anvil_setStorageAt", where, at, f"0x{word:064x}")
    for _ in range(2):  # the second takes over what the first has read
        verdict = chain_world.check()
        assert [d.path for d in verdict.differences] == [f"{rows}.1"]


def test_a_whole_life_is_wild_enough_without_a_chain() -> None:
    world: World = lived_through()
    wild = Wild(world, 3)
    for _ in range(MOVES):
        wild.move()
    assert sum(world.ledger().balances.values()) == world.parameters.supply


# What strangers may send


def raw(chain_world: ChainWorld, **changes: Any) -> ObservedTransaction:
    """A transfer of alice to bob, or whatever the changes make of it."""
    call = chain_world.contracts.encode("Kompute", "transfer", address("bob"), 5)
    account = ACCOUNTS["alice"]
    fields = {"to": call.to, "data": call.data, "gas": 3_000_000, **changes}
    nonce, chain_id = chain_world.lanes.take(account.address), chain_world.chain.chain_id
    transaction = Transaction(nonce=nonce, chain_id=chain_id, **fields)
    (seen,) = chain_world._mine([sign(account, transaction)])
    return seen


def test_odd_transactions_of_strangers_are_decided_alike(chain_world: ChainWorld) -> None:
    data = chain_world.contracts.encode("Kompute", "transfer", address("bob"), 5).data
    seen = [
        raw(chain_world, value=1),
        raw(chain_world, gas=30_000),
        raw(chain_world, gas=34_000),
        raw(chain_world, data=data[:-3]),
        raw(chain_world, data=data[:4]),
        raw(chain_world, data=data[:2]),
        raw(chain_world, data=b""),
        raw(chain_world, data=b"", value=1),
        raw(chain_world, data=data[:4] + b"\1" + data[5:]),
    ]
    assert {(it.ok, it.error) for it in seen} == {(False, "NoReason")}
    assert raw(chain_world, data=data + bytes(5)).ok
    assert chain_world.send("alice", "Rewards", "currentCycle").ok
    assert not chain_world.send("alice", "Market", "orderOf", id=7).ok
    held(chain_world, whole=True)


def test_signatures_with_anything_behind_them_are_decided_alike(chain_world: ChainWorld) -> None:
    chain_world.prices()
    assert chain_world.stake("worker-1").ok
    assert chain_world.order().ok
    assert chain_world.accept(1).ok
    start = chain_world.chain.head.timestamp
    digest = chain_world.domains.running(1, 1, 1, start)
    call = chain_world.contracts.encode(
        "Market", "reportRunning", 1, 1, 1, start, chain_world.signed(digest)
    )
    refused = raw(chain_world, to=call.to, data=call.data[:-31])
    assert (refused.ok, refused.error) == (False, "NoReason")
    assert raw(chain_world, to=call.to, data=call.data[:-1] + b"\7").ok
    held(chain_world, whole=True)


@pytest.mark.parametrize("gas", range(60_000, 240_000, 9_000))
def test_running_out_of_gas_anywhere_is_decided_alike(chain_world: ChainWorld, gas: int) -> None:
    chain_world.prices()
    request = {"kind": 0, "spec": bytes(32), "milliCpu": 1, "memoryMib": 1}
    request |= {"storageGib": 0, "maxReplicas": 1}
    request |= {"duration": 10, "deposit": KOMP, "maxRate": KOMP, "maxRate2": KOMP}
    call = chain_world.contracts.encode("Market", "createOrder", request)
    seen = raw(chain_world, to=call.to, data=call.data, gas=gas)
    assert seen.ok or seen.ran_out_of_gas
    held(chain_world)


def test_sums_and_the_order_of_checks_are_those_of_the_chain(chain_world: ChainWorld) -> None:
    chain_world.prices()
    assert chain_world.add_reward(10).ok
    assert chain_world.order().ok
    outcomes = [
        chain_world.add_reward(2**128 - 1),
        chain_world.order(deposit=2**128 - 1),
        chain_world.order(kind=3, deposit=0),
        chain_world.order(kind=3),
        chain_world.send(
            "governance", "Gatekeepers", "change", added=[], removed=[], perfQuorum=2**255
        ),
    ]
    errors = [outcome.error for outcome in outcomes]
    assert errors == ["Panic", "Panic", "ZeroDeposit", "NoReason", "QuorumOutOfRange"]
    held(chain_world, whole=True)


def test_the_company_may_be_a_client(chain_world: ChainWorld) -> None:
    chain_world.prices()
    approved = {"spender": address("Market"), "value": 2**256 - 1}
    assert chain_world.send("company", "Kompute", "approve", **approved).ok
    money = {"to": address("company"), "value": 100 * KOMP}
    assert chain_world.send("treasury", "Kompute", "transfer", **money).ok
    assert chain_world.stake("worker-1").ok
    assert chain_world.order("company", duration=3 * 7200).ok
    assert chain_world.accept(1).ok
    assert chain_world.running(1, 1, 2, chain_world.chain.head.timestamp).ok
    chain_world.mine(40)
    assert chain_world.send("mallory", "Market", "finalize", id=1).ok
    facts = chain_world.checker.facts.market.orders[1]
    assert facts.company == facts.consumed // 10 > 0
    assert facts.refunded == facts.deposit - facts.consumed
    held(chain_world, whole=True)


def test_many_statements_are_settled_alike(chain_world: ChainWorld) -> None:
    chain_world.prices()
    assert chain_world.stake("worker-1").ok
    assert chain_world.order().ok
    assert chain_world.accept(1).ok
    start = chain_world.chain.head.timestamp
    chain_world.mine()
    for first in range(0, 420, 140):
        calls = []
        for n in range(first, first + 140):
            at = start + n - n % 7 % 2  # some for one second
            digest = chain_world.domains.running(1, n + 1, n % 3, at)
            given = (1, n + 1, n % 3, at, chain_world.signed(digest))
            calls.append(chain_world._signed("mallory", "Market", "reportRunning", given))
        assert all(seen.ok for seen in chain_world._mine(calls))
    chain_world.mine(5)
    for _ in range(3):
        assert chain_world.client("settle", 1).ok
        held(chain_world)
        at = chain_world.check().ledger.orders[1].settledUntil
        again = chain_world.domains.running(1, 1_000 + chain_world.block, 1, at)
        given = (1, 1_000 + chain_world.block, 1, at, chain_world.signed(again))
        chain_world._mine([chain_world._signed("mallory", "Market", "reportRunning", given)])
    held(chain_world, whole=True)


def test_governance_the_vault_and_machines_are_decided_alike(chain_world: ChainWorld) -> None:
    """Governance is an account here: of all that is governed the queue has its guardian only."""
    guardian = call("ExecutionQueue", "setGuardian", address("bob"))
    assert execute(chain_world, (guardian,)) == "NotQueued"
    assert queue(chain_world, (guardian,), "gatekeeper-1") == "TooFewSignatures"
    refused = (call("Rewards", "setMaxV", 1),)
    assert queue(chain_world, refused, proposal=bytes(32)) is None
    cut = ({"to": guardian["to"], "data": guardian["data"][:30]},)
    assert queue(chain_world, cut, proposal=b"\1" * 32) is None
    nobody = ({"to": address("alice"), "data": b"\1\2\3\4"},)
    assert queue(chain_world, nobody, proposal=b"\2" * 32) is None
    removal = {"proposal": b"\3" * 32, "removed": [address("alice")]}
    sent = chain_world.send("guardian", "ExecutionQueue", "queueRemoval", **removal)
    assert sent.ok
    assert passed(chain_world, guardian) is None
    assert veto(chain_world) == "NotGuardian"
    for number, (calls, error) in enumerate(
        [(refused, "NotGovernance"), (cut, "FailedCall"), (nobody, "AddressEmptyCode")]
    ):
        assert execute(chain_world, calls, proposal=bytes((number,)) * 32) == error
    switch = {"resource": 0, "costUsd1e18": 10**17, "multiplier1e18": 10**18, "on": True}
    assert chain_world.send("governance", "Pricing", "setContingency", **switch).ok
    chain_world.prices()
    assert chain_world.stake("worker-1").ok
    assert chain_world.order(kind=2, storageGib=7).ok
    assert chain_world.order(storageGib=7).error == "StorageUnexpected"
    assert chain_world.accept(1).ok
    assert chain_world.running(1, 1, 0, chain_world.chain.head.timestamp).ok
    held(chain_world)
    chain_world.next_cycle(3)
    assert chain_world.send("bob", "IncentiveVault", "release").ok
    assert chain_world.send("bob", "IncentiveVault", "release").error == "NothingToRelease"
    chain_world.wait(8 * DAY)
    assert chain_world.client("close", 1).ok
    held(chain_world, whole=True)
