"""What a run's record says of others on its chain, and the block at which it ends."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

FOREIGN_STATE: Final = "foreign state"  # a verdict: somebody changed what no transaction changes
_TYPE: Final = "Foreign"


def foreign_in(inputs: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Of `inputs.jsonl`: `block`, `seen`, `replays` (whether a fresh chain comes to the same)."""
    messages = (line.get("message") for line in inputs)
    return [
        {key: message.get(key) for key in ("block", "seen", "replays")}
        for message in messages
        if isinstance(message, Mapping) and message.get("type") == _TYPE
    ]


def foreign_of(run: Path) -> list[dict[str, Any]]:
    """The same of a run's folder."""
    needle = f'"{_TYPE}"'.encode()
    return foreign_in(json.loads(s) for s in _lines(run / "inputs.jsonl") if needle in s)


def last_recorded(run: Path) -> dict[str, Any] | None:
    """Number and hash of the last block whose line is whole, None where there is none."""
    last = deque(_lines(run / "blocks.jsonl"), maxlen=1)
    block = json.loads(last[0]) if last else None
    return {"number": block["number"], "hash": block["hash"]} if block else None


def _lines(path: Path) -> Iterator[bytes]:
    """Whole ones: a writer killed in the middle of a line leaves no newline."""
    if path.exists():
        with path.open("rb") as stream:
            yield from (line for line in stream if line.endswith(b"\n"))
