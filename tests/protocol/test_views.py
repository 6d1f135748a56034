"""The interfaces' views have typed reads; a stand-in contract answers on a real chain."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from devnet.base.errors import UsageError
from devnet.base.toolchain import Toolchain
from devnet.chain import DEFAULT_MNEMONIC, Account, Anvil, Chain, Rpc, Transaction, derive, sign
from devnet.protocol import (
    Contracts,
    Deployment,
    Genesis,
    Kind,
    ObservedTransaction,
    ProtocolError,
    RoundState,
    View,
    market_views,
    node_views,
    observe,
    resource_number,
    views,
)

GENESIS = 1_767_225_600
HARDWARE = b"\x01" * 32
ACCOUNTS = derive(DEFAULT_MNEMONIC, ["deployer", "alice", "worker-1"])
NODE = ACCOUNTS["worker-1"].address
# Not read through View: `check` reverts or not, the rest describe a feed to people.
LEFT_OUT = {"check", "description", "version", "getRoundData", "isOracle"}


class World(NamedTuple):
    """A chain with the stand-in deployed, and its contracts."""

    chain: Chain
    contracts: Contracts
    views: View

    def send(self, account: Account, *calls: tuple[Any, ...]) -> tuple[ObservedTransaction, ...]:
        """One block with these calls of Staking."""
        first = self.chain.nonce(account.address)
        raw = []
        for nonce, (function, *args) in enumerate(calls, first):
            call = self.contracts.encode("Staking", function, *args)
            raw.append(sign(account, Transaction(nonce, call.to, call.data)))
        return observe(self.chain.mine(raw), self.contracts, self.chain, {NODE: "worker-1"})


@pytest.fixture()
def world(compiled: dict[str, Any], abis: dict[str, Any], tmp_path: Path) -> Iterator[World]:
    with (
        Anvil(Toolchain().anvil(), genesis_timestamp=GENESIS, folder=tmp_path) as anvil,
        Rpc(anvil.url) as rpc,
    ):
        chain = Chain(rpc, 720)
        chain.prepare()
        code = compiled["StandIn"]["bytecode"]
        creation = sign(ACCOUNTS["deployer"], Transaction(0, None, code, gas=3_000_000))
        address = chain.mine([creation]).receipts[0].contract_address
        assert address is not None
        # One address plays two contracts; what is decoded bears the name given last.
        addresses = {"Market": address, "Staking": address}
        contracts = Contracts(Deployment(addresses, abis, {}, Genesis(31337, GENESIS, 1)))
        yield World(chain, contracts, View(chain, contracts, {NODE: "worker-1"}))


def test_every_view_of_the_interfaces_is_read(abis: dict[str, Any]) -> None:
    modules = (views, node_views, market_views)
    source = "".join(inspect.getsource(module) for module in modules)
    declared = {
        entry["name"]
        for abi in abis.values()
        for entry in abi
        if entry["type"] == "function" and entry["stateMutability"] in ("view", "pure")
    }
    assert {name for name in declared if f'"{name}"' not in source} == LEFT_OUT


def test_a_transaction_is_observed_by_name(world: World) -> None:
    deadline = world.chain.head.timestamp + 1_000
    (stake,) = world.send(
        ACCOUNTS["alice"], ("stake", NODE, HARDWARE, 3, deadline, b"\x05", b"\x06")
    )
    assert (stake.block, stake.timestamp, stake.index) == (3, GENESIS + 3 * 720, 0)
    assert (stake.contract, stake.function, stake.ok) == ("Staking", "stake", True)
    assert stake.sender == ACCOUNTS["alice"].address
    assert stake.args == {
        "node": NODE,
        "hardwareId": HARDWARE,
        "months": 3,
        "deadline": deadline,
        "signatures": b"\x05",
        "nodeSignature": b"\x06",
    }
    (event,) = stake.events
    assert (event.contract, event.name, event.block, event.tx) == (
        "Staking",
        "Staked",
        3,
        stake.hash,
    )
    assert event.args == {
        "node": NODE,
        "owner": ACCOUNTS["alice"].address,
        "hardwareId": HARDWARE,
        "months": 3,
        "unlockAt": stake.timestamp + 90 * 86_400,
    }
    assert world.views.stake_of(NODE) == 500 * 10**18


def test_rejected_transactions_are_observed_with_their_errors(world: World) -> None:
    deadline = world.chain.head.timestamp + 1_000
    stake = ("stake", NODE, HARDWARE, 1, deadline, b"", b"")
    observed = world.send(
        ACCOUNTS["alice"], stake, stake, ("topUp", NODE, 10**18), ("withdraw", NODE)
    )
    assert [(t.index, t.function, t.ok, t.error) for t in observed] == [
        (0, "stake", True, None),
        (1, "stake", False, "AlreadyRegistered"),
        (2, "topUp", False, "TopUpExceeds"),
        (3, "withdraw", False, "Panic"),
    ]
    assert observed[1].sentence == ("node worker-1 registered before; a key registers once ever")
    assert observed[2].error_values == {"amount": 10**18, "room": 0}
    assert observed[1].events == ()
    assert observed[0].gas_used > observed[3].gas_used > 21_000


def test_transfers_creations_and_nonsense_are_observed_without_a_name(
    world: World, compiled: dict[str, Any]
) -> None:
    alice, bob = ACCOUNTS["alice"], ACCOUNTS["deployer"].address
    code = compiled["StandIn"]["bytecode"]
    staking = world.contracts.address("Staking")
    cut_off = world.contracts.encode("Staking", "stakeOf", NODE).data[:20]
    mined = world.chain.mine(
        [
            sign(alice, Transaction(0, bob, gas=21_000, value=5)),
            sign(alice, Transaction(1, None, code, gas=3_000_000)),
            sign(alice, Transaction(2, staking, cut_off)),
        ]
    )
    observed = observe(mined, world.contracts, world.chain)
    assert [(t.to, t.contract, t.function, t.ok) for t in observed] == [
        (bob, "", "", True),
        (None, "", "", True),
        (staking, "", "", False),
    ]
    assert observed[2].error == "NoReason"


def test_an_advance_observes_nothing(world: World) -> None:
    (empty,) = world.chain.advance(5)
    assert observe(empty, world.contracts, world.chain) == ()


def test_structs_are_values_with_soliditys_names(world: World) -> None:
    node = world.views.node(NODE)
    assert (node.stake, node.multiplierBps, node.withdrawn) == (0, 10_500, False)
    order = world.views.order(7)
    assert (order.kind, order.maxReplicas, order.total2) == (Kind.SERVERLESS, 3, 7)
    assert order.client == world.contracts.address("Market")
    assert order.acceptedAt == world.chain.head.timestamp


def test_results_without_names_are_read_by_their_order() -> None:
    # OcrAggregator leaves latestRoundData's results unnamed.
    latest = RoundState.of({"0": 9, "1": -5, "2": 1, "3": 2, "4": 9})
    assert latest == RoundState(id=9, answer=-5, startedAt=1, updatedAt=2, answeredInRound=9)


def test_a_refused_view_raises_its_error_and_keeps_its_place(world: World) -> None:
    with pytest.raises(ProtocolError, match="there is no order 0") as caught:
        world.views.order(0)
    assert (caught.value.name, caught.value.values) == ("UnknownOrder", {"id": 0})
    stake, error, again = world.views.read_many(
        [
            ("Staking", "stakeOf", (NODE,)),
            ("Market", "orderOf", (0,)),
            ("Staking", "stakeOf", (NODE,)),
        ]
    )
    assert (stake, again) == (0, 0)
    assert isinstance(error, ProtocolError)


def test_block_hashes_are_as_in_a_contract(world: World) -> None:
    assert "0x" + world.views.block_hash(2).hex() == world.chain.head.hash
    assert world.views.block_hash(3) == bytes(32)


def test_resources_go_by_name_or_number() -> None:
    assert (resource_number("vcpu_hour"), resource_number("million_requests")) == (0, 5)
    assert resource_number(4) == 4
    with pytest.raises(UsageError, match="no resource is named 'gpu_hour'"):
        resource_number("gpu_hour")
