"""What is due at which block, in order."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count

Act = Callable[[], None]


class Agenda:
    """Acts by block; those of one block in the order in which they were entered."""

    def __init__(self) -> None:
        self._due: list[tuple[int, int, Act]] = []
        self._entered = count()

    def enter(self, block: int, act: Act) -> None:
        heapq.heappush(self._due, (block, next(self._entered), act))

    def next(self, before: int) -> tuple[int, Act] | None:
        """The first act due before that block, taken off; None where there is none."""
        if not self._due or self._due[0][0] >= before:
            return None
        block, _, act = heapq.heappop(self._due)
        return block, act
