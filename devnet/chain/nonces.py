"""Nonces of accounts that only this process uses."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from typing import TypeVar

_Lane = TypeVar("_Lane")


class NonceLanes:
    """The next nonce of each account, read from the chain once and counted here afterwards."""

    def __init__(self, nonce_on_chain: Callable[[str], int]) -> None:
        self._on_chain = nonce_on_chain
        self._next: dict[str, int] = {}
        self._returned: dict[str, list[int]] = {}

    def take(self, address: str) -> int:
        """The lowest nonce not in use."""
        returned = self._returned.get(address)
        if returned:
            return heapq.heappop(returned)
        nonce = self._next.get(address)
        if nonce is None:
            nonce = self._on_chain(address)
        self._next[address] = nonce + 1
        return nonce

    def give_back(self, address: str, nonce: int) -> None:
        """Only for a transaction refused before the pool; never after a timeout or "nonce too low".

        The holes are filled lowest first, so that no later transaction waits for one.
        """
        returned = self._returned.setdefault(address, [])
        heapq.heappush(returned, nonce)
        while returned and self._next.get(address, 0) - 1 in returned:
            self._next[address] -= 1
            returned.remove(self._next[address])
            heapq.heapify(returned)

    def forget(self) -> None:
        """Read every nonce from the chain again: after a revert to a snapshot."""
        self._next.clear()
        self._returned.clear()


def lane(items: Sequence[_Lane], worker: int, workers: int) -> tuple[_Lane, ...]:
    """Worker number `worker` of `workers` gets every `workers`-th item; no item is in two lanes."""
    if not 0 <= worker < workers:
        raise ValueError(f"worker {worker} of {workers}")
    return tuple(items[worker::workers])
