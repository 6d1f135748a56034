"""The node's dump of itself, trimmed to its last blocks without holding it whole a second time."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

_DECODER: Final = json.JSONDecoder()
_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]]')


def trimmed(dump: str, first: int) -> tuple[str, list[str]]:
    """The dump with the blocks from `first` on and no accounts, and the hashes of what it lost.

    Item by item, and the accounts not at all: decoded, they take many times their text.
    Raises ValueError where it is not a dump.
    """
    text, members = _Text(dump), []
    gone: list[str] = []
    for name in text.names():
        if name == "blocks":
            value, lost = _blocks(text, first)
        elif name == "transactions":
            value, lost = _transactions(text, first)
        elif name == "accounts":
            text.skip()
            value, lost = "{}", []
        else:
            value, lost = text.value(), []
        gone += lost
        members.append(f"{json.dumps(name)}:{value}")
    return f"{{{','.join(members)}}}", gone


def _blocks(text: _Text, first: int) -> tuple[str, list[str]]:
    kept, parents = [], {}
    for block, piece in text.items():
        number = int(block["header"]["number"], 16)
        parents[number] = block["header"]["parentHash"]
        if number >= first:
            kept.append(piece)
    # A block's own hash is not in the dump; the next one names it. The node keeps block 0.
    gone = [parents[number + 1] for number in parents if 0 < number < first]
    return f"[{','.join(kept)}]", gone


def _transactions(text: _Text, first: int) -> tuple[str, list[str]]:
    kept, gone = [], []
    for row, piece in text.items():
        if row["block_number"] >= first:
            kept.append(piece)
        else:
            gone.append(row["info"]["transaction_hash"])
    return f"[{','.join(kept)}]", gone


class _Text:
    """Compact JSON of an object, read from its beginning to its end."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0

    def names(self) -> Iterator[str]:
        """Each member's name; the caller reads its `value` or `items`, or skips it, before the
        next."""
        while self._next() != "}":
            self._at += 1  # { or ,
            key = self._decoded()
            self._at += 1  # :
            yield key

    def value(self) -> str:
        start = self._at
        self._decoded()
        return self._text[start : self._at]

    def skip(self) -> None:
        """Go past an object or a list."""
        depth = 0
        for token in _TOKEN.finditer(self._text, self._at):
            if token[0] in "{[":
                depth += 1
            elif token[0] in "}]":
                depth -= 1
                if not depth:
                    self._at = token.end()
                    return
        raise ValueError("a dump ends in the middle")

    def items(self) -> Iterator[tuple[Any, str]]:
        """Each item of a list, and its text."""
        self._at += 1
        while self._next() != "]":
            start = self._at
            item = self._decoded()
            yield item, self._text[start : self._at]
            self._at += self._next() == ","
        self._at += 1

    def _next(self) -> str:
        if self._at >= len(self._text):
            raise ValueError("a dump ends in the middle")
        return self._text[self._at]

    def _decoded(self) -> Any:
        found, self._at = _DECODER.raw_decode(self._text, self._at)
        return found
