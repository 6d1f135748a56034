"""Where a request to the chain's door comes from: no web page may use it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

_OURS: Final = frozenset({"127.0.0.1", "localhost", "::1"})
# A page cannot claim to be one of these; a wallet in the browser is one.
_EXTENSIONS: Final = ("chrome-extension", "moz-extension", "safari-web-extension")


def bar(headers: Mapping[str, str]) -> str:
    """Why a request is not let in at all; empty for one that may pass.

    A page's request carries its origin; one that came by a name of the page's own (DNS rebinding)
    carries that name.
    """
    host, origin = headers.get("Host", ""), headers.get("Origin")
    try:
        named = urlsplit(f"//{host}").hostname
    except ValueError:  # as of "["
        named = None
    if named not in _OURS:
        return f"{host!r} is not the name of this machine's loopback"
    if origin is not None and origin.partition("://")[0] not in _EXTENSIONS:
        return f"a web page ({origin}) may not use the chain"
    return ""
