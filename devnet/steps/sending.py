"""Carries out sends, alone or together: the arguments made, then sent through the scheduler."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from devnet.actors.operations import Send as Sending
from devnet.base import CheckFailed, UsageError
from devnet.spec.sending import Send, Together
from devnet.steps.arguments import Arguments
from devnet.steps.registry import performs
from devnet.steps.stage import Stage, StepRejected


@performs(Send)
def send(stage: Stage, step: Send) -> str:
    """What was accepted, in one line; raises StepRejected with the contract's named error."""
    sending = _sending(stage, arguments_of(stage), step)
    stage.send(sending)
    return f"{sending.account} called {_called(step)}"


@performs(Together)
def together(stage: Stage, step: Together) -> str:
    """What became of each, in one line; raises CheckFailed for those that did not go as expected.

    Nothing is sent where the arguments of one are at fault. Raises StepRejected with the
    contract's named error where all that failed were refused with the same one.
    """
    sends = [one.send for one in step.sends]
    arguments = arguments_of(stage)
    sendings: list[Sending] = []
    for number, one in enumerate(sends, start=1):
        try:
            sendings.append(_sending(stage, arguments, one))
        except UsageError as wrong:
            raise UsageError(f"{_place(number, sends)}: {wrong}", hint=wrong.hint) from wrong
    states = stage.send_together(sendings)
    done, failed = list[str](), list[str]()
    errors: set[str] = set()
    for number, (one, state) in enumerate(zip(sends, states, strict=True), start=1):
        what = f"{one.source} {_called(one)}"
        if state.error == (one.expect_error or ""):
            done.append(f"{what} (rejected with {state.error})" if state.error else what)
            continue
        expected = f"expected {one.expect_error}, but " if one.expect_error else ""
        why = f": {state.reason}" if state.reason else ""
        refused = f"it was rejected with {state.error}{why}"
        came = refused if state.error else "it was accepted"
        failed.append(f"{_place(number, sends)}, {what}: {expected}{came}")
        errors.add(state.error)
    if not failed:
        blocks = dict.fromkeys(str(state.place[0]) for state in states if state.place)
        return f"{len(sends)} in block {', '.join(blocks)}: {'; '.join(done)}"
    (error,) = errors if len(errors) == 1 else ("mixed",)
    message = "; ".join(failed)
    raise StepRejected(message, error) if error else CheckFailed(message)


def _sending(stage: Stage, arguments: Arguments, step: Send) -> Sending:
    sender = arguments.account(step.source).name
    before = _last_call(stage, step) if step.again else None
    values = arguments.of_call(sender, step.to, step.function, step.args, before)
    return Sending(sender, step.to, step.function, values, stage.next_wish())


def _called(step: Send) -> str:
    return f"{step.to}.{step.function}"


def _place(number: int, sends: Sequence[Send]) -> str:
    """Which of the sends it is, with its line where it was read from a file."""
    line = sends[number - 1].line
    return f"send {number} of {len(sends)}" + (f" (line {line})" if line else "")


def arguments_of(stage: Stage) -> Arguments:
    """What turns texts into values, for a transaction in the block to come."""
    view, head = stage.scheduler.view(), stage.head
    return Arguments.at(
        stage.contracts,
        view.reads,
        stage.directory,
        head,
        block_seconds=view.block_seconds,
        cycle=view.cycle_of(head.number + 1),
    )


def _last_call(stage: Stage, step: Send) -> Mapping[str, Any]:
    args = stage.ledger.last_call(step.to, step.function)
    if args is None:
        raise UsageError(f"nobody has called {step.to}.{step.function} yet: nothing to do again")
    return args
