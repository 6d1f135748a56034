"""Blocks, receipts and logs as the chain gives them; hashes and addresses are lower-case hex."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from devnet.chain.transaction import Payload, read_raw

_SETTING: Final = ("miner", "gasLimit", "difficulty", "extraData")


@dataclass(frozen=True, slots=True)
class Block:
    """A block's header; `timestamp` in seconds. `parent` and `state_root` are hashes, `setting` is
    what only the node's owner chooses: coinbase, gas limit, difficulty, extra data; `base_fee` in
    wei is 0 for as long as nobody sets another."""

    number: int
    timestamp: int
    hash: str
    parent: str = field(default="", compare=False, repr=False)
    state_root: str = field(default="", compare=False, repr=False)
    setting: tuple[str, ...] = field(default=(), compare=False, repr=False)
    base_fee: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Log:
    """One event as emitted: `topics` of 32 bytes each, `index` within the block."""

    address: str
    topics: tuple[bytes, ...]
    data: bytes
    index: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a transaction of block number `block`.

    `contract_address` is only that of a creation that succeeded.
    """

    block: int
    hash: str
    index: int
    sender: str
    to: str | None
    ok: bool
    gas_used: int
    logs: tuple[Log, ...]
    contract_address: str | None


@dataclass(frozen=True, slots=True)
class MinedBlock:
    """A block with everything in it, in block order; `raw` are the signed transactions.

    An `advance` by n empty blocks is one value with `run` n, `block` the last of them.
    `sent_hashes` are those given to `Chain.mine`, in the order given.
    """

    block: Block
    raw: tuple[bytes, ...] = ()
    receipts: tuple[Receipt, ...] = ()
    sent_hashes: tuple[str, ...] = ()
    run: int = 1

    def payloads(self) -> tuple[Payload, ...]:
        """What each transaction asked for, in block order."""
        return tuple(read_raw(raw) for raw in self.raw)


def read_block(document: dict[str, Any]) -> Block:
    """The header in an `eth_getBlockBy…` answer."""
    return Block(
        number=int(document["number"], 16),
        timestamp=int(document["timestamp"], 16),
        hash=document["hash"],
        parent=document["parentHash"],
        state_root=document["stateRoot"],
        setting=tuple(document[key] for key in _SETTING),
        base_fee=int(document.get("baseFeePerGas", "0x0"), 16),
    )


def read_receipt(document: dict[str, Any]) -> Receipt:
    """One receipt of an `eth_getBlockReceipts` answer."""
    ok = document["status"] == "0x1"
    return Receipt(
        block=int(document["blockNumber"], 16),
        hash=document["transactionHash"],
        index=int(document["transactionIndex"], 16),
        sender=document["from"],
        to=document["to"],
        ok=ok,
        gas_used=int(document["gasUsed"], 16),
        logs=tuple(read_log(log) for log in document["logs"]),
        contract_address=document.get("contractAddress") if ok else None,
    )


def read_log(document: dict[str, Any]) -> Log:
    """One log of a receipt or of an `eth_getLogs` answer."""
    return Log(
        address=document["address"],
        topics=tuple(bytes.fromhex(topic[2:]) for topic in document["topics"]),
        data=bytes.fromhex(document["data"][2:]),
        index=int(document["logIndex"], 16),
    )
