"""Every cluster with an API that this machine serves, raised once for the rows.

`devnet conformance` plays them all, and so do the tests with `--deep`; else one of each subject is.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator

import pytest

from cluster.conformance.row import Row
from cluster.conformance.rows import rows
from cluster.conformance.subject import NODES, Subject, subject
from cluster.kubernetes.cluster import KubernetesCluster
from cluster.providers import kinds
from cluster.registry import Kind, Making
from devnet.base.environment import python_environment
from devnet.base.toolchain import Toolchain

WITH_AN_API = {kind.name: kind for kind in kinds() if not kind.modelled}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The rows of this run, in the order they are played."""
    if "row" in metafunc.fixturenames:
        played = rows() if metafunc.config.getoption("--deep") else one_of_each_subject()
        metafunc.parametrize("row", played, ids=[row.name for row in played])


def one_of_each_subject() -> tuple[Row, ...]:
    """The first that is written of each."""
    first: dict[str, Row] = {}
    for row in rows():
        first.setdefault(row.subject, row)
    return tuple(first.values())


@pytest.fixture(scope="module", params=sorted(WITH_AN_API))
def kind(request: pytest.FixtureRequest) -> Kind:
    found = WITH_AN_API[request.param]
    if lacks := found.lacks(Toolchain()):
        pytest.skip(f"{found.name}: {lacks}")
    return found


# A module's own: other tests of this process look at all processes of theirs.
@pytest.fixture(scope="module")
def there(kind: Kind, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Subject]:
    state, tools = tmp_path_factory.mktemp(kind.name), Toolchain()
    devnet_id = f"conformance-{uuid.uuid4().hex[:8]}"
    log = logging.getLogger("conformance")
    making = Making(NODES, state, devnet_id, tools, log, python_environment(), ())
    kubectl = tools.controlplane() / "kubectl"
    made = kind.make(making)
    assert isinstance(made, KubernetesCluster)
    with made, subject(made, made.packing, state / "folder", kubectl) as raised:
        yield raised
