"""How incidents end (L6, R5)."""

from __future__ import annotations

import pytest
from model_world import DAY, KOMP, World, address

from devnet.model import Ledger, NodeLedger
from devnet.protocol import IncidentStatus

WINDOW, ARBITER_WINDOW = 6 * 3600, 12 * 3600


def worker(world: World, name: str = "worker-1") -> NodeLedger:
    return world.ledger().nodes[address(name)]


@pytest.fixture
def charged(world: World) -> World:
    """Incident 1, of level 2, over the first day of worker 1."""
    world.stake("worker-1")
    start = world.now
    world.wait(DAY)
    assert world.report("worker-1", start, start + DAY, level=2).ok
    return world


def owed(ledger: Ledger) -> int:
    """What the slashing contract owes: escrow and bonds (invariant 2)."""
    bonds = sum(incident.bond for incident in ledger.incidents.values() if incident.pending)
    return bonds + sum(node.seized for node in ledger.nodes.values())


def test_l6_the_owner_appeals_once_with_a_tenth(charged: World) -> None:
    assert charged.send("mallory", "Slashing", "appeal", id=1).error == "NotOwner"
    before = charged.balance("worker-1-owner")
    assert charged.appeal(1, "worker-1").ok
    incident = charged.ledger().incidents[1]
    assert (incident.bond, incident.payer) == (25 * KOMP, address("worker-1-owner"))
    assert (incident.appealedAt, incident.state) == (charged.now, IncidentStatus.PENDING)
    assert charged.balance("worker-1-owner") == before - 25 * KOMP
    assert charged.balance("Slashing") == owed(charged.ledger()) == 25 * KOMP
    assert charged.appeal(1, "worker-1").error == "AlreadyAppealed"


def test_l6_an_appeal_in_time(charged: World) -> None:
    charged.wait(WINDOW)
    assert charged.appeal(1, "worker-1").error == "WindowClosed"
    assert charged.appeal(2, "worker-1").error == "UnknownIncident"


def test_l6_upheld_the_bond_becomes_reward_too(charged: World) -> None:
    assert charged.rule(1, True).error == "NotAppealed"
    charged.appeal(1, "worker-1")
    assert charged.send("bob", "Slashing", "rule", id=1, upheld=False).error == "NotArbiter"
    assert charged.rule(1, True).ok
    assert (worker(charged).stake, worker(charged).suspensions) == (250 * KOMP, 0)
    assert charged.ledger().cycles[charged.cycle].reward == 275 * KOMP
    assert charged.balance("Slashing") == owed(charged.ledger()) == 0
    assert charged.rule(1, True).error == "AlreadyExecuted"
    assert charged.execute(1).error == "AlreadyExecuted"


def test_l6_overturned_nothing_is_slashed(charged: World) -> None:
    before = charged.balance("worker-1-owner")
    charged.appeal(1, "worker-1")
    assert charged.rule(1, False).ok
    assert (worker(charged).stake, worker(charged).suspensions) == (500 * KOMP, 0)
    assert (worker(charged).active, worker(charged).pending_incidents) == (True, 0)
    assert charged.balance("worker-1-owner") == before
    incident = charged.ledger().incidents[1]
    assert (incident.state, incident.amount) == (IncidentStatus.OVERTURNED, 0)
    for outcome in (charged.execute(1), charged.rule(1, True), charged.appeal(1, "worker-1")):
        assert outcome.error == "AlreadyOverturned"


def test_l6_an_idle_arbiter_lets_it_execute_and_the_bond_returns(charged: World) -> None:
    before = charged.balance("worker-1-owner")
    charged.appeal(1, "worker-1")
    charged.wait(WINDOW)
    assert charged.execute(1).error == "WindowOpen"
    charged.wait(ARBITER_WINDOW - WINDOW)
    assert charged.rule(1, False).error == "WindowClosed"
    assert charged.execute(1).ok
    assert worker(charged).stake == 250 * KOMP
    assert charged.balance("worker-1-owner") == before
    assert charged.ledger().cycles[charged.cycle].reward == 250 * KOMP


@pytest.mark.parametrize("upheld", [True, False])
def test_l4_l6_what_is_left_of_a_seized_stake(charged: World, upheld: bool) -> None:
    assert charged.report_level_3("worker-1").ok
    assert charged.appeal(2, "worker-1").ok
    assert charged.ledger().incidents[2].bond == 50 * KOMP
    charged.wait(WINDOW)
    assert charged.execute(1).ok  # L4: out of the escrow
    assert charged.ledger().incidents[1].amount == 250 * KOMP
    assert (worker(charged).stake, worker(charged).seized) == (0, 250 * KOMP)
    assert charged.balance("Slashing") == owed(charged.ledger()) == 300 * KOMP
    assert charged.rule(2, upheld).ok
    node = worker(charged)
    assert (node.stake, node.seized) == (0 if upheld else 250 * KOMP, 0)
    assert (node.live, node.active, node.ejected) == (not upheld, False, True)
    assert charged.balance("Slashing") == 0
    if not upheld:
        charged.wait(31 * DAY)
        assert charged.owner("worker-1", "withdraw").ok


def test_l6_an_empty_stake_is_appealed_for_nothing(world: World) -> None:
    world.stake("worker-1")
    start = world.now
    world.wait(10 * DAY)
    assert world.report("worker-1", start, start + 10 * DAY).ok
    world.wait(WINDOW)
    assert world.execute(1).ok
    assert world.report_level_3("worker-1").ok
    assert world.appeal(2, "worker-1").ok
    assert world.ledger().incidents[2].bond == 0
    assert world.rule(2, True).ok
    assert worker(world).live is False


def test_r5_governance_names_the_arbiter(charged: World) -> None:
    arbiter = {"arbiter_": address("alice")}
    assert charged.send("arbiter", "Slashing", "setArbiter", **arbiter).error == "NotGovernance"
    assert charged.send("governance", "Slashing", "setArbiter", **arbiter).ok
    assert charged.ledger().arbiter == address("alice")
    charged.appeal(1, "worker-1")
    assert charged.rule(1, False).error == "NotArbiter"
    assert charged.send("alice", "Slashing", "rule", id=1, upheld=False).ok
