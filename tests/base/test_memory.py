"""What was taken for a moment goes back to the system."""

from __future__ import annotations

import ctypes

import psutil
import pytest

from devnet.base.memory import give_back


@pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "malloc_trim"),
    reason="its C library has no malloc_trim: glibc has",
)
def test_a_heap_with_a_hole_in_it_shrinks() -> None:
    """As after a dump was read: many strings freed below one that stays."""
    process = psutil.Process()
    pieces = [str(number) * 4_000 for number in range(5_000)]  # some 76 MB
    last = pieces.pop()
    del pieces
    give_back()
    before = process.memory_info().rss
    pieces = [str(number) * 4_000 for number in range(5_000)]
    top = str(last)[:-1]
    grown = process.memory_info().rss - before
    del pieces
    give_back()
    left = process.memory_info().rss - before
    assert top
    assert grown > 50_000_000
    assert left < 5_000_000
