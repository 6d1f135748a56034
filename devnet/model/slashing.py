"""Incidents of three levels: what they charge, how they are reported and executed (L1 to L7)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from devnet.model import rewards, staking
from devnet.model.calls import Call
from devnet.model.gatekeepers import Quorum, check
from devnet.model.parameters import STAKE_WEI
from devnet.model.rows import NO_INCIDENT
from devnet.model.state import State
from devnet.model.tables import Refused
from devnet.protocol.states import IncidentState, IncidentStatus

OFFLINE: Final = 1  # L1
MALICIOUS: Final = 2  # L2
SERIOUS: Final = 3  # L3
DAY: Final = 86_400
RATE_BPS: Final = {OFFLINE: 1_000, MALICIOUS: 5_000}  # of the nominal stake, a day
CAP_SECONDS: Final = {OFFLINE: 240 * 3600, MALICIOUS: 48 * 3600}  # L4


def nominal_amount(level: int, seconds: int) -> int:
    """L4: floor(500 KOMP * rate * seconds / (10^4 * 86400)) over at most the level's cap."""
    charged = min(seconds, CAP_SECONDS[level])  # L1, L2
    return STAKE_WEI * RATE_BPS[level] * charged // (10_000 * DAY)


def interval(
    level: int, start: int, end: int, cursor: int, registered: int, exit_request: int
) -> range:
    """L5: the seconds of a report that count; empty where nothing is left.

    `exit_request` is 0 where none was made.
    """
    if level == OFFLINE and exit_request:
        end = min(end, exit_request)  # L1
    return range(max(start, cursor, registered), end)


def amount_now(state: State, incident: IncidentState) -> int:
    """L4: what a pending incident would take now, of the stake and of what lies in escrow."""
    left = state.nodes[incident.node].stake + state.escrow[incident.node]
    if incident.level == SERIOUS:  # L3
        return left
    return min(nominal_amount(incident.level, incident.to - incident.from_), left)


def report(state: State, call: Call) -> None:
    """L5, L6: the gatekeepers charge a node with an interval, or at level 3 with all it has."""
    args = call.args
    name, level = args["node"], args["level"]
    if level not in (OFFLINE, MALICIOUS, SERIOUS):
        raise Refused("UnknownLevel")
    node = state.nodes[name]
    if not staking.is_live(node):
        raise Refused("NotLive")
    if node.exit_at and call.timestamp >= node.exit_at:
        raise Refused("AfterExit")
    if args["from"] < call.timestamp - state.parameters.max_age:
        raise Refused("IntervalTooOld")  # L5, L6: no signature lasts for ever
    if args["to"] > call.timestamp:
        raise Refused("IntervalInFuture")
    seconds = _whole(state, call) if level == SERIOUS else _interval(state, call)
    digest = state.domains.incident(name, level, args["from"], args["to"], args["evidence"])
    quorum = Quorum.CRITICAL if level == SERIOUS else Quorum.SLASH
    check(state, digest, args["signatures"], quorum)

    for milder in range(OFFLINE, level + 1) if level != SERIOUS else ():
        state.cursors[name, milder] = max(state.cursors[name, milder], seconds.stop)
    state.pending_incidents[name] += 1
    identity = len(state.incidents) + 1
    state.incidents[identity] = replace(
        NO_INCIDENT,
        node=name,
        level=level,
        from_=seconds.start,
        to=seconds.stop,
        reportedAt=call.timestamp,
        evidence=args["evidence"],
    )
    charged = {"from": seconds.start, "to": seconds.stop, "evidence": args["evidence"]}
    reported = {"id": identity, "node": name, "level": level, **charged}
    state.emit("Slashing", "IncidentReported", reported)
    if level == MALICIOUS:
        staking.suspend(state, name)  # C7
    if level == SERIOUS:
        state.escrow[name] = staking.seize(state, name, call.timestamp)
        rewards.void(state, name, call.block)  # C7


def _whole(state: State, call: Call) -> range:
    """L6: level 3 has the second of its finding for an interval, and comes once per node."""
    found = call.args["to"]
    if call.args["from"] != found:
        raise Refused("IntervalUnexpected")
    if state.nodes[call.args["node"]].ejected:
        raise Refused("AlreadyReported")
    if found < state.nodes[call.args["node"]].registered_at:
        raise Refused("IntervalEmpty")  # L5
    return range(found, found)


def _interval(state: State, call: Call) -> range:
    """L5: what of it is not charged yet."""
    name, level = call.args["node"], call.args["level"]
    start, end = call.args["from"], call.args["to"]
    node, cursor = state.nodes[name], state.cursors[name, level]
    seconds = interval(level, start, end, cursor, node.registered_at, node.exit_requested_at)
    if not seconds:
        raise Refused("IntervalEmpty")
    return seconds


def pending(state: State, identity: int) -> IncidentState:
    """A pending incident; refuses others."""
    incident = state.incidents[identity]
    if incident is NO_INCIDENT:
        raise Refused("UnknownIncident")
    if incident.state is IncidentStatus.EXECUTED:
        raise Refused("AlreadyExecuted")
    if incident.state is IncidentStatus.OVERTURNED:
        raise Refused("AlreadyOverturned")
    return incident


def carry_out(state: State, identity: int, block: int, lost_bond: int) -> None:
    """L7: what an incident takes, and a lost bond with it, becomes reward of the current cycle."""
    incident = state.incidents[identity]
    name, level = incident.node, incident.level
    amount = amount_now(state, incident)
    escrowed = min(amount, state.escrow[name])  # L4: the stake lies here while it is seized
    state.escrow[name] -= escrowed
    if level == SERIOUS:
        staking.forfeit(state, name)
    elif not escrowed:
        staking.take(state, name, amount)
    state.incidents[identity] = replace(incident, state=IncidentStatus.EXECUTED, amount=amount)
    state.pending_incidents[name] -= 1
    executed = {"id": identity, "node": name, "amount": amount}
    state.emit("Slashing", "IncidentExecuted", executed)
    if level == MALICIOUS:
        staking.resume(state, name)
        rewards.void(state, name, block)  # C7
    if lost_bond:
        state.emit("Slashing", "BondLost", {"id": identity, "amount": lost_bond})
    if amount + lost_bond:
        slashing = state.parameters.addresses["Slashing"]
        rewards.put_in(state, slashing, amount + lost_bond, block)
