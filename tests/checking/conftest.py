"""The checkers' tests live on the network of the model's tests, `model_world`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "model"))
sys.path.insert(0, str(Path(__file__).parent))

from chain_world import ChainWorld
from model_lived import lived_through
from model_world import GENESIS_TIMESTAMP, NAMES, World

from devnet.base.toolchain import Toolchain
from devnet.chain import Anvil, Chain, Rpc
from devnet.chain.kept import Kept
from devnet.chain.pruning import Pruning
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


class HeadOnly(Anvil):
    """Of states it keeps the head's alone."""

    def command(self) -> list[str]:
        words = super().command()
        kept = words.index("--max-persisted-states")
        return [*words[:kept], "--prune-history"]


@contextmanager
def world_on(
    kind: type[Anvil], artifacts: Artifacts, folder: Path, *, drops: bool = False
) -> Iterator[ChainWorld]:
    """Everything deployed and funded on a chain of its own, under a node of this kind, which
    `drops` old blocks or keeps them."""
    with (
        kind(
            Toolchain().anvil(),
            genesis_timestamp=GENESIS_TIMESTAMP,
            folder=folder,
            accounts=len(NAMES),
        ) as anvil,
        Rpc(anvil.url) as rpc,
    ):
        seconds = ChainWorld.block_seconds
        pruning = Pruning(rpc, seconds, Kept(states=False), nullcontext) if drops else None
        chain = Chain(rpc, seconds, pruning=pruning)
        chain.prepare()
        yield ChainWorld(chain, artifacts)


@pytest.fixture
def chain_world(artifacts: Artifacts, tmp_path: Path) -> Iterator[ChainWorld]:
    with world_on(Anvil, artifacts, tmp_path) as world:
        yield world


@pytest.fixture(params=[Anvil, HeadOnly], ids=["all-states", "head-only"])
def either_world(
    request: pytest.FixtureRequest, artifacts: Artifacts, tmp_path: Path
) -> Iterator[ChainWorld]:
    """Also where the node has no state of before the head's."""
    with world_on(request.param, artifacts, tmp_path) as world:
        yield world


@pytest.fixture
def dropping_world(artifacts: Artifacts, tmp_path: Path) -> Iterator[ChainWorld]:
    """Where the node also drops its old blocks."""
    with world_on(HeadOnly, artifacts, tmp_path, drops=True) as world:
        yield world
