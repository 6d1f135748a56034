"""How every failure reaches a person: `error:` and `hint:` on stderr, an exit code, no traceback.

`KOMPUTE_DEBUG=1` adds the traceback. With `--json` the same stands on stdout as one object.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import traceback
from collections.abc import Iterator
from types import FrameType

import click

from devnet.cli import terminal
from devnet.daemon import failures
from devnet.daemon.interrupts import redelivered

JSON_ASKED = "devnet.json"  # in the context's meta, once a command has taken --json
_HINT = "_devnet_hint"


@contextlib.contextmanager
def told(ctx: click.Context) -> Iterator[None]:
    """Run a command's body; whatever it raises ends as a message and `ctx.exit(code)`."""
    with _interruptible():
        try:
            yield
        except (click.exceptions.Exit, GeneratorExit, SystemExit):
            raise
        except BaseException as error:  # noqa: BLE001  the edge of the program
            failure = _failure(error)
            if os.environ.get("KOMPUTE_DEBUG") == "1":
                traceback.print_exception(error)
            tell(failure, as_json=bool(ctx.meta.get(JSON_ASKED)))
            ctx.exit(failure.exit_code)


def tell(failure: failures.Failure, *, as_json: bool = False) -> None:
    """Write a failure to stderr, and to stdout as JSON when it was asked for."""
    terminal.say(f"error: {failure.message}", "red", head="error:")
    if failure.hint:
        terminal.say(f"hint: {failure.hint}", "cyan", head="hint:", command_last=True)
    if as_json:
        terminal.print_json(
            {
                "error": failure.message,
                "hint": failure.hint,
                "exit_code": failure.exit_code,
            }
        )


def _failure(error: BaseException) -> failures.Failure:
    if isinstance(error, click.ClickException):
        return _of_click(error)
    return failures.failure_of(KeyboardInterrupt() if isinstance(error, click.Abort) else error)


def hinted(error: click.UsageError, hint: str) -> click.UsageError:
    """The same error with a hint of its own."""
    setattr(error, _HINT, hint)
    return error


def _of_click(error: click.ClickException) -> failures.Failure:
    message = error.format_message().rstrip(".")
    hint = getattr(error, _HINT, "")
    if isinstance(error, click.NoSuchOption):
        message = error.message.rstrip(".")
        if error.possibilities:
            hint = f"did you mean {' or '.join(sorted(error.possibilities))}?"
    if not hint and isinstance(error, click.UsageError) and error.ctx is not None:
        hint = f"{error.ctx.command_path} --help"
    return failures.Failure(message[:1].lower() + message[1:], hint, failures.USAGE)


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

    def again() -> None:
        asked.clear()
        identity = threading.main_thread().ident
        assert identity is not None
        signal.pthread_kill(identity, signal.SIGINT)

    before = {
        number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        with redelivered(again):
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
