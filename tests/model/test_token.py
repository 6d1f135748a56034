"""T1 and R4."""

from __future__ import annotations

from model_lived import invariant_sum, lived_through
from model_world import ACCOUNTS, KOMP, World, address

from devnet.chain.signer import sign_digest
from devnet.model.gatekeepers import Quorum, is_allowed, needed
from devnet.model.rows import Registry
from devnet.model.token import permit_digest


def test_t1_tokens_are_conserved_through_a_whole_life() -> None:
    assert invariant_sum(lived_through().ledger()) == 10**26


def test_t1_transfers_and_allowances(world: World) -> None:
    to, alice, bob = address("mallory"), address("alice"), address("bob")
    move = {"from": alice, "to": to, "value": 5}
    refused = [
        world.send("alice", "Kompute", "transfer", to="0x" + 40 * "0", value=1),
        world.send("alice", "Kompute", "transfer", to=to, value=10_001 * KOMP),
        world.send("bob", "Kompute", "transferFrom", **move),
        world.send("alice", "Kompute", "approve", spender="0x" + 40 * "0", value=1),
    ]
    assert [outcome.error for outcome in refused] == [
        "ERC20InvalidReceiver",
        "ERC20InsufficientBalance",
        "ERC20InsufficientAllowance",
        "ERC20InvalidSpender",
    ]
    assert world.send("alice", "Kompute", "approve", spender=bob, value=7).ok
    assert world.send("bob", "Kompute", "transferFrom", **move).ok
    assert world.send("bob", "Kompute", "transferFrom", **move).error == (
        "ERC20InsufficientAllowance"
    )
    assert world.balance("mallory") == 10_000 * KOMP + 5


def test_t1_a_permit_allows_once(world: World) -> None:
    owner, spender = address("alice"), address("bob")
    deadline = world.now
    fields = (owner, spender, 9, 0, deadline)
    digest = permit_digest(31337, address("Kompute"), fields)
    signature = sign_digest(ACCOUNTS["alice"], digest)
    args = {"owner": owner, "spender": spender, "value": 9, "deadline": deadline}
    args |= {"v": signature[64], "r": signature[:32], "s": signature[32:64]}
    assert world.send("bob", "Kompute", "permit", **args).ok
    assert world.model.state.allowances[owner, spender] == 9
    assert world.send("bob", "Kompute", "permit", **args).error == "ERC2612InvalidSigner"
    world.mine()
    assert world.send("bob", "Kompute", "permit", **args).error == "ERC2612ExpiredSignature"


def test_r4_quorums_by_the_number_of_gatekeepers() -> None:
    table = {
        n: tuple(
            needed(Registry(frozenset(map(str, range(n))), n // 2 + 1), quorum) for quorum in Quorum
        )
        for n in (1, 2, 3, 4, 7)
    }
    assert table == {1: (1, 1, 1), 2: (2, 2, 2), 3: (2, 2, 3), 4: (3, 3, 3), 7: (4, 4, 5)}
    assert [k for k in range(6) if is_allowed(4, k)] == [3, 4]


def test_r4_signatures_ascend_and_are_gatekeepers(world: World) -> None:
    digest = world.domains.result(*(address("worker-1"), 0, 1, 1, bytes(32), 1, 1, 1, 1, 1))
    signatures = world.signed(digest)
    first, second = signatures[:65], signatures[65:]
    assert world.stake("worker-1", signatures=second + first).error in (
        "SignersNotAscending",
        "NotGatekeeper",
    )


def test_r5_only_governance_changes_gatekeepers(world: World) -> None:
    bob, g1 = address("bob"), address("gatekeeper-1")
    change = {"added": (bob,), "removed": (g1,), "perfQuorum": 2}
    assert world.send("bob", "Gatekeepers", "change", **change).error == "NotGovernance"
    gone = {"added": (), "removed": (g1,), "perfQuorum": 1}
    assert world.send("governance", "Gatekeepers", "change", **gone).error == "QuorumOutOfRange"
    nobody = {"added": ("0x" + "00" * 20,), "removed": (), "perfQuorum": 3}
    assert world.send("governance", "Gatekeepers", "change", **nobody).error == "ZeroAddress"
    assert world.send("governance", "Gatekeepers", "change", **change).ok
    assert world.send("governance", "Gatekeepers", "change", **change).error == "NotGatekeeper"
    assert world.ledger().gatekeepers == 3
    assert world.stake("worker-1").error == "NotGatekeeper"
    assert world.send("bob", "Rewards", "setMaxV", maxV_=1).error == "NotGovernance"
    assert world.send("governance", "Rewards", "setMaxV", maxV_=10**19).ok
    assert world.ledger().max_v == 10**19
