"""Filters of logs that clients made: which of them may have missed something in a dropped block.

The node looks up a filter's logs when it is asked for them, and so finds none of a block that is
gone by then. A subscription's it looks up at once (`Line.settle` waits for that), and hashes of
blocks and transactions it keeps.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

from devnet.chain.kept import Kept

MAKES: Final = "eth_newFilter"
FORGOTTEN_SECONDS: Final = 900.0  # the node forgets a filter that nobody asked for five minutes
_SWEEP_EVERY: Final = 256  # filters


class Filters:
    """Of one node, by the identities that it gave. Belongs to the door's thread."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._asked: dict[str, tuple[int, float]] = {}  # up to which block, and when

    def made(self, identity: str, head: int) -> None:
        """There is one that tells what comes after this block."""
        if len(self._asked) % _SWEEP_EVERY == _SWEEP_EVERY - 1:
            oldest = time.monotonic() - FORGOTTEN_SECONDS
            self._asked = {key: seen for key, seen in self._asked.items() if seen[1] > oldest}
        self._asked[identity] = (head, time.monotonic())

    def refusal(self, method: object, params: object) -> str:
        """Why a poll is answered with an error this once; empty where it may pass.

        A poll that may pass counts as asked.
        """
        identity = params[0] if isinstance(params, list) and params else None
        if not isinstance(identity, str) or identity not in self._asked:
            return ""
        if method == "eth_uninstallFilter":
            del self._asked[identity]
        if method != "eth_getFilterChanges":
            return ""
        last, first = self._asked[identity][0], self._kept.first
        self.made(identity, max(self._kept.head, first - 1))
        if last + 1 >= first:
            return ""
        return (
            f"filter {identity} was last asked at block {last}, and blocks before {first} are not "
            f"kept: its logs of blocks {last + 1} to {first - 1} are gone, as far as they were not "
            f"told. Ask again and it goes on from block {first}; events.jsonl of the run's folder "
            "has all of them, and a devnet raised with `chain.prune_history: false` keeps them"
        )


def makes(call: Mapping[str, Any]) -> bool:
    """Whether its answer is the identity of a filter of logs."""
    return call.get("method") == MAKES and "id" in call
