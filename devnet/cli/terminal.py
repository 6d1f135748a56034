"""What is written where: results on stdout, progress on stderr, colour only on a terminal.

Text for people is wrapped here, in one way (`devnet.base.telling`); what programs read is not.
"""

from __future__ import annotations

import json
import os
import sys
import textwrap
import time
from collections.abc import Callable, Collection, Sequence
from typing import Any, TextIO

from devnet.base.telling import INDENT, Passing, columns, wrapped

FIRST_MILESTONES = (10.0, 30.0, 60.0)  # seconds
_TO_END = "\x1b[K"  # rubs out from the cursor on
_COLOURS = {"red": "31", "green": "32", "yellow": "33", "cyan": "36", "bold": "1", "dim": "2"}


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


def print_line(text: str = "") -> None:
    """A line of the result as it is; a reader that went away is no failure."""
    _write(sys.stdout, text + "\n")


def print_text(text: str, colour: str = "", head: str = "") -> None:
    """A sentence of the result, wrapped; `head`, which it begins with, or all of it in a colour."""
    for line in _painted_lines(text, colour, head, sys.stdout):
        print_line(line)


def print_json(value: Any) -> None:
    """The whole result as one object on one line."""
    print_line(json.dumps(value, ensure_ascii=False))


def print_table(
    titles: Sequence[str], rows: Sequence[Sequence[object]], right: Collection[str] = ()
) -> None:
    """Aligned columns; those named in `right` are aligned to the right.

    The last column may be of any length: it is wrapped to the width, words whole; where one of its
    words is wider than the column, as a path may be, it stands below the others.
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
        room = columns() - len(head)
        if titles[-1] in rights:
            block = [head + last]
        elif max(map(len, last.split()), default=0) > room:
            block = [head, *wrapped(INDENT + last, indent="")]
        else:
            parts = textwrap.wrap(last, room, break_on_hyphens=False) or [""]
            block = [head + parts[0], *(" " * len(head) + part for part in parts[1:])]
        lines += [
            painted(line.rstrip(), "bold") if number == 0 else line.rstrip() for line in block
        ]
    return lines


class Milestones:
    """What passes by where nobody sees a line change: told seldom, after 10 and 30 s, then each
    minute since the last line that stayed."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self.restart()

    def restart(self) -> None:
        self._started, self._next = self._now(), FIRST_MILESTONES[0]

    def timed(self, text: str) -> str:
        return f"{self._now() - self._started:.0f} s: {text}"

    def due(self) -> bool:
        """Whether one is to be told now; the next one is then due later."""
        passed = self._now() - self._started
        if passed < self._next:
            return False
        later = [mark for mark in FIRST_MILESTONES if mark > passed]
        self._next = later[0] if later else (passed // 60 + 1) * 60
        return True


class _Progress:
    """Standard error: lines that stay, and one below them that is written over."""

    def __init__(self) -> None:
        self._milestones = Milestones()
        self._open = False

    def say(self, text: str, colour: str, head: str, *, command_last: bool) -> None:
        if not isinstance(text, Passing):
            self.close()
            for line in _painted_lines(text, colour, head, sys.stderr, command_last=command_last):
                _write(sys.stderr, line + "\n")
            self._milestones.restart()
        elif is_terminal(sys.stderr) and os.environ.get("TERM") != "dumb":
            _write(sys.stderr, f"\r{self._milestones.timed(text)[: columns() - 1]}{_TO_END}")
            self._open = True
        elif self._milestones.due():
            for line in wrapped(self._milestones.timed(text)):
                _write(sys.stderr, line + "\n")

    def close(self) -> None:
        """Rub out the line that is written over, before anything else is written."""
        if self._open:
            self._open = False
            _write(sys.stderr, f"\r{_TO_END}")


def say(text: str, colour: str = "", head: str = "", *, command_last: bool = False) -> None:
    """A line of progress, wrapped; one that is `Passing` gives way to the next: on a terminal it is
    written over, elsewhere few of them are told."""
    _PROGRESS.say(text, colour, head, command_last=command_last)


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


def _painted_lines(
    text: str, colour: str, head: str, stream: TextIO | None, *, command_last: bool = False
) -> list[str]:
    lines = wrapped(text, command_last=command_last)
    if not colour:
        return lines
    if head and lines[0].startswith(head):
        return [painted(head, colour, stream) + lines[0][len(head) :], *lines[1:]]
    return [painted(line, colour, stream) for line in lines]


def _write(stream: TextIO | None, text: str) -> None:
    if stream is None:
        return  # nobody wants it
    if stream is sys.stdout:
        _PROGRESS.close()
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


_PROGRESS = _Progress()
