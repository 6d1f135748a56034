"""The scheduler's own transactions on their way into a block, on a chain that others use as well.

An account may be a wallet's too: its nonces are read again for every block, what the wallet has in
the pool stays there and goes first, and a transaction of ours that somebody outbid is signed anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from devnet.actors.operations import Send
from devnet.actors.view import Directory
from devnet.chain import Chain, Transaction, sign, transaction_hash
from devnet.protocol import Contracts, ObservedTransaction

GAS_LIMIT: Final = 3_000_000
MOST_TRIES: Final = 5
# anvil's words where another transaction has the nonce; all else is about ours.
_TAKEN: Final = ("nonce too low", "underpriced", "already imported", "already known")


@dataclass(frozen=True, slots=True)
class Parcel:
    """One transaction to be sent: its number in the history, how often it was signed."""

    identity: int
    send: Send
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Returned:
    """A parcel that the node takes not, and the node's reason."""

    parcel: Parcel
    reason: str


@dataclass(frozen=True, slots=True)
class _Signed:
    parcel: Parcel
    address: str
    raw: bytes
    hash: str


class Outbox:
    """Owns what of ours waits in the pool."""

    def __init__(self, chain: Chain, contracts: Contracts, directory: Directory) -> None:
        self._chain, self._contracts, self._directory = chain, contracts, directory
        self._waiting: dict[str, _Signed] = {}

    @property
    def raws(self) -> dict[str, bytes]:
        """What waits, by hash."""
        return {item.hash: item.raw for item in self._waiting.values()}

    def put(self, parcels: Sequence[Parcel]) -> list[Returned]:
        """Sign and send, an account's in their order; gives those that the node refuses."""
        returned: list[Returned] = []
        others = self._chain.pool.queued() if parcels else {}
        while parcels:
            signed = self._sign(parcels, others)
            refusals = self._chain.pool.offer([item.raw for item in signed])
            reasons = {refusal.transaction: refusal.reason for refusal in refusals}
            # Behind a refused one the account's others would wait for its nonce for ever.
            upset = dict.fromkeys(item.address for item in signed if item.hash in reasons)
            for address in upset:
                ours = [item.hash for item in signed if item.address == address]
                others[address] = self._chain.pool.take_out(address, ours)
            again: list[Parcel] = []
            for item in signed:
                reason = reasons.get(item.hash, "")
                final = reason and not any(word in reason for word in _TAKEN)
                if final or (reason and item.parcel.tries >= MOST_TRIES):
                    returned.append(Returned(item.parcel, reason))
                elif item.address in upset:
                    again.append(item.parcel)
                else:
                    self._waiting[item.hash] = item
            parcels = again
        return returned

    def arrived(
        self, observed: Sequence[ObservedTransaction]
    ) -> list[tuple[Parcel, ObservedTransaction]]:
        """Ours among a block's transactions."""
        found = [(self._waiting.pop(seen.hash, None), seen) for seen in observed]
        return [(item.parcel, seen) for item, seen in found if item is not None]

    def lost(self) -> list[Parcel]:
        """Those that neither wait any more nor were mined: somebody outbid or removed them."""
        hashes = list(self._waiting)
        known = self._chain.pool.known(hashes)
        return [
            self._waiting.pop(item).parcel
            for item, there in zip(hashes, known, strict=True)
            if not there
        ]

    def _sign(self, parcels: Sequence[Parcel], others: dict[str, frozenset[int]]) -> list[_Signed]:
        accounts = self._directory.accounts
        senders = {p.send.account: accounts[p.send.account].address for p in parcels}
        nonces = self._chain.pool.next_nonces(list(dict.fromkeys(senders.values())))
        signed: list[_Signed] = []
        for parcel in parcels:
            send, address = parcel.send, senders[parcel.send.account]
            call = self._contracts.encode(send.contract, send.function, *send.args)
            while nonces[address] in others.get(address, ()):
                nonces[address] += 1
            transaction = Transaction(
                nonce=nonces[address],
                to=call.to,
                data=call.data,
                gas=GAS_LIMIT,
                chain_id=self._chain.chain_id,
            )
            nonces[address] += 1
            raw = sign(accounts[send.account], transaction)
            again = replace(parcel, tries=parcel.tries + 1)
            signed.append(_Signed(again, address, raw, transaction_hash(raw)))
        return signed
