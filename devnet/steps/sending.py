"""Carries out a `send` step: the arguments made, the transaction sent through the scheduler."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from devnet.actors.operations import Send as Sending
from devnet.base import UsageError
from devnet.spec.sending import Send
from devnet.steps.arguments import Arguments
from devnet.steps.stage import Stage


def send(stage: Stage, step: Send) -> str:
    """What was accepted, in one line; raises StepRejected with the contract's named error."""
    arguments = arguments_of(stage)
    sender = arguments.account(step.source).name
    before = _last_call(stage, step) if step.again else None
    values = arguments.of_call(sender, step.to, step.function, step.args, before)
    wish = stage.next_wish()
    stage.send(Sending(sender, step.to, step.function, values, wish))
    return f"{sender} called {step.to}.{step.function}"


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
