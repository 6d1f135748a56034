"""The one family of errors a person sees; the exit code is on the class."""

from __future__ import annotations


class DevnetError(Exception):
    """Something a person can act on: what happened, where, what was seen, what to do next.

    `str(error)` is the whole message; `hint` is the next step, printed on its own line.
    """

    exit_code = 4

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class CheckFailed(DevnetError):
    """A scenario's expectation, an invariant or a service level did not hold."""

    exit_code = 1


class StepCancelled(CheckFailed):
    """Whoever asked for a step has left; what it had sent stays sent."""


class UsageError(DevnetError):
    """A command line or a file cannot be used as it is."""

    exit_code = 2


class MachineLacks(DevnetError):
    """The machine has not got what was asked for (a tool, a permission, space on the disk)."""

    exit_code = 3


class StartFailed(DevnetError):
    """A part of the devnet did not start or stopped by itself."""

    exit_code = 4


class WaitExpired(StartFailed):
    """A wait reached its limit; carries the last observation and the tail of the log."""

    def __init__(self, what: str, limit_seconds: float, seen: str, log_tail: str = "") -> None:
        text = f"{what}: not within {limit_seconds:g} s; last seen: {seen or 'nothing'}"
        if log_tail:
            text += f"\n--- end of the log ---\n{log_tail}"
        super().__init__(text)
        self.what, self.limit_seconds, self.seen = what, limit_seconds, seen


class ReplayDiverged(DevnetError):
    """A re-executed block differs from the recorded one."""

    exit_code = 5


class Interrupted(DevnetError):
    """Ctrl-C or SIGTERM."""

    exit_code = 130
