"""The server's side of the control socket: a thread that queues requests for the main loop."""

from __future__ import annotations

import contextlib
import os
import queue
import select
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from devnet.base import StartFailed
from devnet.base.folder import socket_address
from devnet.base.telling import Passing
from devnet.daemon.messages import ALIVE_SECONDS, LINE_BYTES, line, parsed, refusal, said

_BACKLOG = 16
LOOK_SECONDS = 0.1  # how soon it is noticed that whoever asked has left
Answer = Callable[[], dict[str, Any]]


class Asked:
    """One request that waits for the main loop; `finish` answers it, from any thread."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self.fields = fields
        self._done = threading.Event()
        self._answer: dict[str, Any] = {}
        self.gone = False  # the one who asked is not there any more

    def finish(self, answer: dict[str, Any]) -> None:
        self._answer = answer
        self._done.set()

    def answered(self, seconds: float) -> dict[str, Any] | None:
        return self._answer if self._done.wait(seconds) else None


class ControlSocket:
    """Context manager: a unix socket at `path`, mode 0600.

    `at_once` answers its verbs in the connection's own thread, also while a step is carried out;
    all else is queued, `arrived` is called, and `take` gives it to the main loop. `doing` says
    in one line what the main loop does, for those who wait.
    """

    def __init__(
        self,
        path: Path,
        *,
        at_once: dict[str, Answer],
        arrived: Callable[[], None],
        doing: Callable[[], str],
    ) -> None:
        self._path = path
        self._at_once, self._arrived, self._doing = at_once, arrived, doing
        self._asked: queue.SimpleQueue[Asked] = queue.SimpleQueue()
        self._open: set[Asked] = set()
        self._stopping = False
        self._reason: BaseException = StartFailed("the devnet is stopping")

    def __enter__(self) -> Self:
        self._path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        mask = os.umask(0o177)
        try:
            with socket_address(self._path) as address:
                self._listener.bind(address)
        except OSError as error:
            self._listener.close()
            reason = error.strerror or error
            raise StartFailed(f"control socket {self._path}: {reason}") from error
        finally:
            os.umask(mask)
        self._listener.listen(_BACKLOG)
        threading.Thread(target=self._accept, name="control", daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, Exception):  # a part that died: whoever still asks is told which
            self._reason = error
        self._stopping = True
        self._path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for asked in tuple(self._open):
            asked.finish(refusal(self._reason))

    def take(self) -> Asked | None:
        """The next request, None when there is none; one whose asker has left is dropped."""
        while True:
            try:
                asked = self._asked.get_nowait()
            except queue.Empty:
                return None
            if not asked.gone:
                return asked

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError, ValueError):
            with connection.makefile("rb") as lines:
                while data := lines.readline(LINE_BYTES):
                    self._answer(connection, parsed(data))

    def _answer(self, connection: socket.socket, fields: dict[str, Any]) -> None:
        identity = {"id": fields.get("id")}
        at_once = self._at_once.get(str(fields.get("verb")))
        if at_once is not None:
            connection.sendall(line(identity | {"ok": True, "result": at_once()}))
            return
        asked = Asked(fields)
        self._open.add(asked)
        try:
            self._asked.put(asked)
            self._arrived()
            if self._stopping:
                asked.finish(refusal(self._reason))
            next_word = time.monotonic() + ALIVE_SECONDS
            while (answer := asked.answered(LOOK_SECONDS)) is None:
                if _has_left(connection):
                    return
                if time.monotonic() >= next_word:
                    connection.sendall(line(identity | said(Passing(self._doing()))))
                    next_word += ALIVE_SECONDS
            connection.sendall(line(identity | answer))
        finally:
            asked.gone = True
            self._open.discard(asked)


def _has_left(connection: socket.socket) -> bool:
    """Whether the other side closed its end (the command was interrupted or killed)."""
    poll = select.poll()  # select() takes no descriptor from 1024 on
    poll.register(connection, select.POLLIN)
    if not poll.poll(0):
        return False
    return not connection.recv(1, socket.MSG_PEEK)
