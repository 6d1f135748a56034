"""The gateway's process side: its thread, its event loop, one listening socket per order."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import web

from devnet.base.errors import StartFailed, UsageError
from devnet.base.loop import LoopThread
from devnet.gateway.proxy import Proxy
from devnet.gateway.route import Pods, Route

_IDLE_SECONDS = 15.0  # a pod's connection is kept that long, below the pods' own limits


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one request. `connect` and `list_pods` apply to each try, `answer` to the whole."""

    connect_seconds: float = 2.0
    answer_seconds: float = 30.0
    list_pods_seconds: float = 5.0
    body_bytes: int = 8 * 2**20


@dataclass(slots=True)
class _Open:
    route: Route
    runner: web.AppRunner
    url: str


class Gateway:
    """Context manager; its methods may be called from any thread.

    `expose` gives an order its URL, `close` takes it away; `counts` stay until the end.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._thread = LoopThread("gateway")
        self._open: dict[int, _Open] = {}
        self._routes: dict[int, Route] = {}
        self._session: aiohttp.ClientSession | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        self._session = self._thread.call(self._connect())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self.alive():
            return
        try:
            self._thread.call(self._shut())
        finally:
            self._thread.stop()

    def alive(self) -> bool:
        """Whether its thread is there to answer."""
        return self._thread.is_alive()

    def expose(self, order_id: int, pods: Pods, *, port: int = 0) -> str:
        """The order's URL, e.g. `http://127.0.0.1:40123`; port 0 takes a free one.

        `pods` lists the order's Ready pods; it is called in a thread, at most ten times a second.
        Raises `UsageError` when the order is exposed already, `StartFailed` when the port is taken.
        """
        return self._thread.call(self._expose(order_id, pods, port))

    def close(self, order_id: int) -> None:
        """Stops answering for the order; an order that is not exposed is no error."""
        self._thread.call(self._close(order_id))

    def url(self, order_id: int) -> str | None:
        found = self._open.get(order_id)
        return found.url if found else None

    def counts(self, order_id: int) -> dict[str, int]:
        """How many requests each pod answered, by its name; also after `close`."""
        route = self._routes.get(order_id)
        return dict(route.counts) if route else {}

    async def _connect(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_IDLE_SECONDS),
            timeout=aiohttp.ClientTimeout(
                total=self._limits.answer_seconds, sock_connect=self._limits.connect_seconds
            ),
            auto_decompress=False,  # bytes pass as the pod sent them
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        )

    async def _expose(self, order_id: int, pods: Pods, port: int) -> str:
        if order_id in self._open:
            raise UsageError(f"order {order_id} has an address already")
        assert self._session is not None
        route = Route(order_id, pods, self._limits.list_pods_seconds)
        route.counts = self._routes[order_id].counts if order_id in self._routes else route.counts
        proxy = Proxy(route, self._session)
        app = web.Application(client_max_size=self._limits.body_bytes)
        app.router.add_route("*", "/{path:.*}", proxy.handle)
        runner = web.AppRunner(
            app,
            access_log=None,
            shutdown_timeout=1.0,
            auto_decompress=False,  # and as the client sent them
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port, backlog=512).start()
        except OSError as error:
            await runner.cleanup()
            raise StartFailed(f"order {order_id}: port {port} is not free ({error})") from error
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        self._open[order_id] = _Open(route, runner, url)
        self._routes[order_id] = route
        return url

    async def _close(self, order_id: int) -> None:
        found = self._open.pop(order_id, None)
        if found is not None:
            await found.runner.cleanup()

    async def _shut(self) -> None:
        await asyncio.gather(*(self._close(order_id) for order_id in list(self._open)))
        if self._session is not None:
            await self._session.close()
