"""No web page gets in."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from devnet.chain import Anvil
from devnet.chain.door import RpcDoor
from devnet.chain.origins import bar
from tests.chain.door.asking import asked, request


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:3000"},
        {"Origin": "null"},
        {"Host": "evil.example:8545"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": ""},
        {"Host": "["},
        {"Origin": "http://["},
    ],
)
def test_no_page_gets_in(door: RpcDoor, headers: dict[str, str]) -> None:
    for content in ("application/json", "text/plain"):
        status, found, _ = asked(
            door.url, request("eth_chainId"), {"Content-Type": content} | headers
        )
        assert status == 403
        assert not [name for name in found if name.startswith("access-control")]
    asks = {"Access-Control-Request-Method": "POST", "Origin": "https://evil.example"}
    status, found, _ = asked(door.url, b"", asks | headers, method="OPTIONS")
    assert status == 403
    assert not [name for name in found if name.startswith("access-control")]


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": "chrome-extension://abc"}, {"Host": "localhost:1"}, {"Host": "[::1]:8545"}],
)
def test_who_is_no_page_gets_in(door: RpcDoor, headers: dict[str, str]) -> None:
    status, _, answer = asked(door.url, request("eth_chainId"), headers)
    assert (status, answer["result"]) == (200, "0x7a69")
    assert bar({"Host": "localhost", **headers}) == ""


def test_the_node_itself_tells_no_page_that_it_may(node: Anvil) -> None:
    origin = {"Origin": "https://evil.example"}
    asks = {"Access-Control-Request-Method": "POST", **origin}
    for method, headers in (("OPTIONS", asks), ("POST", origin)):
        _, found, _ = asked(node.url, request("eth_chainId"), headers, method=method)
        assert not [name for name in found if name.startswith("access-control")]
    # What a page may send without asking first, the node does not take.
    _, _, answer = asked(node.url, request("evm_mine"), {"Content-Type": "text/plain", **origin})
    assert answer["error"]["message"] == "Invalid request"


def test_no_page_gets_a_websocket(door: RpcDoor) -> None:
    async def knock() -> int:
        async with aiohttp.ClientSession() as session:
            try:
                await session.ws_connect(
                    door.url.replace("http", "ws"), headers={"Origin": "https://evil.example"}
                )
            except aiohttp.WSServerHandshakeError as refused:
                return refused.status
            return 0

    assert asyncio.run(knock()) == 403
