"""Interrupts that Python would lose.

A signal's KeyboardInterrupt may be raised where exceptions are dropped: in a callback of fork
(`logging` has one), in a finalizer. Then nobody stops, and nothing says so.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

AGAIN_SECONDS = 0.05


@contextlib.contextmanager
def redelivered(again: Callable[[], None]) -> Iterator[None]:
    """Call `again` (in a thread of its own) whenever a KeyboardInterrupt was dropped meanwhile."""
    before, owner = sys.unraisablehook, os.getpid()

    def hook(lost: Any) -> None:
        if not issubclass(lost.exc_type, KeyboardInterrupt):
            before(lost)
        elif os.getpid() == owner:  # a forked child inherits the signal on its way to exec
            timer = threading.Timer(AGAIN_SECONDS, again)
            timer.daemon = True
            timer.start()

    sys.unraisablehook = hook
    try:
        yield
    finally:
        sys.unraisablehook = before
