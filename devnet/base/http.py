"""httpx without its command line, which brings rich and pygments into every start (0.2 s)."""

from __future__ import annotations

import sys

# httpx itself goes on without `_main` where its imports fail; None makes this one fail.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]

import httpx  # noqa: E402

__all__ = ["httpx"]
