"""Whether what a scenario expects holds; every key of `expect` is one small reading."""

from __future__ import annotations

from devnet.base import CheckFailed, UsageError, WaitExpired, wait_for
from devnet.spec.expectation import EventCount, Expect
from devnet.spec.units import did_you_mean
from devnet.steps.keys import misses
from devnet.steps.registry import performs
from devnet.steps.stage import Stage


@performs(Expect)
def expect(stage: Stage, step: Expect) -> str:
    """What was seen, in one line; raises `CheckFailed` with every key that does not hold.

    Raises UsageError for an event that no contract has.
    """
    if step.event is not None:
        events = sorted(stage.contracts.event_names())
        if step.event.name not in events:
            hint = did_you_mean(step.event.name, events) or f"known: {', '.join(events)}"
            raise UsageError(f"no contract has an event {step.event.name!r}", hint=hint)
    if step.within is None:
        found = misses(stage, step)
        if found:
            raise CheckFailed("; ".join(found))
    else:
        seen: list[str] = []

        def holds() -> bool:
            stage.scheduler.drain(limit_block=stage.head.number)
            seen[:] = misses(stage, step)
            return not seen

        try:
            wait_for(
                "the expectation",
                lambda: holds() or None,
                limit_seconds=step.within,
                seen=lambda: "; ".join(seen),
                every_seconds=0.1,
            )
        except WaitExpired as expired:
            raise CheckFailed(f"within {step.within} s: {'; '.join(seen)}") from expired
    said = ", ".join(f"{key} {_said(getattr(step, key))}" for key in step.asked())
    return f"{', '.join(step.names)} {said}".strip()


def _said(value: object) -> str:
    if isinstance(value, EventCount):
        return f"{value.name} {value.count}"
    return ", ".join(value) if isinstance(value, tuple) else str(value)
