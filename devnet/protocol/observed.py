"""What happened on the chain, by name: the only thing model, history and checkers read of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from eth_abi.exceptions import DecodingError

from devnet.chain.block import MinedBlock, Receipt
from devnet.chain.chain import Chain
from devnet.chain.transaction import Payload, read_raw
from devnet.protocol.contracts import Contracts, DecodedCall, Event
from devnet.protocol.deployment import CHAINLINK
from devnet.protocol.errors import ProtocolError, decode_error
from devnet.protocol.inner import InnerCall, Unfollowed, concerns, follow

NESTED_CALLS: Final = 3  # Slashing, Rewards, Kompute
# Without data, or untraced; and a feed that could not answer for want of gas counts as stale (O2).
MOST_TRACED_GAS: Final = 10_000_000  # three times what the devnet itself gives a transaction
OUT_OF_GAS: Final = (None, "NoReason", "KompUsdStale")


@dataclass(frozen=True, slots=True)
class ObservedTransaction:
    """A mined transaction, rejected ones too; `timestamp` is its block's, `index` its place in it.

    `contract` and `function` are empty for a creation, a plain transfer and foreign contracts,
    whose `to` still tells the address. `error` is the name of the contract's error where the
    transaction failed, `error_values` its arguments, `sentence` what it means; it is None also
    where nobody traced what failed. `value` is the ETH sent along in wei, `gas` the limit; `view`
    says that the function cannot change anything.

    `inner` are the calls that a stranger's contract made of ours, in order, also those that ours
    refused; where they are not known, `unfollowed` says why. What came of them all is in `events`:
    whose is whose the chain does not tell (`devnet.checking.inner` does), so theirs are empty.
    """

    block: int
    timestamp: int
    index: int
    hash: str
    sender: str
    to: str | None
    contract: str
    function: str
    args: Mapping[str, Any]
    ok: bool
    events: tuple[Event, ...]
    gas_used: int
    error: str | None = None
    error_values: Mapping[str, Any] = field(default_factory=dict)
    sentence: str = ""
    value: int = 0
    gas: int = 0
    view: bool = False
    inner: tuple[ObservedTransaction, ...] = ()
    unfollowed: str = ""

    @property
    def calls(self) -> tuple[ObservedTransaction, ...]:
        """What the rules decide: the transaction itself, or what foreign code called in it."""
        return self.inner or (self,)

    @property
    def ran_out_of_gas(self) -> bool:
        """Whether the chain ran out of gas: refused for nothing else, with (nearly) all gas gone.

        A call inside keeps back a 64th of the gas for each contract that waits for it (EIP-150).
        """
        if self.ok or self.error not in OUT_OF_GAS or not self.gas:
            return False
        return (self.gas - self.gas_used) * 64 <= NESTED_CALLS * self.gas


def observe(
    mined: MinedBlock,
    contracts: Contracts,
    chain: Chain,
    names: Mapping[str, str] | None = None,
    *,
    follows: bool = True,
) -> tuple[ObservedTransaction, ...]:
    """Every transaction of a block, in order.

    What a stranger's contract called is asked for while `follows`, and no more after the first that
    cannot be followed: the model is not where the chain is any more.

    `chain` is asked for the error of each call of a contract of ours that failed; `names` (of
    lower-case addresses) make sentences readable, the contracts' own names are known.
    """
    known = {**contracts.names, **(names or {})}
    # A stranger's call may have a trace of millions of frames, and its error is none of ours.
    failed = [
        receipt.hash
        for receipt in mined.receipts
        if not receipt.ok
        and (receipt.to or "").lower() in contracts.names
        and receipt.gas_used <= MOST_TRACED_GAS
    ]
    refusals = {
        transaction: decode_error(data, known)
        for transaction, data in zip(failed, chain.revert_datas(failed), strict=True)
    }
    observed, gas_followed = [], 0
    for payload, receipt in zip(_payloads(mined), mined.receipts, strict=True):
        seen = _observed(mined, payload, receipt, contracts, refusals.get(receipt.hash))
        foreign = seen.contract in ("", *CHAINLINK)
        if follows and foreign and concerns(receipt, seen.events, contracts):
            try:
                inner = follow(receipt, contracts, chain, gas_followed)
                gas_followed += receipt.gas_used
                seen = replace(seen, inner=tuple(_inner(seen, call, known) for call in inner))
            except Unfollowed as reason:
                follows, seen = False, replace(seen, unfollowed=str(reason))
        observed.append(seen)
    return tuple(observed)


def _inner(
    outer: ObservedTransaction, inner: InnerCall, names: Mapping[str, str]
) -> ObservedTransaction:
    frame, call = inner.frame, inner.call
    refusal = decode_error(frame.output, names) if frame.error else None
    return replace(
        outer,
        sender=frame.sender,
        to=frame.to,
        contract=call.contract,
        function=call.function,
        args=call.args,
        ok=refusal is None,
        events=(),
        gas_used=frame.gas_used,
        error=refusal.name if refusal else None,
        error_values=refusal.values if refusal else {},
        sentence=refusal.sentence if refusal else "",
        value=frame.value,
        gas=frame.gas,
    )


def _payloads(mined: MinedBlock) -> Iterator[Payload]:
    for raw, receipt in zip(mined.raw, mined.receipts, strict=True):
        try:
            yield read_raw(raw)
        except ValueError:  # of a type the node knows and we do not
            yield Payload(0, receipt.to, b"", 0, 0)


def _observed(
    mined: MinedBlock,
    payload: Payload,
    receipt: Receipt,
    contracts: Contracts,
    refusal: ProtocolError | None,
) -> ObservedTransaction:
    call = _call(payload, contracts)
    return ObservedTransaction(
        block=mined.block.number,
        timestamp=mined.block.timestamp,
        index=receipt.index,
        hash=receipt.hash,
        sender=receipt.sender,
        to=payload.to,
        contract=call.contract,
        function=call.function,
        args=call.args,
        ok=receipt.ok,
        events=contracts.events(receipt),
        gas_used=receipt.gas_used,
        error=refusal.name if refusal else None,
        error_values=refusal.values if refusal else {},
        sentence=refusal.sentence if refusal else "",
        value=payload.value,
        gas=payload.gas,
        view=call.view,
    )


def _call(payload: Payload, contracts: Contracts) -> DecodedCall:
    try:
        call = contracts.decode(payload.to, payload.data)
    except DecodingError:  # anyone may send a contract any bytes
        call = None
    return call or DecodedCall("", "", {})
