"""How a run is told to people while it goes, and what it came to."""

from __future__ import annotations

import sys
import textwrap
from typing import TYPE_CHECKING

from devnet.cli import terminal

if TYPE_CHECKING:
    from devnet.runs.runner import RunResult
    from devnet.runs.session import StepOutcome

_VERB_WIDTH = 10
NO_BREAK = "\u00a0"  # block and time stay together


def step_lines(outcome: StepOutcome) -> list[str]:
    """One step: number, verdict, verb, what it did or why it failed, block and time."""
    head = f"{outcome.index:>4}  {'ok  ' if outcome.ok else 'FAIL'}  "
    head += f"{outcome.verb.ljust(_VERB_WIDTH)} "
    tail = f"block {outcome.last_block}, {outcome.seconds:.1f} s"
    text = outcome.did if outcome.ok else outcome.failure
    room = max(30, terminal.columns() - len(head))
    whole = f"({tail})".replace(" ", NO_BREAK)
    body = f"{text} {whole}" if text else whole
    wrapped = textwrap.wrap(body, room, break_long_words=False, break_on_hyphens=False)
    lines = [line.replace(NO_BREAK, " ") for line in wrapped]
    return [head + lines[0], *(" " * len(head) + line for line in lines[1:])]


def say_step(outcome: StepOutcome) -> None:
    for line in step_lines(outcome):
        terminal.say(line if outcome.ok else terminal.painted(line, "red", sys.stderr))
    if not outcome.ok:
        terminal.say(f"      in line {outcome.line}: {outcome.text}"[: terminal.columns()])


def print_verdict(result: RunResult) -> None:
    """The last lines of a run: verdict, last block, bundle, report."""
    colour = "green" if result.ok else "red"
    held = sum(step.ok for step in result.steps)
    terminal.print_line(
        terminal.painted(result.verdict, colour)
        + f": {result.scenario} on {result.cluster}, {held} of {len(result.steps)} steps held, "
        f"{result.seconds:.1f} s"
    )
    terminal.print_line(f"last block {result.last_block.number} {result.last_block.hash}")
    terminal.print_line(f"bundle     {result.bundle}")
    terminal.print_line(f"report     {result.report}")
