"""The node's pool of transactions that wait for a block: ours, and anybody else's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from devnet.chain.errors import Refusal, RpcError
from devnet.chain.rpc import Rpc
from devnet.chain.transaction import transaction_hash

# anvil works on up to 63 sends of one batch in their order, on more in any order (tried).
SEND_BATCH: Final = 30


class Pool:
    """What waits for a block; addresses and hashes are lower-case hex."""

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc

    def offer(self, raw: Sequence[bytes]) -> list[Refusal]:
        """Put signed transactions into it, in order; gives those it refused."""
        refusals: list[Refusal] = []
        for start in range(0, len(raw), SEND_BATCH):
            piece = raw[start : start + SEND_BATCH]
            answers = self._rpc.batch(
                [("eth_sendRawTransaction", ("0x" + item.hex(),)) for item in piece]
            )
            refusals += [
                Refusal(start + place, transaction_hash(piece[place]), answer.text)
                for place, answer in enumerate(answers)
                if isinstance(answer, RpcError)
            ]
        return refusals

    def next_nonces(self, addresses: Sequence[str]) -> dict[str, int]:
        """The next nonce of each account after those it has waiting without a hole."""
        answers = self._rpc.batch(
            [("eth_getTransactionCount", (address, "pending")) for address in addresses]
        )
        for answer in answers:
            if isinstance(answer, RpcError):
                raise answer
        return {a: int(answer, 16) for a, answer in zip(addresses, answers, strict=True)}

    def queued(self) -> dict[str, frozenset[int]]:
        """The nonces of transactions that wait behind a hole, by account: an offer may replace
        them, since a nonce goes to whoever pays more."""
        if not int(self._rpc.call("txpool_status")["queued"], 16):
            return {}
        content = self._rpc.call("txpool_content")["queued"]
        return {account: frozenset(map(int, waiting)) for account, waiting in content.items()}

    def known(self, hashes: Sequence[str]) -> list[bool]:
        """Whether each transaction still waits, or is in a block."""
        found = self._rpc.batch([("eth_getTransactionByHash", (item,)) for item in hashes])
        return [isinstance(item, dict) for item in found]

    def of(self, address: str) -> dict[int, str]:
        """The hashes of all that an account has waiting, by nonce, also behind a hole."""
        content = self._rpc.call("txpool_content")
        found = {**content["pending"].get(address, {}), **content["queued"].get(address, {})}
        return {int(nonce): str(item["hash"]) for nonce, item in sorted(found.items())}

    def raws(self) -> list[bytes] | None:
        """All that waits, as it was signed: in its order what a block would hold of it, then the
        rest, which no block takes as it is, by account and nonce. None while a block has not the
        gas for what is ready: of what is left out for that the node tells no order."""
        content = self._rpc.call("txpool_content")
        if not any(content.values()):
            return []
        block = self._rpc.call("eth_getBlockByNumber", "pending", False)
        if _ready_gas(content) > int(block["gasLimit"], 16):
            return None
        return self._raws(list(dict.fromkeys([*block["transactions"], *_hashes(content)])))

    def again(self, raws: Sequence[bytes]) -> list[bytes]:
        """All that waits now: those of these that still do, and what came since they were read."""
        known = {transaction_hash(raw): raw for raw in raws}
        there = dict.fromkeys(_hashes(self._rpc.call("txpool_content")))
        stay = [raw for item, raw in known.items() if item in there]
        return [*stay, *self._raws([item for item in there if item not in known])]

    def _raws(self, hashes: Sequence[str]) -> list[bytes]:
        """But for those that are not there any more: one of a higher fee came for them."""
        raws: list[bytes] = []
        for start in range(0, len(hashes), SEND_BATCH):
            piece = hashes[start : start + SEND_BATCH]
            for answer in self._rpc.batch([("eth_getRawTransactionByHash", (h,)) for h in piece]):
                if isinstance(answer, RpcError):
                    raise answer
                if answer is not None:
                    raws.append(bytes.fromhex(answer[2:]))
        return raws

    def missing(self, raws: Sequence[bytes]) -> list[str]:
        """The hashes of those that do not wait."""
        wanted = [transaction_hash(raw) for raw in raws]
        there = frozenset(_hashes(self._rpc.call("txpool_content"))) if wanted else frozenset()
        return [item for item in wanted if item not in there]

    def take_out(self, address: str, hashes: Iterable[str]) -> frozenset[int]:
        """Remove some of an account's transactions; gives the nonces of those it keeps waiting."""
        gone = set(hashes)
        left = {nonce: item for nonce, item in self.of(address).items() if item not in gone}
        asked = [("eth_getRawTransactionByHash", (left[nonce],)) for nonce in sorted(left)]
        raws = self._rpc.batch(asked)
        self._rpc.call("anvil_removePoolTransactions", address)
        self.offer([bytes.fromhex(raw[2:]) for raw in raws if isinstance(raw, str)])
        return frozenset(left)

    def drop(self, hashes: Iterable[str]) -> None:
        """Remove whatever the senders of these have waiting."""
        # By sender, since anvil_dropTransaction leaves a queued transaction in place (tried).
        found = self._rpc.batch([("eth_getTransactionByHash", (item,)) for item in hashes])
        senders = sorted({item["from"] for item in found if isinstance(item, dict)})
        self._rpc.batch([("anvil_removePoolTransactions", (sender,)) for sender in senders])


def _ready_gas(content: Any) -> int:
    """Of an answer to txpool_content: what is ready for a block may use."""
    return sum(
        int(item["gas"], 16) for waiting in content["pending"].values() for item in waiting.values()
    )


def _hashes(content: Any) -> Iterator[str]:
    """Of an answer to txpool_content: an account's in their order, what is ready first."""
    for part in ("pending", "queued"):
        for waiting in content[part].values():
            for _, item in sorted(waiting.items(), key=lambda pair: int(pair[0])):
                yield str(item["hash"])
