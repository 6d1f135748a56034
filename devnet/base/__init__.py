"""The ground the devnet stands on: errors, bounded waits, the toolchain, its folder and processes.

Everything here is free of the protocol; every other package may import it. Names load their module
at first use, so that `devnet --help` stays under 0.2 s.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from devnet.base.errors import (
    CheckFailed,
    DevnetError,
    Interrupted,
    MachineLacks,
    ReplayDiverged,
    StartFailed,
    StepCancelled,
    UsageError,
    WaitExpired,
)
from devnet.base.waiting import wait_for

if TYPE_CHECKING:
    from devnet.base.doctor import Part, doctor_report
    from devnet.base.folder import DevnetFolder
    from devnet.base.processes import Child, end_processes, free_port, orphans
    from devnet.base.toolchain import Toolchain

_LAZY = {
    "Child": "processes",
    "DevnetFolder": "folder",
    "Part": "doctor",
    "Toolchain": "toolchain",
    "doctor_report": "doctor",
    "end_processes": "processes",
    "free_port": "processes",
    "orphans": "processes",
}

__all__ = [
    "CheckFailed",
    "Child",
    "DevnetError",
    "DevnetFolder",
    "Interrupted",
    "MachineLacks",
    "Part",
    "ReplayDiverged",
    "StartFailed",
    "StepCancelled",
    "Toolchain",
    "UsageError",
    "WaitExpired",
    "doctor_report",
    "end_processes",
    "free_port",
    "orphans",
    "wait_for",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
