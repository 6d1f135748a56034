"""S1 to S6."""

from __future__ import annotations

from devnet.model import staking
from devnet.model.calls import ZERO_ADDRESS
from devnet.model.gatekeepers import Quorum

from ..action import Send, now
from ..sight import KOMP, STAKE, Draw, Sight
from . import move
from .signatures import own, quorum

YEAR = 365 * 86_400


@move(9)
def stake(draw: Draw, sight: Sight) -> Send | None:
    new = [worker for worker in sight.workers if not sight.node(worker).registered_at]
    if not draw.rarely(6):
        new = [worker for worker in new if worker not in sight.workers[-2:]]  # pools want some
    if not new and not draw.rarely(40):
        return None
    worker = draw.of(new or sight.workers)
    sender, machine, deadline = f"{worker}-owner", worker, now(YEAR)
    months = draw.one(1, 3, 6, 12)
    if draw.rarely(5):  # one thing at a time, or the first hides the others
        taken = draw.of(_leaving(sight) or sight.workers)
        sender, machine, deadline, months = draw.one(
            (sender, taken, deadline, months),
            (sender, taken, deadline, months),
            ("mallory", machine, deadline, months),
            (sight.members()[0], machine, deadline, months),
            (sender, machine, now(-1), months),
            (sender, machine, now(0), months),
            (sender, machine, deadline, draw.one(0, 2, 13)),
        )
    # Refused either way where all are registered: so no sequence of steps changes.
    node = ZERO_ADDRESS if not new and draw.rarely(2) else worker
    args = {
        "node": node,
        "hardwareId": {"hardware_id": machine},
        "months": months,
        "deadline": deadline,
    }
    signed = quorum(
        draw, sight, Quorum.PERF, "Rewards", node="mallory", hardwareId={"hash": "another"}
    )
    agreed = own(draw, worker, "Rewards", node="mallory", owner="mallory", deadline=now(0))
    args |= {"signatures": signed, "nodeSignature": agreed}
    return Send(sender, "Staking", "stake", args)


def _leaving(sight: Sight) -> list[str]:
    """Workers whose machines are, or soon will be, free for others (S6)."""
    return [w for w in sight.staked() if sight.node(w).exit_requested_at]


@move(3)
def restake(draw: Draw, sight: Sight) -> Send | None:
    """Mostly of a node and for a period that unlock later."""
    month, choices = sight.model.parameters.month, []
    for worker in sight.staked() if draw.rarely(25) else sight.owned():
        node = sight.node(worker)
        if staking.is_active(node):
            choices += [
                (worker, months)
                for months in staking.PERIODS
                if sight.now + months * month > node.unlock_at
            ]
    if not choices and not draw.rarely(10):
        return None
    if not choices or draw.rarely(10):
        worker = draw.of(sight.workers)
        return _owned(draw, sight, worker, "restake", months=draw.one(1, 3, 6, 12, 5))
    worker, months = draw.of(choices)
    return _owned(draw, sight, worker, "restake", months=months)


@move(6)
def top_up(draw: Draw, sight: Sight) -> Send | None:
    lacking = [
        w
        for w in (sight.staked() if draw.rarely(25) else sight.owned())
        if sight.node(w).stake < STAKE
    ]
    lacking = [w for w in lacking if not sight.node(w).exit_requested_at or draw.rarely(20)]
    if not lacking and not draw.rarely(40):
        return None
    worker = draw.of(lacking or sight.workers)
    room = STAKE - sight.node(worker).stake
    amount = draw.one(room - 1, room + 1, KOMP, 0) if draw.rarely(10) else room
    return _owned(draw, sight, worker, "topUp", amount=max(amount, 0))


@move(1)
def request_exit(draw: Draw, sight: Sight) -> Send | None:
    staying = [
        w
        for w in (sight.staked() if draw.rarely(25) else sight.owned())
        if not sight.node(w).exit_requested_at
    ]
    if not staying and not draw.rarely(40):
        return None
    return _owned(draw, sight, draw.of(staying or sight.workers), "requestExit")


@move(4)
def withdraw(draw: Draw, sight: Sight) -> Send | None:
    leaving = [
        w
        for w in (sight.staked() if draw.rarely(25) else sight.owned())
        if sight.node(w).exit_requested_at and staking.is_live(sight.node(w))
    ]
    due = [w for w in leaving if sight.now >= sight.node(w).exit_at]
    free = [w for w in due if not sight.state.pending_incidents[sight.address(w)]]
    due = due if draw.rarely(8) else free
    if not due and not draw.rarely(40):
        return None
    return _owned(draw, sight, draw.of(due or leaving or sight.workers), "withdraw")


def _owned(draw: Draw, sight: Sight, worker: str, function: str, **args: object) -> Send:
    owner = sight.account(sight.node(worker).owner, f"{worker}-owner")
    sender = draw.one("mallory", worker) if draw.rarely(16) else owner
    return Send(sender, "Staking", function, {"node": worker, **args})
