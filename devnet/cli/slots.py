"""A devnet of a run's own: `.devnet/run/`, or `run-2`, … while others run beside it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from devnet.base import UsageError
from devnet.base.folder import DevnetFolder
from devnet.cli import terminal
from devnet.daemon.leftovers import clear, mark

MOST_AT_ONCE = 64


@contextlib.contextmanager
def held_slot(stem: str, cluster: str) -> Iterator[DevnetFolder]:
    """Hold the first free devnet of that stem, cleared of what a killed run left."""
    for number in range(1, MOST_AT_ONCE + 1):
        folder = DevnetFolder.open(stem if number == 1 else f"{stem}-{number}")
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(folder.held())
            except UsageError:
                continue
            left = clear(folder)
            if left.anything:
                terminal.say(f"cleared what a killed run left in {folder.path}")
            for each in left.left:
                terminal.say(f"a killed run left what could not be ended: {each}", "yellow")
            folder.write_state({"phase": "run", "cluster": cluster, **mark(os.getpid())})
            try:
                yield folder
            finally:
                folder.clear_state()
            return
    raise UsageError(f"{MOST_AT_ONCE} runs are going on here already")
