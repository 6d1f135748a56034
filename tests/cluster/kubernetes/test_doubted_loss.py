"""A loss seen by witnesses that slept: told late or never, but never after the node's return.

No API here, whose watches cannot be held up between two instructions: the changes are handed in,
and the cluster's own lock tells when another thread may come in between.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from cluster.interface import ClusterEvent
from cluster.kubernetes import cluster, vigil
from cluster.kubernetes.cluster import KubernetesCluster
from tests.cluster.kubernetes.test_events import BACK, LOST, node

DOUBT_SECONDS = 0.1
POD = {"metadata": {"name": "web-1"}}


class Turns:
    """The cluster's lock; `turn` comes whenever its confirming thread waits for it or lets go."""

    def __init__(self, turn: Callable[[], None]) -> None:
        self._lock, self._depth, self._turn = threading.RLock(), 0, turn

    def __enter__(self) -> None:
        if self._depth == 0:
            self._next()
        self._lock.acquire()
        self._depth += 1

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        self._lock.release()
        if self._depth == 0:
            self._next()

    def _next(self) -> None:
        if isinstance(threading.current_thread(), threading.Timer):
            self._turn()


def confirming() -> list[threading.Timer]:
    """Those that wait; others, such as the one of a test's limit, are none of the cluster's."""
    timers = (t for t in threading.enumerate() if isinstance(t, threading.Timer))
    return [timer for timer in timers if timer.function.__name__ == "confirm"]


class Watched:
    """A cluster whose one node is lost while its witnesses sleep, and back at the `nth` turn."""

    def __init__(self, nth: int | None) -> None:
        self.told: list[ClusterEvent] = []
        self.dropped: list[str] = []
        self.sleeping, self.lives = True, False
        provider = SimpleNamespace(
            name="sleepers", witnesses=lambda: self.sleeping, lives=lambda _: self.lives
        )
        self.document: dict[str, Any] = node("True")
        self._turns, self._nth = 0, nth
        self.cluster = KubernetesCluster(provider, (), logging.getLogger("tests.doubt"))
        self.cluster._emitting = Turns(self._turn)
        self.cluster._node_watch = self
        self.cluster._connection = self
        self.cluster.subscribe(self.told.append)

    def _turn(self) -> None:
        self._turns += 1
        if self._turns - 1 == self._nth:
            self.becomes("True")

    def becomes(self, ready: str) -> None:
        before, self.document = self.document, node(ready)
        self.cluster._node_changed(before, self.document)

    def lose(self, *, asleep_again: bool = False) -> None:
        """Lost in the sleep of its witnesses."""
        with self.cluster._emitting:
            self.becomes("Unknown")
            assert self.told == []
            self.sleeping = asleep_again

    @staticmethod
    def settle() -> None:
        """Until nobody waits any more whether the loss can be believed."""
        while waiting := confirming():
            waiting[0].join(5)

    def get(self, _: str, fieldSelector: str = "") -> Any:  # noqa: N803 - the API's word
        """The node to its watch's asker, the pods to the API's."""
        return {"items": [POD]} if fieldSelector else self.document

    def delete(self, path: str, *, grace_seconds: int) -> None:
        self.dropped.append(path.rsplit("/", 1)[-1])


@pytest.fixture(autouse=True)
def _doubt_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vigil, "DOUBT_SECONDS", DOUBT_SECONDS)
    monkeypatch.setattr(cluster, "_BUSY_SECONDS", DOUBT_SECONDS)


def test_a_loss_that_lasts_is_told_once_the_witnesses_have_been_awake(
    caplog: pytest.LogCaptureFixture,
) -> None:
    watched = Watched(None)
    watched.lose()
    watched.settle()
    assert (watched.told, watched.dropped) == ([LOST], ["web-1"])
    assert caplog.records == []


def test_a_loss_that_ends_before_it_is_believed_is_never_told() -> None:
    watched = Watched(0)
    watched.lose()
    watched.settle()
    assert (watched.told, watched.dropped) == ([], [])


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_return_seen_while_the_loss_is_told_is_told_after_it(nth: int) -> None:
    """And the node's pods stay, since they are its own again."""
    watched = Watched(nth)
    watched.lose()
    watched.settle()
    if watched.told == [LOST]:  # fewer turns than that
        watched.becomes("True")
        assert watched.dropped == ["web-1"]
    else:
        assert watched.dropped == []
    assert watched.told == [LOST, BACK]


def test_witnesses_that_fall_asleep_again_are_waited_for() -> None:
    watched = Watched(None)
    watched.lose(asleep_again=True)
    (first,) = confirming()
    first.join(5)
    assert watched.told == []

    watched.sleeping = False
    watched.settle()
    assert watched.told == [LOST]


def test_a_machine_that_is_not_there_is_lost_at_once() -> None:
    watched = Watched(None)
    watched.sleeping = False
    watched.becomes("Unknown")
    assert (watched.told, watched.dropped, confirming()) == ([LOST], ["web-1"], [])


def test_a_machine_that_is_only_busy_is_never_lost() -> None:
    watched = Watched(0)
    watched.sleeping, watched.lives = False, True
    watched.becomes("Unknown")
    watched.settle()
    assert (watched.told, watched.dropped) == ([], [])


def test_a_machine_that_lives_and_says_nothing_for_long_is_lost() -> None:
    watched = Watched(None)
    watched.sleeping, watched.lives = False, True
    watched.becomes("Unknown")
    assert watched.told == []
    watched.settle()
    assert (watched.told, watched.dropped) == ([LOST], ["web-1"])
