"""A transaction as the rules see it: who asked for what and when, never what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ZERO_ADDRESS = "0x" + 40 * "0"
ZERO_HASH = bytes(32)


@dataclass(frozen=True, slots=True)
class Call:
    """`block` and `timestamp` are those of the block it is in; `args` by Solidity's names."""

    sender: str
    block: int
    timestamp: int
    args: Mapping[str, Any]
