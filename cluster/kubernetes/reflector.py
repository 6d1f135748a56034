"""A live copy of one Kubernetes collection: list, watch, and list anew when the watch breaks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from logging import Logger

from cluster.errors import ClusterError
from cluster.kubernetes.api import Api, Document, Watch
from cluster.waiting import Seen, wait_for

Change = Callable[[Document | None, Document | None], None]
"""(before, after): `None` before is new, `None` after is gone."""

_RETRY_SECONDS = 0.1
_JOIN_SECONDS = 5.0


class Reflector:
    """Owns one thread. `changed` is called in that thread, once a change, in the server's order.

    `selector`: only what carries these labels.
    """

    def __init__(
        self, api: Api, path: str, changed: Change, log: Logger, *, selector: str = ""
    ) -> None:
        self._api, self._path, self._changed, self._log = api, path, changed, log
        self._query = {"labelSelector": selector} if selector else {}
        self._objects: dict[str, Document] = {}
        self._news = threading.Condition()
        self._stopped = threading.Event()
        self._listed = threading.Event()
        self._watch: Watch | None = None
        name = f"watch {path.rsplit('/', 1)[-1]}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self, limit_seconds: float) -> None:
        """Start, and wait until the first list is in."""
        self._thread.start()
        wait_for(
            f"first list of {self._path}",
            lambda: Seen(self._listed.is_set()),
            limit_seconds,
            pause=self._listed.wait,
        )

    def stop(self) -> None:
        self._stopped.set()
        watch = self._watch
        if watch is not None:
            watch.close()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(_JOIN_SECONDS)

    def get(self, name: str) -> Document | None:
        with self._news:
            return self._objects.get(name)

    def all(self) -> tuple[Document, ...]:
        with self._news:
            return tuple(self._objects.values())

    def pause(self, seconds: float) -> None:
        """Wait for the next change, at most `seconds`; for `wait_for(pause=…)`."""
        with self._news:
            self._news.wait(seconds)

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                version = self._list()
                self._listed.set()
                self._follow(version)
            except ClusterError as error:
                # The API server is away or restarting: nothing is known until it answers.
                self._log.debug("watch of %s: %s", self._path, error)
            self._stopped.wait(_RETRY_SECONDS)

    def _list(self) -> str:
        answer = self._api.get(self._path, **self._query)
        fresh = {item["metadata"]["name"]: item for item in answer["items"]}
        for name in [name for name in self._objects if name not in fresh]:
            self._apply(name, None)
        for name, item in fresh.items():
            known = self._objects.get(name)
            if known is None or _version(known) != _version(item):
                self._apply(name, item)
        return str(answer["metadata"]["resourceVersion"])

    def _follow(self, version: str) -> None:
        self._watch = self._api.watch(self._path, version, **self._query)
        if self._stopped.is_set():
            self._watch.close()
        for kind, item in self._watch:
            if self._stopped.is_set() or kind == "ERROR":  # 410: too old, list anew
                self._watch.close()
                return
            if kind != "BOOKMARK":
                self._apply(item["metadata"]["name"], None if kind == "DELETED" else item)

    def _apply(self, name: str, after: Document | None) -> None:
        with self._news:
            before = self._objects.pop(name, None)
            if after is not None:
                self._objects[name] = after
        self._changed(before, after)
        with self._news:
            self._news.notify_all()


def _version(item: Document) -> str:
    return str(item["metadata"]["resourceVersion"])
