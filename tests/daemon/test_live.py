"""A running devnet outlives what a step can do wrong, and ends with the parts that die.

The world behind it is a stand-in: what counts is what becomes of an exception of a step.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast
from unittest.mock import MagicMock

import pytest

from devnet.base import StartFailed, WaitExpired
from devnet.base.folder import DevnetFolder
from devnet.chain import Block, RpcError
from devnet.daemon.control import Asked, ControlSocket
from devnet.daemon.live import NO_ROOM, Live, Place
from devnet.daemon.stopping import Stopping
from devnet.runs.session import Session
from tests.actors.stage import network

Raises = Callable[[Exception], list[Asked]]


class Stops:
    """Stops the daemon once every request was taken."""

    def __init__(self, *requests: Asked) -> None:
        self._requests = list(requests)
        self.asked = False
        self.may_interrupt = MagicMock()

    def take(self) -> Asked | None:
        self.asked = len(self._requests) == 1
        return self._requests.pop(0) if self._requests else None


@pytest.fixture
def raises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Raises:
    """Two steps, of which the first raises; the requests with their answers."""

    def run(error: Exception) -> list[Asked]:
        world = MagicMock()
        world.spec, world.chain.head = network(), Block(7, 1_767_225_600, "0x07")
        world.deployment.addresses = {}
        world.deployment.genesis.block, world.patience_blocks = 1, 140
        world.scheduler.round.return_value = False
        left = [error]

        def perform(session: Session, step: object) -> Any:
            if left:
                raise left.pop()
            return MagicMock(text="settle", did="done", ok=True, failure="", milliseconds=1)

        monkeypatch.setattr(Session, "perform", perform)
        folder = DevnetFolder.open(start=tmp_path)
        step = {"step": {"advance": {"blocks": "1"}}}
        requests = [Asked(dict(step)), Asked(dict(step))]
        stops = Stops(*requests)
        place = Place(folder, tmp_path, "small", 3600.0)
        live = Live(world, place, cast(Stopping, stops))
        try:
            live.serve(cast(ControlSocket, stops))
        finally:
            live.wake()
        return requests

    return run


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [
        (KeyError("signatures"), 4),
        (OverflowError("int too big to convert"), 4),
        (WaitExpired("the step", 120, "1 of 1 open"), 4),
        (RpcError("eth_getBlockByNumber", -32602, "invalid type"), 4),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_step_that_nobody_foresaw_is_refused_and_the_next_one_carried_out(
    raises: Raises, error: Exception, exit_code: int
) -> None:
    refused, done = (asked.answered(0) for asked in raises(error))
    assert refused is not None
    assert (refused["ok"], refused["exit_code"]) == (False, exit_code)
    assert str(error) in refused["error"]
    assert done is not None
    assert done["result"]["did"] == "done"


@pytest.mark.parametrize("number", sorted(NO_ROOM))
def test_a_record_with_a_hole_ends_the_devnet(raises: Raises, number: int) -> None:
    with pytest.raises(OSError, match="blocks.jsonl") as raised:
        raises(OSError(number, os.strerror(number), "blocks.jsonl"))
    assert raised.value.errno == number


def test_a_part_that_died_ends_the_devnet(raises: Raises) -> None:
    with pytest.raises(StartFailed, match="anvil ended"):
        raises(StartFailed("anvil ended with 1"))
