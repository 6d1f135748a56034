"""Text for people: aligned, within its width, sizes with units."""

from __future__ import annotations

import pytest

from devnet.base.telling import Passing
from devnet.cli import terminal
from devnet.cli.terminal import size_text, table_lines


@pytest.fixture(autouse=True)
def _piped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def test_columns_are_aligned_and_the_last_is_wrapped() -> None:
    lines = table_lines(
        ("part", "size", "where"), [("anvil", "44 MB", "word " * 40), ("go", "1 kB", "x")], ["size"]
    )
    assert lines[0] == "part    size  where"
    assert lines[1].startswith("anvil  44 MB  word word")
    assert lines[2].startswith(" " * 14 + "word")
    assert lines[-1] == "go      1 kB  x"
    assert max(map(len, lines)) <= 80


def test_a_path_is_never_cut() -> None:
    path = "/" + "x" * 150
    lines = table_lines(("", ""), [("file", path), ("rpc", "http://127.0.0.1:1")])
    assert lines == ["file", f"  {path}", "rpc   http://127.0.0.1:1"]


def test_columns_without_titles_have_no_title_line() -> None:
    assert table_lines(("", ""), [("rpc", "http://127.0.0.1:1")]) == ["rpc  http://127.0.0.1:1"]


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, ""), (12, "12 B"), (9_800, "9 kB"), (57_000_000, "57 MB"), (4_200_000_000, "4.2 GB")],
)
def test_sizes_have_units(size: int, text: str) -> None:
    assert size_text(size) == text


def test_progress_is_told_by_milestones() -> None:
    clock = iter([0.0, *(second for second in range(0, 200, 2) for _ in range(2))])
    milestones = terminal.Milestones(lambda: float(next(clock)))
    told = [milestones.timed("block 7") for _ in range(100) if milestones.due() or next(clock) < 0]
    assert told == [f"{seconds} s: block 7" for seconds in (10, 30, 60, 120, 180)]


def test_what_passes_by_is_no_line_where_nobody_sees_it_change(
    capsys: pytest.CaptureFixture[str],
) -> None:
    terminal.say("it stays")  # and begins the time anew
    for second in range(3):
        terminal.say(Passing(f"block {second}"))
    assert capsys.readouterr().err == "it stays\n"
