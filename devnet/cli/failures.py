"""How every failure reaches a person: `error:` and `hint:` on stderr, an exit code, no traceback.

`KOMPUTE_DEBUG=1` adds the traceback. With `--json` the same stands on stdout as one object.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType

import click

from devnet.base import DevnetError, Interrupted
from devnet.cli import terminal

INTERRUPTED = 130
USAGE = 2
LACKS = 3
BUG = 4
JSON_ASKED = "devnet.json"  # in the context's meta, once a command has taken --json
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
_HINT = "_devnet_hint"


@dataclass(frozen=True, slots=True)
class Failure:
    """What a person is told."""

    message: str
    hint: str
    exit_code: int


@contextlib.contextmanager
def told(ctx: click.Context) -> Iterator[None]:
    """Run a command's body; whatever it raises ends as a message and `ctx.exit(code)`."""
    with _interruptible():
        try:
            yield
        except (click.exceptions.Exit, GeneratorExit, SystemExit):
            raise
        except BaseException as error:  # noqa: BLE001  the edge of the program
            failure = failure_of(error)
            if os.environ.get("KOMPUTE_DEBUG") == "1":
                traceback.print_exception(error)
            tell(failure, as_json=bool(ctx.meta.get(JSON_ASKED)))
            ctx.exit(failure.exit_code)


def tell(failure: Failure, *, as_json: bool = False) -> None:
    """Write a failure to stderr, and to stdout as JSON when it was asked for."""
    terminal.say(terminal.painted("error:", "red", sys.stderr) + f" {failure.message}")
    if failure.hint:
        terminal.say(terminal.painted("hint:", "cyan", sys.stderr) + f" {failure.hint}")
    if as_json:
        terminal.print_json(
            {
                "error": failure.message,
                "hint": failure.hint,
                "exit_code": failure.exit_code,
            }
        )


def failure_of(error: BaseException) -> Failure:
    """What is told of an error."""
    if isinstance(error, Interrupted | KeyboardInterrupt | click.Abort):
        return Failure("interrupted", "", INTERRUPTED)
    if isinstance(error, DevnetError):
        return Failure(str(error), error.hint, error.exit_code)
    if isinstance(error, click.ClickException):
        return _of_click(error)
    if isinstance(error, OSError):
        return _of_system(error)
    return _of_cluster(error) or Failure(
        f"a fault of devnet itself: {type(error).__name__}: {error}",
        "KOMPUTE_DEBUG=1 shows where; please report it",
        BUG,
    )


def hinted(error: click.UsageError, hint: str) -> click.UsageError:
    """The same error with a hint of its own."""
    setattr(error, _HINT, hint)
    return error


def _of_click(error: click.ClickException) -> Failure:
    message = error.format_message().rstrip(".")
    hint = getattr(error, _HINT, "")
    if isinstance(error, click.NoSuchOption):
        message = error.message.rstrip(".")
        if error.possibilities:
            hint = f"did you mean {' or '.join(sorted(error.possibilities))}?"
    if not hint and isinstance(error, click.UsageError) and error.ctx is not None:
        hint = f"{error.ctx.command_path} --help"
    return Failure(message[:1].lower() + message[1:], hint, USAGE)


def _of_system(error: OSError) -> Failure:
    where = f" ({error.filename})" if error.filename else ""
    if error.errno in _NO_SPACE:
        hint = "make room, or point KOMPUTE_CACHE and the working folder at another disk"
        return Failure(f"the disk is full{where}", hint, LACKS)
    return Failure(f"{error.strerror or error}{where}", "", LACKS)


def _of_cluster(error: BaseException) -> Failure | None:
    from cluster import errors
    from cluster.profiles import BadProfile, UnknownProfile

    codes: tuple[tuple[tuple[type[BaseException], ...], int], ...] = (
        ((errors.ClusterLacks,), LACKS),
        ((errors.ClusterStartFailed,), 4),
        ((BadProfile, UnknownProfile), USAGE),
        ((errors.ClusterError,), 1),
    )
    for kinds, code in codes:
        if isinstance(error, kinds):
            return Failure(str(error), str(getattr(error, "hint", "")), code)
    return None


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """SIGTERM is Ctrl-C; while the first is being obeyed, a second one changes nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    asked: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        asked.append(number)
        if len(asked) == 1:
            raise KeyboardInterrupt
        terminal.say("stopping already; `devnet gc` clears what a harder end would leave")

    before = {
        number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
