"""The node's own HTTPS server: logs, exec, metrics, as the API server and metrics-server ask."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

from aiohttp import web

from cluster.native.agent import metrics
from cluster.native.agent.config import AgentConfig
from cluster.native.agent.exec import serve_exec
from cluster.native.agent.limits import NodeLimits
from cluster.native.agent.pod import AgentPod
from cluster.native.agent.pods import NodePods
from cluster.process_pod import HOST

_FOLLOW_SECONDS = 0.1
_CHUNK_BYTES = 64 << 10


class Kubelet:
    """Serves on `kubelet_port` to holders of a certificate of the kubelet client CA."""

    def __init__(self, config: AgentConfig, limits: NodeLimits, pods: NodePods) -> None:
        self._config, self._limits, self._pods = config, limits, pods
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        config = self._config
        context = ssl.create_default_context(
            ssl.Purpose.CLIENT_AUTH, cafile=str(config.kubelet_client_ca_file)
        )
        context.load_cert_chain(config.serving_cert_file, config.serving_key_file)
        context.verify_mode = ssl.CERT_REQUIRED
        app = web.Application()
        app.add_routes(
            [
                web.get("/healthz", self._health),
                web.get("/pods", self._list),
                web.get("/metrics/resource", self._metrics),
                web.get("/containerLogs/{namespace}/{pod}/{container}", self._logs),
                web.get("/exec/{namespace}/{pod}/{container}", self._exec),
                web.post("/exec/{namespace}/{pod}/{container}", self._exec),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, config.kubelet_port, ssl_context=context).start()

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _health(self, _request: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def _list(self, _request: web.Request) -> web.Response:
        items = [
            {
                "metadata": {
                    "namespace": pod.spec.namespace,
                    "name": pod.spec.name,
                    "uid": pod.spec.uid,
                },
                "running": pod.running,
            }
            for pod in self._pods
        ]
        return web.json_response({"kind": "PodList", "apiVersion": "v1", "items": items})

    async def _metrics(self, _request: web.Request) -> web.Response:
        node, pods = metrics.collect(self._limits, self._pods)
        return web.Response(text=metrics.text(node, pods), content_type="text/plain")

    def _pod(self, request: web.Request) -> AgentPod:
        where = request.match_info
        pod = self._pods.find(where["namespace"], where["pod"])
        if pod is None or pod.spec.container != where["container"]:
            raise web.HTTPNotFound(text=f"no container {'/'.join(where.values())} on this node\n")
        return pod

    async def _logs(self, request: web.Request) -> web.StreamResponse:
        pod = self._pod(request)
        query = request.query
        follow = query.get("follow") in ("true", "1")
        tail = int(query["tailLines"]) if "tailLines" in query else None
        left = int(query.get("limitBytes", 1 << 62))
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        async for chunk in _read_log(pod, tail, follow=follow):
            await response.write(chunk[:left])
            left -= len(chunk)
            if left <= 0:
                break
        await response.write_eof()
        return response

    async def _exec(self, request: web.Request) -> web.StreamResponse:
        pod = self._pod(request)
        if not pod.running:
            raise web.HTTPConflict(text=f"pod {pod.spec.name} is not running\n")
        return await serve_exec(request, pod.command(), self._limits.join(pod.key))


async def _read_log(pod: AgentPod, tail: int | None, *, follow: bool) -> AsyncIterator[bytes]:
    if not pod.log.exists():
        if not follow:
            return
        pod.log.touch()
    with pod.log.open("rb") as log:
        log.seek(tail_offset(pod.log, tail))
        while True:
            over = not follow or pod.ended
            while chunk := log.read(_CHUNK_BYTES):
                yield chunk
            if over:
                return
            await asyncio.sleep(_FOLLOW_SECONDS)


def tail_offset(path: Path, lines: int | None) -> int:
    """Where the last `lines` lines of a file begin; 0 for all of it."""
    if lines is None:
        return 0
    data = path.read_bytes()
    if lines == 0:
        return len(data)
    position = len(data) - data.endswith(b"\n")
    for _ in range(lines):
        position = data.rfind(b"\n", 0, position)
        if position < 0:
            return 0
    return position + 1
