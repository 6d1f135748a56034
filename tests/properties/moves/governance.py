"""G2, R4, R5: what governance may call, queued, vetoed and executed; and others who try."""

from __future__ import annotations

from typing import Any

from devnet.model import shares
from devnet.model.calls import ZERO_ADDRESS
from devnet.model.gatekeepers import Quorum
from devnet.protocol.states import ProposalStatus

from ..action import Send, now
from ..sight import Draw, Sight
from . import move
from .signatures import quorum

NODES = [f"oracle-{n}" for n in range(1, 5)]
Calls = list[dict[str, Any]]


@move(4)
def queue(draw: Draw, sight: Sight) -> Send:
    """A CRITICAL quorum attests one or two calls."""
    calls = [_governed(draw, sight) for _ in range(draw.one(1, 1, 1, 2))]
    wrong = {"proposal": {"hash": "another"}, "deadline": now(1)}
    signed = quorum(draw, sight, Quorum.CRITICAL, "Staking", **wrong)
    deadline = draw.one(now(-1), now(0)) if draw.rarely(12) else now(86_400)
    args = {"proposal": _new(draw, sight), "calls": _data(calls), "deadline": deadline}
    args["signatures"] = signed
    return Send(draw.one("mallory", "alice"), "ExecutionQueue", "queue", args)


@move(1)
def queue_removal(draw: Draw, sight: Sight) -> Send:
    members = sight.members()
    removed = draw.one(["dave"] if "dave" in members else members[:1], members[:1], [])
    guardian = sight.account(sight.state.guardian.value, "guardian")
    sender = "mallory" if draw.rarely(8) else guardian
    args = {"proposal": _new(draw, sight), "removed": removed}
    return Send(sender, "ExecutionQueue", "queueRemoval", args)


@move(6)
def execute_proposal(draw: Draw, sight: Sight) -> Send | None:
    """What is due, with the calls it was queued with."""
    timelock, rows = sight.model.parameters.timelock, sight.state.proposals
    known = _known(sight)
    due = [
        key
        for key, row in rows.items()
        if row.state is ProposalStatus.QUEUED and sight.now >= row.queuedAt + timelock
    ]
    keys = due or (list(rows) if draw.rarely(25) else [])
    if not keys:
        return None
    proposal, calls = known[draw.of(keys)]
    if draw.rarely(16):
        calls = draw.one(calls[:-1], calls * 2, calls[::-1])
    args = {"proposal": proposal, "calls": calls}
    return Send(draw.one("mallory", "bob"), "ExecutionQueue", "execute", args)


@move(1)
def veto(draw: Draw, sight: Sight) -> Send | None:
    rows = sight.state.proposals
    queued = [key for key, row in rows.items() if row.state is ProposalStatus.QUEUED]
    if (not queued and not (rows and draw.rarely(20))) or not draw.rarely(3):
        return None
    proposal, _ = _known(sight)[draw.of(queued or list(rows))]
    guardian = sight.account(sight.state.guardian.value, "guardian")
    sender = "mallory" if draw.rarely(8) else guardian
    return Send(sender, "ExecutionQueue", "veto", {"proposal": proposal})


@move(1)
def without_governance(draw: Draw, sight: Sight) -> Send | None:
    """What only the queue may, by somebody else."""
    if not draw.rarely(6):
        return None
    to, function, args = _governed(draw, sight)
    return Send(draw.one("governance", "mallory", "guardian"), to, function, args)


def _governed(draw: Draw, sight: Sight) -> tuple[str, str, dict[str, Any]]:
    members = sight.members()
    count = len(members) + ("dave" not in members)
    perf = draw.one(count // 2 + 1, count // 2 + 1, count, count // 2)
    change = {"added": [] if "dave" in members else ["dave"], "removed": [], "perfQuorum": perf}
    contingency = {
        "resource": draw.integer(0, 6),
        "costUsd1e18": draw.one(10**17, 3, 10**18 + 1),
        "multiplier1e18": draw.one(10**18, 15 * 10**17, 1),
        "on": draw.one(True, True, False),
    }
    founded = list(shares.names(sight.state))  # open to anyone, and so to the queue (S7)
    chosen: tuple[str, str, dict[str, Any]] = draw.one(
        ("Gatekeepers", "change", change),
        ("Gatekeepers", "remove", {"removed": draw.one([], ["dave"], ["dave"])}),
        ("Rewards", "setMaxV", {"maxV_": draw.one(10**20, 10**20, 10**19, 10**18, 2**96)}),
        ("Pricing", "setContingency", contingency),
        ("Pricing", "setContingency", contingency),
        *[_config(draw, sight)] * 3,
        ("Slashing", "setArbiter", {"arbiter_": draw.one("arbiter", "arbiter", "dave")}),
        ("ExecutionQueue", "setGuardian", {"guardian_": draw.one("guardian", "dave")}),
        *((draw.of(founded), draw.one("harvest", "withdraw"), {}) for _ in founded[:1]),
    )
    return chosen


def _config(draw: Draw, sight: Sight) -> tuple[str, str, dict[str, Any]]:
    """O7: other nodes, f and bounds of any feed that has them; what no feed takes, among them."""
    feeds = sight.model.parameters.feeds
    feed = draw.of([name for name, given in feeds.items() if not given.operator])
    answer, first = sight.state.rounds[feed].answer, sight.model.parameters.feeds[feed].config
    wide = (first.minimum, first.maximum)
    bounds = draw.one(
        *[wide] * 4,
        (answer, answer + 1),
        (answer - 1, answer),
        (answer + 1, answer * 2 + 2),
        (-answer, answer - 1),
        (answer, answer),
        (-(2**151), 2**151 - 1),
    )
    nodes, faulty = draw.one(
        *[(NODES, 1)] * 4,
        *[([*NODES[1:], "dave"], 1)] * 3,
        *[([*NODES[::-1], "dave", "alice", "bob"], 2)] * 3,
        *[(NODES[:1], 0)] * 3,
        (NODES[:3], 1),
        ([NODES[0]] * 4, 1),
        ([*NODES, ZERO_ADDRESS], 1),
        ([], 0),
    )
    least, most = bounds
    args = {"oracles_": nodes, "faulty_": faulty, "minAnswer_": least, "maxAnswer_": most}
    return feed, "setConfig", args


def _data(calls: list[tuple[str, str, dict[str, Any]]]) -> Calls:
    return [
        {"to": to, "data": {"call": {"to": to, "function": function, "args": args}}}
        for to, function, args in calls
    ]


def _new(draw: Draw, sight: Sight) -> dict[str, str]:
    """An identity of its own, now and then one that was taken."""
    number = len(sight.state.proposals) + (0 if draw.rarely(16) else 1)
    return {"hash": f"proposal {number}"}


def _known(sight: Sight) -> dict[bytes, tuple[dict[str, str], Calls]]:
    """Of every queued proposal how it is written, and its calls."""
    known: dict[bytes, tuple[dict[str, str], Calls]] = {}
    for action, seen in sight.history:
        if not isinstance(action, Send) or seen is None or not seen.ok:
            continue
        proposal = action.args.get("proposal")
        if action.function == "queue":
            known[seen.args["proposal"]] = proposal, action.args["calls"]
        elif action.function == "queueRemoval":
            given = {"removed": action.args["removed"]}
            known[seen.args["proposal"]] = proposal, _data([("Gatekeepers", "remove", given)])
    return known
