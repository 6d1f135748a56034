"""The registry of step verbs: one place from which scenarios, CLI and schema take them.

It is full once `devnet.spec.scenario` is imported; take it as `devnet.spec.STEPS`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Self, TypeVar

from pydantic import PrivateAttr

from devnet.spec.fields import ErrorName, SpecModel
from devnet.spec.units import UnitError


class Step(SpecModel):
    """One step of a scenario. Its docstring is the help of the CLI verb of the same name.

    Where `listed` names a field, a file gives that field's list in the place of a mapping.
    `positional` is what may stand on a command line without its option, in this order; `part` and
    `order` are read by the daemon, which knows what bears the name (devnet.daemon.naming).
    """

    verb: ClassVar[str]
    listed: ClassVar[str] = ""
    positional: ClassVar[tuple[str, ...]] = ()
    expect_error: ErrorName | None = None
    _line: int = PrivateAttr(default=0)

    @property
    def line(self) -> int:
        """The line in the scenario file, 0 for a step that was not read from one."""
        return self._line

    def placed(self, line: int) -> Self:
        copy = self.model_copy()
        copy._line = line
        return copy

    def exactly_one_of(self, *keys: str) -> None:
        """Raise unless exactly one of these keys was given."""
        given = [key for key in keys if getattr(self, key) is not None]
        if len(given) != 1:
            listed = ", ".join(f"'{key}'" for key in keys)
            seen = ", ".join(given) or "none"
            raise UnitError(f"takes exactly one of {listed}", seen)


STEPS: dict[str, type[Step]] = {}

StepType = TypeVar("StepType", bound=type[Step])


def step(verb: str, *positional: str) -> Callable[[StepType], StepType]:
    """Register a step model under its verb; `positional` as in `Step`."""

    def register(model: StepType) -> StepType:
        if verb in STEPS:
            raise ValueError(f"the verb '{verb}' is taken by {STEPS[verb].__name__}")
        model.verb, model.positional = verb, positional
        STEPS[verb] = model
        return model

    return register
