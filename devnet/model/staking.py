"""Nodes and their stakes (S1 to S6), and what incidents do to them (C7, L6)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from devnet.chain.signer import SIGNATURE_BYTES
from devnet.model import token
from devnet.model.calls import ZERO_ADDRESS, Call
from devnet.model.gatekeepers import Quorum, check, signer_of
from devnet.model.parameters import STAKE_WEI
from devnet.model.rows import Node
from devnet.model.state import State
from devnet.model.tables import Refused

BASE_BPS: Final = 10_000
PERIODS: Final = {1: 10_000, 3: 10_500, 6: 11_000, 12: 12_000}  # S2: months to S in bps


def is_active(node: Node) -> bool:
    """S4: full stake, no exit request (and so neither withdrawn nor ejected)."""
    return node.stake == STAKE_WEI and node.exit_requested_at == 0


def is_live(node: Node) -> bool:
    """S4: from registration until withdrawn, or until a level 3 executes."""
    return node.registered_at != 0 and not node.withdrawn and not node.forfeited


def multiplier_bps(node: Node, now: int) -> int:
    """S2, S3: the period's S until it ends, then 10000."""
    return node.period_bps if now < node.unlock_at else BASE_BPS


def period_bps(months: int) -> int:
    """S2: the S of a period; refuses other periods."""
    if months not in PERIODS:
        raise Refused("UnknownPeriod")
    return PERIODS[months]


def exit_at(node: Node, now: int, exit_delay: int) -> int:
    """S5: when an exit requested now is due."""
    return max(now + exit_delay, node.unlock_at)


def stake(state: State, call: Call) -> None:
    """S1, S6: register a node; the sender becomes its owner and pays."""
    node, hardware_id, months, deadline = (
        call.args[name] for name in ("node", "hardwareId", "months", "deadline")
    )
    if node == ZERO_ADDRESS:
        raise Refused("ZeroNode")
    if state.nodes[node].registered_at:
        raise Refused("AlreadyRegistered")  # R2: once ever
    bps = period_bps(months)
    if call.timestamp > deadline:
        raise Refused("AdmissionExpired")
    if call.sender in state.registry.value.members:
        raise Refused("OwnerIsGatekeeper")  # R3
    if state.hardware[hardware_id] != ZERO_ADDRESS:
        raise Refused("HardwareTaken")
    digest = state.domains.admission(node, call.sender, hardware_id, deadline)
    if not _signed_by(state, node, digest, call.args["nodeSignature"]):
        raise Refused("NotSignedByNode")
    check(state, digest, call.args["signatures"], Quorum.PERF)

    unlock_at = call.timestamp + months * state.parameters.month
    state.nodes[node] = Node(
        owner=call.sender,
        hardware_id=hardware_id,
        stake=STAKE_WEI,
        registered_at=call.timestamp,
        unlock_at=unlock_at,
        period_bps=bps,
    )
    state.hardware[hardware_id] = node
    staked = {"node": node, "owner": call.sender, "hardwareId": hardware_id}
    state.emit("Staking", "Staked", {**staked, "months": months, "unlockAt": unlock_at})
    _pay_in(state, call.sender, STAKE_WEI)


def restake(state: State, call: Call) -> None:
    """S3: an active node chooses a period anew; it must unlock later than before."""
    name, node = _owned(state, call)
    if not is_active(node):
        raise Refused("NotActive")
    months = call.args["months"]
    bps = period_bps(months)
    unlock_at = call.timestamp + months * state.parameters.month
    if unlock_at <= node.unlock_at:
        raise Refused("UnlockNotLater")
    state.nodes[name] = replace(node, unlock_at=unlock_at, period_bps=bps)
    state.emit("Staking", "Restaked", {"node": name, "months": months, "unlockAt": unlock_at})


def top_up(state: State, call: Call) -> None:
    """S4: back to exactly 500 KOMP."""
    name, node = _owned(state, call)
    if node.exit_requested_at:
        raise Refused("ExitAlreadyRequested")
    room = STAKE_WEI - node.stake
    if room == 0:
        raise Refused("NothingToTopUp")
    if call.args["amount"] != room:
        raise Refused("TopUpExceeds")
    state.nodes[name] = replace(node, stake=STAKE_WEI)
    state.emit("Staking", "ToppedUp", {"node": name, "amount": room})
    _pay_in(state, call.sender, room)


def request_exit(state: State, call: Call) -> None:
    """S5: the first step of an exit."""
    name, node = _owned(state, call)
    if node.exit_requested_at:
        raise Refused("ExitAlreadyRequested")
    leaving = _leaving(state, node, call.timestamp)
    state.nodes[name] = leaving
    state.emit("Staking", "ExitRequested", {"node": name, "exitAt": leaving.exit_at})


def withdraw(state: State, call: Call) -> None:
    """S5: the second step; a pending slash blocks it, an empty stake does not (S4)."""
    name, node = _owned(state, call)
    if not is_live(node):
        raise Refused("NotLive")
    if node.exit_at == 0 or call.timestamp < node.exit_at:
        raise Refused("ExitNotDue")
    if state.pending_incidents[name]:
        raise Refused("SlashPending")
    state.nodes[name] = replace(node, stake=0, withdrawn=True)
    state.hardware[node.hardware_id] = ZERO_ADDRESS  # S6: of live nodes only
    state.total_stake.value -= node.stake
    withdrawn = {"node": name, "owner": call.sender, "amount": node.stake}
    state.emit("Staking", "Withdrawn", withdrawn)
    token.move(state, state.parameters.addresses["Staking"], call.sender, node.stake)


def by_slashing_only(state: State, call: Call) -> None:
    """slash, suspend, seize and the like: the slashing contract sends no transactions itself."""
    raise Refused("NotSlashing")


def take(state: State, name: str, amount: int) -> int:
    """L4: what a slash of `amount` takes from the stake, handed to the slashing contract."""
    node = state.nodes[name]
    taken = min(amount, node.stake)
    state.nodes[name] = replace(node, stake=node.stake - taken)
    state.total_stake.value -= taken
    state.emit("Staking", "Slashed", {"node": name, "amount": taken})
    addresses = state.parameters.addresses
    token.move(state, addresses["Staking"], addresses["Slashing"], taken)
    return taken


def suspend(state: State, name: str) -> None:
    """C7: a level 2 is pending."""
    node = state.nodes[name]
    state.nodes[name] = replace(node, suspensions=node.suspensions + 1)
    state.emit("Staking", "Suspended", {"node": name})


def resume(state: State, name: str) -> None:
    """C7: a level 2 is decided."""
    node = state.nodes[name]
    state.nodes[name] = replace(node, suspensions=node.suspensions - 1)
    state.emit("Staking", "Resumed", {"node": name})


def seize(state: State, name: str, now: int) -> int:
    """L6: the whole stake goes to the slashing contract; the node is ejected and leaves."""
    node = state.nodes[name]
    seized = node.stake
    leaving = node if node.exit_requested_at else _leaving(state, node, now)
    state.nodes[name] = replace(leaving, stake=0, ejected=True)
    state.total_stake.value -= seized
    ejected = {"node": name, "amount": seized, "exitAt": leaving.exit_at}
    state.emit("Staking", "Ejected", ejected)
    addresses = state.parameters.addresses
    token.move(state, addresses["Staking"], addresses["Slashing"], seized)
    return seized


def restore(state: State, name: str, amount: int) -> None:
    """L6: what is left of a seized stake returns; the node stays ejected."""
    node = state.nodes[name]
    state.nodes[name] = replace(node, stake=node.stake + amount)
    state.emit("Staking", "Restored", {"node": name, "amount": amount})
    _pay_in(state, state.parameters.addresses["Slashing"], amount)


def forfeit(state: State, name: str) -> None:
    """S4: a level 3 executed; the node is not live any more, its hardware is free (S6)."""
    node = state.nodes[name]
    state.nodes[name] = replace(node, forfeited=True)
    state.hardware[node.hardware_id] = ZERO_ADDRESS
    state.emit("Staking", "Forfeited", {"node": name})


def _leaving(state: State, node: Node, now: int) -> Node:
    due = exit_at(node, now, state.parameters.exit_delay)
    return replace(node, exit_requested_at=now, exit_at=due)


def _owned(state: State, call: Call) -> tuple[str, Node]:
    name = call.args["node"]
    node = state.nodes[name]
    if node.registered_at == 0:
        raise Refused("NotRegistered")
    if call.sender != node.owner:
        raise Refused("NotOwner")
    return name, node


def _signed_by(state: State, node: str, digest: bytes, signature: bytes) -> bool:
    """S6: the node's key agrees to be registered so."""
    if len(signature) != SIGNATURE_BYTES:
        return False
    try:
        return signer_of(state, digest, signature) == node
    except Refused:
        return False


def _pay_in(state: State, sender: str, amount: int) -> None:
    staking = state.parameters.addresses["Staking"]
    state.total_stake.value += amount
    token.pull(state, staking, sender, staking, amount)
