"""The daemon's end of the pipe to `devnet up`: progress, then ready or an error."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable
from typing import Any

from devnet.daemon.log import note
from devnet.daemon.messages import line, refusal

_LOOK_MILLISECONDS = 200


class Starter:
    """Whoever ran `devnet up`. When it goes away before the devnet is up, `abandoned` is called:
    nobody would know of it."""

    def __init__(self, descriptor: int, abandoned: Callable[[], None]) -> None:
        self._descriptor = descriptor
        self._abandoned = abandoned
        self._done = threading.Event()
        self._watch = threading.Thread(target=self._look, name="starter", daemon=True)
        self._watch.start()

    def say(self, text: str) -> None:
        note(text)
        self._write({"say": text})

    def ready(self, status: dict[str, Any]) -> None:
        self._write({"ok": True, "result": status})
        self._close()

    def failed(self, error: BaseException) -> None:
        self._write(refusal(error))
        self._close()

    def _write(self, message: dict[str, Any]) -> None:
        if self._done.is_set():
            return
        try:
            os.write(self._descriptor, line(message))
        except BrokenPipeError:
            return  # the watching thread sees it too

    def _close(self) -> None:
        if not self._done.is_set():
            self._done.set()
            self._watch.join()
            os.close(self._descriptor)

    def _look(self) -> None:
        poll = select.poll()
        poll.register(self._descriptor, 0)  # errors only: the reader has closed its end
        while not self._done.is_set():
            if poll.poll(_LOOK_MILLISECONDS):
                if not self._done.is_set():
                    self._abandoned()
                return
