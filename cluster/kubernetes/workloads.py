"""A workload on a Kubernetes API: a Deployment, its disruption budget, its autoscaler if any."""

from __future__ import annotations

from http import HTTPStatus

from cluster.interface import Pod, Workload
from cluster.kubernetes import names
from cluster.kubernetes.api import Api, ApiRefused, Document
from cluster.kubernetes.manifests import (
    autoscaler,
    budget,
    deployment,
    pod_ready,
    pod_stays,
    pod_trouble,
)
from cluster.kubernetes.provider import Provider
from cluster.waiting import Seen

_PODS = f"/api/v1/namespaces/{names.NAMESPACE}/pods"
_DEPLOYMENTS = f"/apis/apps/v1/namespaces/{names.NAMESPACE}/deployments"
_AUTOSCALERS = f"/apis/autoscaling/v2/namespaces/{names.NAMESPACE}/horizontalpodautoscalers"
_BUDGETS = f"/apis/policy/v1/namespaces/{names.NAMESPACE}/poddisruptionbudgets"


class Workloads:
    """Those of one namespace; all that is remembered of them is in the API."""

    def __init__(self, api: Api, provider: Provider) -> None:
        self._api, self._provider = api, provider

    def apply(self, workload: Workload) -> None:
        """See `cluster.interface.Cluster.apply`."""
        path, document = (
            f"{_DEPLOYMENTS}/{workload.name}",
            deployment(workload, self._provider.packing),
        )
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

    def pods(self, workload: str | None = None) -> tuple[Pod, ...]:
        """Of one or of all; those that are not leaving, sorted by name."""
        return tuple(sorted(map(self._value, self._staying(workload)), key=lambda pod: pod.name))

    def settled(self) -> Seen:
        """Whether each has as many pods as are wished now, whoever wishes so, all of them ready."""
        self._provider.check()
        wished = {
            item["metadata"]["name"]: int(item["spec"]["replicas"])
            for item in self._api.get(_DEPLOYMENTS)["items"]
        }
        documents = self._staying(None)
        faults = []
        for name, replicas in wished.items():
            own = [item for item in documents if item["metadata"]["labels"][names.WORKLOAD] == name]
            ready = sum(self._value(item).ready for item in own)
            if ready != replicas or len(own) != replicas:
                trouble = " | ".join(pod_trouble(item) for item in own if not pod_ready(item))
                faults.append(f"{name}: {ready} of {replicas} ready; {trouble or 'pods changing'}")
        return Seen(not faults, "\n".join(faults))

    def _staying(self, workload: str | None) -> list[Document]:
        selector = names.WORKLOAD if workload is None else f"{names.WORKLOAD}={workload}"
        items: list[Document] = self._api.get(_PODS, labelSelector=selector)["items"]
        return [item for item in items if pod_stays(item)]

    def _value(self, document: Document) -> Pod:
        host, port = self._provider.reach(document) or ("", 0)
        statuses = document.get("status", {}).get("containerStatuses", ())
        return Pod(
            name=document["metadata"]["name"],
            workload=document["metadata"]["labels"][names.WORKLOAD],
            node=document["spec"].get("nodeName", ""),
            ready=pod_ready(document) and port != 0,
            host=host,
            port=port,
            restarts=sum(int(status.get("restartCount", 0)) for status in statuses),
        )

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
