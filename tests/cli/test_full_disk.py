"""A disk that fills up under a running devnet: its end is named, and what was recorded replays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from devnet.base import wait_for
from tests.base.test_obstacles import mounted
from tests.cli.conftest import Shell


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    yield from mounted(tmp_path / "disk", "size=24m")


def fill(path: Path) -> None:
    with pytest.raises(OSError, match="No space left"), path.open("wb", buffering=0) as stream:
        while True:
            stream.write(bytes(4096))


def test_a_devnet_whose_record_has_no_room_ends_and_says_why(small_disk: Path) -> None:
    devnet = Shell(small_disk)
    assert devnet("up", "tiny", "--cluster", "sim", "--block-time", "5").code == 0
    try:
        staked = devnet("stake", "all", "--json").json()
        filler = small_disk / "filler"
        fill(filler)
        refused = devnet("advance", "5d")
        filler.unlink()  # what comes next would find room, and leave a hole before it
        assert refused.code == 3
        assert "error: the disk is full (" in refused.err
        assert ".jsonl)" in refused.err
        assert "hint: make room, or" in refused.err
        wait_for("the daemon's end", lambda: not devnet.marked(), limit_seconds=30)
        for words in ("status", "stake all"):
            gone = devnet(*words.split())
            assert gone.code == 2
            assert "does not run any more: the disk is full (" in gone.err
    finally:
        down = devnet("down", "--json")
    assert down.code == 0, down.err
    replayed = devnet("replay", "--json").json()
    assert replayed["verdict"] == "equal"
    assert replayed["last_block"]["number"] >= staked["blocks"][1]
    assert devnet("up", "tiny", "--cluster", "sim").code == 0
    assert devnet("down").code == 0
    assert devnet.marked() == []
