"""S7: who may open a pool, pay in, leave and activate."""

from __future__ import annotations

import pytest
from contracts_stage import GATEKEEPERS, KOMP, MONTH, STAKE, Stage, address, signed
from pools_stage import MEMBERS, NODE, Pools

ZERO = "0x" + "00" * 20


def test_s7_a_pool_is_created_at_the_factorys_next_address(stage: Stage) -> None:
    first = Pools.created(stage, 500)
    second = Pools.created(stage, 0, "bob")
    assert (first.number, second.number) == (1, 2)
    for pool, operator, commission in ((first, "alice", 500), (second, "bob", 0)):
        assert stage.read("PoolFactory", "poolOf", pool.number) == pool.address
        assert stage.read("PoolFactory", "isPool", pool.address)
        assert pool.read("operator") == address(operator)
        assert pool.read("commissionBps") == commission
        assert (pool.read("node"), pool.read("assets"), pool.read("closed")) == (ZERO, 0, False)
    assert not stage.read("PoolFactory", "isPool", address("alice"))
    assert stage.read("PoolFactory", "poolOf", 3) == ZERO


@pytest.mark.parametrize(("bps", "allowed"), [(0, True), (2_000, True), (2_001, False)])
def test_s7_a_commission_is_at_most_20_percent(stage: Stage, bps: int, allowed: bool) -> None:
    if allowed:
        stage.send("alice", "PoolFactory", "create", bps)
    else:
        refused = stage.refused("alice", "PoolFactory", "create", bps)
        assert (refused.name, refused.values) == (
            "CommissionTooHigh",
            {"commissionBps": 2_001, "most": 2_000},
        )
    assert stage.read("PoolFactory", "poolCount") == int(allowed)


def test_r3_a_gatekeeper_operates_no_pool(stage: Stage) -> None:
    refused = stage.refused("gatekeeper-1", "PoolFactory", "create", 0)
    assert (refused.name, refused.values) == (
        "OwnerIsGatekeeper",
        {"owner": address("gatekeeper-1")},
    )


def test_r3_nor_does_one_who_became_a_gatekeeper(stage: Stage) -> None:
    pool = Pools.created(stage)
    for member, amount in MEMBERS.items():
        pool.send(member, "join", amount)
    stage.send("governance", "Gatekeepers", "change", [address("alice")], [], 3)
    refused = pool.refused("alice", "activate", *pool.admission())
    assert (refused.name, refused.values) == (
        "OperatorIsGatekeeper",
        {"operator": address("alice")},
    )


def test_s7_one_share_a_wei_until_exactly_500(stage: Stage) -> None:
    pool, before = Pools.created(stage), stage.balance("bob")
    pool.send("alice", "join", 150 * KOMP)
    joined = pool.send("bob", "join", 10_000 * KOMP)  # cut to the room left
    assert joined.event("Joined") == {"member": address("bob"), "amount": 350 * KOMP}
    assert stage.balance("bob") == before - 350 * KOMP
    assert (pool.shares("alice"), pool.shares("bob")) == (150 * KOMP, 350 * KOMP)
    assert pool.read("totalShares") == pool.read("assets") == stage.balance("Pool:1") == STAKE
    refused = pool.refused("alice", "join", 1)
    assert (refused.name, refused.values) == ("PoolFull", {"funding": STAKE})


def test_s7_the_operator_holds_a_fifth_after_every_join(stage: Stage) -> None:
    pool = Pools.created(stage)
    refused = pool.refused("bob", "join", 5 * KOMP)
    assert (refused.name, refused.values) == (
        "OperatorShareTooSmall",
        {"shares": 0, "total": 5 * KOMP},
    )
    pool.send("alice", "join", 10 * KOMP)
    assert pool.refused("bob", "join", 40 * KOMP + 1).name == "OperatorShareTooSmall"
    pool.send("bob", "join", 40 * KOMP)
    assert (pool.shares("alice"), pool.read("totalShares")) == (10 * KOMP, 50 * KOMP)


def test_s7_nobody_holds_less_than_5_komp(stage: Stage) -> None:
    pool = Pools.created(stage)
    refused = pool.refused("alice", "join", 5 * KOMP - 1)
    assert (refused.name, refused.values) == (
        "TooFewShares",
        {"shares": 5 * KOMP - 1, "least": 5 * KOMP},
    )
    pool.send("alice", "join", 200 * KOMP)
    assert pool.refused("bob", "join", 1).name == "TooFewShares"
    pool.send("bob", "join", 5 * KOMP)
    pool.send("bob", "join", 1)  # on top
    for amount, left in ((2, 5 * KOMP - 1), (5 * KOMP, 1)):
        refused = pool.refused("bob", "leave", amount)
        assert (refused.name, refused.values) == (
            "TooFewShares",
            {"shares": left, "least": 5 * KOMP},
        )
    pool.send("bob", "leave", 1)
    pool.send("bob", "leave", 5 * KOMP)
    assert pool.shares("bob") == 0


def test_s7_the_last_join_may_fill_what_is_left_if_it_is_a_members(stage: Stage) -> None:
    pool = Pools.created(stage)
    pool.send("alice", "join", 200 * KOMP)
    pool.send("bob", "join", 300 * KOMP - 2)
    for amount, cut in ((1, 1), (KOMP, 2), (100 * KOMP, 2)):
        refused = pool.refused("mallory", "join", amount)
        assert (refused.name, refused.values) == (
            "TooFewShares",
            {"shares": cut, "least": 5 * KOMP},
        )
    pool.send("bob", "join", 1)
    assert pool.send("alice", "join", KOMP).event("Joined")["amount"] == 1  # the operator, always
    assert pool.read("totalShares") == STAKE


def test_s7_the_last_to_join_brings_5_komp_exactly(stage: Stage) -> None:
    pool = Pools.created(stage)
    pool.send("alice", "join", 495 * KOMP + 1)
    assert pool.refused("bob", "join", 5 * KOMP).name == "TooFewShares"
    pool.send("alice", "leave", 1)
    pool.send("bob", "join", 5 * KOMP)
    assert (pool.shares("bob"), pool.read("totalShares")) == (5 * KOMP, STAKE)


def test_s7_members_leave_freely_before_activation(stage: Stage) -> None:
    pool, before = Pools.created(stage), stage.balance("bob")
    pool.send("alice", "join", 100 * KOMP)
    pool.send("bob", "join", 400 * KOMP)
    refused = pool.refused("bob", "leave", 400 * KOMP + 1)
    assert (refused.name, refused.values) == (
        "SharesExceeded",
        {"amount": 400 * KOMP + 1, "shares": 400 * KOMP},
    )
    left = pool.send("bob", "leave", 150 * KOMP)
    assert left.event("Left") == {"member": address("bob"), "amount": 150 * KOMP}
    assert stage.balance("bob") == before - 250 * KOMP
    assert pool.refused("mallory", "leave", 1).name == "SharesExceeded"
    assert pool.refused("bob", "leave", 0).name == "ZeroAmount"
    assert pool.refused("bob", "join", 0).name == "ZeroAmount"


def test_s7_the_operator_keeps_a_fifth_unless_nobody_is_left(stage: Stage) -> None:
    pool = Pools.created(stage)
    pool.send("alice", "join", 200 * KOMP)
    pool.send("bob", "join", 200 * KOMP)
    assert pool.refused("alice", "leave", 200 * KOMP).name == "OperatorShareTooSmall"
    assert pool.refused("alice", "leave", 150 * KOMP + 1).name == "OperatorShareTooSmall"
    pool.send("alice", "leave", 150 * KOMP)
    pool.send("bob", "leave", 200 * KOMP)
    pool.send("alice", "leave", 50 * KOMP)
    assert (pool.read("totalShares"), stage.balance("Pool:1")) == (0, 0)


def test_s7_the_zero_address_is_no_node_and_nobody_is_held(stage: Stage) -> None:
    pool = Pools.created(stage)
    pool.send("alice", "join", 200 * KOMP)
    pool.send("bob", "join", 300 * KOMP)
    digest = stage.domains.admission(ZERO, pool.address, bytes(32), 2**39)
    given = (ZERO, bytes(32), 1, 2**39, signed(digest, *GATEKEEPERS[:2]), b"")
    assert pool.refused("alice", "activate", *given).name == "ZeroNode"
    assert pool.send("bob", "leave", 300 * KOMP).event("Left")["amount"] == 300 * KOMP


def test_s7_the_operator_activates_with_exactly_500(stage: Stage) -> None:
    pool = Pools.created(stage)
    pool.send("alice", "join", 200 * KOMP)
    pool.send("bob", "join", 300 * KOMP - 1)
    refused = pool.refused("alice", "activate", *pool.admission())
    assert (refused.name, refused.values) == (
        "PoolNotFull",
        {"funding": STAKE - 1, "needed": STAKE},
    )
    pool.send("bob", "join", 1)
    refused = pool.refused("bob", "activate", *pool.admission())
    assert (refused.name, refused.values) == (
        "NotPoolOperator",
        {"caller": address("bob"), "operator": address("alice")},
    )
    activated = pool.activate()
    assert activated.event("Activated") == {"node": NODE}
    assert activated.event("Staked")["owner"] == pool.address
    assert (stage.balance("Pool:1"), stage.balance("Staking")) == (0, STAKE)
    assert stage.read("Staking", "nodeOf", NODE)["unlockAt"] == activated.timestamp + MONTH
    assert (pool.read("node"), pool.read("assets"), pool.read("closed")) == (NODE, STAKE, False)
    for function, args in (("join", (1,)), ("leave", (1,)), ("activate", pool.admission(2))):
        refused = pool.refused("alice", function, *args)
        assert (refused.name, refused.values) == ("PoolActive", {"node": NODE})


def test_s6_an_admission_for_another_owner_is_none_for_the_pool(stage: Stage) -> None:
    pool = Pools.created(stage)
    pool.send("alice", "join", STAKE)
    for_another = stage.admission(1)
    assert pool.refused("alice", "activate", *for_another).name == "NotSignedByNode"
    agreed = pool.admission()[-1]
    assert pool.refused("alice", "activate", *for_another[:-1], agreed).name in (
        "NotGatekeeper",
        "SignersNotAscending",
    )
    assert (pool.read("node"), stage.balance("Pool:1")) == (ZERO, STAKE)


@pytest.mark.parametrize(
    ("function", "args", "error"),
    [
        ("restake", (1,), "PoolNotActive"),
        ("topUp", (1, 0), "PoolNotActive"),
        ("requestExit", (), "PoolNotActive"),
        ("withdraw", (), "PoolNotActive"),
        ("redeem", (), "StakeNotReturned"),
        ("collect", (), "NothingToCollect"),
    ],
)
def test_before_activation(stage: Stage, function: str, args: tuple[int, ...], error: str) -> None:
    pool = Pools.created(stage)
    pool.send("alice", "join", 5 * KOMP)
    assert pool.refused("alice", function, *args).name == error
    assert pool.send("mallory", "harvest").names == []


def test_donations_never_count(stage: Stage) -> None:
    """§12: a pool inflated by donation."""
    pool = Pools.created(stage)
    pool.send("alice", "join", 5 * KOMP)
    stage.send("mallory", "Kompute", "transfer", pool.address, 100 * KOMP)
    assert (pool.read("assets"), pool.read("totalShares")) == (5 * KOMP, 5 * KOMP)
    assert pool.send("alice", "join", 4 * KOMP).event("Joined")["amount"] == 4 * KOMP
    pool.send("bob", "join", 5 * KOMP)
    assert pool.shares("bob") == 5 * KOMP  # one a wei, still
    pool.send("bob", "leave", 5 * KOMP)
    pool.send("alice", "leave", 9 * KOMP)
    assert stage.balance("Pool:1") == 100 * KOMP  # nobody's
