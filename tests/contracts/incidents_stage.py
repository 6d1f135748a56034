"""What the tests of incidents ask of the stage: reports, appeals, rulings, executions."""

from __future__ import annotations

from typing import Any

from contracts_stage import DAY, GATEKEEPERS, HOUR, Sent, Stage, address

NODE, OWNER = address("node-1"), address("owner-1")
NOBODY = "0x" + 40 * "0"
MAX_AGE, WINDOW, ARBITER_WINDOW = 14 * DAY, 6 * HOUR, 12 * HOUR
PENDING, EXECUTED, OVERTURNED = 0, 1, 2


def report(stage: Stage, start: int, end: int, n: int = 1, level: int = 1) -> int:
    """An incident's identity."""
    sent = stage.send("mallory", "Slashing", "report", *stage.incident(n, start, end, level=level))
    return int(sent.event("IncidentReported")["id"])


def report_level_3(stage: Stage, n: int = 1) -> Sent:
    """Signed by all three, as CRITICAL needs it."""
    given = stage.incident(n, stage.now, stage.now, *GATEKEEPERS, level=3)
    return stage.send("mallory", "Slashing", "report", *given)


def refused(
    stage: Stage, start: int, end: int, n: int = 1, level: int = 1
) -> tuple[str, dict[str, object]]:
    """The error of a report that is signed as its level needs it."""
    names = GATEKEEPERS if level == 3 else GATEKEEPERS[:2]
    given = stage.incident(n, start, end, *names, level=level)
    error = stage.refused("mallory", "Slashing", "report", *given)
    return error.name, dict(error.values)


def incident(stage: Stage, identity: int = 1) -> dict[str, Any]:
    """As the contract keeps it."""
    return dict(stage.read("Slashing", "incidentOf", identity))


def execute(stage: Stage, identity: int) -> int:
    """What it took, once its window is over."""
    kept = incident(stage, identity)
    due = kept["reportedAt"] + WINDOW
    if kept["appealedAt"]:
        due = kept["appealedAt"] + ARBITER_WINDOW
    if stage.now + 1 < due:
        stage.until(due)
    sent = stage.send("mallory", "Slashing", "execute", identity)
    return int(sent.event("IncidentExecuted")["amount"])


def appeal(stage: Stage, identity: int = 1, n: int = 1) -> int:
    """The bond it took."""
    sent = stage.send(f"owner-{n}", "Slashing", "appeal", identity)
    return int(sent.event("Appealed")["bond"])


def rule(stage: Stage, identity: int, upheld: bool) -> Sent:
    return stage.send("arbiter", "Slashing", "rule", identity, upheld)


def cycle_reward(stage: Stage) -> int:
    """Of the cycle at the head, wei."""
    return int(stage.read("Rewards", "cycleReward", stage.read("Rewards", "currentCycle")))
