"""What nodes are waited for: Ready, emptied or seen to be lost, while somebody sees it."""

from __future__ import annotations

from cluster.ended import Outlook
from cluster.errors import NodeLost, PartsAway, UnknownSubject
from cluster.kubernetes import names
from cluster.kubernetes.api import Api, away_error
from cluster.kubernetes.manifests import condition
from cluster.kubernetes.provider import Provider
from cluster.kubernetes.reflector import Reflector
from cluster.kubernetes.workloads import Workloads
from cluster.waiting import Seen, wait_for

_LEASES = f"/apis/coordination.k8s.io/v1/namespaces/{names.LEASES}/leases"
_DISK_PRESSURE = "node.kubernetes.io/disk-pressure"
_READY_SECONDS = 60.0
_LOST_SECONDS = 60.0
_WITNESS_SECONDS = 30.0
_EVICTED_SECONDS = 180.0  # a kubelet looks at its disk every ten, and evicts a pod at a time


class Waits:
    """Each is bounded, and raises `PartsAway` where it would be in vain."""

    def __init__(
        self, api: Api, provider: Provider, nodes: Reflector, workloads: Workloads
    ) -> None:
        self._api, self._provider = api, provider
        self._nodes, self._workloads = nodes, workloads

    def known(self, node: str) -> None:
        """Raises `UnknownSubject` where the API has no such node now."""
        if self._nodes.get(node) is None:
            known = ", ".join(sorted(item["metadata"]["name"] for item in self._nodes.all()))
            raise UnknownSubject(f"no node {node!r}", hint=f"nodes: {known}")

    def witnesses(self, otherwise: str) -> None:
        """Those that are started again are waited for; who is stopped may stay so."""

        def look() -> Seen:
            self._provider.check()
            away = self._provider.witnesses()
            if any(part.outlook is Outlook.STOPPED for part in away):
                raise away_error(away, otherwise)
            return Seen(not away, "; ".join(map(str, away)))

        wait_for("the control plane", look, _WITNESS_SECONDS, error=PartsAway)

    def schedulable(self, name: str) -> None:
        """Ready, and the taints of its absence taken off, so that pods can be placed."""

        def look() -> Seen:
            self._needs(f"nobody sees node {name} Ready", name)
            document = self._nodes.get(name)
            if document is None:
                return Seen(False, "not registered")
            ready = condition(document, "Ready")
            taints = [taint["key"] for taint in document["spec"].get("taints", ())]
            text = f"Ready={ready or 'unknown'}, taints: {', '.join(taints) or 'none'}"
            return Seen(ready == "True" and not taints, text)

        pause = self._nodes.pause
        wait_for(f"node {name} Ready", look, _READY_SECONDS, every_seconds=0.1, pause=pause)

    def evicted(self, name: str) -> None:
        """No pod of a workload is there, and none will be placed there."""

        def look() -> Seen:
            self._needs(f"nobody sees what becomes of node {name}", name)
            document = self._nodes.get(name)
            taints = document["spec"].get("taints", ()) if document is not None else ()
            held = any(taint["key"] == _DISK_PRESSURE for taint in taints)
            there = [pod.name for pod in self._workloads.pods() if pod.node == name]
            said = "its disk is full" if held else "its disk is not said to be full"
            return Seen(held and not there, f"{said}; pods: {', '.join(there) or 'none'}")

        wait_for(f"the pods of {name} to go", look, _EVICTED_SECONDS, every_seconds=0.2)

    def renewed(self, name: str) -> None:
        """Its kubelet speaks: what the API says of the node is no longer of an earlier one."""

        def renewed() -> str:
            lease = self._api.get(f"{_LEASES}/{name}")
            return str(lease["spec"].get("renewTime"))

        before = renewed()

        def look() -> Seen:
            self._needs(f"nobody sees node {name} Ready", name)
            return Seen(renewed() != before, f"its lease is of {before}")

        wait_for(f"the lease of {name}", look, _READY_SECONDS, every_seconds=0.1)

    def lost(self, name: str) -> None:
        """Somebody has seen that it is not Ready any more; raises `NodeLost` where nobody has."""

        def look() -> Seen:
            self._needs(f"nobody sees the loss of node {name}", name)
            document = self._nodes.get(name)
            ready = condition(document, "Ready") if document else "gone"
            return Seen(ready != "True", f"Ready={ready}")

        wait_for(
            f"loss of node {name} noticed",
            look,
            _LOST_SECONDS,
            every_seconds=0.1,
            error=NodeLost,
            pause=self._nodes.pause,
        )

    def _needs(self, otherwise: str, node: str) -> None:
        """Raises `PartsAway` where a wait for that node would be in vain: one of those is stopped
        by which the node, or its loss, is seen."""
        self._provider.check(node)
        own = [part for part in self._provider.ended() if part.node == node]
        away = [*self._provider.witnesses(), *own]
        if any(part.outlook is Outlook.STOPPED for part in away):
            raise away_error(away, otherwise)
