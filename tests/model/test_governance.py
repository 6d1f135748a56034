"""Passed proposals behind a timelock and a veto, in the model (G2, R5)."""

from __future__ import annotations

from typing import Any

import pytest
from governing_world import ALL, DELAY, PROPOSAL, call, execute, passed, queue, veto
from model_world import KOMP, World, address

from devnet.chain.keccak import keccak
from devnet.model import NoSuchRule
from devnet.model.governance import GOVERNED
from devnet.protocol import ProposalStatus
from devnet.protocol.codec import Codec, Parameter, topic_of
from devnet.protocol.contracts import Function
from devnet.protocol.deployment import FEED_ABI
from devnet.spec import governing as steps


@pytest.fixture
def world() -> World:
    """A network that its own queue governs."""
    return World(governance=address("ExecutionQueue"))


RAISE = call("Rewards", "setMaxV", 2 * 10**20)


def status(world: World) -> ProposalStatus:
    return world.ledger().proposals["0x" + PROPOSAL.hex()].state


def test_r5_a_govern_step_takes_the_calls_that_have_a_rule() -> None:
    known = [f"{rule.contract}.{rule.function}" for rule in GOVERNED]
    assert known == [text.replace(steps.ANY_FEED, FEED_ABI) for text in steps.GOVERNED]


def test_g2_what_passed_is_executed_after_the_timelock_and_once(world: World) -> None:
    assert execute(world, (RAISE,)) == "NotQueued"
    assert queue(world, (RAISE,)) is None
    assert world.ledger().proposals["0x" + PROPOSAL.hex()].queuedAt == world.now
    world.wait(DELAY - world.block_seconds)
    assert execute(world, (RAISE,)) == "TimelockOpen"
    world.mine()
    assert execute(world, (RAISE, RAISE)) == "CallsMismatch"
    assert execute(world, (RAISE,)) is None
    assert (world.ledger().max_v, status(world)) == (2 * 10**20, ProposalStatus.EXECUTED)
    assert execute(world, (RAISE,)) == "NotQueued"
    assert queue(world, (RAISE,)) == "AlreadyQueued"


def test_g2_events_of_the_queue_come_before_those_of_its_calls(world: World) -> None:
    assert passed(world, RAISE) is None
    assert [event.name for event in world.history[-1].events] == ["Executed", "MaxVChanged"]
    (queued,) = world.history[-2].events
    due = world.history[-2].timestamp + DELAY
    assert queued.args == {"proposal": PROPOSAL, "calls": (RAISE,), "due": due}


def test_g2_a_critical_quorum_attests(world: World) -> None:
    assert queue(world, (RAISE,), *ALL[:2]) == "TooFewSignatures"
    assert queue(world, (RAISE,), *ALL[:2], "mallory") == "NotGatekeeper"


def test_g2_a_veto_is_the_guardian_s_and_for_ever(world: World) -> None:
    assert veto(world) == "NotQueued"
    assert queue(world, (RAISE,)) is None
    assert veto(world, "gatekeeper-1") == "NotGuardian"
    assert veto(world) is None
    world.wait(DELAY)
    assert execute(world, (RAISE,)) == "NotQueued"
    assert queue(world, (RAISE,)) == "AlreadyQueued"
    assert status(world) is ProposalStatus.VETOED


def test_g2_the_guardian_removes_gatekeepers(world: World) -> None:
    removed = (address("gatekeeper-3"),)
    args = {"proposal": PROPOSAL, "removed": removed}
    for sender, changes, error in (
        ("alice", {}, "NotGuardian"),
        ("guardian", {"removed": ()}, "NothingRemoved"),
        ("guardian", {}, None),
        ("guardian", {}, "AlreadyQueued"),
    ):
        sent = world.send(sender, "ExecutionQueue", "queueRemoval", **{**args, **changes})
        assert sent.error == error
    world.wait(DELAY)
    assert execute(world, (call("Gatekeepers", "remove", removed),)) is None
    assert (world.ledger().gatekeepers, world.ledger().perf_quorum) == (2, 2)


@pytest.mark.parametrize(
    ("count", "quorum", "removed", "after"),
    [(5, 3, 1, 3), (5, 4, 1, 4), (5, 5, 1, 3), (5, 4, 2, 2), (3, 2, 2, 1), (3, 2, 3, None)],
)
def test_g2_k_stays_where_it_may_else_it_is_the_least(
    count: int, quorum: int, removed: int, after: int | None
) -> None:
    names = ("alice", "bob", *ALL)[:count]
    members = frozenset(address(name) for name in names)
    world = World(gatekeepers=members, perf_quorum=quorum)
    gone = tuple(address(name) for name in names[:removed])
    sent = world.send("governance", "Gatekeepers", "remove", removed=gone)
    assert sent.error == (None if after else "QuorumOutOfRange")
    assert world.ledger().perf_quorum == (after or quorum)


def test_g2_what_is_attested_is_queued_until_its_deadline(world: World) -> None:
    assert queue(world, (RAISE,), deadline=world.now - 1) == "AttestationExpired"
    assert queue(world, (RAISE,), deadline=world.now) is None


def test_g2_all_calls_or_none_with_the_failed_one_s_error(world: World) -> None:
    wrong = call("Gatekeepers", "change", (), (address("mallory"),), 2)
    assert passed(world, RAISE, wrong) == "NotGatekeeper"
    assert world.ledger().max_v == 10**20
    assert status(world) is ProposalStatus.QUEUED


@pytest.mark.parametrize(
    ("made", "error"),
    [
        ({"to": address("alice"), "data": RAISE["data"]}, "AddressEmptyCode"),
        ({"to": RAISE["to"], "data": RAISE["data"][:20]}, "FailedCall"),
        (call("Pricing", "setContingency", 6, 1, 1, False), "FailedCall"),
        (call("Rewards", "setMaxV", 2**96), "SafeCastOverflowedUintDowncast"),
    ],
    ids=["nobody's", "cut short", "no resource", "too large"],
)
def test_g2_calls_that_fail(world: World, made: dict[str, Any], error: str) -> None:
    assert passed(world, made) == error


def test_r5_everything_governed_is_governed_by_the_queue(world: World) -> None:
    calls = (
        call("Gatekeepers", "change", (address("alice"),), (), 3),
        call("Gatekeepers", "remove", ()),
        RAISE,
        call("Pricing", "setContingency", 0, 10**18, 10**18, True),
        call("Feed:komp_usd", "setConfig", (address("alice"),), 0, 1, 10**10),
        call("Slashing", "setArbiter", address("bob")),
        call("ExecutionQueue", "setGuardian", address("mallory")),
    )
    assert {entry["data"][:4] for entry in calls} == {g.selector for g in GOVERNED}
    assert passed(world, *calls) is None
    ledger = world.ledger()
    assert (ledger.gatekeepers, ledger.perf_quorum, ledger.max_v) == (4, 3, 2 * 10**20)
    assert ledger.guardian == address("mallory")
    assert ledger.prices[0].contingency.on
    assert world.model.state.configs["Feed:komp_usd"].oracles == (address("alice"),)
    for contract, function, args in (
        ("Rewards", "setMaxV", {"maxV_": 1}),
        ("Slashing", "setArbiter", {"arbiter_": address("bob")}),
        ("ExecutionQueue", "setGuardian", {"guardian_": address("bob")}),
    ):
        assert world.send("governance", contract, function, **args).error == "NotGovernance"


@pytest.fixture
def informed() -> World:
    """That network, with some of the contracts' ABIs known."""
    return World(
        governance=address("ExecutionQueue"),
        functions={
            "Rewards": functions(claimAll=(Parameter("node", "address"),)),
            "Pool": functions(
                harvest=(), withdraw=(), restake=(Parameter("months", "uint256"),), assets=()
            ),
        },
    )


def functions(**inputs: tuple[Parameter, ...]) -> dict[bytes, Function]:
    codecs = {name: Codec(parameters) for name, parameters in inputs.items()}
    selectors = {name: topic_of(name, codec)[:4] for name, codec in codecs.items()}
    return {
        selectors[name]: Function(name, selectors[name], codec, Codec(()))
        for name, codec in codecs.items()
    }


def of_pool(signature: str, data: bytes = b"", number: int = 1) -> dict[str, Any]:
    return {"to": address(f"Pool:{number}"), "data": keccak(signature.encode())[:4] + data}


def active_pool(world: World) -> None:
    world.funded_pool(1, 1_000, alice=200 * KOMP, bob=300 * KOMP)
    assert world.activate(1, "alice", "worker-1").ok


def test_s7_the_queue_is_anyone_to_a_pool(informed: World) -> None:
    active_pool(informed)
    informed.next_cycle()
    informed.mine()
    assert informed.add_reward(10 * KOMP).ok
    assert informed.publish("worker-1").ok
    informed.next_cycle()
    assert passed(informed, of_pool("harvest()")) is None
    pool = informed.ledger().pools["Pool:1"]
    assert pool.members[address("alice")].commission == KOMP
    harvested = informed.history[-1].events[-1]
    assert (harvested.contract, harvested.name) == ("Pool:1", "Harvested")
    assert harvested.args == {"gross": 10 * KOMP, "commission": KOMP}


@pytest.mark.parametrize(
    ("made", "error"),
    [
        (("withdraw()",), "ExitNotDue"),
        (("restake(uint256)", bytes(32)), "NotPoolOperator"),
        (("restake(uint256)", bytes(31)), "FailedCall"),
        (("mint()",), "FailedCall"),
        (("harvest()", b"", 2), "AddressEmptyCode"),
    ],
    ids=["locked", "the operator's", "cut short", "no function", "no pool yet"],
)
def test_s7_a_pool_refuses_the_queue_as_it_does_anyone(
    informed: World, made: tuple[Any, ...], error: str
) -> None:
    active_pool(informed)
    assert passed(informed, of_pool(*made)) == error


@pytest.mark.parametrize("data", [b"", b"\0" * 3, b"\1" * 36])
def test_g2_a_call_that_no_function_answers_fails(informed: World, data: bytes) -> None:
    assert passed(informed, {"to": address("Rewards"), "data": data}) == "FailedCall"
    assert status(informed) is ProposalStatus.QUEUED


@pytest.mark.parametrize(
    ("made", "named"),
    [
        ({"to": address("Rewards"), "data": keccak(b"claimAll(address)")[:4]}, r"Rewards\.0x"),
        (of_pool("assets()"), r"Pool:1\.0x"),
        ({"to": address("Slashing"), "data": b""}, r"Slashing\.0x "),
    ],
    ids=["of a contract", "of a pool", "of an unknown ABI"],
)
def test_it_has_no_rule_for_what_is_not_governed(
    informed: World, made: dict[str, Any], named: str
) -> None:
    active_pool(informed)
    with pytest.raises(NoSuchRule, match=named):
        passed(informed, made)


def test_it_says_which_queued_call_it_has_no_rule_for(world: World) -> None:
    data = keccak(b"transfer(address,uint256)")[:4] + bytes(64)
    calls = ({"to": address("Kompute"), "data": data},)
    assert queue(world, calls) is None
    world.wait(DELAY)
    with pytest.raises(NoSuchRule, match=r"Kompute\.0xa9059cbb"):
        execute(world, calls)
    assert status(world) is ProposalStatus.QUEUED
