"""How much of a block strangers may fill: the gas of all that they have waiting is bounded.

What is sent waits in the node's pool for the next block, which has room for 178 transactions of the
largest size. Where those do nothing but call, 3 000 M gas are 22 s of mining, in which nothing else
happens, and 8.8 GB of calls that the node remembers; 151 M are 1.1 s and 450 MB, MOST_WAITING_GAS
is 0.5 s and 210 MB (tried, the first by proportion). No block has more gas of strangers then than
can be followed.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from devnet.chain.gas_bounds import MOST_SENT_GAS, MOST_WAITING_GAS, with_gas
from devnet.chain.transaction import read_raw, transaction_hash

Ask = Callable[[bytes], Awaitable[tuple[int, bytes]]]
"""A request's body in; the node's HTTP status and answer out."""

FULL: Final = -32003  # a transaction that is not taken, in the node's own numbers
_RAW: Final = re.compile(r"eth_sendRawTransaction\w*")
_UNSIGNED: Final = re.compile(r"eth_(send|fill|sign)Transaction\w*")
_ON_ITS_WAY_SECONDS: Final = 5.0  # from here to the node's pool


class Waiting:
    """What strangers have sent and no block holds yet, by hash; used by one event loop."""

    def __init__(self, ask: Ask, most_gas: int = MOST_WAITING_GAS) -> None:
        self._ask, self._most = ask, most_gas
        self._sent: dict[str, tuple[int, float]] = {}  # gas limit, when it was sent
        self._gas = 0  # of all of them
        # Behind a hole in their account's nonces, where no block takes them: not counted, or who
        # leaves such would hold back everybody else for good.
        self._behind: dict[str, tuple[int, float]] = {}
        self._looking = asyncio.Lock()
        self._looks = 0

    async def answer(self, call: dict[str, Any]) -> dict[str, Any] | None:
        """The answer to a call that sends and must not go on as it is; None for all others."""
        method, params = str(call.get("method")), call.get("params")
        if _RAW.fullmatch(method):
            for raw in params if isinstance(params, list) else [params]:
                if full := await self._sending(method, raw):
                    return _answered(call, {"error": full})
        elif _UNSIGNED.fullmatch(method):
            return await self._signed_there(call)
        return None

    async def _sending(self, method: str, raw: object) -> dict[str, Any] | None:
        try:
            data = bytes.fromhex(str(raw).removeprefix("0x"))
            return await self._taken(method, transaction_hash(data), read_raw(data).gas)
        except ValueError:
            return None  # no transaction: the node says so

    async def _taken(self, method: str, key: str, gas: int) -> dict[str, Any] | None:
        """Count one more, or say why there is no room."""
        if key in self._sent or key in self._behind:
            return None
        if self._gas + gas > self._most:
            await self._look()
        if self._gas + gas <= self._most:
            self._count(key, gas, time.monotonic())
            return None
        return {
            "code": FULL,
            "message": (
                f"{method}: txpool is full: transactions of {self._gas} gas wait for a block, "
                f"with this one's {gas} more than the {self._most} that may; the next block takes "
                "them (devnet up --open-rpc lets everything through)"
            ),
        }

    def _count(self, key: str, gas: int, since: float) -> None:
        self._sent[key] = gas, since
        self._gas += gas

    def _forget(self, key: str) -> tuple[int, float]:
        gas, since = self._sent.pop(key, (0, 0.0))
        self._gas -= gas
        return gas, since

    async def _look(self) -> None:
        """Forget what is mined, or has left the pool otherwise."""
        before = self._looks
        async with self._looking:
            if self._looks > before:
                return  # somebody else has just looked
            asked = [key for key in (*self._sent, *self._behind) if key.startswith("0x")]
            lookups: list[tuple[str, list[str]]] = [
                ("eth_getTransactionByHash", [key]) for key in asked
            ]
            *found, content = await self._results([*lookups, ("txpool_content", [])])
            queued = _hashes((content or {}).get("queued") or {})
            self._looks += 1
            now = time.monotonic()
            for key, seen in zip(asked, found, strict=True):
                behind = key in self._behind
                gas, since = self._behind.pop(key) if behind else self._forget(key)
                waits = isinstance(seen, dict) and seen.get("blockNumber") is None
                lost = not isinstance(seen, dict) and now - since < _ON_ITS_WAY_SECONDS
                if key in queued:
                    self._behind[key] = gas, since
                elif waits or lost:
                    self._count(key, gas, since)

    async def _signed_there(self, call: dict[str, Any]) -> dict[str, Any] | None:
        """What the node signs itself, with a gas limit that is within the bound."""
        method, params = str(call["method"]), call.get("params")
        listed = params if isinstance(params, list) else [params]
        if not listed or not isinstance(listed[0], dict):
            return None  # the node says what is wrong with it
        asked, rest = listed[0], listed[1:]
        gas = with_gas(asked)
        if gas is None:
            estimated = await self._result("eth_estimateGas", [asked | {"gas": hex(MOST_SENT_GAS)}])
            if "result" not in estimated and method == "eth_fillTransaction":
                return _answered(call, estimated)
            # The node takes all there is for what it cannot estimate, as with its own bound.
            gas = int(estimated.get("result", hex(MOST_SENT_GAS)), 16)
        asked = asked | {"gas": hex(gas)}  # it reads no gasLimit
        key = f"{method} {id(call)}"
        if method.startswith("eth_send") and (full := await self._taken(method, key, gas)):
            return _answered(call, {"error": full})
        try:
            outcome = await self._result(method, [asked, *rest])
        finally:
            counted = self._forget(key)
        if counted[0] and isinstance(outcome.get("result"), str):  # of a Sync it is the receipt
            self._count(outcome["result"], *counted)
        return _answered(call, outcome)

    async def _result(self, method: str, params: Sequence[object]) -> dict[str, Any]:
        """An answer's `result` or `error`."""
        request = {"jsonrpc": "2.0", "id": 0, "method": method, "params": params}
        _, answer = await self._ask(json.dumps(request).encode())
        document = json.loads(answer)
        return {key: document[key] for key in ("result", "error") if key in document}

    async def _results(self, calls: Sequence[tuple[str, Sequence[object]]]) -> list[Any]:
        if not calls:
            return []
        requests = [
            {"jsonrpc": "2.0", "id": place, "method": method, "params": params}
            for place, (method, params) in enumerate(calls)
        ]
        _, answer = await self._ask(json.dumps(requests).encode())
        answers = json.loads(answer)
        if not isinstance(answers, list):
            return [{}] * len(calls)  # the node does not answer: all wait as before
        results: list[Any] = [None] * len(calls)
        for item in answers:
            results[item["id"]] = item.get("result")
        return results


def _answered(call: dict[str, Any], outcome: dict[str, Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": call.get("id")} | outcome


def _hashes(accounts: dict[str, dict[str, Any]]) -> set[str]:
    return {str(item["hash"]) for waiting in accounts.values() for item in waiting.values()}
