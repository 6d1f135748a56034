"""What somebody else's contract had ours do within one transaction: calls like any others.

The rules decide calls; whether an account or a contract of a stranger's makes one is all the same.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from eth_abi.exceptions import DecodingError

from devnet.chain.block import Receipt
from devnet.chain.chain import Chain
from devnet.chain.errors import RpcError
from devnet.protocol.contracts import Contracts, DecodedCall, Event
from devnet.protocol.deployment import CHAINLINK

# Of the 75 000 calls that fit into the gas the node tells the bare list in 4 s; where each of them
# stands among the logs takes it 21 s, and of 7 000 calls 0.2 s (tried).
MOST_FOLLOWED_GAS: Final = 10_000_000
MOST_FOLLOWED_IN_BLOCK: Final = 30_000_000
MOST_FOLLOWED_CALLS: Final = 5_000


@dataclass(frozen=True, slots=True)
class InnerCall:
    """A call of a contract of ours that changed something, by `sender`, a contract of a stranger's;
    `events` are those of ours that came of it."""

    sender: str
    to: str
    call: DecodedCall
    events: tuple[Event, ...]


class Unfollowed(Exception):
    """What happened within a transaction is not known call by call; the text says why."""


def concerns(receipt: Receipt, events: Sequence[Event], contracts: Contracts) -> bool:
    """Whether foreign code had ours do something; deployments of ours are not foreign."""
    if (receipt.contract_address or "") in contracts.names:
        return False
    return any(event.contract not in CHAINLINK for event in events)


def follow(
    receipt: Receipt, contracts: Contracts, chain: Chain, gas_followed: int
) -> tuple[InnerCall, ...]:
    """Every call of ours within a transaction that was accepted, in order.

    `gas_followed` is what was followed in its block before. Raises Unfollowed.
    """
    if receipt.gas_used > MOST_FOLLOWED_GAS:
        raise Unfollowed(f"it used {receipt.gas_used} gas, {MOST_FOLLOWED_GAS} are followed")
    if receipt.gas_used + gas_followed > MOST_FOLLOWED_IN_BLOCK:
        raise Unfollowed(f"{MOST_FOLLOWED_IN_BLOCK} gas are followed in a block, and there is more")
    try:
        calls = chain.call_count(receipt.hash)
        if calls > MOST_FOLLOWED_CALLS:
            raise Unfollowed(f"it made {calls} calls, {MOST_FOLLOWED_CALLS} are followed")
        trace = chain.call_trace(receipt.hash)
    except (RpcError, RecursionError) as refused:
        raise Unfollowed(f"the node does not trace it: {refused}") from refused
    ours = {a for a, name in contracts.names.items() if name not in CHAINLINK}
    entries, logs = _entries(trace, ours)
    if logs != len(receipt.logs):
        raise Unfollowed(f"its trace has {logs} logs, its receipt {len(receipt.logs)}")
    return tuple(_read(entries, receipt, contracts))


@dataclass(slots=True)
class _Entry:
    """A frame that enters ours, and the receipt's logs of it: from `first` up to `end`."""

    frame: Mapping[str, Any]
    first: int
    end: int = 0


def _entries(trace: Mapping[str, Any], ours: Container[str]) -> tuple[list[_Entry], int]:
    """The calls of ours by others in the order they were made, and how many logs there are.

    A frame that failed left nothing, nor did what was called within it. Calls nest deeper than
    Python's do.
    """
    found: list[_Entry] = []
    logs = 0
    open_entry: _Entry | None = None
    left: list[Mapping[str, Any] | _Entry | int] = [trace]  # frames, ends of entries, logs
    while left:
        item = left.pop()
        if isinstance(item, int):
            logs += item
        elif isinstance(item, _Entry):
            item.end, open_entry = logs, None
        elif not item.get("error"):
            if open_entry is None and _enters(item, ours):
                open_entry = _Entry(item, logs)
                found.append(open_entry)
                left.append(open_entry)
            left += reversed(tuple(_content(item)))
    return found, logs


def _enters(frame: Mapping[str, Any], ours: Container[str]) -> bool:
    """A pool's address may be called before it is created: nothing runs there."""
    runs = int(frame["gasUsed"], 16) > 0
    return frame["type"] == "CALL" and frame.get("to") in ours and runs


def _content(frame: Mapping[str, Any]) -> Iterator[Mapping[str, Any] | int]:
    """A frame's calls, and the numbers of logs between them, in order."""
    calls, logs = frame.get("calls") or (), frame.get("logs") or ()
    between = [0] * (len(calls) + 1)
    for log in logs:
        between[int(log["position"], 16)] += 1
    for place, call in enumerate(calls):
        yield between[place]
        yield call
    yield between[-1]


def _read(entries: Sequence[_Entry], receipt: Receipt, contracts: Contracts) -> Iterator[InnerCall]:
    for entry in entries:
        frame, logs = entry.frame, receipt.logs[entry.first : entry.end]
        events = contracts.events(replace(receipt, logs=logs))
        try:
            call = contracts.decode(frame["to"], bytes.fromhex(frame["input"][2:]))
        except DecodingError:
            call = None
        if call is not None and not call.view:
            yield InnerCall(frame["from"], frame["to"], call, events)
        elif events:
            raise Unfollowed(f"{contracts.names[frame['to']]} took call data nobody can read")
