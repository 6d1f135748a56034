"""A devnet being driven step by step: by a scenario, or by the CLI's verbs."""

from __future__ import annotations

import time
from dataclasses import dataclass

from devnet.actors.operations import Refusal
from devnet.base import CheckFailed, UsageError
from devnet.chain import Block
from devnet.checking import Unmodelled
from devnet.protocol import ProtocolError
from devnet.runs.world import World
from devnet.spec.registry import Step
from devnet.spec.scenario import step_mapping
from devnet.steps import PERFORMERS
from devnet.steps.stage import Pace, Stage, StepRejected


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """What became of one step. `did` says it in one line; `failure` is empty when it held.

    `unchecked_since` is the block from which on neither model nor invariants are compared; None
    where they are. Both texts say it, too.
    """

    index: int
    line: int
    verb: str
    text: str
    did: str
    failure: str
    error: str
    milliseconds: int
    first_block: int
    last_block: int
    unchecked_since: int | None = None

    @property
    def ok(self) -> bool:
        return not self.failure

    @property
    def seconds(self) -> float:
        """Of the wall clock."""
        return self.milliseconds / 1000


class Session:
    """Carries out steps on a `World`; every step is followed by all checks."""

    def __init__(self, world: World, pace: Pace) -> None:
        self._world = world
        self.stage = Stage(world, pace)
        self.outcomes: list[StepOutcome] = []

    @property
    def head(self) -> Block:
        return self.stage.head

    def perform(self, step: Step) -> StepOutcome:
        """Carry out one step and all checks; the outcome is recorded and returned, not raised.

        Raises what is not a matter of the step: a part that died, an interruption.
        """
        started = time.monotonic()
        first = self.head.number
        did, failure, error = "", "", ""
        try:
            did = PERFORMERS[step.verb](self.stage, step)
        except StepRejected as rejected:
            failure, error = str(rejected), rejected.error
        except ProtocolError as refused:  # a view that the step reads
            failure, error = str(refused), refused.name
        except CheckFailed as failed:
            failure = str(failed)
        except UsageError as wrong:
            failure = f"{wrong} ({wrong.hint})" if wrong.hint else str(wrong)
        self.stage.last_error = error
        if step.expect_error is not None:
            did, failure = _as_expected(step.expect_error, did, failure, error)
        if not failure:
            failure = "; ".join(self._world.checks.after_step())
        if failure and (lost := self._world.ended()):
            failure = "; ".join([failure, *map(str, lost)])
        ended = self._world.checks.unmodelled
        outcome = StepOutcome(
            index=len(self.outcomes) + 1,
            line=step.line,
            verb=step.verb,
            text=_text(step),
            did=did if failure else _unchecked(did, ended),
            failure=_unchecked(failure, ended) if failure else "",
            error=error,
            milliseconds=int((time.monotonic() - started) * 1000),
            first_block=first,
            last_block=self.head.number,
            unchecked_since=ended.block if ended else None,
        )
        self.outcomes.append(outcome)
        self._world.record_step(outcome)
        return outcome


_REFUSALS = frozenset(map(str, Refusal))


def _as_expected(expected: str, did: str, failure: str, error: str) -> tuple[str, str]:
    if error == expected:
        said = f"rejected with {expected}, as expected"
        # A contract's error says all by its name; of an actor's refusal the reason is the point.
        return (f"{said}: {failure}" if expected in _REFUSALS else said), ""
    if failure:
        return did, f"expected {expected}, but: {failure}"
    return did, f"expected {expected}, but it was accepted: {did}"


def _unchecked(text: str, ended: Unmodelled | None) -> str:
    if ended is None:
        return text
    return "; ".join(part for part in (text, f"unchecked since block {ended.block}") if part)


def _text(step: Step) -> str:
    """The step as a line of its file."""
    values = step_mapping(step)[step.verb]
    if step.listed:
        return f"{step.verb}: {_flow(values)}"
    inner = ", ".join(f"{key}: {_flow(value)}" for key, value in values.items())
    return f"{step.verb}: {{{inner}}}"


def _flow(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(entry)}" for key, entry in value.items()) + "}"
    return str(value)
