"""Two clusters of one machine at once: neither sees, reaches or takes down the other."""

from __future__ import annotations

import logging
import uuid
from contextlib import ExitStack
from pathlib import Path

from cluster.conformance.bench import bench
from cluster.conformance.subject import NODES, subject
from cluster.kubernetes.cluster import KubernetesCluster
from cluster.registry import Kind, Making
from devnet.base.environment import python_environment
from devnet.base.toolchain import Toolchain


def raised(kind: Kind, state: Path) -> KubernetesCluster:
    tools, log = Toolchain(), logging.getLogger("conformance")
    devnet_id = f"conformance-{uuid.uuid4().hex[:8]}"
    made = kind.make(Making(NODES, state, devnet_id, tools, log, python_environment(), ()))
    assert isinstance(made, KubernetesCluster)
    return made


def test_each_has_its_own(kind: Kind, tmp_path: Path) -> None:
    first, second = (raised(kind, tmp_path / name) for name in ("first", "second"))
    kubectl = Toolchain().controlplane() / "kubectl"
    with first, subject(first, first.packing, tmp_path / "one", kubectl) as one, bench(one) as mine:
        with ExitStack() as stack:
            stack.enter_context(second)
            two = stack.enter_context(subject(second, second.packing, tmp_path / "two", kubectl))
            other = stack.enter_context(bench(two))
            mine.start(mine.container("echo mine; exec sleep 1000"), restartPolicy="Always")
            other.start(other.container("echo other"))
            other.phase("Succeeded")
            assert other.printed() == "other\n"
            assert mine.namespace not in other.said("get", "namespaces", "-o", "name")
        assert [node["metadata"]["name"] for node in mine.nodes()] == ["worker-1", "worker-2"]
        assert mine.phase("Running")["status"]["containerStatuses"][0]["restartCount"] == 0
        assert mine.printed() == "mine\n"
