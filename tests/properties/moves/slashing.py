"""L1 to L7: reports of three levels, appeals, rulings, executions."""

from __future__ import annotations

from collections.abc import Callable

from devnet.model import staking
from devnet.model.appeals import appellant_of
from devnet.model.gatekeepers import Quorum
from devnet.protocol.states import IncidentState, IncidentStatus

from ..action import Action, Advance, Send, now
from ..sight import Draw, Sight
from . import move
from .signatures import quorum

HOUR = 3600
DAY = 24 * HOUR


@move(8)
def report(draw: Draw, sight: Sight) -> Send | None:
    """Level 1 or 2, mostly an interval of which some still counts."""
    live = _live(sight)
    if not live and not draw.rarely(40):
        return None
    pooled = [worker for worker in live if sight.node(worker).owner in sight.state.pools]
    worker = draw.of(pooled if pooled and draw.rarely(3) else live or sight.workers)
    level = draw.one(1, 1, 2)
    node, p = sight.node(worker), sight.model.parameters
    cursor = max(sight.state.cursors[sight.address(worker), level], node.registered_at)
    latest = 0
    if level == 1 and node.exit_requested_at:
        latest = node.exit_requested_at - sight.now
    oldest = max(cursor - sight.now, -p.max_age)
    if oldest >= latest and not draw.rarely(10):
        return None
    end = draw.one(0, 0, latest, (oldest + latest) // 2)
    start = max(draw.one(oldest, end - HOUR, end - DAY, oldest - HOUR, -p.max_age), -p.max_age)
    if draw.rarely(12):
        start, end, level = draw.one(
            (-p.max_age - 1, end, level),
            (start, 1, level),
            (end, end, level),
            (start, end, 0),
            (start, end, 4),
            (start, start - 1, level),
            (start, end, 3),
        )
    wrong = {"node": "mallory", "to": now(end - 1), "level": 3 - level if level < 3 else 1}
    return _reported(draw, sight, worker, level, (now(start), now(end)), Quorum.SLASH, wrong)


@move(3)
def report_wait_execute(draw: Draw, sight: Sight) -> list[Action] | None:
    """A few hours of a node, mostly a pool's, to the end: so that there is something to fill up."""
    new = [w for w in _live(sight) if not sight.node(w).exit_requested_at]
    pooled = [worker for worker in new if sight.node(worker).owner in sight.state.pools]
    if not new:
        return None
    worker = draw.of(pooled or new)
    hours = draw.one(3, 24, 7)
    made = reported(draw, sight, worker, 1, hours * HOUR)
    window = sight.model.parameters.appeal_window // sight.spec.chain.block_seconds
    identity = len(sight.state.incidents) + 1
    return [made, Advance(window), Send("mallory", "Slashing", "execute", {"id": identity})]


@move(1)
def report_serious(draw: Draw, sight: Sight) -> Send | None:
    """Level 3: the second of its finding, once per node, by a CRITICAL quorum."""
    live = [w for w in _live(sight) if not sight.node(w).ejected or draw.rarely(6)]
    if not live:
        return None
    worker, oldest = draw.of(live), -sight.model.parameters.max_age
    registered = max(sight.node(worker).registered_at - sight.now, oldest)
    found = draw.one(0, 0, -HOUR, oldest, registered)
    if draw.rarely(6):
        found = max(registered - 1, oldest)  # L5: it was not there
    interval = (now(found), now(found))
    if draw.rarely(8):
        interval = draw.one(
            (now(-HOUR), now(0)), (now(oldest - 1), now(oldest - 1)), (now(1), now(1)), (0, 0)
        )
    wrong = {"node": "mallory", "level": 2, "to": now(found - 1), "from": now(found - 1)}
    return _reported(draw, sight, worker, 3, interval, Quorum.CRITICAL, wrong)


def reported(draw: Draw, sight: Sight, worker: str, level: int, seconds: int) -> Send:
    """A report of level 1 or 2, of so many seconds before the block to come."""
    interval = (now(-seconds), now(0))
    return _reported(draw, sight, worker, level, interval, Quorum.SLASH, {"node": "mallory"})


def _live(sight: Sight) -> list[str]:
    live = [w for w in sight.staked() if staking.is_live(sight.node(w))]
    return [w for w in live if not 0 < sight.node(w).exit_at <= sight.now] or live


def _reported(
    draw: Draw,
    sight: Sight,
    worker: str,
    level: int,
    interval: tuple[object, object],
    kind: Quorum,
    wrong: dict[str, object],
) -> Send:
    args = {
        "node": worker,
        "level": level,
        "from": interval[0],
        "to": interval[1],
        "evidence": {"hash": "evidence"},
    }
    signed = quorum(draw, sight, kind, "Staking", **wrong)
    sender = draw.one(sight.members()[0], "mallory")
    return Send(sender, "Slashing", "report", {**args, "signatures": signed})


@move(4)
def appeal(draw: Draw, sight: Sight) -> Send | None:
    window = sight.model.parameters.appeal_window

    def open_(incident: IncidentState) -> bool:
        return not incident.appealedAt and sight.now < incident.reportedAt + window

    identity = _incident(draw, sight, open_)
    if identity is None:
        return None
    appellant = appellant_of(sight.state, sight.state.incidents[identity].node)
    sender = "mallory" if draw.rarely(12) else sight.account(appellant, "mallory")
    return Send(sender, "Slashing", "appeal", {"id": identity})


@move(4)
def rule(draw: Draw, sight: Sight) -> Send | None:
    window = sight.model.parameters.arbiter_window

    def open_(incident: IncidentState) -> bool:
        return bool(incident.appealedAt) and sight.now < incident.appealedAt + window

    identity = _incident(draw, sight, open_)
    if identity is None:
        return None
    arbiter = sight.name(sight.state.arbiter.value)
    sender = "mallory" if draw.rarely(12) else arbiter
    return Send(sender, "Slashing", "rule", {"id": identity, "upheld": draw.one(True, False)})


@move(1)
def rule_too_late(draw: Draw, sight: Sight) -> list[Action] | None:
    """L6: the arbiter's time runs from the appeal, whatever is left of the time to appeal."""
    p, seconds = sight.model.parameters, sight.spec.chain.block_seconds

    def early(incident: IncidentState) -> bool:
        return not incident.appealedAt and sight.now < incident.reportedAt + p.appeal_window

    identity = _incident(draw, sight, early)
    if identity is None or not sight.state.incidents[identity].reportedAt:
        return None
    incident = sight.state.incidents[identity]
    left = (incident.reportedAt + p.appeal_window - sight.now) // seconds
    late = draw.one(0, 0, max(left - 1, 0), -1)
    appellant = sight.account(appellant_of(sight.state, incident.node), "mallory")
    ruling = {"id": identity, "upheld": draw.one(True, False)}
    return [
        Send(appellant, "Slashing", "appeal", {"id": identity}),
        Advance(p.arbiter_window // seconds - 1 + late),
        Send(sight.name(sight.state.arbiter.value), "Slashing", "rule", ruling),
    ]


@move(7)
def execute(draw: Draw, sight: Sight) -> Send | None:
    identity = _incident(draw, sight, lambda incident: sight.now >= due_at(sight, incident))
    if identity is None:
        return None
    return Send(draw.one("mallory", "alice"), "Slashing", "execute", {"id": identity})


def due_at(sight: Sight, incident: IncidentState) -> int:
    """L6: from when on anyone may execute it."""
    p = sight.model.parameters
    if incident.appealedAt:
        return incident.appealedAt + p.arbiter_window
    return incident.reportedAt + p.appeal_window


def _incident(draw: Draw, sight: Sight, wanted: Callable[[IncidentState], bool]) -> int | None:
    """A pending one that is wanted, rarely any other."""
    rows = sight.state.incidents
    fit = [
        identity
        for identity, incident in rows.items()
        if incident.state is IncidentStatus.PENDING and wanted(incident)
    ]
    if fit:
        return draw.of(fit)
    return draw.integer(0, len(rows) + 1) if draw.rarely(25) else None


@move(1)
def by_slashing_only(draw: Draw, sight: Sight) -> Send | None:
    """What the slashing contract alone may do to a node."""
    if not draw.rarely(10):
        return None
    worker = draw.of(sight.workers)
    contract, function, more = draw.one(
        ("Staking", "slash", {"amount": 1}),
        ("Staking", "suspend", {}),
        ("Staking", "resume", {}),
        ("Staking", "seize", {}),
        ("Staking", "restore", {"amount": 1}),
        ("Staking", "forfeit", {}),
        ("Rewards", "voidV", {}),
    )
    return Send("mallory", contract, function, {"node": worker, **more})
