"""Bodies of JSON-RPC requests, as far as they can be read, and the errors that answer them."""

from __future__ import annotations

import json
from typing import Any, Final

INTERNAL: Final = -32603


def document_of(body: bytes) -> object:
    """What a request says; None for nothing that can be read."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def identity_of(body: bytes) -> object:
    """Of the call that a request is; None where it is a batch, or nothing that can be read."""
    document = document_of(body)
    return document.get("id") if isinstance(document, dict) else None


def calls_of(body: bytes) -> list[dict[str, Any]]:
    """All that a request asks, as far as it can be read."""
    document = document_of(body)
    calls = document if isinstance(document, list) else [document]
    return [call for call in calls if isinstance(call, dict)]


def errors_of(body: bytes, message: str) -> object:
    """The answer to a request of which nothing is done: to a batch one for each of its calls."""
    errors = [error_of(call["id"], INTERNAL, message) for call in calls_of(body) if "id" in call]
    is_batch = bool(errors) and body.lstrip()[:1] == b"["
    return errors if is_batch else error_of(identity_of(body), INTERNAL, message)


def error_of(identity: object, code: int, message: str) -> dict[str, Any]:
    """An error in the place of an answer."""
    return {"jsonrpc": "2.0", "id": identity, "error": {"code": code, "message": message}}


def is_answered(message: bytes) -> bool:
    """Whether the node says anything to it: of calls without an id it does not."""
    document = document_of(message)
    calls = document if isinstance(document, list) else [document]
    return not calls or not all(map(is_notification, calls))


def is_notification(call: object) -> bool:
    """Whether nothing is said to it, be it an error (JSON-RPC 2.0, section 4.1). What only looks
    like one is none that the node knows, and is answered with that."""
    if not isinstance(call, dict) or "id" in call or call.get("jsonrpc", "2.0") != "2.0":
        return False
    params = call.get("params", [])
    return isinstance(call.get("method"), str) and isinstance(params, list | dict)
