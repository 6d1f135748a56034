"""What a run of the rows is about: a cluster that is up, and how its pods are made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import urllib3
from kubernetes.client import ApiClient, Configuration
from kubernetes.config import new_client_from_config

from cluster.conformance.served import NO_CONTROL_GROUPS, NO_USERS
from cluster.errors import ClusterError
from cluster.interface import Capacity, Cluster, NodeSpec, Workload
from cluster.kubernetes.packing import Packing

if TYPE_CHECKING:
    from cluster.kubernetes.cluster import KubernetesCluster

GREETING = "hello from the folder\n"
CONNECT_SECONDS = 5.0
SILENT_SECONDS = 20.0
NODES = tuple(
    NodeSpec(f"worker-{number}", "standard", "eu-west", f"eu-west-{zone}", Capacity(400, 512 << 20))
    for number, zone in ((1, "a"), (2, "b"))
)
"""What rows are played on."""


@dataclass(frozen=True, slots=True)
class Subject:
    """`cluster` is up and has an API. `image` and `annotations` make a container of one of its pods
    run a command of the machine's own, in a folder that holds `greeting`.

    `conditions`: which of `served`'s hold here.
    """

    cluster: Cluster
    api: ApiClient
    kubeconfig: Path
    kubectl: Path
    image: str
    annotations: Mapping[str, str]
    conditions: frozenset[str]


@contextmanager
def subject(
    cluster: KubernetesCluster, packing: Packing, folder: Path, kubectl: Path
) -> Iterator[Subject]:
    """The subject that a cluster is; `folder` is made for what its pods run in.

    Raises `ClusterError` for a cluster without an API.
    """
    kubeconfig = cluster.kubeconfig()
    if kubeconfig is None:
        raise ClusterError(f"{cluster.name} has no Kubernetes API")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "greeting").write_text(GREETING, encoding="utf-8")
    cluster.hand(folder)
    template = packing.pod(Workload("conformance", folder, ("true",), 1, Capacity(0, 0)))
    configuration = Configuration()
    configuration.proxy = None  # the server is on this machine
    configuration.retries = urllib3.Retry(0, connect=2, read=0, status=0)
    made: Any = new_client_from_config  # it has no types
    with made(str(kubeconfig), client_configuration=configuration) as api:
        _bound(api)
        yield Subject(
            cluster,
            api,
            kubeconfig,
            kubectl,
            template["spec"]["containers"][0]["image"],
            template.get("metadata", {}).get("annotations", {}),
            _conditions(cluster),
        )


def _bound(api: ApiClient) -> None:
    """Let no call be silent for ever: an API server whose store is gone keeps its callers."""
    rest: Any = api.rest_client
    send = rest.request

    def request(*words: Any, **more: Any) -> Any:
        more["_request_timeout"] = more.get("_request_timeout") or (CONNECT_SECONDS, SILENT_SECONDS)
        return send(*words, **more)

    rest.request = request


def _conditions(cluster: Cluster) -> frozenset[str]:
    """By what the cluster says of itself."""
    narrowed = cluster.enforcement().narrowed
    found = {
        NO_CONTROL_GROUPS: any("no control groups" in sentence for sentence in narrowed),
        NO_USERS: any("no users of their own" in sentence for sentence in narrowed),
    }
    return frozenset(condition for condition, here in found.items() if here)
