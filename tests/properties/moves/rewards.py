"""W1 to W5, C1 to C6."""

from __future__ import annotations

from typing import Any

from devnet.model import staking
from devnet.model.gatekeepers import Quorum
from devnet.model.rewards import is_claimed, settled, share_of

from ..action import Send
from ..sight import KOMP, Draw, Sight
from . import move
from .signatures import quorum

ZERO_HASH = "0x" + 64 * "0"


@move(22)
def publish(draw: Draw, sight: Sight) -> Send | None:
    able = [w for w in sight.staked() if staking.is_active(sight.node(w))]
    able = [w for w in able if not sight.node(w).suspensions or draw.rarely(10)]
    rested = [w for w in able if _rested(sight, w)]
    if not rested and not draw.rarely(40):
        return None
    worker = draw.of(rested or able or sight.workers)
    sequence = sight.state.publishers[sight.address(worker)].sequence
    result, sender = _result(draw, sight, worker), worker
    p = sight.model.parameters
    if (sight.next.number - p.genesis_block) % p.cycle_blocks == 0 and not draw.rarely(4):
        return None  # what could be measured belongs to the cycle before
    if draw.rarely(10):
        far = draw.one(-2, -3, -256, -257) if sight.next.number > 257 else -2
        result |= draw.one(
            {"sequence": sequence},
            {"sequence": sequence + 2},
            {"cycle": {"cycle": 1}},
            {"cycle": {"cycle": -1}} if sight.cycle else {"sgx": 0},
            {"measuredBlock": {"block": far}, "measuredHash": {"block_hash": far}},
            {"measuredHash": ZERO_HASH},
            {"measuredBlock": {"block": 0}, "measuredHash": ZERO_HASH},
            {"measuredHash": {"block_hash": -2}},
            {"sgx": 2 * 10**6 + 1},
            {"b": 10**7 + 1},
            {"c1": 10**12 + 1},
            {"c1": 10**12, "b": 10**7},
            {"b": 0},
        )
        sender = draw.one(worker, worker, worker, f"{worker}-owner", "mallory")
    return _published(draw, sight, sender, result, sequence + 2)


def published(draw: Draw, sight: Sight, worker: str) -> Send:
    """What a worker measured in the block before."""
    result = _result(draw, sight, worker)
    return _published(draw, sight, worker, result, result["sequence"] + 1)


def _result(draw: Draw, sight: Sight, worker: str) -> dict[str, Any]:
    return {
        "node": worker,
        "cycle": {"cycle": 0},
        "sequence": sight.state.publishers[sight.address(worker)].sequence + 1,
        "measuredBlock": {"block": -1},
        "measuredHash": {"block_hash": -1},
        "sgx": draw.one(10**6, 10**6, 1_300_000, 2 * 10**6),
        "b": draw.one(10**6, 900_001, 3),
        "c1": draw.one(500_000, 333_333, 1, 0),
        "c2": draw.one(300_000, 200_001),
        "c3": draw.one(200_000, 7),
    }


def _published(draw: Draw, sight: Sight, sender: str, result: dict[str, Any], another: int) -> Send:
    signed = quorum(draw, sight, Quorum.PERF, "Market", sequence=another, node="mallory", b=5)
    return Send(sender, "Rewards", "publish", {"result": result, "signatures": signed})


def _rested(sight: Sight, worker: str) -> bool:
    last = sight.state.publishers[sight.address(worker)].last_block
    return sight.next.number >= last + sight.model.parameters.gap_blocks


@move(8)
def add_reward(draw: Draw, sight: Sight) -> Send:
    sender = draw.one("treasury", "treasury", "alice", "mallory")
    held = sight.balance(sender)
    amount = draw.one(1000 * KOMP, 1, 7, 10**18 + 1, KOMP // 3, 333 * KOMP + 5)
    if draw.rarely(12):
        amount = draw.one(0, held + 1, 2**128)
    return Send(sender, "Rewards", "addReward", {"amount": amount})


@move(9)
def claim(draw: Draw, sight: Sight) -> Send | None:
    state, due, owned = sight.state, [], sight.owned()
    for cycle, name in state.account_v:
        open_ = cycle < sight.cycle and not is_claimed(state, name, cycle)
        open_ = open_ and sight.name(name) in owned
        if open_ and share_of(state, name, cycle):
            due.append((sight.name(name), cycle))
    claimed = [(sight.name(name), cycle) for name, cycle in state.claimed if name in state.nodes]
    claimed = [(worker, cycle) for worker, cycle in claimed if worker in owned]
    if claimed and draw.rarely(12):
        worker, cycle = draw.of(claimed[-8:])  # once more
        return _claimed(draw, sight, worker, "claim", cycle=cycle)
    if not due and not draw.rarely(40):
        return None
    if not due or draw.rarely(8):
        worker = draw.of(sight.staked() or sight.workers)
        cycle = max(sight.cycle + draw.one(-1, 0, -2, 1), 0)
    else:
        worker, cycle = draw.of(due[-8:])
    return _claimed(draw, sight, worker, "claim", cycle=cycle)


@move(5)
def claim_all(draw: Draw, sight: Sight) -> Send | None:
    due = [w for w in sight.owned() if settled(sight.state, sight.address(w), sight.cycle).accrued]
    if not due and not draw.rarely(40):
        return None
    return _claimed(draw, sight, draw.of(due or sight.workers), "claimAll")


def _claimed(draw: Draw, sight: Sight, worker: str, function: str, **args: object) -> Send:
    owner = sight.account(sight.node(worker).owner, f"{worker}-owner")
    sender = draw.one("mallory", worker) if draw.rarely(16) else owner
    return Send(sender, "Rewards", function, {"node": worker, **args})
