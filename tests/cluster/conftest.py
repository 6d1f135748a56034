"""One native cluster for the tests of a module; its programs come from the devnet's toolchain."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.interface import Capacity, NodeSpec
from cluster.native.provider import NativeCluster
from devnet.base.environment import python_environment
from devnet.base.toolchain import Toolchain

MACHINE = Capacity(
    milli_cpu=500,
    memory_bytes=512 << 20,
    storage_bytes=10 << 30,
    disk_write_bytes_per_second=50_000_000,
    network_bits_per_second=100_000_000,
)
WORKERS = (
    NodeSpec("worker-1", "standard", "eu-west", "eu-west-a", MACHINE),
    NodeSpec("worker-2", "standard", "eu-west", "eu-west-b", MACHINE),
    NodeSpec("worker-3", "standard", "us-east", "us-east-a", MACHINE),
)


@pytest.fixture(scope="session")
def tools() -> Path:
    """The folder of etcd, kube-apiserver, …; built on the first call of a machine."""
    return Toolchain().controlplane()


@pytest.fixture(scope="module")
def native(tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NativeCluster]:
    state = tmp_path_factory.mktemp("native")
    log = logging.getLogger("tests.native")
    devnet_id = f"tests-{uuid.uuid4().hex[:12]}"  # control groups are named after it
    bubblewrap = Toolchain().bubblewrap()
    env = python_environment()
    with NativeCluster(WORKERS, state, tools, bubblewrap, devnet_id, log, env) as cluster:
        yield cluster
