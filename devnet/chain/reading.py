"""Answers of the node, read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from devnet.chain.block import Block, MinedBlock, Receipt, read_block, read_receipt
from devnet.chain.errors import BlockDiffers, Reverted, RpcError
from devnet.chain.rpc import Rpc

_REVERTED: Final = 3


def read_head(rpc: Rpc) -> Block:
    """The latest block's header."""
    return read_block(rpc.call("eth_getBlockByNumber", "latest", False))


def read_mined(rpc: Rpc, number: str, known: Mapping[str, bytes]) -> MinedBlock:
    """A block with its receipts and raw transactions; those `known`, by hash, are not asked for.

    Raises BlockDiffers where the node does not keep one.
    """
    answers = rpc.batch(
        [("eth_getBlockByNumber", (number, False)), ("eth_getBlockReceipts", (number,))]
    )
    document, receipts = map(result, answers)
    read = tuple(read_receipt(item) for item in receipts)
    return MinedBlock(read_block(document), _raws(rpc, read, known), read)


def _raws(rpc: Rpc, receipts: Sequence[Receipt], known: Mapping[str, bytes]) -> tuple[bytes, ...]:
    foreign = [receipt.hash for receipt in receipts if receipt.hash not in known]
    answers = rpc.batch([("eth_getRawTransactionByHash", (item,)) for item in foreign])
    fetched = dict(zip(foreign, answers, strict=True))
    raws: list[bytes] = []
    for receipt in receipts:
        if receipt.hash in known:
            raws.append(known[receipt.hash])
            continue
        answer = fetched[receipt.hash]
        if not isinstance(answer, str):
            raise BlockDiffers(f"the chain keeps no raw transaction {receipt.hash}: {answer}")
        raws.append(bytes.fromhex(answer[2:]))
    return tuple(raws)


def result(answer: Any) -> Any:
    """Of one call of a batch; raises its RpcError."""
    if isinstance(answer, RpcError):
        raise answer
    return answer


def returned(answer: object) -> bytes | Reverted:
    """What a call of a contract gave; raises RpcError where it is no matter of the contract."""
    if isinstance(answer, RpcError):
        if answer.code != _REVERTED:
            raise answer
        return Reverted(bytes.fromhex((answer.data or "0x")[2:]))
    return bytes.fromhex(str(answer)[2:])


def error_data(trace: object) -> bytes:
    """What the outermost call of an answer to trace_transaction returned."""
    if isinstance(trace, RpcError):
        raise trace
    outermost = trace[0] if isinstance(trace, list) and trace else {}
    left = outermost.get("result") or {}
    return bytes.fromhex(left.get("output", left.get("code", "0x"))[2:])
