"""Incidents of all levels drawn at random, contested or not, of nodes that are there (L1 to L7)."""

from __future__ import annotations

from collections.abc import Mapping

from model_world import DAY, GATEKEEPERS, address
from wild import (
    WORKERS,
    Move,
    Wild,
    add_reward,
    execute,
    owned,
    pass_time,
    publish,
    publish_all,
    stake,
    top_up,
)

from devnet.protocol import IncidentStatus

HOUR = 3_600


def report(wild: Wild) -> None:
    """Of the last day, mostly."""
    world = wild.world
    span = wild.one(HOUR, 3 * HOUR, DAY, 3 * DAY)
    start = world.now - wild.one(span, span, span, 2 * span, 15 * DAY)
    level = wild.one(0, 4) if wild.rarely() and wild.rarely() else wild.one(1, 2)
    world.report(wild.one(*WORKERS), start, start + span, *wild.signers(), level=level)


def report_level_3(wild: Wild) -> None:
    found = wild.world.now - wild.one(0, 0, HOUR, 15 * DAY)
    span = (found - 1, found) if wild.rarely() else (found, found)
    signers = wild.signers() or GATEKEEPERS
    wild.world.report(wild.one(*WORKERS), *span, *signers, level=3)


def incident(wild: Wild) -> int:
    """Mostly a pending one."""
    incidents = wild.world.model.state.incidents
    pending = [n for n in incidents if incidents[n].state is IncidentStatus.PENDING]
    if wild.rarely() or not pending:
        return wild.random.randint(0, len(incidents) + 1)
    return int(wild.one(*pending))


def appeal(wild: Wild) -> None:
    identity = incident(wild)
    node = wild.world.model.state.incidents[identity].node
    owners = [] if wild.rarely() else [w for w in WORKERS if address(w) == node]
    wild.world.appeal(identity, wild.one(*(owners or WORKERS)))


def rule(wild: Wild) -> None:
    sender = wild.one("mallory", "governance") if wild.rarely() else "arbiter"
    args = {"id": incident(wild), "upheld": wild.one(True, False)}
    wild.world.send(sender, "Slashing", "rule", **args)


def contest(wild: Wild) -> None:
    """Published, reported, appealed and ruled on within one cycle."""
    world, worker = wild.world, wild.one(*WORKERS)
    publish_all(wild)
    world.report(worker, world.now - HOUR, world.now, level=2)
    last = len(world.model.state.incidents)
    world.appeal(last, worker)
    world.rule(last, wild.one(True, False))


def execute_pending(wild: Wild) -> None:
    wild.world.execute(incident(wild))


def intrude(wild: Wild) -> None:
    """What only the slashing contract or governance may."""
    node = {"node": address(wild.one(*WORKERS))}
    sender = wild.one("governance", "mallory")
    contract, function, args = wild.one(
        ("Staking", "suspend", node),
        ("Staking", "resume", node),
        ("Staking", "seize", node),
        ("Staking", "restore", {**node, "amount": 1}),
        ("Staking", "forfeit", node),
        ("Rewards", "voidV", node),
        ("Slashing", "setArbiter", {"arbiter_": address("arbiter")}),
    )
    wild.world.send(sender, contract, function, **args)


def some_hours(wild: Wild) -> None:
    wild.world.wait(wild.one(HOUR, 6 * HOUR, 12 * HOUR))


INCIDENT_MOVES: dict[Move, float] = {
    pass_time: 4,
    some_hours: 14,
    stake: 3,
    top_up: 12,
    owned("requestExit"): 0.5,
    owned("withdraw"): 3,
    owned("claimAll", "Rewards"): 4,
    publish: 10,
    publish_all: 8,
    add_reward: 5,
    report: 14,
    report_level_3: 1.5,
    appeal: 14,
    rule: 10,
    contest: 5,
    execute: 3,
    execute_pending: 10,
    intrude: 2,
}


class WildIncidents(Wild):
    """Begins with four nodes that work."""

    def table(self) -> Mapping[Move, float]:
        return INCIDENT_MOVES

    def begin(self) -> None:
        for place, worker in enumerate(WORKERS):
            assert self.world.stake(worker, (1, 3, 6, 12)[place]).ok
        self.world.mine()
