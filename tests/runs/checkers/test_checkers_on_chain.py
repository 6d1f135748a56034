"""The deployed contracts and the model decide every transaction alike and hold the same values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from chain_world import ChainWorld
from model_world import GENESIS_TIMESTAMP, NAMES, World, lived_through
from wild import Wild

from devnet.base.toolchain import Toolchain
from devnet.chain import Anvil, Chain, Rpc
from devnet.deploy import compile_contracts
from devnet.protocol.artifacts import Artifacts

MOVES = 300


@pytest.fixture(scope="session")
def artifacts() -> Artifacts:
    """As Ape compiles them."""
    toolchain = Toolchain()
    return compile_contracts(toolchain, toolchain.say)


@pytest.fixture
def chain_world(artifacts: Artifacts, tmp_path: Path) -> Iterator[ChainWorld]:
    """Everything deployed and funded on a chain of its own."""
    with (
        Anvil(
            Toolchain().anvil(),
            genesis_timestamp=GENESIS_TIMESTAMP,
            folder=tmp_path,
            accounts=len(NAMES),
        ) as anvil,
        Rpc(anvil.url) as rpc,
    ):
        chain = Chain(rpc, ChainWorld.block_seconds)
        chain.prepare()
        yield ChainWorld(chain, artifacts)


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


def test_a_whole_life_is_wild_enough_without_a_chain() -> None:
    world: World = lived_through()
    wild = Wild(world, 3)
    for _ in range(MOVES):
        wild.move()
    assert sum(world.ledger().balances.values()) == world.parameters.supply
