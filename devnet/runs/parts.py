"""Whoever dies is named: all parts of a devnet are asked, by a watcher and at every error.

A part that dies takes others with it, whose errors ("Read timed out") say nothing of the cause. So
no error of a devnet is told before its parts were asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cluster.ended import Ended, Outlook, log_tail
from devnet.base import StartFailed, WaitExpired, wait_for

LAST_SECONDS = 0.5  # between a broken connection and the end of the process behind it


class PartDied(StartFailed):
    """Parts of a devnet ended by themselves; `ended` are all of them."""

    def __init__(self, ended: Sequence[Ended], meanwhile: BaseException | None = None) -> None:
        self.ended = tuple(ended)
        lines = ["; ".join(map(str, self.ended)) + ": the devnet cannot go on"]
        if meanwhile is not None:
            lines.append(f"what was seen of it: {meanwhile}")
        for part in self.ended:
            if tail := log_tail(part.log):
                lines.append(f"--- end of the log of {part.name} ---\n{tail}")
        super().__init__("\n".join(lines), hint="devnet up starts it again")


def essential(ended: Sequence[Ended]) -> tuple[Ended, ...]:
    """Those without which the devnet is none; the others are machines that are lost, or parts that
    are started again or stopped."""
    return tuple(part for part in ended if not part.node and part.outlook is Outlook.GONE)


def require(ended: Sequence[Ended]) -> None:
    """Raises PartDied where one of them is essential."""
    if dead := essential(ended):
        raise PartDied(dead)


def blamed(error: Exception, ask: Callable[[], tuple[Ended, ...]]) -> Exception:
    """The error to tell instead: PartDied where a part has died, else the same with a note of those
    that are away and that it does not name itself."""
    if isinstance(error, PartDied):
        return error
    try:
        ended = wait_for("a part's end", lambda: ask() or None, limit_seconds=LAST_SECONDS)
    except WaitExpired:
        return error
    if dead := essential(ended):
        died = PartDied(dead, error)
        died.__cause__ = error
        return died
    if unnamed := [sentence for sentence in map(str, ended) if sentence not in str(error)]:
        error.add_note("; ".join(unnamed))
    return error
