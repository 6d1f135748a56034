"""The process behind `devnet up`: it owns a running devnet and takes steps over a local socket.

`start` and `stop` are the way in and out for a command line; `Caller` talks to a running one.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from devnet.daemon.caller import Caller
    from devnet.daemon.ending import stop
    from devnet.daemon.leftovers import Cleared, clear, clear_all
    from devnet.daemon.starting import StartOrder, start

_LAZY = {
    "Caller": "caller",
    "Cleared": "leftovers",
    "StartOrder": "starting",
    "clear": "leftovers",
    "clear_all": "leftovers",
    "start": "starting",
    "stop": "ending",
}

__all__ = ["Caller", "Cleared", "StartOrder", "clear", "clear_all", "start", "stop"]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
