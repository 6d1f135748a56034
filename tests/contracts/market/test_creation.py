"""Orders: made, accepted, closed before anyone accepted (M1, M2)."""

from __future__ import annotations

from typing import Any

import pytest
from contracts_stage import (
    ACCOUNTS,
    DAY,
    HOUR,
    KOMP,
    Stage,
    address,
)
from eth_abi.abi import encode
from orders_stage import (
    BOUND,
    CONTAINER,
    NODE,
    PER_GIB_SECOND,
    PER_MILLION,
    RATE,
    SERVERLESS,
    ZERO,
    create,
    order,
    refusal,
    request,
    statement,
)

from devnet.chain import Transaction, keccak, sign


def test_m1_an_order_locks_rates_and_escrows(stage: Stage) -> None:
    before = stage.balance("alice")
    sent = stage.send("alice", "Market", "createOrder", request())
    assert sent.event("OrderCreated") == {
        "id": 1,
        "client": address("alice"),
        "kind": CONTAINER,
        "spec": BOUND,
        "deposit": 20 * KOMP,
    }
    assert stage.balance("alice") == before - 20 * KOMP
    assert stage.balance("Market") == stage.read("Market", "escrowed") == 20 * KOMP
    found = order(stage)
    assert (found["rate"], found["rate2"], found["deposit"]) == (RATE, 0, 20 * KOMP)
    assert (found["client"], found["node"], found["spec"]) == (address("alice"), ZERO, BOUND)
    assert (found["maxReplicas"], found["duration"]) == (3, 10 * HOUR)
    stage.feed_all(komp_usd=100_000_000)
    assert order(stage)["rate"] == RATE  # locked
    create(stage)
    assert order(stage, 2)["rate"] == RATE // 2
    assert stage.read("Market", "orderCount") == 2


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"kind": SERVERLESS},
        {"spec": bytes(31) + b"\x01"},
        {"milliCpu": 0},
        {"memoryMib": 2**32 - 1},
        {"kind": 2, "storageGib": 1},
    ],
    ids=str,
)
def test_m1_the_spec_binds_kind_and_size(stage: Stage, changes: dict[str, Any]) -> None:
    made = request(**changes)
    names = ("kind", "spec", "milliCpu", "memoryMib", "storageGib")
    types = ["uint8", "bytes32", "uint32", "uint32", "uint32"]
    bound = keccak(encode(types, [made[name] for name in names]))
    sent = stage.send("alice", "Market", "createOrder", made)
    assert sent.event("OrderCreated")["spec"] == order(stage)["spec"] == bound
    other = made | {"deposit": 1, "duration": 1, "maxReplicas": 1}
    stage.send("alice", "Market", "createOrder", other)
    assert order(stage, 2)["spec"] == bound  # nothing else is in it


def test_m1_serverless_rates(stage: Stage) -> None:
    create(stage, SERVERLESS)
    found = order(stage)
    assert (found["rate"], found["rate2"]) == (PER_MILLION, PER_GIB_SECOND)


def test_m1_rates_follow_utilization(stage: Stage) -> None:
    stage.round("Feed:utilization", 10**18)
    create(stage)
    assert order(stage)["rate"] == RATE * 95 // 75


@pytest.mark.parametrize(
    ("changes", "name", "values"),
    [
        ({"duration": 0}, "DurationOutOfRange", {"duration": 0, "max": 30 * DAY}),
        (
            {"duration": 30 * DAY + 1},
            "DurationOutOfRange",
            {"duration": 30 * DAY + 1, "max": 30 * DAY},
        ),
        ({"deposit": 0}, "ZeroDeposit", {}),
        ({"maxReplicas": 0}, "ReplicasOutOfRange", {"replicas": 0, "max": 0}),
        ({"maxRate": RATE - 1}, "RateAboveMaximum", {"rate": RATE, "max": RATE - 1}),
        (
            {"kind": SERVERLESS, "maxRate": PER_MILLION - 1},
            "RateAboveMaximum",
            {"rate": PER_MILLION, "max": PER_MILLION - 1},
        ),
        (
            {"kind": SERVERLESS, "maxRate2": PER_GIB_SECOND - 1},
            "RateAboveMaximum",
            {"rate": PER_GIB_SECOND, "max": PER_GIB_SECOND - 1},
        ),
    ],
)
def test_m1_refused_orders(
    stage: Stage, changes: dict[str, int], name: str, values: dict[str, int]
) -> None:
    assert refusal(stage, "alice", "createOrder", request(**changes)) == (name, values)
    assert stage.balance("Market") == 0


@pytest.mark.parametrize("kind", [CONTAINER, SERVERLESS])
@pytest.mark.parametrize("word", range(10))
def test_m1_bits_above_a_field_s_are_refused(stage: Stage, kind: int, word: int) -> None:
    """The stored spec is the hash of an encoding: what is not priced is read, too."""
    call = stage.contracts.encode("Market", "createOrder", request(kind))
    at = 4 + 32 * word
    wrong = call.data[:at] + b"\x01" + call.data[at + 1 :]
    who = ACCOUNTS["alice"]
    for data, ok in ((wrong, word == 1), (call.data, True)):  # all bits of a spec are its own
        nonce = stage.chain.nonce(who.address)
        raw = sign(who, Transaction(nonce, call.to, data, gas=500_000))
        assert stage.chain.mine([raw]).receipts[0].ok == ok


@pytest.mark.parametrize(
    "changes", [{"duration": 30 * DAY}, {"maxRate": RATE}, {"deposit": 1}], ids=str
)
def test_m1_just_within(stage: Stage, changes: dict[str, int]) -> None:
    assert create(stage, **changes) == 1


def test_m1_stale_prices_stop_orders(stage: Stage) -> None:
    stage.until(stage.now + 12 * HOUR + 1)
    assert refusal(stage, "alice", "createOrder", request())[0] == "KompUsdStale"
    stage.until(stage.now + 3 * DAY)
    stage.round("Feed:komp_usd", 50_000_000)
    assert refusal(stage, "alice", "createOrder", request())[0] == "PriceStale"


def test_m2_an_active_node_accepts_once(stage: Stage) -> None:
    create(stage)
    assert refusal(stage, "node-1", "accept", 1) == ("NodeNotActive", {"node": NODE})
    stage.stake(1)
    stage.stake(2)
    assert refusal(stage, "owner-1", "accept", 1)[0] == "NodeNotActive"
    sent = stage.send("node-1", "Market", "accept", 1)
    assert sent.event("OrderAccepted") == {"id": 1, "node": NODE}
    found = order(stage)
    assert (found["node"], found["acceptedAt"]) == (NODE, sent.timestamp)
    assert found["settledUntil"] == sent.timestamp  # M6
    assert refusal(stage, "node-2", "accept", 1) == ("AlreadyAccepted", {"id": 1, "node": NODE})
    assert refusal(stage, "node-2", "accept", 2) == ("UnknownOrder", {"id": 2})
    stage.send("owner-2", "Staking", "requestExit", address("node-2"))
    create(stage)
    assert refusal(stage, "node-2", "accept", 2)[0] == "NodeNotActive"


def test_m2_closing_an_unaccepted_order_refunds_all_at_once(stage: Stage) -> None:
    before = stage.balance("alice")
    create(stage)
    assert refusal(stage, "bob", "close", 1) == (
        "NotClient",
        {"caller": address("bob"), "client": address("alice")},
    )
    sent = stage.send("alice", "Market", "close", 1)
    assert sent.names == ["OrderClosed", "Finalized", "Transfer"]
    assert sent.event("Finalized") == {"id": 1, "refund": 20 * KOMP}
    assert stage.balance("alice") == before
    assert stage.balance("Market") == stage.read("Market", "escrowed") == 0
    assert order(stage)["finalized"]
    assert order(stage)["closedAt"] == sent.timestamp
    stage.stake(1)
    for sender, function in (("node-1", "accept"), ("alice", "close"), ("bob", "settle")):
        assert refusal(stage, sender, function, 1) == ("AlreadyFinalized", {"id": 1})


@pytest.mark.parametrize("function", ["settle", "finalize"])
def test_m2_what_nobody_accepted_has_no_end(stage: Stage, function: str) -> None:
    create(stage)
    assert refusal(stage, "bob", function, 1) == ("NotAccepted", {"id": 1})
    assert stage.refused_read("Market", "endOf", 1).name == "NotAccepted"
    given_ = statement(stage, 1, 1, stage.now)
    assert refusal(stage, "bob", "reportRunning", *given_)[0] == "NotAccepted"
    assert refusal(stage, "bob", function, 7) == ("UnknownOrder", {"id": 7})
    assert stage.refused_read("Market", "orderOf", 7).name == "UnknownOrder"
    assert stage.refused_read("Market", "endOf", 7).name == "UnknownOrder"
