"""The checkers' tests live on the network of the model's tests, `model_world`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "model"))
sys.path.insert(0, str(Path(__file__).parent))

from chain_world import ChainWorld
from model_lived import lived_through
from model_world import GENESIS_TIMESTAMP, NAMES, World

from devnet.base.toolchain import Toolchain
from devnet.chain import Anvil, Chain, Rpc
from devnet.deploy import compile_contracts
from devnet.protocol.artifacts import Artifacts


@pytest.fixture
def world() -> World:
    """A network that has staked, published, claimed, been slashed, billed and refunded."""
    return lived_through()


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
