"""The daemon's own log, `logs/daemon.log`: its stdout. A full disk must not change what it does."""

from __future__ import annotations

import contextlib
import time
import traceback


def note(text: str) -> None:
    """One line with its time."""
    with contextlib.suppress(OSError):
        print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def note_traceback(error: BaseException) -> None:
    with contextlib.suppress(OSError):
        traceback.print_exception(error)
