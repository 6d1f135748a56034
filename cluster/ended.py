"""Parts that ended by themselves: who, how, and the last words of their logs."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from pathlib import Path

_TAIL_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Ended:
    """One part that should run and does not. `node` names the machine it was, empty for what the
    whole devnet stands on: a lost machine is the protocol's business, the rest ends the devnet."""

    name: str
    how: str
    log: Path | None = None
    node: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.how}"


def how_ended(code: int) -> str:
    """Of a child's exit code, where minus a signal's number means killed by it."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"


def log_tail(path: Path | None) -> str:
    """The last 4 KiB of a log file, empty when there is none."""
    if path is None:
        return ""
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            file.seek(max(0, size - _TAIL_BYTES))
            return file.read().decode(errors="replace").strip()
    except FileNotFoundError:
        return ""
