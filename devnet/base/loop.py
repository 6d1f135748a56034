"""An event loop in a thread of its own, for servers that live beside the main thread."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from devnet.base.errors import StartFailed

Result = TypeVar("Result")
CALL_SECONDS: Final = 10.0  # for what a caller asks of the thread


class LoopThread:
    """Started by `start`, ended by `stop`; `call` may be used from any other thread."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CALL_SECONDS)

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def call(self, work: Coroutine[Any, Any, Result]) -> Result:
        """The work's result; raises StartFailed when the thread has ended or is stuck."""
        if not self._thread.is_alive():
            work.close()
            raise StartFailed(f"the {self._name} is not running")
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(CALL_SECONDS)
        except concurrent.futures.TimeoutError as error:
            future.cancel()
            raise StartFailed(
                f"the {self._name} did not respond within {CALL_SECONDS:g} s"
            ) from error

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()
