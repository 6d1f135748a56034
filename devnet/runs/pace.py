"""Who moves the chain: the work due alone (a run), or also the wall clock (`up` and `load`)."""

from __future__ import annotations

import time
from collections.abc import Callable

from devnet.actors.scheduler import Scheduler
from devnet.base import WaitExpired

SETTLE_SECONDS = 120.0


class WorkPace:
    """Blocks appear only for due work; an open wish (a gap to keep, W4) mines one at a time."""

    def __init__(self, scheduler: Scheduler, limit_blocks: int) -> None:
        self._scheduler = scheduler
        self._limit_blocks = limit_blocks

    def settle(self, done: Callable[[], bool], seen: Callable[[], str]) -> None:
        self._scheduler.drain()
        for _ in range(self._limit_blocks):
            if done():
                return
            self._scheduler.advance(1)
            self._scheduler.drain()
        raise WaitExpired(f"the step, {self._limit_blocks} blocks", self._limit_blocks, seen())


class WallPace:
    """A block every `seconds_per_block` of the wall clock, whether somebody sent or not.

    A step may wait for as many blocks as in a run, and at least `SETTLE_SECONDS`.
    """

    def __init__(self, scheduler: Scheduler, seconds_per_block: float, limit_blocks: int) -> None:
        self._scheduler = scheduler
        self._seconds_per_block = seconds_per_block
        self._limit_seconds = max(SETTLE_SECONDS, limit_blocks * seconds_per_block)
        self._next = time.monotonic() + seconds_per_block

    def tick(self) -> None:
        """Let everyone act, and mine when it is time; returns within one round."""
        while self._scheduler.round():
            if time.monotonic() >= self._next:
                break
        if time.monotonic() >= self._next:
            self._scheduler.mine()
            self._next = max(time.monotonic(), self._next + self._seconds_per_block)

    def seconds_to_next(self) -> float:
        return max(0.0, self._next - time.monotonic())

    def settle(self, done: Callable[[], bool], seen: Callable[[], str]) -> None:
        limit = time.monotonic() + self._limit_seconds
        while not (done() and self._scheduler.quiet()):
            self._scheduler.go_on()
            if time.monotonic() > limit:
                raise WaitExpired("the step", self._limit_seconds, seen())
            self.tick()
            self._scheduler.wait(min(0.05, self.seconds_to_next()))
