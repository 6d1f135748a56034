"""The pipe to `devnet up`, with real pipes: what it hears, and what a reader that left means."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest

from devnet.base import StartFailed, wait_for
from devnet.daemon.starter import Starter


class Ends:
    """Both ends of the pipe, and how often the starter was found gone."""

    def __init__(self) -> None:
        self.reads, writes = os.pipe()
        self.gone: list[None] = []
        self.starter = Starter(writes, lambda: self.gone.append(None))
        self.writes = writes

    def heard(self) -> list[dict[str, Any]]:
        """All lines until the other end is closed."""
        with os.fdopen(self.reads, "rb") as stream:
            return [json.loads(text) for text in stream]


@pytest.fixture
def ends() -> Iterator[Ends]:
    made = Ends()
    yield made
    made.starter.failed(StartFailed("the test is over"))  # harmless after a last word


def open_descriptors() -> set[str]:
    return set(os.listdir("/proc/self/fd"))


def test_the_last_word_is_the_last_and_leaves_no_descriptor() -> None:
    before = open_descriptors()
    ends = Ends()
    ends.starter.say("raising it")
    ends.starter.ready({"name": "default"})
    assert ends.starter.told
    ends.starter.say("nobody listens any more")
    ends.starter.failed(StartFailed("too late"))
    assert ends.heard() == [
        {"say": "raising it"},
        {"ok": True, "result": {"name": "default"}},
    ]
    assert (ends.gone, open_descriptors()) == ([], before)


def test_a_reader_that_leaves_before_is_noticed(ends: Ends) -> None:
    os.close(ends.reads)
    wait_for("the reader to be missed", lambda: ends.gone == [None], limit_seconds=5)
    assert not ends.starter.told


def test_a_reader_that_leaves_after_the_last_word_is_not_missed(ends: Ends) -> None:
    ends.starter.failed(StartFailed("no room"))
    (word,) = ends.heard()
    assert (word["ok"], word["error"], word["exit_code"]) == (False, "no room", 4)
    assert ends.gone == []


def test_a_last_word_nobody_hears_ends_the_devnet(ends: Ends) -> None:
    os.close(ends.reads)
    ends.starter.ready({})
    assert ends.gone != []
