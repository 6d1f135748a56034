"""What somebody else's contract had ours do within one transaction: calls like any others.

The rules decide calls; whether an account or a contract of a stranger's makes one is all the same.
Which events came of which call nobody tells: the model does, and the receipt has those of all.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from eth_abi.exceptions import DecodingError

from devnet.chain.block import Receipt
from devnet.chain.chain import Chain
from devnet.chain.errors import AnswerTooLong, RpcError
from devnet.chain.frames import CALL, REVERTED, Frame
from devnet.chain.gas_bounds import MOST_SENT_GAS, MOST_WAITING_GAS
from devnet.protocol.contracts import Contracts, DecodedCall, Event
from devnet.protocol.deployment import CHAINLINK

# All that passes the door: 123 000 calls fit into it, which are told (59 MB) and read in 4.3 s;
# its 5 000 transfers of KOMP in 0.2 s, and the model takes 0.1 s for them (tried).
MOST_FOLLOWED_GAS: Final = MOST_SENT_GAS
MOST_FOLLOWED_IN_BLOCK: Final = MOST_WAITING_GAS


@dataclass(frozen=True, slots=True)
class InnerCall:
    """A call of a contract of ours that may change something, in `frame`, by a stranger's."""

    frame: Frame
    call: DecodedCall


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

    `gas_followed` is what was followed in its block before. Raises Unfollowed, and NodeUnreachable
    where there is no node to ask.
    """
    if receipt.gas_used > MOST_FOLLOWED_GAS:
        raise Unfollowed(f"it used {receipt.gas_used} gas, {MOST_FOLLOWED_GAS} are followed")
    if receipt.gas_used + gas_followed > MOST_FOLLOWED_IN_BLOCK:
        raise Unfollowed(f"{MOST_FOLLOWED_IN_BLOCK} gas are followed in a block, and there is more")
    try:
        frames = chain.frames(receipt.hash)
    except (RpcError, AnswerTooLong) as refused:  # a node that is gone is nobody's transaction
        raise Unfollowed(f"the node does not trace it: {refused}") from refused
    ours = {a for a, name in contracts.names.items() if name not in CHAINLINK}
    return tuple(_read(entries(frames, ours), contracts))


def entries(frames: Iterable[Frame], ours: Container[str]) -> Iterator[Frame]:
    """The calls of ours by others, in the order they were made.

    A frame that failed left nothing, nor did what was called within it: of these come only calls of
    ours that reverted by themselves, which the rules must refuse as well. (What is called where
    nothing may change ends otherwise, with all its gas.)
    """
    closed: Frame | None = None  # what lies within is ours, or was taken back
    for frame in frames:
        if closed is not None and closed.holds(frame):
            continue
        enters = _enters(frame, ours)
        closed = frame if enters or frame.error else None
        if enters and frame.error in ("", REVERTED):
            yield frame


def _enters(frame: Frame, ours: Container[str]) -> bool:
    """A pool's address may be called before it is created: nothing runs there."""
    return frame.kind == CALL and frame.to in ours and frame.gas_used > 0


def _read(frames: Iterable[Frame], contracts: Contracts) -> Iterator[InnerCall]:
    for frame in frames:
        if contracts.is_view(frame.to, frame.data):
            continue
        try:
            call = contracts.decode(frame.to, frame.data)
        except DecodingError:
            call = None
        if call is not None:
            yield InnerCall(frame, call)
        elif not frame.error:
            raise Unfollowed(f"{contracts.names[frame.to]} took call data nobody can read")
