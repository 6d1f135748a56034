"""What the node still has of the chain, and which questions are about what it has not.

The node answers such a question with nothing, as if it had never been: that is refused by name.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from heapq import merge
from typing import Any, Final

PRUNED_CODE: Final = 4444  # geth's, for history that it has dropped
_PREFIX_DIGITS: Final = 16  # of a hash: 64 bits, so that a million of them take 8 MB

# Where a method names its block: the place of the parameter.
BLOCK_AT: Final[Mapping[str, int]] = {
    "anvil_getBlobsByBlockId": 0,
    "debug_traceBlockByNumber": 0,
    "debug_traceCall": 1,
    "erigon_getHeaderByNumber": 0,
    "eth_call": 1,
    "eth_callMany": 1,
    "eth_createAccessList": 1,
    "eth_estimateGas": 1,
    "eth_getAccount": 1,
    "eth_getAccountInfo": 1,
    "eth_getBalance": 1,
    "eth_getBlockByNumber": 0,
    "eth_getBlockReceipts": 0,
    "eth_getBlockTransactionCountByNumber": 0,
    "eth_getCode": 1,
    "eth_getHeaderByNumber": 0,
    "eth_getProof": 2,
    "eth_getRawTransactionByBlockNumberAndIndex": 0,
    "eth_getStorageAt": 2,
    "eth_getStorageValues": 1,
    "eth_getTransactionByBlockNumberAndIndex": 0,
    "eth_getTransactionCount": 1,
    "eth_getUncleByBlockNumberAndIndex": 0,
    "eth_getUncleCountByBlockNumber": 0,
    "eth_simulateV1": 1,
    "ots_getBlockDetails": 0,
    "ots_getBlockTransactions": 0,
    "ots_hasCode": 1,
    "trace_block": 0,
    "trace_replayBlockTransactions": 0,
}
STATES: Final = frozenset(
    {
        "debug_traceCall",
        "eth_call",
        "eth_callMany",
        "eth_createAccessList",
        "eth_estimateGas",
        "eth_getAccount",
        "eth_getAccountInfo",
        "eth_getBalance",
        "eth_getCode",
        "eth_getProof",
        "eth_getStorageAt",
        "eth_getStorageValues",
        "eth_getTransactionCount",
        "eth_simulateV1",
        "ots_hasCode",
    }
)
# Filters begin at `fromBlock`; without one at the head, but trace_filter at block 0 (tried).
FILTERS: Final[Mapping[str, object]] = {
    "eth_getLogs": "latest",
    "eth_newFilter": "latest",
    "trace_filter": 0,
}
# Whatever these find, they look through all blocks for it.
SEARCHES: Final = frozenset(
    {
        "anvil_getBlobByHash",
        "anvil_getBlobByVersionedHash",
        "eth_getFilterLogs",
        "eth_getTransactionBySenderAndNonce",
        "ots_getContractCreator",
        "ots_getTransactionBySenderAndNonce",
        "ots_searchTransactionsAfter",
        "ots_searchTransactionsBefore",
    }
)
# Their first parameter may be 32 bytes that are no hash of a block or of a transaction.
_BYTES: Final = frozenset({"web3_sha3", "personal_sign", "eth_sendRawTransaction"})
_KEEPS_ALL: Final = "raise the devnet with `chain.prune_history: false`, which keeps all"


class Kept:
    """Blocks before `first` are gone with all that was in them, but for the genesis block; the node
    goes up to `head` at least.

    `states` is whether the node has the state of every block that it has. One thread drops while no
    other asks (`RpcDoor.quiet`).
    """

    def __init__(self, *, states: bool = True) -> None:
        self.first, self.head = 0, 0
        self._states = states
        self._gone = array("Q")  # sorted

    def drop(self, first: int, hashes: Iterable[str]) -> None:
        """Blocks before `first` are gone; `hashes` are theirs and their transactions'."""
        self.first = first
        self._gone = array("Q", merge(self._gone, sorted(map(_prefix, hashes))))

    def had(self, given: str) -> bool:
        """Whether it is the hash of a block or transaction that is gone."""
        prefix = _prefix(given)
        place = bisect_left(self._gone, prefix)
        return place < len(self._gone) and self._gone[place] == prefix

    def refusal(self, method: object, params: object) -> str:
        """Why the node has no answer to this call any more; empty where it has one."""
        if not isinstance(method, str):
            return ""
        if not self._states and _replays(method, params):
            return (
                f"{method} plays a block again, from a state that is not kept: trace_transaction "
                f"and trace_block tell what was seen when it was mined, or {_KEEPS_ALL}"
            )
        if self.first and method in SEARCHES:
            return self._sentence(f"{method} looks through all blocks")
        if not isinstance(params, Sequence) or isinstance(params, str):
            return ""
        return self._of_hash(method, params) or self._of_number(method, params)

    def _of_hash(self, method: str, params: Sequence[Any]) -> str:
        if method in _BYTES:
            return ""
        place = BLOCK_AT.get(method, 0)
        for given in params[place : place + 1]:
            asked = given.get("blockHash") if isinstance(given, Mapping) else given
            if isinstance(asked, str) and _is_hash(asked) and self.had(asked):
                return self._sentence(f"{asked} is, or is in, a block that is gone")
        return ""

    def _of_number(self, method: str, params: Sequence[Any]) -> str:
        if method in FILTERS:
            return self._of_filter(method, params)
        place = BLOCK_AT.get(method)
        if place is None or place >= len(params):
            return ""
        number = _number(params[place])
        if number is None:
            return ""
        if not self._states and method in STATES and number < self.head:
            return (
                f"{method} asks for the state of block {number}, and only the head's is kept, "
                f"which is block {self.head} or later: ask for the latest, or {_KEEPS_ALL}"
            )
        if not 0 < number < self.first:
            return ""  # the node has block 0 itself, and says so of its state
        return self._sentence(f"{method} asks for block {number}")

    def _of_filter(self, method: str, params: Sequence[Any]) -> str:
        given = params[0] if params else None
        if not isinstance(given, Mapping) or given.get("blockHash") is not None:
            return ""
        start = given.get("fromBlock")
        number = _number(FILTERS[method] if start is None else start)
        if number is None or number >= self.first:
            return ""
        return self._sentence(f"{method} begins at block {number}")

    def _sentence(self, what: str) -> str:
        return (
            f"{what}: blocks before {self.first} are not kept, nor their transactions, receipts "
            f"and logs. Ask from block {self.first} on, read blocks.jsonl and events.jsonl of the "
            f"run's folder, or {_KEEPS_ALL}"
        )


def _replays(method: str, params: object) -> bool:
    """Whether it plays a block again, from the state before it: the node has no answer then."""
    if method == "debug_traceTransaction":
        options = params[1:2] if isinstance(params, list) else []
        return any(isinstance(given, Mapping) and given.get("tracer") for given in options)
    return method == "trace_replayBlockTransactions"


def _is_hash(given: str) -> bool:
    return len(given) == 66 and given[:2] in ("0x", "0X")


def _prefix(given: str) -> int:
    try:
        return int(given[2 : 2 + _PREFIX_DIGITS], 16)
    except ValueError:
        return 0


def _number(given: object) -> int | None:
    """The number of a block where it is one: the node takes hex, digits, and both in an object."""
    if isinstance(given, Mapping):
        given = given.get("blockNumber")
    if isinstance(given, bool) or not isinstance(given, int | str):
        return None
    if isinstance(given, int):
        return given
    if given == "earliest":
        return 0
    base = 16 if given[:2] in ("0x", "0X") else 10
    digits = given[2:] if base == 16 else given
    digits = digits.lstrip("0") or digits[-1:]  # the node takes any number of them before it
    try:
        return int(digits, base) if len(digits) < 67 else None
    except ValueError:
        return None
