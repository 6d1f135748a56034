"""Lines for people: how wide they may be, how they are wrapped, and which of them only pass by.

Standard library only: `run` needs it on a bare Python.
"""

from __future__ import annotations

import os
import re
import shutil
import textwrap

PIPED = 80  # columns, where nobody says how many there are
WIDEST = 100  # of a terminal, however wide it is: longer lines are hard to read
NARROWEST = 20
INDENT = "  "  # of what is left of a line
LOG_BEGINS = "--- end of"  # from this line on a text is a log's: nobody's prose
_QUOTED = re.compile(r"`[^`\n]*`")
_BLANK = "\0"  # one that no line ends at


class Passing(str):
    """Progress that the next such line replaces; all other lines stay."""

    __slots__ = ()


def columns() -> int:
    """How wide text for people may be: `COLUMNS`, else the terminal's width up to 100, else 80."""
    asked = os.environ.get("COLUMNS", "")
    if asked.isdecimal() and asked.isascii() and len(asked) < 6 and int(asked) > 0:
        return max(NARROWEST, int(asked))
    width = shutil.get_terminal_size((PIPED, 24)).columns
    return max(NARROWEST, min(WIDEST, width))


def counted(number: int, noun: str) -> str:
    """`1 block`, `2 blocks`."""
    return f"{number} {noun}" + ("" if number == 1 else "s")


def wrapped(text: str, *, indent: str = INDENT, command_last: bool = False) -> list[str]:
    """The lines of `text`, none wider than `columns()`; what has no blank stands alone instead.

    A line keeps its own indentation, and what is left of it is indented further by `indent`. What
    stands in backquotes is not torn where it fits a line, nor is what follows the last colon of a
    text that ends with a command. Lines of a log are left as they are.
    """
    text, begins, log = _parted(text)
    if log:
        return [*wrapped(text, indent=indent), f"{begins}{log[0]}", *log[1:]]
    width = columns()
    text = _QUOTED.sub(lambda found: _whole(found[0], width), text)
    if command_last:
        before, colon, command = text.rpartition(": ")
        text = before + colon + _whole(command, width)
    lines: list[str] = []
    for line in text.splitlines() or [""]:
        if len(line) <= width:
            lines.append(line.replace(_BLANK, " "))
            continue
        body = line.lstrip(" ")
        lead = line[: len(line) - len(body)]
        torn = textwrap.wrap(
            body,
            width,
            initial_indent=lead,
            subsequent_indent=lead + indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
        lines += [each.replace(_BLANK, " ") for each in torn]
    return lines


def _parted(text: str) -> tuple[str, str, list[str]]:
    """What is prose, how the log after it begins, and the log's lines."""
    prose, begins, log = text.partition(f"\n{LOG_BEGINS}")
    return prose, LOG_BEGINS, log.splitlines() if begins else []


def _whole(text: str, width: int) -> str:
    """Nothing to tear it at, where it fits a line with some indentation."""
    return text if len(text) > width - 8 else text.replace(" ", _BLANK)
