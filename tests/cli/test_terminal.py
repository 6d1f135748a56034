"""Text for people: aligned, at most 100 columns, sizes with units."""

from __future__ import annotations

import pytest

from devnet.cli import terminal
from devnet.cli.terminal import WIDTH, size_text, table_lines


def test_columns_are_aligned_and_the_last_is_wrapped() -> None:
    lines = table_lines(
        ("part", "size", "where"), [("anvil", "44 MB", "word " * 40), ("go", "1 kB", "x")], ["size"]
    )
    assert lines[0] == "part    size  where"
    assert lines[1].startswith("anvil  44 MB  word word")
    assert lines[2].startswith(" " * 14 + "word")
    assert lines[-1] == "go      1 kB  x"
    assert max(map(len, lines)) <= WIDTH


def test_a_path_is_never_cut() -> None:
    path = "/" + "x" * 150
    assert any(path in line for line in table_lines(("", ""), [("file", path)]))


def test_columns_without_titles_have_no_title_line() -> None:
    assert table_lines(("", ""), [("rpc", "http://127.0.0.1:1")]) == ["rpc  http://127.0.0.1:1"]


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, ""), (12, "12 B"), (9_800, "9 kB"), (57_000_000, "57 MB"), (4_200_000_000, "4.2 GB")],
)
def test_sizes_have_units(size: int, text: str) -> None:
    assert size_text(size) == text


def test_progress_is_told_by_milestones(capsys: pytest.CaptureFixture[str]) -> None:
    clock = iter([0.0, *range(0, 200, 2)])
    tell = terminal.Milestones(lambda: float(next(clock)))
    for second in range(0, 200, 2):
        tell(f"advance, block {second}")
    said = [line.partition(":")[0] for line in capsys.readouterr().err.splitlines()]
    assert said == ["10 s", "30 s", "60 s", "120 s", "180 s"]
