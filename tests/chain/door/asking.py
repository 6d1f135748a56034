"""What the door is asked, with exactly the headers and bytes that are given."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit


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
