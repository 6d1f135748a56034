"""Lines for people: 80 columns where nobody says more, at most 100 of a terminal, words whole."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devnet.base import telling
from devnet.base.telling import columns, counted, wrapped


@pytest.mark.parametrize(
    ("asked", "terminal", "width"),
    [
        ("", None, 80),
        ("no", None, 80),
        ("0", None, 80),
        ("-5", None, 80),
        ("132", None, 132),
        ("132", 60, 132),
        ("5", None, 20),
        ("", 60, 60),
        ("", 250, 100),
        ("", 3, 20),
    ],
)
def test_the_width_is_what_was_asked_else_the_terminals_else_80(
    monkeypatch: pytest.MonkeyPatch, asked: str, terminal: int | None, width: int
) -> None:
    def size(fallback: tuple[int, int]) -> os.terminal_size:
        return os.terminal_size(fallback if terminal is None else (terminal, 24))

    monkeypatch.setenv("COLUMNS", asked)
    monkeypatch.setattr(telling.shutil, "get_terminal_size", size)
    assert columns() == width


@given(st.text(alphabet="ab \n", max_size=400), st.integers(20, 120))
def test_no_line_is_wider_but_for_a_word_and_none_is_lost(text: str, width: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", str(width))
        lines = wrapped(text)
    assert " ".join(lines).split() == text.split()
    assert all(len(line) <= width or len(line.split()) == 1 for line in lines)


def test_a_command_is_not_torn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    quoted = "it has not stopped; `devnet gc --name other` clears it up"
    assert wrapped(quoted) == [
        "it has not stopped;",
        "  `devnet gc --name other` clears it up",
    ]
    hint = "hint: raise the limit, then: ulimit -f unlimited"
    assert wrapped(hint) == ["hint: raise the limit, then: ulimit -f", "  unlimited"]
    assert wrapped(hint, command_last=True) == [
        "hint: raise the limit, then:",
        "  ulimit -f unlimited",
    ]
    many = "hint: known: " + " ".join(["name"] * 12)
    assert max(map(len, wrapped(many, command_last=True))) <= 40


def test_what_is_left_of_a_line_is_indented(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    text = "error: one two three four\n    five six seven eight"
    assert wrapped(text) == [
        "error: one two three",
        "  four",
        "    five six seven",
        "      eight",
    ]


def test_the_end_of_a_log_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    log = [
        '{"msg": "a line that no blank of may become an end of line"}',
        "",
        "  indented as it is",
    ]
    for head in ("--- end of the log ---", "--- end of a log whose name is long.log ---"):
        text = "\n".join(["error: etcd was killed by SIGKILL", head, *log])
        assert wrapped(text) == ["error: etcd was", "  killed by SIGKILL", head, *log]


def test_one_of_a_thing_is_not_many() -> None:
    assert [counted(number, "block") for number in (0, 1, 2, 1236)] == [
        *("0 blocks", "1 block", "2 blocks", "1236 blocks")
    ]
