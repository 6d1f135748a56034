"""The live copy of a collection. The API is a script here, since a real one breaks no watch at
will."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from cluster.errors import ClusterStartFailed
from cluster.kubernetes.api import ApiRefused
from cluster.kubernetes.reflector import Reflector
from cluster.waiting import Seen, wait_for


def item(name: str, version: int) -> dict[str, Any]:
    return {"metadata": {"name": name, "resourceVersion": str(version)}}


class Script:
    """Answers each list and each watch with the next of those given; the last watch stays open."""

    def __init__(self, lists: list[Any], watches: list[list[tuple[str, dict[str, Any]]]]) -> None:
        self._lists, self._watches = iter(lists), iter(watches)
        self.versions: list[str] = []
        self._open = threading.Event()

    def get(self, path: str) -> dict[str, Any]:
        answer = next(self._lists)
        if isinstance(answer, Exception):
            raise answer
        return {"metadata": {"resourceVersion": str(len(self.versions))}, "items": answer}

    def watch(self, path: str, version: str) -> Script:
        self.versions.append(version)
        return self

    def __iter__(self) -> Iterator[tuple[str, dict[str, Any]]]:
        events = next(self._watches, None)
        if events is None:
            self._open.wait(5)
            return
        yield from events

    def close(self) -> None:
        self._open.set()


def follow(script: Script, *, until: int) -> list[tuple[str, str]]:
    """(before, after) as `name@version`, once `until` changes have come."""
    changes: list[tuple[str, str]] = []

    def text(document: dict[str, Any] | None) -> str:
        if document is None:
            return "-"
        return "{name}@{resourceVersion}".format(**document["metadata"])

    reflector = Reflector(
        script,  # type: ignore[arg-type]
        "/api/v1/pods",
        lambda before, after: changes.append((text(before), text(after))),
        logging.getLogger("tests.reflector"),
    )
    reflector.start(5)
    try:
        wait_for("changes", lambda: Seen(len(changes) >= until, str(changes)), 5)
    finally:
        reflector.stop()
    return changes


def test_a_watch_is_told_change_by_change() -> None:
    script = Script(
        [[item("a", 1)], [item("a", 3)]],
        [
            [
                ("ADDED", item("b", 2)),
                ("MODIFIED", item("a", 3)),
                ("BOOKMARK", item("", 4)),
                ("DELETED", item("b", 5)),
            ]
        ],
    )

    assert follow(script, until=4) == [
        ("-", "a@1"),
        ("-", "b@2"),
        ("a@1", "a@3"),
        ("b@2", "-"),
    ]


def test_what_happened_between_two_watches_is_not_missed() -> None:
    expired = ("ERROR", {"kind": "Status", "code": 410})
    script = Script(
        [[item("a", 1), item("b", 1)], [item("b", 7), item("c", 8)]],
        [[expired]],
    )

    assert follow(script, until=5) == [
        ("-", "a@1"),
        ("-", "b@1"),
        ("a@1", "-"),
        ("b@1", "b@7"),
        ("-", "c@8"),
    ]


def test_what_has_not_changed_is_not_told_again() -> None:
    script = Script([[item("a", 1)], [item("a", 1), item("b", 2)]], [[]])
    assert follow(script, until=2) == [("-", "a@1"), ("-", "b@2")]


def test_a_server_that_is_away_is_asked_again() -> None:
    script = Script([[item("a", 1)], ApiRefused("connection refused", 0), [item("a", 2)]], [[]])
    assert follow(script, until=2) == [("-", "a@1"), ("a@1", "a@2")]


def test_the_first_list_is_awaited_but_not_for_ever() -> None:
    script = Script([ApiRefused("connection refused", 0)] * 100, [])
    reflector = Reflector(
        script,  # type: ignore[arg-type]
        "/api/v1/pods",
        lambda _before, _after: None,
        logging.getLogger("tests.reflector"),
    )
    with pytest.raises(ClusterStartFailed, match="first list of /api/v1/pods: not within 0.2 s"):
        reflector.start(0.2)
    reflector.stop()
