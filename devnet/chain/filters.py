"""Filters of logs that clients made: which of them may have missed something in a dropped block.

The node looks up a filter's logs when it is asked for them, and so finds none of a block that is
gone by then. A subscription's it looks up at once (`Line.settle` waits for that), and hashes of
blocks and transactions it keeps.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from devnet.chain.kept import Kept

MAKES: Final = "eth_newFilter"
POLLS: Final = "eth_getFilterChanges"
FORGOTTEN_SECONDS: Final = 900.0  # the node forgets a filter that nobody asked for five minutes
_SWEEP_EVERY: Final = 256  # filters


class Filters:
    """Of one node, by the identities that it gave. Belongs to the door's thread."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._asked: dict[str, tuple[int, float]] = {}  # up to which block, and when
        self._cut: dict[str, int] = {}  # polls whose answers never came, by the head of then

    def made(self, identity: str, head: int) -> None:
        """There is one that tells what comes after this block."""
        if len(self._asked) % _SWEEP_EVERY == _SWEEP_EVERY - 1:
            oldest = time.monotonic() - FORGOTTEN_SECONDS
            self._asked = {key: seen for key, seen in self._asked.items() if seen[1] > oldest}
            self._cut = {key: head for key, head in self._cut.items() if key in self._asked}
        self._asked[identity] = (head, time.monotonic())

    def refusal(self, method: object, params: object) -> str:
        """Why a poll is answered with an error this once; empty where it may pass."""
        identity = params[0] if isinstance(params, list) and params else None
        if not isinstance(identity, str) or identity not in self._asked:
            return ""
        if method == "eth_uninstallFilter":
            del self._asked[identity]
            self._cut.pop(identity, None)
        if method != POLLS:
            return ""
        last, first = self._asked[identity][0], self._kept.first
        if identity in self._cut:
            head = max(self._cut.pop(identity), first - 1)
            self.made(identity, head)
            return (
                f"filter {identity} was asked at block {head} and the answer was cut: its logs of "
                f"blocks {last + 1} to {head} may be lost. Ask again and it goes on; "
                "events.jsonl of the run's folder has all of them"
            )
        if last + 1 >= first:
            return ""
        self.made(identity, first - 1)
        return (
            f"filter {identity} was last asked at block {last}, and blocks before {first} are not "
            f"kept: its logs of blocks {last + 1} to {first - 1} are gone, as far as they were not "
            f"told. Ask again and it goes on from block {first}; events.jsonl of the run's folder "
            "has all of them, and a devnet raised with `chain.prune_history: false` keeps them"
        )

    def expected(self, calls: Iterable[object]) -> list[Expected]:
        """What is to be done with the answers to those calls that make a filter or poll one; a
        poll counts as asked when its answer is there."""
        found = [self._expected(c) for c in calls if isinstance(c, Mapping) and "id" in c]
        return [item for item in found if item is not None]

    def cut(self, calls: Iterable[object]) -> None:
        """Nobody is answered: whatever filter they ask for is refused once."""
        for item in self.expected(calls):
            item.is_lost()

    def _expected(self, call: Mapping[str, Any]) -> Expected | None:
        head, params = self._kept.head, call.get("params")
        if call.get("method") == MAKES:
            return Expected(call["id"], lambda found: self._is_made(found, head), lambda: None)
        named = params[0] if isinstance(params, list) and params else None
        if call.get("method") != POLLS or not isinstance(named, str) or named not in self._asked:
            return None
        identity = named
        return Expected(
            call["id"],
            lambda found: self._is_told(identity, found, head),
            lambda: self._is_cut(identity, head),
        )

    def _is_made(self, found: object, head: int) -> None:
        if isinstance(found, str):
            self.made(found, head)

    def _is_told(self, identity: str, found: object, head: int) -> None:
        if isinstance(found, list) and identity in self._asked:
            self.made(identity, max(head, self._asked[identity][0]))

    def _is_cut(self, identity: str, head: int) -> None:
        if identity in self._asked:
            self._cut[identity] = max(head, self._cut.get(identity, 0))


@dataclass(frozen=True, slots=True)
class Expected:
    """Of an answer to the call of this `id`: `came` is given its result, `is_lost` called where it
    never comes."""

    id: object
    came: Callable[[object], None]
    is_lost: Callable[[], None]
