"""Incidents of level 1: reported, executed after the appeal window (L1, L4 to L7)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from devnet.model import rewards, staking
from devnet.model.calls import ZERO_ADDRESS, ZERO_HASH, Call
from devnet.model.gatekeepers import Quorum, check
from devnet.model.parameters import STAKE_WEI
from devnet.model.tables import Refused
from devnet.protocol.states import IncidentState

if TYPE_CHECKING:
    from devnet.model.state import State

OFFLINE: Final = 1  # L1
DAY: Final = 86_400
RATE_BPS: Final = {OFFLINE: 1_000}  # of the nominal stake, a day
CAP_SECONDS: Final = {OFFLINE: 240 * 3600}  # L4

NO_INCIDENT: Final = IncidentState(ZERO_ADDRESS, 0, 0, 0, 0, False, 0, ZERO_HASH)


def nominal_amount(level: int, seconds: int) -> int:
    """L4: floor(500 KOMP * rate * seconds / (10^4 * 86400)) over at most the level's cap."""
    charged = min(seconds, CAP_SECONDS[level])
    return STAKE_WEI * RATE_BPS[level] * charged // (10_000 * DAY)


def interval(start: int, end: int, cursor: int, registered: int, exit_request: int) -> range:
    """L5: the seconds of a level 1 report that count; empty where nothing is left.

    `exit_request` is 0 where none was made.
    """
    if exit_request:
        end = min(end, exit_request)  # L1
    return range(max(start, cursor, registered), end)


def report(state: State, call: Call) -> None:
    """L5, L6: the gatekeepers charge a node with an interval."""
    args = call.args
    name, level, start, end = args["node"], args["level"], args["from"], args["to"]
    if level != OFFLINE:
        raise Refused("UnknownLevel")
    node = state.nodes[name]
    if not staking.is_live(node):
        raise Refused("NotLive")
    if start < call.timestamp - state.parameters.max_age:
        raise Refused("IntervalTooOld")
    if end > call.timestamp:
        raise Refused("IntervalInFuture")
    if node.exit_at and call.timestamp >= node.exit_at:
        raise Refused("AfterExit")
    cursor = state.cursors[name, level]
    seconds = interval(start, end, cursor, node.registered_at, node.exit_requested_at)
    if not seconds:
        raise Refused("IntervalEmpty")
    digest = state.domains.incident(name, level, start, end, args["evidence"])
    check(state, digest, args["signatures"], Quorum.SLASH)

    state.cursors[name, level] = seconds.stop
    state.pending_incidents[name] += 1
    identity = len(state.incidents) + 1
    state.incidents[identity] = IncidentState(
        node=name,
        level=level,
        from_=seconds.start,
        to=seconds.stop,
        reportedAt=call.timestamp,
        executed=False,
        amount=0,
        evidence=args["evidence"],
    )
    charged = {"from": seconds.start, "to": seconds.stop, "evidence": args["evidence"]}
    reported = {"id": identity, "node": name, "level": level, **charged}
    state.emit("Slashing", "IncidentReported", reported)


def execute(state: State, call: Call) -> None:
    """L6, L7: anyone executes once the window is over; the tokens become reward."""
    identity = call.args["id"]
    incident = state.incidents[identity]
    if incident is NO_INCIDENT:
        raise Refused("UnknownIncident")
    if incident.executed:
        raise Refused("AlreadyExecuted")
    if call.timestamp < incident.reportedAt + state.parameters.appeal_window:
        raise Refused("WindowOpen")
    nominal = nominal_amount(incident.level, incident.to - incident.from_)
    amount = staking.take(state, incident.node, nominal)
    state.incidents[identity] = replace(incident, executed=True, amount=amount)
    state.pending_incidents[incident.node] -= 1
    executed = {"id": identity, "node": incident.node, "amount": amount}
    state.emit("Slashing", "IncidentExecuted", executed)
    if amount:
        slashing = state.parameters.addresses["Slashing"]
        rewards.put_in(state, slashing, amount, call.block)
