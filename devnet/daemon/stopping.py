"""SIGTERM and SIGINT of the daemon: at once where it waits or plays a step, else after the tick."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType


class Stopping:
    """Made in the main thread. `asked` is true once the daemon shall end."""

    def __init__(self) -> None:
        self.asked = False
        self._interruptible = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._asked)

    def ask(self) -> None:
        """From any thread: end as SIGTERM would."""
        identity = threading.main_thread().ident
        assert identity is not None
        signal.pthread_kill(identity, signal.SIGTERM)

    @contextlib.contextmanager
    def may_interrupt(self) -> Iterator[None]:
        """Inside, a signal raises KeyboardInterrupt, once."""
        self._interruptible = True
        try:
            if self.asked:
                raise KeyboardInterrupt
            yield
        finally:
            self._interruptible = False

    def _asked(self, number: int, frame: FrameType | None) -> None:
        first, self.asked = not self.asked, True
        if first and self._interruptible:
            raise KeyboardInterrupt
