"""What a fresh control plane of ours needs once: namespaces and the metrics API."""

from __future__ import annotations

import base64
from pathlib import Path

from cluster.kubernetes.api import Api, ApiRefused, Document
from cluster.kubernetes.names import LEASES, NAMESPACE

_CONFLICT = 409
_RBAC = "/apis/rbac.authorization.k8s.io/v1"


def create_namespace(api: Api) -> None:
    """The namespace of all workloads, and at once the account its pods are admitted under."""
    _create(api, "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    # The controller manager would make it too, a moment later; pods are refused until then.
    accounts = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts"
    _create(api, accounts, {"metadata": {"name": "default"}})


def create_leases(api: Api) -> None:
    """The namespace of the nodes' leases; the API server makes it too, seconds later."""
    _create(api, "/api/v1/namespaces", {"metadata": {"name": LEASES}})


def register_metrics(api: Api, port: int, ca_file: Path) -> None:
    """Route `metrics.k8s.io` to metrics-server on this machine.

    Endpoints in 127/8 are refused; an ExternalName service to localhost is not.
    """
    service: Document = {
        "metadata": {"name": "metrics-server"},
        "spec": {"type": "ExternalName", "externalName": "localhost"},
    }
    registration: Document = {
        "metadata": {"name": "v1beta1.metrics.k8s.io"},
        "spec": {
            "group": "metrics.k8s.io",
            "version": "v1beta1",
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
            "caBundle": base64.b64encode(ca_file.read_bytes()).decode(),
            "service": {"namespace": "kube-system", "name": "metrics-server", "port": port},
        },
    }
    _create(api, "/api/v1/namespaces/kube-system/services", service)
    _create(api, "/apis/apiregistration.k8s.io/v1/apiservices", registration)


def _create(api: Api, path: str, document: Document) -> None:
    try:
        api.create(path, document)
    except ApiRefused as error:
        if error.status != _CONFLICT:
            raise
