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
        if step.fault.loses:
            _await_node(stage, name, EventKind.NODE_LOST)
    stage.scheduler.drain(limit_block=stage.head.number)  # one clock: nothing is mined
    when = "and back at" if step.fault.passes else "since"
    return f"{', '.join(step.names)} {step.kind} {when} block {stage.head.number}"


@performs(faults.Heal)
def _heal(stage: Stage, step: faults.Heal) -> str:
    for name in step.names:
        if step.subject != faults.WORKER:
            stage.sources.heal(step.subject, name)
            continue
        lost = stage.seen_of(name) is EventKind.NODE_LOST
        if not lost and not fault_of(stage, name):
            raise UsageError(f"{name} is ready: there is nothing to heal")
        stage.cluster.heal(name)
        if lost:
            _await_node(stage, name, EventKind.NODE_READY)
    stage.settle()
    return ", ".join(step.names)


def fault_of(stage: Stage, name: str) -> str:
    """The kind of fault that a node has; empty for one that is whole."""
    fault = stage.cluster.faults().get(name)
    return "" if fault is None else fault.name


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
