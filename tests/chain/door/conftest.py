"""A door before a node, and a client of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from devnet.chain import Anvil, Rpc
from devnet.chain.door import RpcDoor
from tests.chain.conftest import BLOCK_SECONDS, GENESIS, NAMES


@pytest.fixture(scope="module")
def node(binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Anvil]:
    folder = tmp_path_factory.mktemp("anvil")
    with Anvil(binary, genesis_timestamp=GENESIS, folder=folder, accounts=len(NAMES)) as anvil:
        with Rpc(anvil.url) as rpc:
            rpc.call("anvil_setBlockTimestampInterval", BLOCK_SECONDS)
        yield anvil


@pytest.fixture(scope="module")
def door(node: Anvil) -> Iterator[RpcDoor]:
    with RpcDoor(node.url) as opened:
        yield opened


@pytest.fixture()
def rpc(door: RpcDoor) -> Iterator[Rpc]:
    with Rpc(door.url) as client:
        yield client
