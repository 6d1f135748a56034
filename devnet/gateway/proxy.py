"""Passes one request to a pod and its answer back; tries another pod where that is safe."""

from __future__ import annotations

import aiohttp
from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from devnet.gateway.route import PodAddress, PodsUnknown, Route

POD_HEADER = "X-Kompute-Pod"
_CHUNK_BYTES = 64 * 2**10
_LOOKS = 2  # the first list may be a moment old, and all its pods replaced since

# RFC 9110, 9.2.2: these may be sent again when no answer came
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})

# RFC 9110, 7.6.1: they are about one connection, and so not passed on
_HOP_BY_HOP = frozenset(
    {
        "connection",
        "expect",  # answered by the gateway, which reads the whole body first
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


class Proxy:
    """The request handler of one order."""

    def __init__(self, route: Route, session: aiohttp.ClientSession) -> None:
        self._route = route
        self._session = session

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """A pod's answer with `X-Kompute-Pod`, or the gateway's own as JSON.

        503 no pod is ready; 502 none of those tried answered; 504 the answer took too long;
        413 the body is above the limit.
        """
        if not request.raw_path.startswith("/"):
            return self._refuse(400, "path-not-absolute", [])  # else it could name another host
        body = await request.read()
        tried: dict[PodAddress, str] = {}
        for _ in range(_LOOKS):
            try:
                candidates = await self._route.candidates()
            except PodsUnknown as error:
                return self._refuse(503, "pods-unknown", [str(error)])
            for pod in candidates:
                if pod in tried:
                    continue
                try:
                    answer = await self._ask(pod, request, body)
                except (aiohttp.ClientError, TimeoutError) as error:
                    tried[pod] = f"{pod[2]}: {type(error).__name__}: {error}"
                    self._route.forget(pod)
                    if not _may_try_again(request.method, error):
                        status = 504 if isinstance(error, TimeoutError) else 502
                        return self._refuse(status, "pod-failed", list(tried.values()))
                else:
                    return await self._pass_back(pod, request, answer)
        if not tried:
            return self._refuse(503, "no-ready-pod", [])
        return self._refuse(502, "no-pod-answered", list(tried.values()))

    async def _ask(
        self, pod: PodAddress, request: web.Request, body: bytes
    ) -> aiohttp.ClientResponse:
        host, port, _ = pod
        # the path as it came: neither decoded nor normalised on the way
        url = URL(f"http://{host}:{port}{request.raw_path}", encoded=True)
        return await self._session.request(
            request.method,
            url,
            headers=_end_to_end(request.headers),
            data=body or None,
            allow_redirects=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        )

    async def _pass_back(
        self, pod: PodAddress, request: web.Request, answer: aiohttp.ClientResponse
    ) -> web.StreamResponse:
        name = pod[2]
        headers = _end_to_end(answer.headers)
        headers[POD_HEADER] = name
        response = web.StreamResponse(status=answer.status, reason=answer.reason, headers=headers)
        async with answer:
            self._route.counts[name] += 1
            await response.prepare(request)
            if request.method != "HEAD":
                # an answer that breaks off here breaks off for the client too: the exception
                # closes its connection, as there is no status left to change
                async for chunk in answer.content.iter_chunked(_CHUNK_BYTES):
                    await response.write(chunk)
            await response.write_eof()
        return response

    def _refuse(self, status: int, error: str, tried: list[str]) -> web.Response:
        document = {"error": error, "order": self._route.order_id, "tried": tried}
        headers = {"Retry-After": "1"} if status == 503 else None
        return web.json_response(document, status=status, headers=headers)


def _may_try_again(method: str, error: Exception) -> bool:
    """Whether another pod may get the request: it had no effect yet, or may have it twice.

    A time-out of the whole answer is final: the client has waited long enough.
    """
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        return True  # no pod has seen it
    return method in _IDEMPOTENT and not isinstance(error, TimeoutError)


def _end_to_end(headers: CIMultiDictProxy[str]) -> CIMultiDict[str]:
    named = {
        name.strip().lower()
        for value in headers.getall("Connection", [])
        for name in value.split(",")
    }
    kept: CIMultiDict[str] = CIMultiDict()
    for name, value in headers.items():
        if name.lower() not in _HOP_BY_HOP and name.lower() not in named:
            kept.add(name, value)
    return kept
