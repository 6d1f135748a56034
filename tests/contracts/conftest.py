"""One anvil for all contract tests of a process; every test starts from the same snapshot."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))

from contracts_stage import ACCOUNTS, GENESIS_TIMESTAMP, Stage

from devnet.base.toolchain import Toolchain
from devnet.chain import Anvil, Chain, Rpc
from devnet.deploy import compile_contracts
from devnet.protocol.artifacts import Artifacts

# A busy machine makes examples slow, not wrong.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def artifacts() -> Artifacts:
    """As Ape compiles them."""
    toolchain = Toolchain()
    return compile_contracts(toolchain, toolchain.say)


@pytest.fixture(scope="session")
def base(artifacts: Artifacts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Everything deployed, funded and fed."""
    folder = tmp_path_factory.mktemp("anvil")
    with (
        Anvil(
            Toolchain().anvil(),
            genesis_timestamp=GENESIS_TIMESTAMP,
            folder=folder,
            accounts=len(ACCOUNTS),
        ) as anvil,
        Rpc(anvil.url) as rpc,
    ):
        chain = Chain(rpc, 1)
        chain.prepare()
        yield Stage.raised(chain, artifacts)


@pytest.fixture
def stage(base: Stage) -> Iterator[Stage]:
    """The base, put back afterwards."""
    snapshot = base.chain.snapshot()
    yield Stage(base.chain, base.artifacts, base.deployment)
    base.chain.revert(snapshot)
