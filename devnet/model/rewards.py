"""Publication of V, and the rewards of cycles (W1 to W5, C1 to C7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from devnet.model import staking, token
from devnet.model.calls import ZERO_HASH, Call
from devnet.model.gatekeepers import Quorum, check
from devnet.model.rows import Publisher
from devnet.model.state import State
from devnet.model.tables import Refused, add, narrow

MAX_SGX: Final = 2 * 10**6  # W2, factors at 1e6 = 1.0
MAX_B: Final = 10**7
MAX_C: Final = 10**12
HASH_REACH: Final = 256  # W4, blocks


def cycle_of(block: int, genesis: int, length: int) -> int:
    """C1."""
    return (block - genesis) // length


def value(sgx: int, b: int, c: tuple[int, int, int], multiplier_bps: int) -> int:
    """W1: V = floor(sgx * b * (c1 + c2 + c3) * S / 10^4)."""
    return sgx * b * sum(c) * multiplier_bps // 10_000


def factors_in_range(sgx: int, b: int, c: tuple[int, int, int]) -> bool:
    """W2."""
    return 0 < sgx <= MAX_SGX and b <= MAX_B and max(c) <= MAX_C


def share(reward: int, account_v: int, total_v: int) -> int:
    """C3: a node's part of an ended cycle, rounded down; nothing without V."""
    return reward * account_v // total_v if account_v else 0


def share_of(state: State, node: str, cycle: int) -> int:
    """C3 at the state at hand."""
    account_v = state.account_v[cycle, node]
    return share(state.cycle_reward[cycle], account_v, state.cycle_total_v[cycle])


def settled(state: State, node: str, current: int) -> Publisher:
    """C3: the publisher with the share of its open cycle in `accrued`, if that has ended."""
    publisher = state.publishers[node]
    if publisher.open_cycle is None or publisher.open_cycle >= current:
        return publisher
    due = share_of(state, node, publisher.open_cycle)
    return Publisher(
        publisher.last_block,
        publisher.sequence,
        None,
        publisher.accrued + due,
        publisher.claimed_before,
    )


def publish(state: State, call: Call) -> None:
    """W1 to W5: a node publishes what the gatekeepers measured."""
    result: Mapping[str, Any] = call.args["result"]
    name = result["node"]
    if call.sender != name:
        raise Refused("NotNode")
    node = state.nodes[name]
    if not staking.is_active(node):
        raise Refused("NotActive")
    if node.suspensions:
        raise Refused("Suspended")  # C7
    cycle = _cycle(state, call.block)
    _check_measured(state, call, result, cycle)
    sgx, b, c = result["sgx"], result["b"], (result["c1"], result["c2"], result["c3"])
    digest = state.domains.result(
        name,
        result["cycle"],
        result["sequence"],
        result["measuredBlock"],
        result["measuredHash"],
        sgx,
        b,
        *c,
    )
    check(state, digest, call.args["signatures"], Quorum.PERF)  # W3
    if not factors_in_range(sgx, b, c):
        raise Refused("FactorOutOfRange")
    v = value(sgx, b, c, staking.multiplier_bps(node, call.timestamp))
    if not 0 < v <= state.pot.value.max_v:
        raise Refused("ValueOutOfRange")

    publisher = settled(state, name, cycle)
    state.publishers[name] = Publisher(
        call.block, result["sequence"], cycle, publisher.accrued, publisher.claimed_before
    )
    _roll(state, cycle)
    state.account_v[cycle, name] += v  # W5
    state.cycle_total_v[cycle] += v
    published = {"node": name, "cycle": cycle, "sequence": result["sequence"], "v": v}
    state.emit("Rewards", "Published", published)


def _check_measured(state: State, call: Call, result: Mapping[str, Any], cycle: int) -> None:
    """W4: gap, block, hash, cycle and sequence of a result."""
    publisher, parameters = state.publishers[result["node"]], state.parameters
    last, measured = publisher.last_block, result["measuredBlock"]
    if last and call.block < last + parameters.gap_blocks:
        raise Refused("PublishedTooSoon")
    reachable = max(last, parameters.genesis_block - 1) < measured < call.block
    if not reachable or call.block > measured + HASH_REACH:
        raise Refused("MeasuredOutOfRange")
    actual = state.block_hash(measured)
    if actual == ZERO_HASH or actual != result["measuredHash"]:
        raise Refused("MeasuredHashMismatch")
    if result["cycle"] != cycle or _cycle(state, measured) != cycle:
        raise Refused("WrongCycle")
    if result["sequence"] != publisher.sequence + 1:
        raise Refused("WrongSequence")


def add_reward(state: State, call: Call) -> None:
    """C2: anyone adds to the current cycle's reward."""
    put_in(state, call.sender, call.args["amount"], call.block)


def put_in(state: State, sender: str, amount: int, block: int) -> None:
    """C2, C4: `sender`'s tokens become reward of the block's cycle."""
    if amount == 0:
        raise Refused("ZeroAmount")
    cycle = _cycle(state, block)
    _roll(state, cycle)
    state.cycle_reward[cycle] = add(state.cycle_reward[cycle], narrow(amount, 128), 128)
    state.pot.value = replace(state.pot.value, last_bucket=cycle)
    state.emit("Rewards", "RewardAdded", {"from": sender, "cycle": cycle, "amount": amount})
    rewards = state.parameters.addresses["Rewards"]
    token.pull(state, rewards, sender, rewards, amount)


def _roll(state: State, cycle: int) -> None:
    """C4: the reward of a cycle that ended without any V moves on."""
    pot = state.pot.value
    last = pot.last_bucket
    if last >= cycle or state.cycle_total_v[last] or not state.cycle_reward[last]:
        return
    amount = state.cycle_reward[last]
    state.cycle_reward[last] = 0
    state.cycle_reward[cycle] += amount
    state.emit("Rewards", "RewardRolled", {"from": last, "to": cycle, "amount": amount})
    state.pot.value = replace(pot, last_bucket=cycle)


def claim(state: State, call: Call) -> None:
    """C3: one ended cycle, once."""
    name, cycle = call.args["node"], call.args["cycle"]
    current = _cycle(state, call.block)
    if cycle >= current:
        raise Refused("CycleNotEnded")
    owner = _owner(state, call)
    if is_claimed(state, name, cycle):
        raise Refused("AlreadyClaimed")
    due = share_of(state, name, cycle)
    if due == 0:
        raise Refused("NothingToClaim")
    publisher = settled(state, name, current)
    state.publishers[name] = replace(publisher, accrued=publisher.accrued - due)
    state.claimed[name, cycle] = True
    claimed = {"node": name, "owner": owner, "cycle": cycle, "amount": due}
    state.emit("Rewards", "Claimed", claimed)
    _pay(state, owner, due)


def claim_all(state: State, call: Call) -> None:
    """C3: everything of ended cycles, in O(1)."""
    name = call.args["node"]
    owner = _owner(state, call)
    current = _cycle(state, call.block)
    publisher = settled(state, name, current)
    if publisher.accrued == 0:
        raise Refused("NothingToClaim")
    state.publishers[name] = replace(publisher, accrued=0, claimed_before=current)
    claimed = {"node": name, "owner": owner, "before": current, "amount": publisher.accrued}
    state.emit("Rewards", "ClaimedAll", claimed)
    _pay(state, owner, publisher.accrued)


def void(state: State, name: str, block: int) -> None:
    """C7: the node's V of the current cycle counts no more; ended cycles stay as they are."""
    cycle = _cycle(state, block)
    v = state.account_v[cycle, name]
    if v == 0:
        return
    state.account_v[cycle, name] = 0
    state.cycle_total_v[cycle] -= v
    state.emit("Rewards", "Voided", {"node": name, "cycle": cycle, "v": v})


def void_v(state: State, call: Call) -> None:
    """Only the slashing contract voids V, and that never sends a transaction itself."""
    raise Refused("NotSlashing")


def set_max_v(state: State, call: Call) -> None:
    """R5, W2."""
    if call.sender != state.parameters.governance:
        raise Refused("NotGovernance")
    max_v = narrow(call.args["maxV_"], 96)
    state.pot.value = replace(state.pot.value, max_v=max_v)
    state.emit("Rewards", "MaxVChanged", {"maxV": max_v})


def is_claimed(state: State, node: str, cycle: int) -> bool:
    """C3."""
    return cycle < state.publishers[node].claimed_before or state.claimed[node, cycle]


def _owner(state: State, call: Call) -> str:
    owner = state.nodes[call.args["node"]].owner
    if call.sender != owner:
        raise Refused("NotOwner")  # C6
    return owner


def _pay(state: State, owner: str, amount: int) -> None:
    token.move(state, state.parameters.addresses["Rewards"], owner, amount)


def _cycle(state: State, block: int) -> int:
    return cycle_of(block, state.parameters.genesis_block, state.parameters.cycle_blocks)
