"""What the door is asked, with exactly the headers and bytes that are given."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

from devnet.chain import Account, Transaction, sign


def asked(
    url: str, body: object, headers: dict[str, str] | None = None, method: str = "POST"
) -> tuple[int, dict[str, str], Any]:
    """Status, headers and answer of one request with exactly these headers."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        connection.request(
            method, "/", data, {"Content-Type": "application/json"} | (headers or {})
        )
        answer = connection.getresponse()
        text = answer.read()
        found = {name.lower(): value for name, value in answer.getheaders()}
        is_json = found.get("content-type", "").startswith("application/json")
        return answer.status, found, json.loads(text) if is_json else text.decode()
    finally:
        connection.close()


def request(method: str, *params: object, identity: object = 1) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": identity, "method": method, "params": list(params)}


def silent_calls(accounts: dict[str, Account], raw: bytes) -> list[dict[str, object]]:
    """Notifications: what the node does, what the door does for it, and what is refused for each
    of its reasons; one sends a transaction."""
    to = "0x" + "11" * 20
    hungry = "0x" + sign(accounts["account-1"], Transaction(0, to, gas=1 << 25)).hex()
    calls = [
        request("eth_chainId"),
        request("eth_getBalance", to, "latest"),
        request("eth_sendRawTransaction", "0x" + raw.hex()),
        request("eth_sendRawTransaction", hungry),
        request("eth_sendRawTransaction", "0x00"),
        request("eth_sendRawTransaction"),
        request("eth_signTransaction", {"from": to, "to": to}),
        request("eth_sendTransaction", {"from": to, "to": to, "gas": hex(1 << 25)}),
        request("eth_getFilterChanges", "0x1"),
        request("evm_mine"),
        request("no_such"),
    ]
    return [{name: value for name, value in call.items() if name != "id"} for call in calls]
