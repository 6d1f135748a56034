"""How much of a block strangers may fill: the gas of all that they have waiting is bounded.

What is sent waits in the node's pool for the next block, which has room for 178 transactions of the
largest size. Where those do nothing but call, 3 000 M gas are 22 s of mining, in which nothing else
happens, and 8.8 GB of calls that the node remembers; 151 M are 1.1 s and 450 MB, MOST_WAITING_GAS
is 0.5 s and 210 MB (tried, the first by proportion). No block has more gas of strangers that came
by the door than can be followed.

What waits behind a missing nonce counts as well, since whoever sends that one has it all mined at
once; but no more than half may wait so, or it would hold back everybody else for good. A quarter is
kept for small transactions.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence, Set
from typing import Any, Final

from devnet.chain.gas_bounds import MOST_SENT_GAS, MOST_WAITING_GAS, number, raw_of, with_gas
from devnet.chain.signer import sender_of
from devnet.chain.transaction import read_raw

Ask = Callable[[bytes], Awaitable[tuple[int, bytes]]]
"""A request's body in; the node's HTTP status and answer out."""

Outcome = dict[str, Any]
"""An answer's `result` or `error`."""

Whole = Callable[[Coroutine[Any, Any, Outcome]], Awaitable[Outcome]]
"""Waits for what comes also where whoever waits for it is cut off."""

Key = tuple[str, int]
"""An account, lower-case, and a nonce of it."""

FULL: Final = -32003  # a transaction that is not taken, in the node's own numbers
SMALL_GAS: Final = 1_000_000
_BAD_PARAMETERS: Final = -32602
_RAW: Final = re.compile(r"eth_sendRawTransaction\w*")
_UNSIGNED: Final = re.compile(r"eth_(send|fill|sign)Transaction\w*")
_ON_ITS_WAY_SECONDS: Final = 2.0  # by then the node has it, or it never will


class Waiting:
    """What strangers have sent and no block holds yet; used by one event loop."""

    def __init__(self, ask: Ask, most_gas: int = MOST_WAITING_GAS, *, whole: Whole) -> None:
        self._ask, self._most, self._whole = ask, most_gas, whole
        self._sent: dict[Key, tuple[int, float]] = {}  # gas limit and since when
        self._coming: dict[int, tuple[Key, int, float]] = {}  # the same, until it is answered
        self._count = 0
        self._deciding = asyncio.Lock()

    async def answer(self, call: dict[str, Any]) -> dict[str, Any] | None:
        """The answer to a call that sends or signs; None for all others.

        The node is asked for what was read here and for nothing else.
        """
        method, params = str(call.get("method")), call.get("params")
        if _RAW.fullmatch(method):
            return _answered(call, await self._signed_by_sender(method, params))
        if _UNSIGNED.fullmatch(method):
            listed = params if isinstance(params, list) else [params]
            if listed and isinstance(listed[0], dict):
                return _answered(call, await self._signed_there(method, listed[0], listed[1:]))
        return None  # the node says what is wrong with it

    async def _signed_by_sender(self, method: str, params: Any) -> dict[str, Any]:
        try:
            raw = raw_of(params)
            payload, sender = read_raw(raw), sender_of(raw)
        except ValueError as unread:
            text = f"{method}: not the bytes of one signed transaction: {unread}"
            return {"error": {"code": _BAD_PARAMETERS, "message": text}}
        key = sender, payload.nonce
        return await self._send(method, key, payload.gas, ["0x" + raw.hex(), *params[1:]])

    async def _signed_there(
        self, method: str, asked: dict[str, Any], rest: Sequence[object]
    ) -> dict[str, Any]:
        """What the node signs itself, with a gas limit that is within the bound."""
        gas = with_gas(asked)
        if gas is None:
            estimated = await self._result("eth_estimateGas", [asked | {"gas": hex(MOST_SENT_GAS)}])
            if "result" not in estimated and method == "eth_fillTransaction":
                return estimated
            # The node takes all there is for what it cannot estimate, as with its own bound.
            gas = int(estimated.get("result", hex(MOST_SENT_GAS)), 16)
        asked = asked | {"gas": hex(gas)}  # it reads no gasLimit
        if not method.startswith("eth_send"):
            return await self._result(method, [asked, *rest])
        sender, nonce = str(asked.get("from")).lower(), number(asked.get("nonce"))
        key = sender, await self._nonce(sender) if nonce is None else nonce
        return await self._send(method, key, gas, [asked, *rest])

    async def _send(
        self, method: str, key: Key, gas: int, params: Sequence[object]
    ) -> dict[str, Any]:
        async with self._deciding:
            full = await self._full(key, gas)
            if full:
                return {"error": {"code": FULL, "message": f"{method}: txpool is full: {full}"}}
            self._count += 1
            place = self._count
            self._coming[place] = key, gas, time.monotonic()
        outcome: dict[str, Any] = {"result": None}  # whoever is cut off may have sent it
        try:
            sending = self._result(method, params)
            # The node has a Sync in its pool at once, and answers when it is mined.
            outcome = await (sending if method.endswith("Sync") else self._whole(sending))
            if not _RAW.fullmatch(method) and isinstance(outcome.get("result"), str):
                key = await self._as_signed(outcome["result"]) or key
        finally:
            self._coming.pop(place, None)
            if "result" in outcome:
                self._sent[key] = gas, time.monotonic()
        return outcome

    async def _nonce(self, sender: str) -> int:
        """The first nonce that an account has neither used nor waiting."""
        params = [sender, "pending"]
        nonce = (await self._result("eth_getTransactionCount", params)).get("result")
        return int(nonce, 16) if isinstance(nonce, str) else 0

    async def _as_signed(self, transaction: str) -> Key | None:
        """The account and the nonce that the node took for it."""
        found = (await self._result("eth_getTransactionByHash", [transaction])).get("result")
        if not isinstance(found, dict):
            return None
        return str(found["from"]).lower(), int(found["nonce"], 16)

    async def _full(self, key: Key, gas: int) -> str:
        """Why there is no room for it; empty where there is."""
        if self._gas() + gas <= self._most // 2:
            return ""
        behind = await self._look()
        if behind is None:
            return "the chain does not say what waits"
        total = self._gas() - self._gas_of({key})  # which it replaces
        room = self._most if gas <= SMALL_GAS else self._most * 3 // 4
        if total + gas > room:
            above = "" if room == self._most else f" of more than {SMALL_GAS} each"
            return (
                f"transactions of {total} gas wait for a block, with this one's {gas} more than "
                f"the {room} that may{above}; when a block has taken them, send it again "
                "(devnet up --open-rpc lets everything through)"
            )
        waiting, half = self._gas_of(behind), self._most // 2
        if waiting + gas > half and (due := await self._nonce(key[0])) < key[1]:
            return (
                f"transactions of {waiting} gas wait behind nonces that are missing, with this "
                f"one's {gas} more than the {half} that may; the next of {key[0]} is {due}: send "
                "that first"
            )
        return ""

    def _gas(self) -> int:
        coming = sum(gas for _, gas, _ in self._coming.values())
        return coming + sum(gas for gas, _ in self._sent.values())

    def _gas_of(self, keys: Set[Key]) -> int:
        return sum(self._sent[key][0] for key in self._sent.keys() & keys)

    async def _look(self) -> Set[Key] | None:
        """What waits behind a missing nonce, after forgetting whatever is mined, or has left the
        pool otherwise; None where the node does not say.

        It is asked for the list without inputs, which may be 4 MB each.
        """
        begun = time.monotonic()
        content = (await self._result("txpool_inspect", [])).get("result")
        if not isinstance(content, dict):
            return None
        ready, behind = (set(_keys(content[part])) for part in ("pending", "queued"))
        # One that is answered with its receipt comes long after the pool has it.
        for place, (key, gas, since) in list(self._coming.items()):
            if since < begun - _ON_ITS_WAY_SECONDS:
                del self._coming[place]
                self._sent[key] = gas, since
        self._sent = {
            key: item
            for key, item in self._sent.items()
            if key in ready or key in behind or item[1] >= begun
        }
        return behind

    async def _result(self, method: str, params: Sequence[object]) -> Outcome:
        request = {"jsonrpc": "2.0", "id": 0, "method": method, "params": params}
        _, answer = await self._ask(json.dumps(request).encode())
        document = json.loads(answer)
        return {key: document[key] for key in ("result", "error") if key in document}


def _answered(call: dict[str, Any], outcome: dict[str, Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": call.get("id")} | outcome


def _keys(accounts: dict[str, dict[str, str]]) -> Iterator[tuple[str, int]]:
    for account, waiting in accounts.items():
        for nonce in waiting:
            yield account.lower(), int(nonce)
