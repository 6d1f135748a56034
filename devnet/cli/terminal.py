"""What is written where: results on stdout, progress on stderr, colour only on a terminal."""

from __future__ import annotations

import json
import os
import shutil
import sys
import textwrap
import time
from collections.abc import Callable, Collection, Sequence
from typing import Any, TextIO

WIDTH = 100
FIRST_MILESTONES = (10.0, 30.0, 60.0)  # seconds
_COLOURS = {"red": "31", "green": "32", "yellow": "33", "cyan": "36", "bold": "1", "dim": "2"}


def columns() -> int:
    """How wide text may be: the terminal's width, at most 100."""
    return min(WIDTH, shutil.get_terminal_size((WIDTH, 24)).columns)


def painted(text: str, colour: str, stream: TextIO | None = None) -> str:
    """`text` in a colour where `stream` (stdout) is a terminal and NO_COLOR is not set."""
    if not is_terminal(stream or sys.stdout):
        return text
    if "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb":
        return text
    return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m"


def is_terminal(stream: TextIO | None) -> bool:
    """Python has no stream at all (None) where a caller has closed one: `devnet … >&-`."""
    return stream is not None and stream.isatty()


def hold_standard_streams() -> None:
    """Put /dev/null where the caller closed 0, 1 or 2: else the next file or socket that is opened
    gets that number, and a child would write into it."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest that is free: this one


def print_line(text: str = "") -> None:
    """A line of the result; a reader that went away is no failure."""
    _write(sys.stdout, text + "\n")


def print_json(value: Any) -> None:
    """The whole result as one object on one line."""
    print_line(json.dumps(value, ensure_ascii=False))


def print_table(
    titles: Sequence[str], rows: Sequence[Sequence[object]], right: Collection[str] = ()
) -> None:
    """Aligned columns; those named in `right` are aligned to the right.

    The last column may be of any length: it is wrapped to the width, words whole.
    """
    for line in table_lines(titles, rows, right):
        print_line(line)


def table_lines(
    titles: Sequence[str], rows: Sequence[Sequence[object]], right: Collection[str] = ()
) -> list[str]:
    cells = [[*titles], *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(titles))]
    rights = set(right)
    lines: list[str] = []
    for number, row in enumerate(cells):
        if not any(row):
            continue  # columns without titles
        fixed = [
            cell.rjust(width) if title in rights else cell.ljust(width)
            for cell, width, title in zip(row[:-1], widths, titles, strict=False)
        ]
        head = "  ".join([*fixed, ""])
        last = row[-1].rjust(widths[-1]) if titles[-1] in rights else row[-1]
        room = max(20, columns() - len(head))
        parts = textwrap.wrap(last, room, break_long_words=False, break_on_hyphens=False) or [""]
        if titles[-1] in rights:
            parts = [last]
        block = [head + parts[0], *(" " * len(head) + part for part in parts[1:])]
        lines += [
            painted(line.rstrip(), "bold") if number == 0 else line.rstrip() for line in block
        ]
    return lines


class Milestones:
    """Progress that comes every two seconds, said seldom: after 10 and 30 s, then each minute."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now, self._started, self._next = now, now(), FIRST_MILESTONES[0]

    def __call__(self, text: str) -> None:
        passed = self._now() - self._started
        if passed >= self._next:
            say(f"{passed:.0f} s: {text}")
            later = [mark for mark in FIRST_MILESTONES if mark > passed]
            self._next = later[0] if later else (passed // 60 + 1) * 60


def say(line: str) -> None:
    """A line of progress."""
    _write(sys.stderr, line + "\n")


def size_text(size_bytes: int) -> str:
    """`57 MB`; empty for 0."""
    if not size_bytes:
        return ""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size_bytes >= factor:
            return (
                f"{size_bytes / factor:.1f} {unit}"
                if unit == "GB"
                else (f"{size_bytes // factor} {unit}")
            )
    return f"{size_bytes} B"


def _write(stream: TextIO | None, text: str) -> None:
    if stream is None:
        return  # nobody wants it
    encoding = stream.encoding or "utf-8"
    try:
        # A name that is no UTF-8, or a terminal that knows ASCII only, is written with escapes.
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()
    except BrokenPipeError:
        # The reader has seen enough. Nothing written later, at exit either, may fail over it.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
