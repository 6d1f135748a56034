"""wait_for: bounded, and clear about what it saw."""

import threading
from pathlib import Path

import pytest

from devnet.base import WaitExpired, wait_for
from devnet.base.telling import Passing
from devnet.base.waiting import log_tail


def test_gives_the_first_value_that_is_there() -> None:
    answers = iter([None, False, 7])
    assert wait_for("a number", lambda: next(answers), limit_seconds=5, every_seconds=0) == 7


def test_zero_and_empty_are_values() -> None:
    assert wait_for("a count", lambda: 0, limit_seconds=1) == 0
    assert wait_for("a text", lambda: "", limit_seconds=1) == ""


def test_expires_with_the_last_observation_and_the_log(tmp_path: Path) -> None:
    log = tmp_path / "part.log"
    log.write_text("".join(f"line {number}\n" for number in range(100)))
    with pytest.raises(WaitExpired) as raised:
        wait_for(
            "the part", lambda: None, limit_seconds=0.05, seen=lambda: "port 1 is closed", log=log
        )
    told = str(raised.value)
    assert told.startswith("the part: not within 0.05 s; last seen: port 1 is closed")
    assert told.endswith("line 98\nline 99")
    assert "line 74\n" not in told
    assert raised.value.exit_code == 4


def test_asks_once_even_without_time() -> None:
    assert wait_for("now", lambda: "here", limit_seconds=0) == "here"


def test_what_the_condition_raises_passes_through() -> None:
    def broken() -> int:
        raise ValueError("no such pod")

    with pytest.raises(ValueError, match="no such pod"):
        wait_for("a pod", broken, limit_seconds=1)


def test_progress_says_what_is_waited_for_and_passes_by(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devnet.base.waiting.PROGRESS_EVERY_SECONDS", 0.01)
    lines: list[str] = []
    told = threading.Event()

    def progress(line: str) -> None:
        lines.append(line)
        told.set()

    wait_for(
        "the feed",
        told.is_set,
        limit_seconds=10,
        seen=lambda: "round 3",
        every_seconds=0.005,
        progress=progress,
    )
    assert lines == ["waiting for the feed; round 3"]
    assert isinstance(lines[0], Passing)


def test_no_log_has_no_tail(tmp_path: Path) -> None:
    assert log_tail(None) == ""
    assert log_tail(tmp_path / "absent.log") == ""
