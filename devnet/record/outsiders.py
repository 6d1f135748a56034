"""What a run's record says of others on its chain, and the block at which it ends."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

FOREIGN_STATE: Final = "foreign state"  # a verdict: somebody changed what no transaction changes
UNMODELLED: Final = "unmodelled"  # a verdict: from some transaction on nothing was checked
_FOREIGN: Final = "Foreign"
_UNMODELLED: Final = "Unmodelled"


def foreign_in(inputs: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Of `inputs.jsonl`: `block`, `seen`, `replays` (whether a fresh chain comes to the same)."""
    return _told(inputs, _FOREIGN, ("block", "seen", "replays"))


def foreign_of(run: Path) -> list[dict[str, Any]]:
    """The same of a run's folder."""
    return foreign_in(_lines_of_type(run, _FOREIGN))


def unmodelled_of(run: Path) -> dict[str, Any] | None:
    """Of a run's folder: the `block` from which on nothing was checked, and what was `seen`."""
    found = _told(_lines_of_type(run, _UNMODELLED), _UNMODELLED, ("block", "seen"))
    return found[0] if found else None


def last_recorded(run: Path) -> dict[str, Any] | None:
    """Number and hash of the last block whose line is whole, None where there is none."""
    last = deque(_lines(run / "blocks.jsonl"), maxlen=1)
    block = json.loads(last[0]) if last else None
    return {"number": block["number"], "hash": block["hash"]} if block else None


def _told(
    inputs: Iterable[Mapping[str, Any]], kind: str, keys: tuple[str, ...]
) -> list[dict[str, Any]]:
    messages = (line.get("message") for line in inputs)
    return [
        {key: message.get(key) for key in keys}
        for message in messages
        if isinstance(message, Mapping) and message.get("type") == kind
    ]


def _lines_of_type(run: Path, kind: str) -> Iterator[dict[str, Any]]:
    needle = f'"{kind}"'.encode()
    return (json.loads(line) for line in _lines(run / "inputs.jsonl") if needle in line)


def _lines(path: Path) -> Iterator[bytes]:
    """Whole ones: a writer killed in the middle of a line leaves no newline."""
    if path.exists():
        with path.open("rb") as stream:
            yield from (line for line in stream if line.endswith(b"\n"))
