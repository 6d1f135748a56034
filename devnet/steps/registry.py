"""The registry of performers: what each step does, by its verb.

Each family of steps registers its own; it is full once `devnet.steps` is imported, and is to be
taken as `devnet.steps.PERFORMERS`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from devnet.spec.registry import Step
from devnet.steps.stage import Stage

Performer = Callable[[Stage, Any], str]
PERFORMERS: dict[str, Performer] = {}

PerformerType = TypeVar("PerformerType", bound=Performer)


def performs(model: type[Step]) -> Callable[[PerformerType], PerformerType]:
    """Register the performer of a step.

    It returns what it did in one line and raises `StepRejected` where the protocol refused it.
    """

    def register(performer: PerformerType) -> PerformerType:
        PERFORMERS[model.verb] = performer
        return performer

    return register
