"""The daemon's end of the pipe to `devnet up`: progress, then ready or an error."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable
from typing import Any

from devnet.daemon.log import note
from devnet.daemon.messages import line, refusal, said


class Starter:
    """Whoever ran `devnet up`. When it goes away before the devnet is up, `abandoned` is called:
    nobody would know of it."""

    def __init__(self, descriptor: int, abandoned: Callable[[], None]) -> None:
        self._descriptor = descriptor
        self._abandoned = abandoned
        self._done = threading.Event()
        self._wakes, self._waker = os.pipe()  # ends the watch at once
        self._watch = threading.Thread(target=self._look, name="starter", daemon=True)
        self._watch.start()

    @property
    def told(self) -> bool:
        """Whether it has heard how the start ended."""
        return self._done.is_set()

    def say(self, text: str) -> None:
        note(text)
        if not self._done.is_set():
            self._write(said(text))

    def ready(self, status: dict[str, Any]) -> None:
        if not self._last_word({"ok": True, "result": status}):
            self._abandoned()

    def failed(self, error: BaseException) -> None:
        self._last_word(refusal(error))

    def _last_word(self, message: dict[str, Any]) -> bool:
        """Whether it was heard; who has heard it closes its end, which is not watched any more."""
        if self._done.is_set():
            return True
        self._done.set()
        os.close(self._waker)
        self._watch.join()
        heard = self._write(message)
        for descriptor in (self._wakes, self._descriptor):
            os.close(descriptor)
        return heard

    def _write(self, message: dict[str, Any]) -> bool:
        try:
            os.write(self._descriptor, line(message))
        except BrokenPipeError:
            return False
        return True

    def _look(self) -> None:
        poll = select.poll()
        poll.register(self._descriptor, 0)  # errors only: the reader has closed its end
        poll.register(self._wakes, 0)
        poll.poll()
        if not self._done.is_set():
            self._abandoned()
