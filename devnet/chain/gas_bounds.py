"""How much gas a stranger's request may ask for: the node executes all of it under one lock.

A call may name any amount of gas, and one without end in its code holds up every block until that
is gone: the node's own bound is a block's, 16 s of it (tried).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from devnet.chain.transaction import read_raw

MOST_SENT_GAS: Final = 1 << 24
"""Of a transaction, as Ethereum has it since Osaka (EIP-7825)."""
MOST_WAITING_GAS: Final = 4 * MOST_SENT_GAS
"""Of all transactions of strangers together that wait for a block; see `devnet.chain.waiting`."""
MOST_CALL_GAS: Final = 50_000_000
"""Of a call that is only tried; Geth's own `--rpc.gascap`. More is lowered to it, as Geth does."""

_SENDS: Final = re.compile(
    r"eth_send\w*Transaction\w*|eth_(fill|sign)Transaction|trace_rawTransaction"
)
_TRIES: Final = re.compile(
    r"eth_(call\w*|estimateGas|createAccessList|simulateV1)|(debug_traceCall|trace_call)\w*"
)
_GAS: Final = ("gas", "gasLimit")
_CALL: Final = frozenset({"to", "data", "input", "from"})
_MOST_NESTED: Final = 16


def refusal_of_gas(call: dict[str, Any]) -> str:
    """Why a request that sends a transaction is refused; empty for one that may pass."""
    method = str(call.get("method"))
    if not _SENDS.fullmatch(method):
        return ""
    for asked in _sent(call.get("params")):
        if asked is None or asked > MOST_SENT_GAS:
            what = "cannot be read" if asked is None else f"is {asked}"
            return (
                f"{method}: the transaction's gas limit {what}, a transaction has at most "
                f"{MOST_SENT_GAS} here (devnet up --open-rpc lets everything through)"
            )
    return ""


def with_gas(transaction: dict[str, Any]) -> int | None:
    """The gas limit that an unsigned transaction names; None where the node is to estimate it."""
    named = [transaction[key] for key in _GAS if transaction.get(key) is not None]
    return _number(named[0]) if named else None


def lower_gas(call: dict[str, Any]) -> bool:
    """Give every call that is only tried no more gas than there may be; whether it had more."""
    if not _TRIES.fullmatch(str(call.get("method"))):
        return False
    changed = False
    for tried in _objects(call.get("params")):
        named = [key for key in _GAS if key in tried]
        if named or _CALL & tried.keys():
            asked = _number(tried[named[0]]) if len(named) == 1 else None
            if asked is None or asked > MOST_CALL_GAS:
                for key in named:
                    del tried[key]
                tried["gas"] = hex(MOST_CALL_GAS)
                changed = True
    return changed


def _sent(params: object) -> Iterator[int | None]:
    """The gas limits in the parameters of a request that sends; None for one past reading."""
    for item in params if isinstance(params, list) else [params]:
        if isinstance(item, str):  # the node takes it without 0x, too
            try:
                yield read_raw(bytes.fromhex(item.removeprefix("0x"))).gas
            except ValueError:
                continue  # no transaction: the node says so
        elif isinstance(item, dict):
            yield from (_number(item[key]) for key in _GAS if item.get(key) is not None)


def _objects(item: object, depth: int = 0) -> Iterator[dict[str, Any]]:
    """Every object in parameters, however they are nested."""
    if depth > _MOST_NESTED:
        return
    if isinstance(item, dict):
        yield item
        item = list(item.values())
    if isinstance(item, list):
        for part in item:
            yield from _objects(part, depth + 1)


def _number(value: object) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    try:
        return int(value, 0) if isinstance(value, str) else None
    except ValueError:
        return None
