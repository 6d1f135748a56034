"""What a stranger's contract has ours do: decided call by call, or said to be past following."""

from __future__ import annotations

import random
import socket
from dataclasses import replace

import foreign_code as code
import pytest
from chain_world import ChainWorld
from foreign_world import Foreign, names, refusals
from model_world import DAY, KOMP, address

from devnet.chain import Chain, NodeUnreachable, Rpc
from devnet.chain.gas_bounds import MOST_SENT_GAS
from devnet.protocol import (
    ObservedTransaction,
    observe,
    observed,
)
from devnet.protocol.inner import Unfollowed, follow

ORDER = {"kind": 0, "spec": bytes(32), "milliCpu": 1, "memoryMib": 1, "storageGib": 0}
ORDER |= {"maxReplicas": 1, "duration": DAY, "deposit": KOMP, "maxRate": KOMP, "maxRate2": KOMP}


@pytest.fixture
def foreign(either_world: ChainWorld) -> Foreign:
    either_world.prices()
    return Foreign(either_world)


def agrees(foreign: Foreign) -> None:
    verdict = foreign.world.check(whole=True)
    assert verdict.ok, [*verdict.violations, *verdict.differences, verdict.unmodelled]


def test_a_constructor_acts_as_any_account(foreign: Foreign) -> None:
    """Approves, orders, opens a pool and joins it, gives away: all in one transaction."""
    where = foreign.next_address()
    market = foreign.world.contracts.address("Market")
    join = foreign.pooled(1, "join", 20 * KOMP)
    calls = [
        foreign.encoded("Kompute", "approve", market, 50 * KOMP),
        foreign.encoded("Market", "createOrder", ORDER),
        foreign.encoded("Market", "createOrder", ORDER | {"deposit": 0}),  # refused: ZeroDeposit
        join,  # of a pool that is not there yet: nothing runs
        foreign.encoded("PoolFactory", "create", 500),
        foreign.encoded("Kompute", "approve", join[0], 100 * KOMP),
        join,
        foreign.encoded("Kompute", "transfer", market, 7),
        foreign.encoded("Market", "close", 1),
    ]
    seen = foreign.send(None, code.program(code.call(*call) for call in calls))
    assert names(seen) == [
        *("Kompute.approve", "Market.createOrder", "PoolFactory.create", "Kompute.approve"),
        *("Pool:1.join", "Kompute.transfer", "Market.close"),
    ]
    assert {call.sender for call in seen.inner} == {where}
    assert refusals(seen) == [("createOrder", "ZeroDeposit")]
    agrees(foreign)
    assert foreign.world.ledger().orders[1].client == where
    assert foreign.world.checker.facts.donated["Market"] == 7


def test_nested_and_delegated_calls_are_those_of_the_contract_they_run_in(foreign: Foreign) -> None:
    encoded = foreign.encoded("Kompute", "transfer", address("bob"), 3)
    transfer = code.call(*encoded)
    inside = foreign.deploy(code.program([transfer, code.LOG, transfer]))
    outside = foreign.deploy(
        code.program(
            [
                code.LOG,
                code.call(inside, b""),
                code.call(inside, b"", code.DELEGATECALL),
                code.call(inside, b"", code.CALLCODE),
                code.call(inside, b"", code.STATICCALL),  # may not change anything
                code.call(*encoded, code.DELEGATECALL),  # with storage of its own
                code.call(*encoded, code.CALLCODE),
                code.call(*encoded, code.STATICCALL),
                code.LOG,
            ]
        )
    )
    seen = foreign.send(outside, b"")
    assert [call.sender for call in seen.inner] == [inside] * 2 + [outside] * 4
    assert [tuple(event.args.values()) for event in seen.events] == [
        (call.sender, address("bob"), 3) for call in seen.inner
    ]
    agrees(foreign)


def test_what_was_taken_back_within_was_never_done(foreign: Foreign) -> None:
    transfer = code.call(*foreign.encoded("Kompute", "transfer", address("bob"), 3))
    regretting = foreign.deploy(code.program([transfer, code.LOG, transfer], code.REVERT))
    outside = foreign.deploy(code.program([code.call(regretting, b""), transfer]))
    seen = foreign.send(outside, b"")
    assert [(call.sender, call.ok) for call in seen.inner] == [(outside, True)]
    nothing = foreign.send(regretting, b"")
    assert (nothing.ok, nothing.inner, nothing.unfollowed) == (False, (), "")
    agrees(foreign)


def test_call_data_of_others_is_forwarded(foreign: Foreign) -> None:
    to, data = foreign.encoded("Kompute", "transfer", address("bob"), 5)
    forwarder = foreign.deploy(bytes.fromhex(code.FORWARD.format(to[2:])))
    for given in (data, data + bytes(5)):
        assert names(foreign.send(forwarder, given)) == ["Kompute.transfer"]
    for given in (data[:-1], data[:4], b"", data[:4] + b"\1" + data[5:]):  # nothing ours takes
        seen = foreign.send(forwarder, given)
        assert (seen.inner, seen.unfollowed, seen.events) == ((), "", ())
    agrees(foreign)


@pytest.mark.parametrize("seed", range(4))
def test_wild_batches_are_decided_alike(foreign: Foreign, seed: int) -> None:
    """Calls in any order, nested, delegated, taken back, several transactions in a block."""
    chance, followed, refused = random.Random(seed), 0, set[str | None]()
    approvals = [
        *(foreign.pooled(number, "join", 0)[0] for number in range(1, 4)),
        *(foreign.world.contracts.address(name) for name in ("Market", "Rewards")),
    ]
    approve = [
        code.call(*foreign.encoded("Kompute", "approve", spender, 2**256 - 1))
        for spender in approvals
    ]
    deployed = [foreign.deploy(code.program(approve))]
    for _ in range(8):
        calls = [_wild(foreign, chance, deployed) for _ in range(chance.randrange(4, 10))]
        end = code.REVERT if chance.random() < 0.2 else code.STOP
        first = code.call(deployed[0], b"", code.DELEGATECALL)
        deployed.append(foreign.deploy(code.program([first, *calls], end)))
        raws = [foreign.raw(chance.choice(deployed), b"") for _ in range(chance.randrange(1, 4))]
        seen = foreign.world._mine(raws)
        followed += sum(len(names(transaction)) for transaction in seen)
        refused.update(error for transaction in seen for _, error in refusals(transaction))
        assert foreign.world.check().ok, foreign.world.check().differences
    assert followed > 20
    assert refused
    agrees(foreign)


def _wild(foreign: Foreign, chance: random.Random, deployed: list[str]) -> bytes:
    kind = chance.choice((code.CALL, code.CALL, code.CALL, code.DELEGATECALL, code.CALLCODE))
    if deployed and chance.random() < 0.3:
        return code.call(chance.choice(deployed), b"", chance.choice((kind, code.STATICCALL)))
    amount = chance.choice((0, 1, KOMP, 30 * KOMP, 10**30))
    number = chance.randrange(1, 4)
    contracts = [foreign.world.contracts.address(name) for name in ("Market", "Rewards", "Staking")]
    spender = chance.choice([*contracts, foreign.pooled(number, "join", 0)[0]])
    call = chance.choice(
        [
            foreign.encoded("Kompute", "transfer", chance.choice([*contracts, *deployed]), amount),
            foreign.encoded("Kompute", "approve", spender, 2**256 - 1),
            foreign.encoded("Rewards", "addReward", amount),
            foreign.encoded("Market", "createOrder", ORDER | {"deposit": amount}),
            foreign.encoded("Market", "close", chance.randrange(1, 9)),
            foreign.encoded("PoolFactory", "create", chance.randrange(2_500)),
            foreign.pooled(number, "join", amount),
            foreign.pooled(number, "leave", amount),
            foreign.encoded("Pricing", "poke", chance.randrange(5)),
            foreign.encoded("Kompute", "balanceOf", chance.choice(deployed)),
            (contracts[0], b"\0\1"),
        ]
    )
    scarce = chance.randrange(2_000, 200_000) if chance.random() < 0.3 else None
    return code.LOG + code.call(*call, gas=scarce)


# Past following


BURNING = code.repeated(b"")
NOBODY = "0x" + "57" * 20
TOO_MUCH = "it used {} gas, 16777216 are followed"


def test_a_transaction_above_the_gas_that_is_followed_ends_the_checks(foreign: Foreign) -> None:
    transfer = code.call(*foreign.encoded("Kompute", "transfer", address("bob"), 3))
    alone = foreign.deploy(BURNING)
    heavy = foreign.deploy(code.program([transfer, code.call(alone, b"")]))
    harmless = foreign.deploy(code.program([code.call(alone, b"")]))
    seen = foreign.send(harmless, b"", gas=20_000_000)  # heavy, and nothing to do with ours
    assert (seen.ok, seen.unfollowed) == (True, "")
    assert names(foreign.send(heavy, b"", gas=MOST_SENT_GAS)) == ["Kompute.transfer"]
    agrees(foreign)
    seen = foreign.send(heavy, b"", gas=17_500_000)
    assert (seen.ok, seen.inner) == (True, ())
    assert seen.unfollowed == TOO_MUCH.format(seen.gas_used)
    ended_at(foreign, seen)


def test_a_transaction_of_a_long_trace_ends_the_checks(foreign: Foreign) -> None:
    """What is called with costs next to nothing, and the node tells all of it."""
    transfer = code.call(*foreign.encoded("Kompute", "transfer", address("bob"), 3))
    calling = foreign.deploy(code.repeated(code.long_call(NOBODY, 1 << 16)))
    heavy = foreign.deploy(code.program([transfer, code.call(calling, b"")]))
    assert names(foreign.send(heavy, b"", gas=110_000)) == ["Kompute.transfer"]
    agrees(foreign)
    seen = foreign.send(heavy, b"", gas=200_000)
    assert seen.unfollowed.startswith("the node does not trace it: an answer of ")
    assert seen.unfollowed.endswith(" bytes, 67108864 are read")
    ended_at(foreign, seen)


def test_many_calls_are_followed(foreign: Foreign) -> None:
    transfer = code.call(*foreign.encoded("Kompute", "transfer", address("bob"), 3))
    calling = foreign.deploy(code.repeated(code.call(NOBODY, b"")))
    heavy = foreign.deploy(code.program([transfer, code.call(calling, b""), transfer]))
    assert names(foreign.send(heavy, b"", gas=2_000_000)) == ["Kompute.transfer"] * 2
    agrees(foreign)


def test_more_than_a_block_may_have_ends_the_checks(foreign: Foreign) -> None:
    transfer = code.call(*foreign.encoded("Kompute", "transfer", address("bob"), 3))
    alone = foreign.deploy(BURNING)
    heavy = foreign.deploy(code.program([transfer, code.call(alone, b"")]))
    raws = [foreign.raw(heavy, b"", gas=16_000_000) for _ in range(5)]
    seen = foreign.world._mine(raws)
    assert [bool(transaction.inner) for transaction in seen] == [True] * 4 + [False]
    assert seen[4].unfollowed == "67108864 gas are followed in a block, and there is more"
    ended_at(foreign, seen[4])


def test_after_what_nobody_can_follow_nothing_is_followed(
    foreign: Foreign, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither in its block nor later."""
    transfer = code.call(*foreign.encoded("Kompute", "transfer", address("bob"), 3))
    calling = foreign.deploy(code.repeated(code.long_call(NOBODY, 1 << 16)))
    heavy = foreign.deploy(code.program([transfer, code.call(calling, b"")]))
    light = foreign.deploy(code.program([transfer]))
    asked: list[str] = []
    frames = Chain.frames
    monkeypatch.setattr(Chain, "frames", lambda self, tx: (asked.append(tx), frames(self, tx))[1])
    raws = [foreign.raw(to, b"", gas=200_000) for to in (light, heavy, light)]
    seen = foreign.world._mine(raws)
    assert [len(transaction.inner) for transaction in seen] == [1, 0, 0]
    assert [bool(transaction.unfollowed) for transaction in seen] == [False, True, False]
    assert asked == [seen[0].hash, seen[1].hash]
    ended_at(foreign, seen[1])
    mined = foreign.world.chain.mine([foreign.raw(light, b"")])
    contracts, chain = foreign.world.contracts, foreign.world.chain
    (later,) = observe(mined, contracts, chain, follows=False)
    assert (later.ok, later.inner, later.unfollowed) == (True, (), "")
    assert len(later.events) == 1
    assert len(asked) == 2


@pytest.mark.parametrize("is_there", [False, True], ids=["nobody listens", "nobody answers"])
def test_a_node_that_does_not_answer_is_no_fault_of_the_transaction(
    foreign: Foreign, monkeypatch: pytest.MonkeyPatch, is_there: bool
) -> None:
    transfer = code.call(*foreign.encoded("Kompute", "transfer", address("bob"), 3))
    light = foreign.deploy(code.program([transfer]))
    mined = foreign.world.chain.mine([foreign.raw(light, b"")])
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        if is_there:
            silent.listen()
        gone = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with monkeypatch.context() as patch, Rpc(gone, timeout_seconds=0.2) as rpc:
            patch.setattr(foreign.world.chain, "rpc", rpc)
            with pytest.raises(NodeUnreachable, match=f"no answer from the chain at {gone}"):
                observe(mined, foreign.world.contracts, foreign.world.chain)


def test_what_the_node_refuses_to_trace_cannot_be_followed(foreign: Foreign) -> None:
    transfer = code.call(*foreign.encoded("Kompute", "transfer", address("bob"), 3))
    mined = foreign.world.chain.mine([foreign.raw(foreign.deploy(code.program([transfer])), b"")])
    unknown = replace(mined.receipts[0], hash="0x12")
    with pytest.raises(Unfollowed, match="the node does not trace it: trace_transaction: "):
        follow(unknown, foreign.world.contracts, foreign.world.chain, 0)


def ended_at(foreign: Foreign, seen: ObservedTransaction) -> None:
    """The verdict says where and why, also later; nothing else is held against the chain."""
    for _ in range(2):
        verdict = foreign.world.check(whole=True)
        assert (verdict.violations, verdict.differences, verdict.ok) == ((), (), False)
        assert verdict.unmodelled is not None
        assert verdict.unmodelled.block == seen.block
        assert verdict.unmodelled.seen == (
            f"tx {seen.hash} in block {seen.block}: what it had contracts of the devnet do cannot "
            f"be followed: {seen.unfollowed}. From this block on neither the model nor the "
            "invariants are compared: the devnet goes on unchecked; devnet down and devnet up "
            "begin a checked one"
        )
        # The ledger is still read whole, with what came afterwards.
        assert foreign.world.stake(f"worker-{len(verdict.ledger.nodes) + 1}").ok
    assert len(foreign.world.ledger().nodes) == 2


def test_what_was_wrong_before_the_checks_ended_stays_wrong(foreign: Foreign) -> None:
    checker = foreign.world.checker
    strange = replace(foreign.world.history[-1], contract="Staking", function="mint")
    checker.observe([strange, replace(strange, contract="", unfollowed="it is dark"), strange])
    assert len(foreign.world.check().differences) == 1


def test_what_failed_untraced_has_no_name_and_is_no_difference(
    foreign: Foreign, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Above `MOST_TRACED_GAS` nobody asks the node which error it was."""
    to, data = foreign.encoded("Kompute", "transfer", address("bob"), 10**40)
    traced = foreign.send(to, data)
    assert (traced.ok, traced.error) == (False, "ERC20InsufficientBalance")
    monkeypatch.setattr(observed, "MOST_TRACED_GAS", traced.gas_used)
    assert foreign.send(to, data).error == traced.error
    monkeypatch.setattr(observed, "MOST_TRACED_GAS", traced.gas_used - 1)
    assert (foreign.send(to, data).ok, foreign.send(to, data).error) == (False, None)
    agrees(foreign)
    for gas in (31_000, 34_000):  # of which all goes, and the rules would accept it
        to, data = foreign.encoded("Kompute", "approve", address("bob"), 5)
        starved = foreign.send(to, data, gas=gas)
        assert (starved.error, starved.ran_out_of_gas) == (None, True)
    agrees(foreign)
