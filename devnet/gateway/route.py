"""The pods behind one order: who is ready, whose turn it is, who answered how often."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence

PodAddress = tuple[str, int, str]  # host, port, pod's name
Pods = Callable[[], Sequence[PodAddress]]

# How long one look at the pods serves: the look may be a request to an API server, and a pod
# that left meanwhile costs one retry.
FRESH_SECONDS = 0.1
# A list that is late or fails is no reason to refuse: pods that live go on being served without it.
LATE_SECONDS = 0.5
STALE_SECONDS = 1.0


class PodsUnknown(Exception):
    """The order's pods could not be listed in time."""


class Route:
    """Lives on the gateway's event loop; only `counts` may be read from elsewhere."""

    def __init__(self, order_id: int, pods: Pods, list_seconds: float) -> None:
        self.order_id = order_id
        self.counts: Counter[str] = Counter()
        self._pods = pods
        self._list_seconds = list_seconds
        self._turn = 0
        self._known: tuple[PodAddress, ...] = ()
        self._known_until = 0.0
        self._failed: set[PodAddress] = set()  # of the known ones, since they were listed
        self._look: asyncio.Task[None] | None = None

    async def candidates(self) -> list[PodAddress]:
        """All ready pods, beginning with the one whose turn it is; those of the last list while
        there is no newer one and any of them answers. Raises `PodsUnknown` where there is none."""
        pods = await self._ready()
        if not pods:
            return []
        start = self._turn % len(pods)
        self._turn += 1
        return sorted([*pods[start:], *pods[:start]], key=self._failed.__contains__)

    def forget(self, pod: PodAddress) -> None:
        """A pod did not answer: look again at the next request, and ask it last until then."""
        self._failed.add(pod)
        self._known_until = 0.0

    async def _ready(self) -> tuple[PodAddress, ...]:
        if time.monotonic() >= self._known_until:
            if self._look is None or self._look.done():
                self._look = asyncio.create_task(self._list())
                self._look.add_done_callback(_heard)
            if set(self._known) - self._failed:
                await self._look_again(self._look)
            else:
                await asyncio.shield(self._look)  # one look for all who wait
        return self._known

    async def _look_again(self, look: asyncio.Task[None]) -> None:
        """Wait a moment for the new list, and keep the old one where there is none."""
        await asyncio.wait({look}, timeout=LATE_SECONDS)
        if not look.done() or look.exception() is not None:
            self._known_until = time.monotonic() + STALE_SECONDS

    async def _list(self) -> None:
        look = asyncio.get_running_loop().run_in_executor(None, self._pods)
        try:
            self._known = tuple(await asyncio.wait_for(look, self._list_seconds))
        except TimeoutError as error:
            raise PodsUnknown(f"not listed within {self._list_seconds:g} s") from error
        except Exception as error:  # the callable is another layer's: its errors are not known here
            raise PodsUnknown(f"{type(error).__name__}: {error}") from error
        self._failed.clear()
        self._known_until = time.monotonic() + FRESH_SECONDS


def _heard(look: asyncio.Task[None]) -> None:
    """Nobody may be waiting any more for what it raised."""
    if not look.cancelled():
        look.exception()
