"""Calls at the latest block that a new block overtook: they are asked again.

The node first takes the number of the latest block and then looks for its state. Where it keeps the
head's alone and a block is mined between the two, it answers that the state is out of range, once
in a hundred calls while blocks come fast (tried).
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeGuard

from devnet.chain.kept import BLOCK_AT, STATES

MOST_TRIES: Final = 8  # at one in a hundred, none is left
_CODE: Final = -32602
_SAID: Final = "BlockOutOfRangeError"
_LATEST: Final = frozenset({None, "", "latest", "pending"})
# They read an account's state before they do anything, and name no block.
_UNSIGNED: Final = frozenset({"eth_fillTransaction", "eth_sendTransaction"})
# What counts may be on its way to the node by a WebSocket, which another request would overtake.
_COUNTS: Final = "eth_getTransactionCount"

Ask = Callable[[bytes], Awaitable[tuple[int, bytes]]]
"""A request's body in; the node's HTTP status and answer out."""


def asks_latest(method: object, params: object) -> bool:
    """Whether it is answered from the state of the block that is the latest then."""
    if not isinstance(method, str) or not isinstance(params, list | tuple):
        return False
    if method in _UNSIGNED:
        return True
    if method not in STATES:
        return False
    place = BLOCK_AT[method]
    given = params[place] if place < len(params) else None
    if isinstance(given, dict):
        if given.get("blockHash") is not None:
            return False
        given = given.get("blockNumber")
    return given is None or (isinstance(given, str) and given in _LATEST)


def is_overtaken(method: object, params: object, code: object, text: object) -> bool:
    """Whether a call may be asked again because of the error that it was answered with."""
    return code == _CODE and str(text).startswith(_SAID) and asks_latest(method, params)


def goes_by_http(call: object) -> TypeGuard[dict[str, Any]]:
    """Whether a WebSocket's call is asked by the other way, where it can be asked again."""
    if not isinstance(call, dict):
        return False
    method = call.get("method")
    return "id" in call and method != _COUNTS and asks_latest(method, call.get("params"))


async def persistently(ask: Ask, body: bytes) -> tuple[int, bytes]:
    """The node's answer; of a batch, only the calls that were overtaken are asked again."""
    status, answer = await ask(body)
    if _SAID.encode() not in answer:
        return status, answer
    try:
        asked, answered = json.loads(body), json.loads(answer)
    except (ValueError, RecursionError):
        return status, answer
    is_batch = isinstance(answered, list)
    answers = answered if is_batch else [answered]
    calls = asked if isinstance(asked, list) else [asked]
    calls = [call for call in calls if isinstance(call, dict) and "id" in call]
    if [call["id"] for call in calls] != [found.get("id") for found in answers]:
        return status, answer
    for _ in range(MOST_TRIES - 1):
        places = [place for place, call in enumerate(calls) if _is_late(call, answers[place])]
        if not places:
            break
        again = [calls[place] | {"id": place} for place in places]
        _, heard = await ask(json.dumps(again).encode())
        found = json.loads(heard)
        if not isinstance(found, list):
            break
        for item in found:  # each has the place as its id
            answers[item["id"]] = item | {"id": calls[item["id"]]["id"]}
    return status, json.dumps(answers if is_batch else answers[0]).encode()


def _is_late(call: dict[str, Any], answer: dict[str, Any]) -> bool:
    error = answer.get("error")
    return isinstance(error, dict) and is_overtaken(
        call.get("method"), call.get("params"), error.get("code"), error.get("message")
    )
