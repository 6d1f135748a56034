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
_RAW: Final = re.compile("raw", re.IGNORECASE)
_GAS: Final = ("gas", "gasLimit")
_CALL: Final = frozenset({"to", "data", "input", "from"})
_MOST_NESTED: Final = 16


def refusal_of_gas(call: dict[str, Any]) -> str:
    """Why a request that sends a transaction is refused; empty for one that may pass."""
    method, params = str(call.get("method")), call.get("params")
    if not _SENDS.fullmatch(method):
        return ""
    try:
        asked = [read_raw(raw_of(params)).gas] if _RAW.search(method) else [*_asked(params)]
    except ValueError as unread:
        return f"{method}: not the bytes of one signed transaction: {unread}"
    for gas in asked:
        if gas is None or gas > MOST_SENT_GAS:
            what = "cannot be read" if gas is None else f"is {gas}"
            return (
                f"{method}: the transaction's gas limit {what}, a transaction has at most "
                f"{MOST_SENT_GAS} here (devnet up --open-rpc lets everything through)"
            )
    return ""


def raw_of(params: object) -> bytes:
    """The signed transaction that a request names; raises ValueError where it is none.

    Nothing is left to the node that is not read here: it takes bytes as a list of numbers, and
    whatever follows the transaction's own (tried).
    """
    if not isinstance(params, list) or not params:
        raise ValueError("there is no list of parameters")
    if not isinstance(params[0], str):
        raise ValueError("the first parameter is no hex string")
    return bytes.fromhex(params[0].removeprefix("0x"))


def with_gas(transaction: dict[str, Any]) -> int | None:
    """The gas limit that an unsigned transaction names; None where the node is to estimate it."""
    named = [transaction[key] for key in _GAS if _named(transaction, key)]
    return number(named[0]) if named else None


def lower_gas(call: dict[str, Any]) -> bool:
    """Give every call that is only tried no more gas than there may be; whether it had more."""
    if not _TRIES.fullmatch(str(call.get("method"))):
        return False
    changed = False
    for tried in _objects(call.get("params")):
        named = [key for key in _GAS if key in tried]
        if named or _CALL & tried.keys():
            asked = number(tried[named[0]]) if len(named) == 1 else None
            if asked is None or asked > MOST_CALL_GAS:
                for key in named:
                    del tried[key]
                tried["gas"] = hex(MOST_CALL_GAS)
                changed = True
    return changed


def _asked(params: object) -> Iterator[int | None]:
    """The gas limits of unsigned transactions; None for one past reading."""
    for item in params if isinstance(params, list) else [params]:
        if isinstance(item, dict):
            yield from (number(item[key]) for key in _GAS if _named(item, key))


def _named(transaction: dict[str, Any], key: str) -> bool:
    return transaction.get(key) is not None


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


def number(value: object) -> int | None:
    """A quantity as the node reads it; None for what is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    try:
        return int(value, 0) if isinstance(value, str) else None
    except ValueError:
        return None
