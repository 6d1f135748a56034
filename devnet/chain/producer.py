"""Blocks by the wall clock, for `up` and `load`: the same rule, paced."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Final, Self

from devnet.chain.chain import Chain
from devnet.chain.errors import ChainError

# anvil's receipts of a block take time with the square of its transactions: 0.2 s for a thousand,
# 3 s for four thousand (tried).
FULL_AT: Final = 1_000

_STOP_SECONDS: Final = 30.0
_LOOK_SECONDS: Final = 0.05


class PacedProducer:
    """A thread that mines what the pool holds every `wall_seconds`; a context manager.

    It mines earlier once `full_at` transactions wait, and then begins a new interval.
    A block that takes longer than its interval is followed at once by the next, and lost
    intervals are not made up for. `failure` is why it stopped by itself, None while it runs well.
    """

    def __init__(self, chain: Chain, wall_seconds: float, *, full_at: int = FULL_AT) -> None:
        if wall_seconds <= 0:
            raise ValueError(f"a block every {wall_seconds} s")
        self._chain, self._wall_seconds = chain, wall_seconds
        self._full_at = full_at
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="block-producer", daemon=True)
        self.failure: ChainError | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Begin; the first block comes one interval from now."""
        self._thread.start()

    def stop(self) -> None:
        """Let the current block finish, then end; raises what the thread failed with."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(_STOP_SECONDS)
            if self._thread.is_alive():
                raise ChainError(f"the block producer did not stop within {_STOP_SECONDS:g} s")
        if self.failure is not None:
            raise self.failure

    def _run(self) -> None:
        due = time.monotonic() + self._wall_seconds
        try:
            while not self._stopping.wait(self._pause(due)):
                early = time.monotonic() < due
                if early and self._waiting() < self._full_at:
                    continue
                self._chain.mine(())
                now = time.monotonic()
                due = now + self._wall_seconds if early else max(due + self._wall_seconds, now)
        except ChainError as error:
            self.failure = error

    def _pause(self, due: float) -> float:
        return min(_LOOK_SECONDS, max(0.0, due - time.monotonic()))

    def _waiting(self) -> int:
        return int(self._chain.rpc.call("txpool_status")["pending"], 16)
