"""Parts that ended by themselves: who, how, and the last words of their logs."""

from __future__ import annotations

import json
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

_TAIL_BYTES = 4096
_LEADING = ("ts", "level", "msg")  # of a line in JSON, as etcd writes them
_FOR_PROGRAMMERS = ("caller", "stacktrace", "errorVerbose")


class Outlook(StrEnum):
    """What is to come of a part that is not there now."""

    GONE = "gone"
    RETURNS = "returns"  # it is being started again
    STOPPED = "stopped"  # by a signal; whoever did it may let it go on


@dataclass(frozen=True, slots=True)
class Ended:
    """One part that should run and does not. `node` names the machine it was, empty for what the
    whole devnet stands on: a lost machine is the protocol's business, the rest ends the devnet
    where it is `GONE`. `pid` is 0 for what has no process."""

    name: str
    how: str
    log: Path | None = None
    node: str = ""
    outlook: Outlook = Outlook.GONE
    pid: int = 0

    def __str__(self) -> str:
        return f"{self.name} {self.how}"


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that became of a part: it ended, was stopped, is back. `said` is its sentence,
    `died` whether the part ended by it, `at` the wall clock's second; numbered from 1 on."""

    number: int
    name: str
    said: str
    at: int
    node: str = ""
    died: bool = False

    def __str__(self) -> str:
        return f"{self.name} {self.said}"


def dead_of(incidents: Sequence[Incident]) -> list[str]:
    """Every part that died, and how, each sentence once."""
    return list(dict.fromkeys(str(incident) for incident in incidents if incident.died))


def how_ended(code: int) -> str:
    """Of a child's exit code, where minus a signal's number means killed by it."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"


def log_tail(path: Path | None) -> str:
    """The last whole lines of a log file, some 4 KiB, in words; empty when there is none."""
    if path is None:
        return ""
    try:
        with path.open("rb") as file:
            start = max(0, path.stat().st_size - _TAIL_BYTES)
            file.seek(start)
            read = file.read().decode(errors="replace").strip()
    except FileNotFoundError:
        return ""
    _, _, rest = read.partition("\n")
    whole = rest if start and rest else read
    return "\n".join(map(_in_words, whole.splitlines()))


def _in_words(line: str) -> str:
    """`{"ts": T, "level": "warn", "msg": M, "error": E}` as `T warn M error=E`; else as it is."""
    try:
        said = json.loads(line)
    except ValueError:
        return line
    if not isinstance(said, dict) or "msg" not in said:
        return line
    head = [str(said[key]) for key in _LEADING if key in said]
    more = [f"{k}={v}" for k, v in said.items() if k not in (*_LEADING, *_FOR_PROGRAMMERS)]
    return " ".join([*head, *more])
