"""What one transaction called, frame by frame, as the node kept it from mining.

The flat list of `trace_transaction`: unlike `debug_traceTransaction` it needs no state, so the node
has it of every block that it has, also where it keeps the head's state alone (tried). Logs are not
in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

CALL: Final = "call"
REVERTED: Final = "Reverted"
# Each frame has its whole input, which costs no gas but once: a transaction of 1 000 000 gas that
# calls with 64 KB each time has 912 MB of it (tried). Reading takes five to seven times the memory.
MOST_TRACE_BYTES: Final = 64 << 20


@dataclass(frozen=True, slots=True)
class Frame:
    """A call or a creation within a transaction; those within it have places that begin with its.

    `kind` is how it was called ("call", "delegatecall", "create", …), `sender` in whose name it
    runs or was called. `error` is empty where it succeeded, REVERTED where `output` says why, and
    the node's own word for what else ended it; `value` in wei. `gas` is what it was given.
    """

    place: tuple[int, ...]
    kind: str
    sender: str
    to: str
    value: int
    data: bytes
    gas: int
    gas_used: int
    error: str
    output: bytes

    def holds(self, other: Frame) -> bool:
        """Whether the other is this one, or was called within it."""
        return other.place[: len(self.place)] == self.place


def read_frame(document: dict[str, Any]) -> Frame:
    """One of a `trace_transaction` answer, where each comes before what it called."""
    action, result = document["action"], document.get("result") or {}
    gas = int(action.get("gas", "0x0"), 16)
    return Frame(
        place=tuple(document["traceAddress"]),
        kind=action.get("callType", document["type"]),
        sender=action.get("from", ""),
        to=action.get("to", ""),
        value=int(action.get("value", "0x0"), 16),
        data=bytes.fromhex(action.get("input", "0x")[2:]),
        gas=gas,
        gas_used=int(result["gasUsed"], 16) if "gasUsed" in result else gas,
        error=document.get("error") or "",
        output=bytes.fromhex(result.get("output", "0x")[2:]),
    )
