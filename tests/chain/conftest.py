"""A fresh anvil and chain a test, on a free port, with a log in the test's own folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import settings

from devnet.base.toolchain import Toolchain
from devnet.chain import DEFAULT_MNEMONIC, Account, Anvil, Chain, Rpc, derive, pruning
from devnet.chain.door import RpcDoor
from devnet.chain.kept import Kept
from tests.chain.pruned import EVERY, KEPT, Node

GENESIS = 1_767_225_600
BLOCK_SECONDS = 720
NAMES = tuple(f"account-{place}" for place in range(20))

# A busy machine makes examples slow, not wrong.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def binary() -> Path:
    """The anvil of the toolchain."""
    return Toolchain().anvil()


@pytest.fixture(scope="session")
def accounts() -> dict[str, Account]:
    """Twenty funded accounts."""
    return derive(DEFAULT_MNEMONIC, NAMES)


@pytest.fixture()
def fresh(binary: Path, tmp_path: Path) -> Iterator[Callable[[], Chain]]:
    """Each call starts another anvil and gives its chain, block 1 mined."""
    with ExitStack() as stack:

        def start() -> Chain:
            folder = tmp_path / f"chain-{len(list(tmp_path.iterdir()))}"
            anvil = stack.enter_context(
                Anvil(binary, genesis_timestamp=GENESIS, folder=folder, accounts=len(NAMES))
            )
            chain = Chain(stack.enter_context(Rpc(anvil.url)), BLOCK_SECONDS)
            chain.prepare()
            return chain

        yield start


@pytest.fixture()
def chain(fresh: Callable[[], Chain]) -> Chain:
    """One fresh chain."""
    return fresh()


@pytest.fixture()
def node(binary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Node]:
    """One that drops blocks often."""
    monkeypatch.setattr(pruning, "KEPT_BLOCKS", KEPT)
    monkeypatch.setattr(pruning, "DROP_EVERY", EVERY)
    kept = Kept()
    with (
        Anvil(
            binary,
            genesis_timestamp=GENESIS,
            folder=tmp_path / "node",
            accounts=len(NAMES),
            prune_history=True,
        ) as anvil,
        RpcDoor(anvil.url, kept=kept) as door,
        Rpc(anvil.url) as rpc,
    ):
        dropping = pruning.Pruning(rpc, BLOCK_SECONDS, kept, door.quiet)
        chain = Chain(rpc, BLOCK_SECONDS, pruning=dropping)
        chain.prepare()
        yield Node(chain, kept, door, anvil)


@pytest.fixture()
def outside(node: Node) -> Iterator[Rpc]:
    """Whoever is no part of the devnet."""
    with Rpc(node.door.url) as rpc:
        yield rpc
