"""How an incident ends: executed after its window, or appealed and ruled on (L6)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from devnet.model import staking, token
from devnet.model.calls import Call
from devnet.model.slashing import MALICIOUS, SERIOUS, amount_now, carry_out, pending
from devnet.model.state import State
from devnet.model.tables import Refused
from devnet.protocol.states import IncidentState, IncidentStatus

BOND_PART: Final = 10  # L6: a tenth of what is at stake


def appellant_of(state: State, name: str) -> str:
    """L6: who may appeal for a node, its owner; a pool's operator speaks for the pool."""
    owner = state.nodes[name].owner
    return state.pools[owner].operator if owner in state.pools else owner


def appeal(state: State, call: Call) -> None:
    """L6: the owner contests an incident, once and in time, with a bond."""
    identity = call.args["id"]
    incident = pending(state, identity)
    if call.sender != appellant_of(state, incident.node):
        raise Refused("NotOwner")
    if incident.appealedAt:
        raise Refused("AlreadyAppealed")
    if call.timestamp >= incident.reportedAt + state.parameters.appeal_window:
        raise Refused("WindowClosed")
    bond = amount_now(state, incident) // BOND_PART
    state.incidents[identity] = replace(
        incident, appealedAt=call.timestamp, bond=bond, payer=call.sender
    )
    state.emit("Slashing", "Appealed", {"id": identity, "payer": call.sender, "bond": bond})
    if bond:
        slashing = state.parameters.addresses["Slashing"]
        token.pull(state, slashing, call.sender, slashing, bond)


def rule(state: State, call: Call) -> None:
    """L6: the arbiter upholds or overturns, in time."""
    if call.sender != state.arbiter.value:
        raise Refused("NotArbiter")
    identity, upheld = call.args["id"], call.args["upheld"]
    incident = pending(state, identity)
    if not incident.appealedAt:
        raise Refused("NotAppealed")
    if call.timestamp >= incident.appealedAt + state.parameters.arbiter_window:
        raise Refused("WindowClosed")
    state.emit("Slashing", "Ruled", {"id": identity, "upheld": upheld})
    if upheld:
        carry_out(state, identity, call.block, lost_bond=incident.bond)
    else:
        _overturn(state, identity, incident)


def execute(state: State, call: Call) -> None:
    """L6: anyone, once the window of the appeal or of the ruling is over; the bond returns."""
    identity = call.args["id"]
    incident = pending(state, identity)
    parameters = state.parameters
    until = incident.reportedAt + parameters.appeal_window
    if incident.appealedAt:
        until = incident.appealedAt + parameters.arbiter_window
    if call.timestamp < until:
        raise Refused("WindowOpen")
    carry_out(state, identity, call.block, lost_bond=0)
    _return_bond(state, identity, incident)


def set_arbiter(state: State, call: Call) -> None:
    """R5."""
    if call.sender != state.parameters.governance:
        raise Refused("NotGovernance")
    arbiter = call.args["arbiter_"]
    state.arbiter.value = arbiter
    state.emit("Slashing", "ArbiterChanged", {"arbiter": arbiter})


def _overturn(state: State, identity: int, incident: IncidentState) -> None:
    """L6: nothing is slashed; what is left of a seized stake returns, the node does not."""
    name = incident.node
    state.incidents[identity] = replace(incident, state=IncidentStatus.OVERTURNED)
    state.pending_incidents[name] -= 1
    state.emit("Slashing", "IncidentOverturned", {"id": identity, "node": name})
    if incident.level == MALICIOUS:
        staking.resume(state, name)
    if incident.level == SERIOUS:
        rest, state.escrow[name] = state.escrow[name], 0
        staking.restore(state, name, rest)
    _return_bond(state, identity, incident)


def _return_bond(state: State, identity: int, incident: IncidentState) -> None:
    if not incident.bond:
        return
    returned = {"id": identity, "payer": incident.payer, "amount": incident.bond}
    state.emit("Slashing", "BondReturned", returned)
    slashing = state.parameters.addresses["Slashing"]
    token.move(state, slashing, incident.payer, incident.bond)
