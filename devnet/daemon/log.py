"""The daemon's own log, `logs/daemon.log`: its stdout. A full disk must not change what it does."""

from __future__ import annotations

import contextlib
import os
import sys
import time
import traceback


def begin() -> None:
    """Empty the log, which is the former daemon's until this one begins; a pipe or a terminal in
    its place has nothing to empty."""
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        os.ftruncate(sys.stdout.fileno(), 0)


def note(text: str) -> None:
    """One line with its time."""
    with contextlib.suppress(OSError):
        print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def note_traceback(error: BaseException) -> None:
    with contextlib.suppress(OSError):
        traceback.print_exception(error)
