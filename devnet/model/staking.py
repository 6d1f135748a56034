"""Nodes and their stakes (S1 to S6)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from devnet.model import token
from devnet.model.calls import ZERO_ADDRESS, ZERO_HASH, Call
from devnet.model.gatekeepers import Quorum, check
from devnet.model.parameters import STAKE_WEI
from devnet.model.tables import Refused
from devnet.protocol.states import NodeState

if TYPE_CHECKING:
    from devnet.model.state import State

BASE_BPS: Final = 10_000
PERIODS: Final = {1: 10_000, 3: 10_500, 6: 11_000, 12: 12_000}  # S2: months to S in bps

NOBODY: Final = NodeState(ZERO_ADDRESS, 0, 0, 0, 0, 0, False, False, 0, ZERO_HASH)


def is_active(node: NodeState) -> bool:
    """S4: full stake, no exit request, not ejected."""
    return node.stake == STAKE_WEI and node.exitRequestedAt == 0 and not node.ejected


def is_live(node: NodeState) -> bool:
    """S4: from registration until withdrawn."""
    return node.registeredAt != 0 and not node.withdrawn


def multiplier_bps(node: NodeState, now: int) -> int:
    """S2, S3: the period's S until it ends, then 10000."""
    return node.multiplierBps if now < node.unlockAt else BASE_BPS


def period_bps(months: int) -> int:
    """S2: the S of a period; refuses other periods."""
    if months not in PERIODS:
        raise Refused("UnknownPeriod")
    return PERIODS[months]


def exit_at(node: NodeState, now: int, exit_delay: int) -> int:
    """S5: when an exit requested now is due."""
    return max(now + exit_delay, node.unlockAt)


def stake(state: State, call: Call) -> None:
    """S1, S6: register a node; the sender becomes its owner and pays."""
    node, hardware_id, months, deadline = (
        call.args[name] for name in ("node", "hardwareId", "months", "deadline")
    )
    if state.nodes[node].registeredAt:
        raise Refused("AlreadyRegistered")  # R2: once ever
    if state.hardware[hardware_id] != ZERO_ADDRESS:
        raise Refused("HardwareTaken")
    bps = period_bps(months)
    if call.timestamp > deadline:
        raise Refused("AdmissionExpired")
    if call.sender in state.registry.value.members:
        raise Refused("OwnerIsGatekeeper")  # R3
    digest = state.domains.admission(node, call.sender, hardware_id, deadline)
    check(state, digest, call.args["signatures"], Quorum.PERF)

    state.nodes[node] = NodeState(
        owner=call.sender,
        registeredAt=call.timestamp,
        unlockAt=call.timestamp + months * state.parameters.month,
        exitAt=0,
        exitRequestedAt=0,
        multiplierBps=bps,
        ejected=False,
        withdrawn=False,
        stake=STAKE_WEI,
        hardwareId=hardware_id,
    )
    state.hardware[hardware_id] = node
    _pay_in(state, call.sender, STAKE_WEI)


def restake(state: State, call: Call) -> None:
    """S3: an active node chooses a period anew; it must unlock later than before."""
    name, node = _owned(state, call)
    if not is_active(node):
        raise Refused("NotActive")
    bps = period_bps(call.args["months"])
    unlock_at = call.timestamp + call.args["months"] * state.parameters.month
    if unlock_at <= node.unlockAt:
        raise Refused("UnlockNotLater")
    state.nodes[name] = replace(node, unlockAt=unlock_at, multiplierBps=bps)


def top_up(state: State, call: Call) -> None:
    """S4: back to exactly 500 KOMP."""
    name, node = _owned(state, call)
    if node.exitRequestedAt or node.ejected:
        raise Refused("NotActive")
    room = STAKE_WEI - node.stake
    if room == 0:
        raise Refused("NothingToTopUp")
    if call.args["amount"] != room:
        raise Refused("TopUpExceeds")
    state.nodes[name] = replace(node, stake=STAKE_WEI)
    _pay_in(state, call.sender, room)


def request_exit(state: State, call: Call) -> None:
    """S5: the first step of an exit."""
    name, node = _owned(state, call)
    if node.exitRequestedAt:
        raise Refused("ExitAlreadyRequested")
    due = exit_at(node, call.timestamp, state.parameters.exit_delay)
    state.nodes[name] = replace(node, exitRequestedAt=call.timestamp, exitAt=due)


def withdraw(state: State, call: Call) -> None:
    """S5: the second step; a pending slash blocks it, an empty stake does not (S4)."""
    name, node = _owned(state, call)
    if node.exitAt == 0 or call.timestamp < node.exitAt:
        raise Refused("ExitNotDue")
    if node.withdrawn:
        raise Refused("NotActive")
    if state.pending_incidents[name]:
        raise Refused("SlashPending")
    state.nodes[name] = replace(node, stake=0, withdrawn=True)
    state.hardware[node.hardwareId] = ZERO_ADDRESS  # S6: of live nodes only
    state.total_stake.value -= node.stake
    token.move(state, state.parameters.addresses["Staking"], call.sender, node.stake)


def slash(state: State, call: Call) -> None:
    """Only the slashing contract takes stake, and that never sends a transaction itself."""
    raise Refused("NotSlashing")


def take(state: State, name: str, amount: int) -> int:
    """L4: what a slash of `amount` takes from the stake, handed to the slashing contract."""
    node = state.nodes[name]
    taken = min(amount, node.stake)
    state.nodes[name] = replace(node, stake=node.stake - taken)
    state.total_stake.value -= taken
    addresses = state.parameters.addresses
    token.move(state, addresses["Staking"], addresses["Slashing"], taken)
    return taken


def _owned(state: State, call: Call) -> tuple[str, NodeState]:
    name = call.args["node"]
    node = state.nodes[name]
    if node.registeredAt == 0:
        raise Refused("NotRegistered")
    if call.sender != node.owner:
        raise Refused("NotOwner")
    return name, node


def _pay_in(state: State, sender: str, amount: int) -> None:
    staking = state.parameters.addresses["Staking"]
    state.total_stake.value += amount
    token.pull(state, staking, sender, staking, amount)
