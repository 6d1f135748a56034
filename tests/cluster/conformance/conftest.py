"""One suite for every cluster: each test is a behaviour of a Kubernetes node, by its name.

`@pytest.mark.behaviour("env.configMapKeyRef")` names it; what a cluster cannot serve is declared in
`served.NOT_SERVED` and skipped with that reason.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from kubernetes.client import ApiClient, Configuration
from kubernetes.config import new_client_from_config

from cluster.interface import Capacity, Cluster, NodeSpec
from cluster.native.provider import NativeCluster
from devnet.base.environment import python_environment
from devnet.base.toolchain import Toolchain
from tests.cluster.conformance.bench import Bench, namespace
from tests.cluster.conformance.served import NOT_SERVED

NODES = tuple(
    NodeSpec(f"worker-{number}", "standard", "eu-west", f"eu-west-{zone}", Capacity(400, 512 << 20))
    for number, zone in ((1, "a"), (2, "b"))
)


def _native(state: Path) -> AbstractContextManager[Cluster]:
    tools = Toolchain()
    return NativeCluster(
        NODES,
        state,
        tools.controlplane(),
        tools.bubblewrap(),
        f"conformance-{uuid.uuid4().hex[:8]}",
        logging.getLogger("conformance"),
        python_environment(),
    )


PROVIDERS: dict[str, Callable[[Path], AbstractContextManager[Cluster]]] = {"native": _native}


@pytest.fixture(scope="module", params=sorted(PROVIDERS))
def provider(request: pytest.FixtureRequest) -> str:
    return str(request.param)


# A module's own: other tests of this process look at all processes of theirs.
@pytest.fixture(scope="module")
def cluster(provider: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with PROVIDERS[provider](tmp_path_factory.mktemp(provider)) as running:
        yield running


@pytest.fixture(scope="module")
def api(cluster: Cluster) -> Iterator[ApiClient]:
    kubeconfig = cluster.kubeconfig()
    assert kubeconfig is not None
    configuration = Configuration()
    configuration.proxy = None  # the server is on this machine
    with new_client_from_config(str(kubeconfig), client_configuration=configuration) as client:
        yield client


@pytest.fixture
def bench(api: ApiClient, tmp_path: Path) -> Iterator[Bench]:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "greeting").write_text("hello from the folder\n")
    with namespace(api, folder) as own:
        yield own


@pytest.fixture(autouse=True)
def _served(request: pytest.FixtureRequest) -> None:
    """Skip what the cluster is declared not to serve."""
    marker = request.node.get_closest_marker("behaviour")
    if marker is None or "provider" not in request.fixturenames:
        return
    declared = NOT_SERVED.get(request.getfixturevalue("provider"), {})
    if (reason := declared.get(marker.args[0])) is not None:
        pytest.skip(f"not served by {request.getfixturevalue('provider')}: {reason}")
