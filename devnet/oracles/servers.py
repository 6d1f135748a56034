"""A local HTTP server a vendor, which answers as the vendor does, with prices one can set."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from types import TracebackType
from typing import Self

from aiohttp import web

from cluster.faults import FaultKind
from devnet.base.errors import UsageError
from devnet.base.loop import LoopThread
from devnet.oracles import replica
from devnet.oracles.faults import PUBLISHED
from devnet.oracles.prices import Resource
from devnet.oracles.replica.answer import refused
from devnet.oracles.vendors import VENDORS, Vendor

BPS = 10_000
_IDLE_SECONDS = 30.0
_END_SECONDS = 0.5  # for a request that is being answered
_BACKLOG = 128
_DEAREST_USD = Decimal(1000)  # of one unit; wrong decimals on top still fit a document


class PriceServers:
    """Context manager that owns the servers (127.0.0.1, free ports); thread-safe.

    A price is USD per unit of the resource, as `Decimal` or its text. Each vendor can only say
    whole steps (AWS ten decimals of its unit, Google nine, Azure twelve).
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._prices = {vendor: dict(vendor.prices) for vendor in VENDORS.values()}
        self._faults: dict[Vendor, FaultKind] = {}
        self._frozen: dict[Vendor, dict[Resource, Decimal]] = {}
        self._servers: dict[Vendor, _Server] = {}
        self._loop: LoopThread | None = None

    def __enter__(self) -> Self:
        self._loop = LoopThread("price servers")
        self._loop.start()
        try:
            for vendor in VENDORS.values():
                self._servers[vendor] = _Server(self._answerer(vendor), self._loop)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def alive(self) -> bool:
        """Whether their thread is there to answer, or was not asked for yet."""
        return self._loop is None or self._loop.is_alive()

    def base_url(self, vendor: Vendor) -> str:
        return self._servers[vendor].base_url

    def price(self, vendor: Vendor, resource: Resource) -> Decimal:
        """The vendor's true price, whatever fault hides it."""
        with self._lock:
            return self._prices[vendor][resource]

    def set_price(self, vendor: Vendor, resource: Resource, usd: Decimal | str) -> None:
        """Raises `UsageError` for a price out of range or finer than the vendor's documents say."""
        price, step = _decimal(usd), vendor.steps[resource]
        if not step <= price <= _DEAREST_USD:
            raise UsageError(
                f"price of {resource} at {vendor}: {usd} USD is not in {step:f}..{_DEAREST_USD} USD"
            )
        if price % step:
            nearest = _in_steps(price, step)
            raise UsageError(
                f"price of {resource} at {vendor}: {usd} USD is finer than its documents, which "
                f"go in steps of {step:f} USD",
                hint=f"use {nearest:f}",
            )
        with self._lock:
            self._prices[vendor][resource] = price

    def scale(self, vendor: Vendor, resource: Resource | None, bps: int) -> None:
        """Multiplies one price, or all of the vendor's, by bps/10 000, to the nearest step."""
        for each in Resource if resource is None else (resource,):
            step = vendor.steps[each]
            scaled = _in_steps(self.price(vendor, each) * bps / BPS, step)
            self.set_price(vendor, each, scaled)

    def fault(self, vendor: Vendor, kind: FaultKind) -> None:
        """From now on the vendor's service goes wrong this way; replaces an earlier fault.

        Its true prices can still be set meanwhile.
        """
        with self._lock:
            self._faults[vendor] = kind
            self._frozen[vendor] = dict(self._prices[vendor])

    def heal(self, vendor: Vendor) -> None:
        with self._lock:
            self._faults.pop(vendor, None)

    def _published(self, vendor: Vendor) -> replica.Prices | None:
        """What the documents say now; None when there are no documents."""
        with self._lock:
            prices = dict(self._prices[vendor])
            kind = self._faults.get(vendor)
            if kind is None:
                return prices
            return PUBLISHED[kind.name](kind, prices, self._frozen[vendor])

    def _answerer(self, vendor: Vendor) -> _Answerer:
        def answer(asked: replica.Asked) -> replica.Answer:
            prices = self._published(vendor)
            if prices is None:
                return refused(503, "the service is unavailable")
            return vendor.answer(asked, prices)

        return answer

    def _stop(self) -> None:
        if self._loop is None or not self._loop.is_alive():
            return
        try:
            for server in self._servers.values():
                server.stop()
        finally:
            self._servers.clear()
            self._loop.stop()


_Answerer = Callable[[replica.Asked], replica.Answer]


class _Server:
    """One vendor's HTTP server on a loop that it shares; a connection costs no thread."""

    def __init__(self, answer: _Answerer, loop: LoopThread) -> None:
        self._answer, self._loop = answer, loop
        self._http, self._listening = loop.call(self._listen())
        host, port = self._listening.sockets[0].getsockname()[:2]
        self.base_url = f"http://{host}:{port}"

    def stop(self) -> None:
        self._loop.call(self._close())

    async def _listen(self) -> tuple[web.Server, asyncio.Server]:
        loop = asyncio.get_running_loop()
        http = web.Server(self._handle, keepalive_timeout=_IDLE_SECONDS)
        return http, await loop.create_server(http, "127.0.0.1", 0, backlog=_BACKLOG)

    async def _close(self) -> None:
        self._listening.close()
        for connection in self._http.connections:
            connection.force_close()
        await asyncio.sleep(0)  # they let go of their tasks
        await self._http.shutdown(_END_SECONDS)  # none at all, as 0, would be without end

    async def _handle(self, request: web.BaseRequest) -> web.Response:
        if request.method != "GET":
            return web.Response(status=405, headers={"Allow": "GET"})
        found = self._answer(replica.Asked(request.path, dict(request.query), self.base_url))
        return web.Response(text=found.body, status=found.status, content_type="application/json")


def _decimal(usd: Decimal | str) -> Decimal:
    try:
        price = Decimal(usd)
    except InvalidOperation as error:
        raise UsageError(f"{usd!r} is no price in USD") from error
    if not price.is_finite():
        raise UsageError(f"{usd!r} is no price in USD")
    return price


def _in_steps(price: Decimal, step: Decimal) -> Decimal:
    return (price / step).to_integral_value(ROUND_HALF_EVEN) * step
