"""The last words of a part that ended, as a person reads them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cluster.ended import log_tail

JSON = {"ts": "2026-01-01T00:00:00Z", "level": "warn", "msg": "Failed to detect it"}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (json.dumps(JSON), "2026-01-01T00:00:00Z warn Failed to detect it"),
        (
            json.dumps({**JSON, "caller": "a.go:1", "error": "no term", "stacktrace": "a\nb\nc"}),
            "2026-01-01T00:00:00Z warn Failed to detect it error=no term",
        ),
        (json.dumps({"msg": "bare", "n": 3}), "bare n=3"),
        ("E0101 server.go:1] klog's own", "E0101 server.go:1] klog's own"),
        ('{"msg": "cut', '{"msg": "cut'),
        ("[1, 2]", "[1, 2]"),
        ('{"level": "info"}', '{"level": "info"}'),
        ("42", "42"),
    ],
)
def test_a_line_in_json_is_told_in_words_and_any_other_as_it_is(
    tmp_path: Path, line: str, told: str
) -> None:
    log = tmp_path / "log"
    log.write_text(f"before\n{line}\nafter\n")
    assert log_tail(log) == f"before\n{told}\nafter"


def test_only_whole_lines_are_told(tmp_path: Path) -> None:
    log = tmp_path / "log"
    lines = [f"line {number} {'x' * 90}" for number in range(100)]
    log.write_text("\n".join(lines) + "\n")
    told = log_tail(log).splitlines()
    assert told == lines[-len(told) :]
    assert 30 < len(told) < 45
    log.write_text("y" * 10_000)
    assert log_tail(log) == "y" * 4096


def test_no_log_has_no_words(tmp_path: Path) -> None:
    assert log_tail(None) == log_tail(tmp_path / "absent") == ""
