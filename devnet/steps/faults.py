"""What the steps of faults do: a part breaks or is mended, from outside (the cluster, sources)."""

from __future__ import annotations

from cluster.ended import Outlook
from cluster.errors import CannotPlay, NodeLost, PartsAway
from cluster.interface import EventKind
from devnet.base import UsageError, wait_for
from devnet.spec import faults
from devnet.steps.registry import performs
from devnet.steps.stage import Stage

NODE_SECONDS = 60.0  # until the control plane has noticed a lost or returned node


@performs(faults.Fault)
def _fault(stage: Stage, step: faults.Fault) -> str:
    for name in step.names:
        if step.subject != faults.WORKER:
            stage.sources.fault(step.fault, name)
            continue
        try:
            stage.cluster.fault(name, step.fault)
        except NodeLost as lost:
            raise UsageError(str(lost), hint=lost.hint or "heal it first") from lost
        except CannotPlay as refused:
            raise UsageError(str(refused), hint=refused.hint) from refused
        _await_node(stage, name, EventKind.NODE_LOST)
    stage.scheduler.drain(limit_block=stage.head.number)  # one clock: nothing is mined
    return f"{', '.join(step.names)} {step.kind} since block {stage.head.number}"


@performs(faults.Heal)
def _heal(stage: Stage, step: faults.Heal) -> str:
    for name in step.names:
        if step.subject != faults.WORKER:
            stage.sources.heal(step.subject, name)
            continue
        if stage.seen_of(name) is not EventKind.NODE_LOST:
            raise UsageError(f"{name} is ready: there is nothing to heal")
        stage.cluster.heal(name)
        _await_node(stage, name, EventKind.NODE_READY)
    stage.settle()
    return ", ".join(step.names)


def _await_node(stage: Stage, name: str, kind: EventKind) -> None:
    def noticed() -> bool:
        stage.scheduler.go_on()
        if stage.seen_of(name) is kind:
            return True
        stopped = [part for part in stage.cluster.ended() if part.outlook is Outlook.STOPPED]
        if any(part.node in ("", name) for part in stopped):
            raise PartsAway(f"{'; '.join(map(str, stopped))}: nobody sees {name} {kind.value}")
        return False

    wait_for(
        f"the control plane to see {name} {kind.value}",
        noticed,
        limit_seconds=NODE_SECONDS,
        seen=lambda: f"{name}: {stage.seen_of(name) or 'no event yet'}",
    )
