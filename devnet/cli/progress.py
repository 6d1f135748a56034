"""How a run is told to people while it goes, and what it came to."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from devnet.base.telling import columns, wrapped
from devnet.cli import terminal

if TYPE_CHECKING:
    from devnet.runs.attacks import AttackOutcome
    from devnet.runs.life import Remains
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
    room = max(30, columns() - len(head))
    whole = f"({tail})".replace(" ", NO_BREAK)
    body = f"{text} {whole}" if text else whole
    wrapped = textwrap.wrap(body, room, break_long_words=False, break_on_hyphens=False)
    lines = [line.replace(NO_BREAK, " ") for line in wrapped]
    return [head + lines[0], *(" " * len(head) + line for line in lines[1:])]


def say_step(outcome: StepOutcome) -> None:
    for line in step_lines(outcome):
        terminal.say(line, "" if outcome.ok else "red")
    if not outcome.ok:
        terminal.say(f"      in line {outcome.line}: {outcome.text}"[: columns()])


def print_verdict(result: RunResult) -> None:
    """The last lines of a run: verdict, last block, bundle, report."""
    colour = "green" if result.ok else "red"
    held = sum(step.ok for step in result.steps)
    terminal.print_text(
        f"{result.verdict}: {result.scenario} on {result.cluster}, {held} of {len(result.steps)} "
        f"steps held, {result.seconds:.1f} s",
        colour,
        head=result.verdict,
    )
    for fault in result.faults:
        terminal.print_text(f"at the end {fault}")
    terminal.print_text(f"last block {result.last_block.number} {result.last_block.hash}")
    print_remains(result.remains)


def print_remains(remains: Remains) -> None:
    """Where bundle and report of a run are, and what could not be written."""
    terminal.print_text(f"bundle     {remains.bundle}")
    if remains.report is not None:
        terminal.print_text(f"report     {remains.report}")
    for missing in remains.not_written:
        terminal.print_text(f"not written: {missing}", "red")


def attack_lines(attack: AttackOutcome) -> list[str]:
    """One attack: its verdict and name, the attempt, what stopped it and who lost what."""
    rules = ", ".join(attack.stopped_by)
    text = f"{attack.attempt.rstrip('.')}; stopped by {rules}; lost: {attack.losses()}"
    head = f"{attack.verdict:<12}  {attack.line}: "
    body = textwrap.wrap(
        head + text,
        columns(),
        subsequent_indent=" " * 14,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [*body, *(line for fault in attack.faults for line in wrapped(" " * 14 + fault))]


def print_attacks(results: Sequence[RunResult]) -> None:
    """A report line for each attack among the runs."""
    for result in results:
        if result.attack is not None:
            colour = "green" if result.attack.defeated else "red"
            for line in attack_lines(result.attack):
                terminal.print_text(line, colour)


def print_summary(results: Sequence[RunResult]) -> None:
    """What many runs came to."""
    seconds = sum(result.seconds for result in results)
    passed = sum(result.ok for result in results)
    attacks = [result.attack for result in results if result.attack is not None]
    defeated = sum(attack.defeated for attack in attacks)
    text = f"{passed} of {len(results)} scenarios passed in {seconds:.1f} s"
    if attacks:
        text += f", {defeated} of {len(attacks)} attacks defeated"
    terminal.print_text(text)
