"""The pods bound to this node: watched, started, ended, and confirmed to be gone."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Iterator
from typing import Any

from cluster.native.agent import documents
from cluster.native.agent.api import API_TROUBLE, STRATEGIC, ApiAnswer, Document
from cluster.native.agent.pod import AgentPod, PodHome

_LOG = logging.getLogger(__name__)
_PODS = "/api/v1/pods"
_RELIST_SECONDS = 0.2
_FINISHED = ("Succeeded", "Failed")


class NodePods:
    """Runs what the API server binds to the node; `run` never ends by itself."""

    def __init__(self, home: PodHome) -> None:
        self._home = home
        self._pods: dict[str, AgentPod] = {}  # by uid
        self._leaving: dict[str, asyncio.Task[None]] = {}

    def __iter__(self) -> Iterator[AgentPod]:
        return iter(list(self._pods.values()))

    def find(self, namespace: str, name: str) -> AgentPod | None:
        """The pod of that name which came last."""
        found = None
        for pod in self._pods.values():
            if (pod.spec.namespace, pod.spec.name) == (namespace, name):
                found = pod
        return found

    async def run(self) -> None:
        """List and watch for ever; whatever goes wrong, list again."""
        selector = {"fieldSelector": f"spec.nodeName={self._home.node}"}
        while True:
            try:
                listing = await self._home.api.get(_PODS, **selector)
                self._adopt(listing["items"])
                version = listing["metadata"]["resourceVersion"]
                events = self._home.api.watch(_PODS, resourceVersion=version, **selector)
                async for kind, pod in events:
                    if kind in ("ADDED", "MODIFIED"):
                        self._wished(pod)
                    elif kind == "DELETED":
                        self._gone(pod["metadata"]["uid"])
            except API_TROUBLE as error:
                _LOG.warning("pods: %r, listing again", error)
            await asyncio.sleep(_RELIST_SECONDS)

    async def close(self, grace_seconds: float) -> None:
        """End every pod; the API server is not told, since the node itself goes."""
        leaving = tuple(self._leaving.values())
        for task in leaving:
            task.cancel()
        await asyncio.gather(*leaving, return_exceptions=True)
        await asyncio.gather(*(pod.finish(grace_seconds) for pod in self._pods.values()))

    def _adopt(self, items: list[Document]) -> None:
        present = {pod["metadata"]["uid"] for pod in items}
        for uid in [uid for uid in self._pods if uid not in present]:
            self._gone(uid)
        for pod in items:
            self._wished(pod)

    def _wished(self, pod: Document) -> None:
        about = pod["metadata"]
        uid = about["uid"]
        if "deletionTimestamp" in about:
            self._leave(uid, pod)
        elif uid not in self._pods and pod.get("status", {}).get("phase") not in _FINISHED:
            self._start(pod)

    def _start(self, pod: Document) -> None:
        status = pod.get("status", {})
        earlier = status.get("containerStatuses") or [{}]
        try:
            spec = documents.pod_spec(pod)
            if earlier[0].get("containerID") and not spec.restarts:
                raise documents.BadPod("its node was lost while it ran")
        except documents.BadPod as error:
            self._let_go(pod["metadata"]["uid"], self._refuse(pod, str(error)))
            return
        # A pod that an earlier agent of this node ran has been restarted by that agent's end.
        restarts = int(earlier[0].get("restartCount", 0)) + bool(earlier[0].get("containerID"))
        mine = AgentPod(self._home, spec, restarts=restarts)
        self._pods[spec.uid] = mine
        mine.start()

    def _leave(self, uid: str, pod: Document) -> None:
        if uid not in self._leaving:
            self._let_go(uid, self._finish(uid, pod))

    def _let_go(self, uid: str, ending: Coroutine[Any, Any, None]) -> None:
        """Carry out a pod's end; its task is kept for as long as it runs."""
        task = asyncio.create_task(ending)
        self._leaving[uid] = task

        def ended(_: asyncio.Task[None]) -> None:
            if self._leaving.get(uid) is task:
                del self._leaving[uid]
            if not task.cancelled() and (error := task.exception()) is not None:
                _LOG.error("the end of pod %s: %r", uid, error)

        task.add_done_callback(ended)

    async def _finish(self, uid: str, pod: Document) -> None:
        """Graceful deletion: end the process, then let the API server forget the pod."""
        about = pod["metadata"]
        mine = self._pods.get(uid)
        if mine is not None:
            await mine.finish(float(about.get("deletionGracePeriodSeconds") or 0))
        path = f"/api/v1/namespaces/{about['namespace']}/pods/{about['name']}"
        while True:
            try:
                await self._home.api.delete_now(path, uid)
                break
            except API_TROUBLE as error:
                _LOG.warning("pod %s stays for now: %r", about["name"], error)
                await asyncio.sleep(_RELIST_SECONDS)
        self._pods.pop(uid, None)

    def _gone(self, uid: str) -> None:
        """Deleted with grace 0 by somebody else: nothing is left to report to."""
        mine = self._pods.pop(uid, None)
        if mine is not None and uid not in self._leaving:
            self._let_go(uid, mine.finish(0))

    async def _refuse(self, pod: Document, why: str) -> None:
        about = pod["metadata"]
        path = f"/api/v1/namespaces/{about['namespace']}/pods/{about['name']}/status"
        body = {"status": documents.refused("CannotRun", why)}
        try:
            await self._home.api.patch(path, body, STRATEGIC)
        except ApiAnswer as error:
            _LOG.warning("pod %s: %s", about["name"], error)
