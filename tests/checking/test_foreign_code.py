"""What a stranger's contract has ours do: decided call by call, or said to be past following."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import foreign_code as code
import pytest
from chain_world import ChainWorld
from model_world import ACCOUNTS, DAY, KOMP, address

from devnet.chain import Transaction, sign
from devnet.chain.transaction import created_address
from devnet.protocol import (
    POOL_ABI,
    POOL_FACTORY,
    ObservedTransaction,
    observed,
    pool_address,
)
from devnet.protocol.contracts import Interface

STRANGER = ACCOUNTS["mallory"]
ORDER = {"kind": 0, "spec": bytes(32), "milliCpu": 1, "memoryMib": 1, "storageGib": 0}
ORDER |= {"maxReplicas": 1, "duration": DAY, "deposit": KOMP, "maxRate": KOMP, "maxRate2": KOMP}


class Foreign:
    """Mallory's contracts on the chain of a world."""

    def __init__(self, world: ChainWorld) -> None:
        self.world = world

    def raw(self, to: str | None, data: bytes, gas: int = 9_000_000) -> bytes:
        nonce = self.world.lanes.take(STRANGER.address)
        chain_id = self.world.chain.chain_id
        return sign(STRANGER, Transaction(nonce, to, data, gas=gas, chain_id=chain_id))

    def send(self, to: str | None, data: bytes, gas: int = 9_000_000) -> ObservedTransaction:
        (seen,) = self.world._mine([self.raw(to, data, gas)])
        return seen

    def deploy(self, runtime: bytes) -> str:
        """A contract, whose address is given; it has KOMP and has approved everybody."""
        where = self.next_address()
        assert self.send(None, code.creation(runtime)).ok
        return where

    def next_address(self) -> str:
        """Of the next contract of Mallory's, which has got KOMP already."""
        where = created_address(STRANGER.address, self.world.chain.nonce(STRANGER.address))
        self.fund(where)
        return where

    def fund(self, to: str) -> None:
        assert self.world.send("treasury", "Kompute", "transfer", to=to, value=1_000 * KOMP).ok

    def encoded(self, contract: str, function: str, *args: Any) -> tuple[str, bytes]:
        call = self.world.contracts.encode(contract, function, *args)
        return call.to, call.data

    def pooled(self, number: int, function: str, *args: Any) -> tuple[str, bytes]:
        """A call of a pool that need not be there yet."""
        kind = Interface.of(self.world.contracts.deployment.abis[POOL_ABI]).functions[function]
        factory = self.world.contracts.address(POOL_FACTORY)
        return pool_address(factory, number), kind.selector + kind.inputs.encode(args)


@pytest.fixture
def foreign(chain_world: ChainWorld) -> Foreign:
    chain_world.prices()
    return Foreign(chain_world)


def agrees(foreign: Foreign) -> None:
    verdict = foreign.world.check(whole=True)
    assert verdict.ok, [*verdict.violations, *verdict.differences, verdict.unmodelled]


def names(seen: ObservedTransaction) -> list[str]:
    return [f"{call.contract}.{call.function}" for call in seen.inner]


def test_a_constructor_acts_as_any_account(foreign: Foreign) -> None:
    """Approves, orders, opens a pool and joins it, gives away: all in one transaction."""
    where = foreign.next_address()
    market = foreign.world.contracts.address("Market")
    join = foreign.pooled(1, "join", 20 * KOMP)
    calls = [
        foreign.encoded("Kompute", "approve", market, 50 * KOMP),
        foreign.encoded("Market", "createOrder", ORDER),
        foreign.encoded("Market", "createOrder", ORDER | {"deposit": 0}),  # refused: ZeroDeposit
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
    assert [event for call in seen.inner for event in call.events] == list(seen.events)
    agrees(foreign)
    assert foreign.world.ledger().orders[1].client == where
    assert foreign.world.checker.facts.donated["Market"] == 7


def test_nested_and_delegated_calls_are_those_of_the_contract_they_run_in(foreign: Foreign) -> None:
    transfer = code.call(*foreign.encoded("Kompute", "transfer", address("bob"), 3))
    inside = foreign.deploy(code.program([transfer, code.LOG, transfer]))
    outside = foreign.deploy(
        code.program(
            [
                code.LOG,
                code.call(inside, b""),
                code.call(inside, b"", code.DELEGATECALL),
                code.call(inside, b"", code.CALLCODE),
                code.call(inside, b"", code.STATICCALL),  # may not change anything
                code.LOG,
            ]
        )
    )
    seen = foreign.send(outside, b"")
    assert [call.sender for call in seen.inner] == [inside] * 2 + [outside] * 4
    assert {tuple(event.args.values()) for call in seen.inner for event in call.events} == {
        (inside, address("bob"), 3),
        (outside, address("bob"), 3),
    }
    agrees(foreign)


def test_what_was_taken_back_within_was_never_done(foreign: Foreign) -> None:
    transfer = code.call(*foreign.encoded("Kompute", "transfer", address("bob"), 3))
    regretting = foreign.deploy(code.program([transfer, code.LOG, transfer], code.REVERT))
    outside = foreign.deploy(code.program([code.call(regretting, b""), transfer]))
    seen = foreign.send(outside, b"")
    assert [(call.sender, len(call.events)) for call in seen.inner] == [(outside, 1)]
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
    chance, followed = random.Random(seed), 0
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
        followed += sum(len(transaction.inner) for transaction in seen)
        assert foreign.world.check().ok, foreign.world.check().differences
    assert followed > 20
    agrees(foreign)


def _wild(foreign: Foreign, chance: random.Random, deployed: list[str]) -> bytes:
    kind = chance.choice((code.CALL, code.CALL, code.CALL, code.DELEGATECALL, code.CALLCODE))
    if deployed and chance.random() < 0.3:
        return code.call(chance.choice(deployed), b"", kind)
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
        ]
    )
    return code.LOG + code.call(*call)


# Past following


BURNING = code.repeated(b"")
NOBODY = "0x" + "57" * 20
TOO_MUCH = "it used {} gas, 10000000 are followed"


def test_a_transaction_above_the_gas_that_is_followed_ends_the_checks(foreign: Foreign) -> None:
    transfer = code.call(*foreign.encoded("Kompute", "transfer", address("bob"), 3))
    alone = foreign.deploy(BURNING)
    heavy = foreign.deploy(code.program([transfer, code.call(alone, b"")]))
    harmless = foreign.deploy(code.program([code.call(alone, b"")]))
    seen = foreign.send(harmless, b"", gas=20_000_000)  # heavy, and nothing to do with ours
    assert (seen.ok, seen.unfollowed) == (True, "")
    assert names(foreign.send(heavy, b"", gas=10_000_000)) == ["Kompute.transfer"]
    agrees(foreign)
    seen = foreign.send(heavy, b"", gas=12_000_000)
    assert (seen.ok, seen.inner) == (True, ())
    assert seen.unfollowed == TOO_MUCH.format(seen.gas_used)
    ended_at(foreign, seen)


def test_a_transaction_of_too_many_calls_ends_the_checks(foreign: Foreign) -> None:
    transfer = code.call(*foreign.encoded("Kompute", "transfer", address("bob"), 3))
    calling = foreign.deploy(code.repeated(code.call(NOBODY, b"")))
    heavy = foreign.deploy(code.program([transfer, code.call(calling, b"")]))
    assert names(foreign.send(heavy, b"", gas=500_000)) == ["Kompute.transfer"]
    agrees(foreign)
    seen = foreign.send(heavy, b"", gas=2_000_000)
    assert seen.unfollowed.endswith(" calls, 5000 are followed")
    ended_at(foreign, seen)


def test_more_than_a_block_may_have_ends_the_checks(foreign: Foreign) -> None:
    transfer = code.call(*foreign.encoded("Kompute", "transfer", address("bob"), 3))
    alone = foreign.deploy(BURNING)
    heavy = foreign.deploy(code.program([transfer, code.call(alone, b"")]))
    raws = [foreign.raw(heavy, b"", gas=9_000_000) for _ in range(4)]
    seen = foreign.world._mine(raws)
    assert [bool(transaction.inner) for transaction in seen] == [True, True, True, False]
    assert seen[3].unfollowed == "30000000 gas are followed in a block, and there is more"
    ended_at(foreign, seen[3])


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
            "invariants are compared"
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
