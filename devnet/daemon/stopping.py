"""SIGTERM and SIGINT of the daemon: at once where it waits or plays a step, else after the tick."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from devnet.daemon.interrupts import redelivered


class Stopping:
    """Made in the main thread. `asked` is true once the daemon shall end."""

    def __init__(self) -> None:
        self.asked = False
        self._raised = False
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
        """Inside, a signal raises KeyboardInterrupt, once; one that came before raises at once."""
        with redelivered(self._again):
            self._interruptible, self._raised = True, False
            try:
                if self.asked:
                    raise KeyboardInterrupt
                yield
            finally:
                self._interruptible = False
        if self.asked:
            raise KeyboardInterrupt

    def _again(self) -> None:
        self._raised = False
        self.ask()

    def _asked(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        if self._interruptible and not self._raised:
            self._raised = True
            raise KeyboardInterrupt
