"""What a step of the machine does, in the words of a scenario file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from devnet.spec.units import duration_text


@dataclass(frozen=True, slots=True)
class Send:
    """One transaction; `args` by the ABI's names, with values as a `send` step has them.

    It `joins` the block of the transaction before it, where one was; else a block is its own.
    """

    sender: str
    contract: str
    function: str
    args: Mapping[str, Any] = field(default_factory=dict)
    joins: bool = False

    @property
    def verb(self) -> str:
        """What tallies count it as: all feeds and all pools are one."""
        return f"{self.contract.partition(':')[0]}.{self.function}"


@dataclass(frozen=True, slots=True)
class Advance:
    """Empty blocks."""

    blocks: int


Action = Send | Advance


def now(seconds: int) -> dict[str, str]:
    """So many seconds after the timestamp of the block to come, before it where negative."""
    return {"now": ("-" if seconds < 0 else "") + duration_text(abs(seconds))}
