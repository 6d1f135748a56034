"""A workload on a Kubernetes API: a Deployment, its disruption budget, its autoscaler if any."""

from __future__ import annotations

from http import HTTPStatus

from cluster.interface import Workload
from cluster.kubernetes import names
from cluster.kubernetes.api import Api, ApiRefused, Document
from cluster.kubernetes.manifests import autoscaler, budget, deployment
from cluster.kubernetes.packing import Packing

_DEPLOYMENTS = f"/apis/apps/v1/namespaces/{names.NAMESPACE}/deployments"
_AUTOSCALERS = f"/apis/autoscaling/v2/namespaces/{names.NAMESPACE}/horizontalpodautoscalers"
_BUDGETS = f"/apis/policy/v1/namespaces/{names.NAMESPACE}/poddisruptionbudgets"


class Workloads:
    """Those of one namespace; all that is remembered of them is in the API."""

    def __init__(self, api: Api, packing: Packing) -> None:
        self._api, self._packing = api, packing

    def apply(self, workload: Workload) -> None:
        """See `cluster.interface.Cluster.apply`."""
        path, document = f"{_DEPLOYMENTS}/{workload.name}", deployment(workload, self._packing)
        if not self._created(_DEPLOYMENTS, document):
            running = int(self._api.get(path)["spec"]["replicas"])
            if workload.autoscale is not None and running:
                document["spec"]["replicas"] = workload.autoscale.within(running)
            self._api.replace(path, document)
        self._created(_BUDGETS, budget(workload))  # one that is there is the same
        self._follow(workload)

    def scale(self, workload: str, replicas: int) -> None:
        self._api.patch(f"{_DEPLOYMENTS}/{workload}", {"spec": {"replicas": replicas}})

    def delete(self, workload: str) -> None:
        """One that is gone already is fine."""
        for kind in (_AUTOSCALERS, _DEPLOYMENTS, _BUDGETS):
            self._api.delete(f"{kind}/{workload}")

    def wished(self) -> dict[str, int]:
        """How many replicas each of them shall have now, whoever wishes so."""
        return {
            item["metadata"]["name"]: int(item["spec"]["replicas"])
            for item in self._api.get(_DEPLOYMENTS)["items"]
        }

    def _follow(self, workload: Workload) -> None:
        path = f"{_AUTOSCALERS}/{workload.name}"
        if workload.autoscale is None:
            self._api.delete(path)
            return
        document = autoscaler(workload, workload.autoscale)
        if not self._created(_AUTOSCALERS, document):
            self._api.patch(path, {"spec": document["spec"]})

    def _created(self, path: str, document: Document) -> bool:
        """Whether there was none of its name."""
        try:
            self._api.create(path, document)
        except ApiRefused as error:
            if error.status != HTTPStatus.CONFLICT:
                raise
            return False
        return True
