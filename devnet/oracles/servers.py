"""A local HTTP server a vendor, which answers as the vendor does, with prices one can set."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, urlsplit

from cluster.faults import FaultKind
from devnet.base.errors import UsageError
from devnet.oracles import replica
from devnet.oracles.faults import PUBLISHED
from devnet.oracles.prices import Resource
from devnet.oracles.replica.answer import refused
from devnet.oracles.vendors import VENDORS, Vendor

BPS = 10_000
_JOIN_SECONDS = 5.0
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

    def __enter__(self) -> Self:
        try:
            for vendor in VENDORS.values():
                self._servers[vendor] = _Server(self._answerer(vendor))
        except OSError:
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

    def silent(self) -> tuple[str, ...]:
        """The vendors whose server's thread is not there any more."""
        return tuple(
            vendor.name for vendor, server in tuple(self._servers.items()) if not server.alive()
        )

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
        for server in self._servers.values():
            server.stop()
        self._servers.clear()


_Answerer = Callable[[replica.Asked], replica.Answer]


class _Server:
    """One HTTP server and its thread."""

    def __init__(self, answer: _Answerer) -> None:
        self._http = _HttpServer(("127.0.0.1", 0), _handler(answer))
        self.base_url = f"http://127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(
            target=self._http.serve_forever,
            kwargs={"poll_interval": 0.02},
            name="price-server",
            daemon=True,
        )
        self._thread.start()

    def alive(self) -> bool:
        return self._thread.is_alive()

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(_JOIN_SECONDS)


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = True  # a reader that keeps its connection open must not hold up the end
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """A reader that went away is no event of ours."""


def _handler(answer: _Answerer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body leave in one segment
        timeout = 30

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            host, port = self.connection.getsockname()[:2]
            asked = replica.Asked(parts.path, dict(parse_qsl(parts.query)), f"http://{host}:{port}")
            found = answer(asked)
            body = found.body.encode()
            self.send_response(found.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def setup(self) -> None:
            self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            super().setup()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Requests are counted by those who make them."""

    return Handler


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
