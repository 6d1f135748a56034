"""What Python has freed and the C library keeps, given back to the system."""

from __future__ import annotations

import ctypes
from typing import Final

_LIBC: Final = ctypes.CDLL(None)


def give_back() -> None:
    """After work that took much memory for a moment: glibc keeps most of it otherwise (tried: 16 of
    97 MB). Where the C library has no such call, nothing happens."""
    if hasattr(_LIBC, "malloc_trim"):
        _LIBC.malloc_trim(0)
