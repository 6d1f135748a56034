"""What lets requests through to the node, and holds them back while it drops its old blocks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from devnet.chain.line import Line

DRAIN_SECONDS: Final = 2.0
WHOLE_SECONDS: Final = 10.0  # the node answers them in milliseconds, or it hangs
CUT: Final = (
    "it took too long while the chain dropped its old blocks (chain.prune_history): ask again; "
    "a transaction that was sent so may wait in the pool"
)

Outcome = TypeVar("Outcome")


class Gate:
    """Belongs to an event loop. `lines` are the WebSockets that are open."""

    def __init__(self) -> None:
        self.lines: set[Line] = set()
        self._open = asyncio.Event()
        self._open.set()
        self._asking: set[asyncio.Task[Any]] = set()  # whose request is at the node
        self._whole: set[asyncio.Task[Any]] = set()
        self._ending: set[asyncio.Task[None]] = set()
        self._broken = ""

    async def admitted(self) -> str:
        """Wait until it is open; why nobody is let through any more, empty where one is."""
        while not self._open.is_set():
            await self._open.wait()
        return self._broken

    @contextmanager
    def asking(self) -> Iterator[None]:
        """While inside, the task's request is at the node or on its way; it is cancelled where
        that takes too long: see `was_cut`."""
        task = asyncio.current_task()
        assert task is not None
        self._asking.add(task)
        try:
            yield
        finally:
            self._asking.discard(task)

    def was_cut(self) -> bool:
        """Whether it was `shut` that cancelled this task, which may then go on otherwise."""
        task = asyncio.current_task()
        if task is None or self._open.is_set():
            return False
        task.uncancel()
        return True

    async def whole(self, request: Coroutine[Any, Any, Outcome]) -> Outcome:
        """What the node says to a request that it may still carry out when nobody hears it any
        more: whoever waits for it may be cut off, `shut` waits for its end."""
        task = asyncio.get_running_loop().create_task(request)
        self._whole.add(task)
        task.add_done_callback(self._whole.discard)
        return await asyncio.shield(task)

    async def shut(self) -> None:
        """Hold back whoever comes, and wait until nobody's request is at the node and every
        WebSocket has had all its news. What is under way longer is cut off, with a reason."""
        self._open.clear()
        try:
            for line in self.lines:
                self._begin(line.settle())
            until = time.monotonic() + DRAIN_SECONDS
            while self._is_busy() and time.monotonic() < until:
                await asyncio.sleep(0.002)
            for task in self._asking:
                task.cancel()
            for line in [line for line in self.lines if line.asked]:
                self.lines.discard(line)
                self._begin(line.cut())
            while self._asking:
                await asyncio.sleep(0)
            until = time.monotonic() + WHOLE_SECONDS
            while self._whole and time.monotonic() < until:
                await asyncio.sleep(0.002)
        except BaseException:
            self._open.set()
            raise

    async def reopen(self, broken: str) -> None:
        """Let those through that waited; where it is `broken`, refuse them all for this reason."""
        self._broken = broken
        self._open.set()

    def _is_busy(self) -> bool:
        return bool(self._asking) or any(line.asked for line in self.lines)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)
