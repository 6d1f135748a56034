"""The control plane's Go build beside a run: a process of its own, told line by line."""

from __future__ import annotations

import sys
import threading
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from devnet.base import MachineLacks, Toolchain, wait_for
from devnet.base.environment import daemon_environment
from devnet.base.folder import DevnetFolder
from devnet.base.processes import Child
from devnet.base.waiting import log_tail
from devnet.cli import terminal

LIMIT_SECONDS = 3600.0
LOOK_SECONDS = 0.5


class ControlPlaneBuild:
    """Context manager: entered, it builds what is missing; left, the build has ended.

    Nothing is started when the control plane is there already or `needed` is false.
    """

    def __init__(self, folder: DevnetFolder, toolchain: Toolchain, *, needed: bool) -> None:
        self._folder = folder
        self._missing = needed and toolchain.controlplane_cached() is None
        self._stack = ExitStack()
        self._child: Child | None = None
        self._ended = threading.Event()
        self._last = ""

    def __enter__(self) -> Self:
        if self._missing:
            log = self._folder.logs / "controlplane.log"
            log.unlink(missing_ok=True)
            words = [sys.executable, "-m", "devnet.cli", "toolchain", "controlplane"]
            self._child = self._stack.enter_context(
                Child(
                    "the control plane's build",
                    words,
                    devnet_id=self._folder.id,
                    log=log,
                    env=daemon_environment(),
                )
            )
            thread = threading.Thread(target=self._tell, args=(log,), name="build", daemon=True)
            thread.start()
            self._stack.callback(thread.join, 2 * LOOK_SECONDS)
            self._stack.callback(self._ended.set)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def wait(self) -> None:
        """Until it is built; raises MachineLacks with the end of its output when it fails."""
        child = self._child
        if child is None:
            return
        wait_for(
            child.name,
            lambda: not child.alive(),
            limit_seconds=LIMIT_SECONDS,
            seen=lambda: self._last,
            every_seconds=LOOK_SECONDS,
        )
        if child.returncode != 0:
            raise MachineLacks(
                f"{child.name} failed, so the loop was played on sim only\n{log_tail(child.log)}",
                hint="devnet doctor --install --native tries it again",
            )

    def _tell(self, log: Path) -> None:
        with log.open(encoding="utf-8", errors="replace") as stream:
            while True:
                ended = self._ended.wait(LOOK_SECONDS)
                for line in stream:
                    self._last = line.strip()
                    terminal.say(f"control plane: {self._last}")
                if ended:
                    return
