"""Runs as files: a real chain's blocks, without the whole world."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from devnet.base.toolchain import Toolchain
from devnet.chain import DEFAULT_MNEMONIC, Account, Anvil, Chain, MinedBlock, Rpc, derive
from devnet.record.folder import RunFolder
from tests.record.recorded import BLOCK_SECONDS, GENESIS, NAMES, Recording, genesis


@pytest.fixture(scope="session")
def toolchain() -> Toolchain:
    return Toolchain()


@pytest.fixture(scope="session")
def accounts() -> dict[str, Account]:
    return derive(DEFAULT_MNEMONIC, NAMES)


@pytest.fixture()
def recording(
    toolchain: Toolchain, accounts: dict[str, Account], tmp_path: Path
) -> Iterator[Recording]:
    """A run on a real chain of which block 1 has been recorded."""
    with ExitStack() as stack:
        anvil = stack.enter_context(
            Anvil(
                toolchain.anvil(),
                genesis_timestamp=GENESIS,
                folder=tmp_path / "anvil",
                accounts=len(NAMES),
            )
        )
        chain = Chain(stack.enter_context(Rpc(anvil.url)), BLOCK_SECONDS)
        folder = stack.enter_context(RunFolder(tmp_path / "run"))
        folder.document("genesis.json", genesis())
        made = Recording(folder, chain, accounts)
        chain.prepare()
        made.write(MinedBlock(chain.head))
        yield made
