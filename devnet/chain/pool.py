"""The node's pool of transactions that wait for a block: ours, and anybody else's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

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
