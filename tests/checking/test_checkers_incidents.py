"""Escrow, bonds and voided V: the invariants hold through every end of an incident, and see a
corrupted one (invariants 2, 3, 9, 10, 15, 16)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from corrupting import (
    History,
    balance,
    checked,
    event,
    moments,
    moved,
    numbers,
    repeated,
    without,
)
from model_world import DAY, KOMP, World, address
from test_checkers_invariants import node

from devnet.model import Ledger

WINDOW, ARBITER_WINDOW = 6 * 3600, 12 * 3600


def contested() -> World:
    """Incidents 1 to 5: level 2 upheld, level 2 overturned, level 1 out of the escrow of the
    overturned level 3, level 3 upheld; then one that the arbiter did not rule on, one pending."""
    world = World(cycle_blocks=700, gap_blocks=1)
    for n in range(1, 5):
        assert world.stake(f"worker-{n}").ok
    assert world.add_reward(100 * KOMP).ok
    start = world.now
    world.wait(DAY)
    for n in range(1, 5):
        assert world.publish(f"worker-{n}").ok
    assert world.report("worker-1", start, start + DAY, level=2).ok
    assert world.report("worker-2", start, start + DAY, level=2).ok
    assert world.report("worker-3", start, start + DAY).ok
    assert world.report_level_3("worker-3").ok
    assert world.report_level_3("worker-4").ok
    world.mine()
    for incident, worker in ((1, "worker-1"), (2, "worker-2"), (4, "worker-3"), (5, "worker-4")):
        assert world.appeal(incident, worker).ok
    assert world.rule(1, True).ok
    assert world.rule(2, False).ok
    world.mine()
    assert world.publish("worker-2").ok
    world.wait(WINDOW)
    assert world.execute(3).ok
    assert world.rule(4, False).ok
    assert world.rule(5, True).ok
    start = world.now
    world.wait(3600)
    assert world.report("worker-2", start, start + 3600, level=2).ok
    assert world.appeal(6, "worker-2").ok
    world.wait(ARBITER_WINDOW)
    assert world.execute(6).ok
    assert world.report("worker-2", start, start + 7200, level=2).ok
    assert world.appeal(7, "worker-2").ok
    return world


@pytest.fixture(scope="module")
def told() -> World:
    return contested()


def test_they_hold_at_every_moment(told: World) -> None:
    assert moments(told, World(cycle_blocks=700, gap_blocks=1)) == {()}


def test_what_was_left_of_each(told: World) -> None:
    stakes = {
        n: told.ledger().nodes[address(f"worker-{n}")].stake * 1000 // KOMP for n in range(1, 5)
    }
    # 250 of 500 KOMP a day upheld; an hour's 10.416 KOMP; 50 KOMP of level 1; all of level 3.
    assert stakes == {1: 250_000, 2: 489_583, 3: 450_000, 4: 0}


LEDGERS: Mapping[str, tuple[int, Callable[[Ledger], Ledger]]] = {
    "a bond taken away": (2, lambda it: moved(it, "Slashing", "mallory", 1)),
    "a bond kept": (2, lambda it: moved(it, "bob", "Slashing", 1)),
    "seized without an incident": (2, lambda it: node(it, "worker-2", seized=1)),
    "seized and still there": (10, lambda it: node(it, "worker-4", seized=1)),
    "a stake that no event explains": (10, lambda it: node(it, "worker-3", stake=460 * KOMP)),
    "a coin lost with the bond": (1, lambda it: balance(it, "Slashing", -1)),
}


def before_it_was_there(n: int, *keys: str) -> Callable[[History], History]:
    """The nth report's `keys`, a second before any node was staked, in time all the same."""

    def corrupt(history: History) -> History:
        staked = next(tx.timestamp for tx in history if tx.function == "stake")
        return event(history, "IncidentReported", n, **dict.fromkeys(keys, staked - 1))

    return corrupt


HISTORIES: Mapping[str, tuple[int, Callable[[History], History]]] = {
    "lost another bond": (10, lambda h: event(h, "BondLost", amount=1)),
    "upheld and the bond is not lost": (10, lambda h: without(h, "BondLost")),
    "bond not returned": (10, lambda h: without(h, "BondReturned")),
    "returned another bond": (10, lambda h: event(h, "BondReturned", amount=1)),
    "another bond than a tenth": (10, lambda h: event(h, "Appealed", bond=1)),
    "ruled otherwise": (10, lambda h: event(h, "Ruled", upheld=False)),
    "seized less": (10, lambda h: event(h, "Ejected", amount=1)),
    "restored less": (10, lambda h: event(h, "Restored", amount=1)),
    "took more out of the escrow": (10, lambda h: event(h, "IncidentExecuted", 1, amount=1)),
    "executed twice": (10, lambda h: repeated(h, "IncidentExecuted")),
    "overturned twice": (10, lambda h: repeated(h, "IncidentOverturned")),
    "level 3 twice": (10, lambda h: repeated(h, "IncidentReported", 3)),
    "level 3 with an interval": (10, lambda h: event(h, "IncidentReported", 3, to=9)),
    "level 3 too old": (
        10,
        lambda h: event(h, "IncidentReported", 3, to=9, **{"from": 9}),
    ),
    "level 3 of before the registration": (10, before_it_was_there(3, "from", "to")),
    "level 1 of before the registration": (10, before_it_was_there(2, "from")),
    "charged twice more mildly": (10, lambda h: event(h, "IncidentReported", 6, from_=0)),
    "V not voided": (3, lambda h: without(h, "Voided")),
    "voided another V": (3, lambda h: event(h, "Voided", v=1)),
    "published while suspended": (
        9,
        lambda h: event(h, "IncidentOverturned", node=address("worker-1")),
    ),
    "published after the seizure": (
        9,
        lambda h: event(h, "Ejected", node=address("worker-2")),
    ),
}


def test_honest_they_hold(told: World) -> None:
    assert checked(told, told.ledger(), told.history) == ()


@pytest.mark.parametrize("name", LEDGERS)
def test_a_corrupted_ledger_is_found(told: World, name: str) -> None:
    number, corrupt = LEDGERS[name]
    assert number in numbers(checked(told, corrupt(told.ledger()), told.history))


@pytest.mark.parametrize("name", HISTORIES)
def test_a_corrupted_history_is_found(told: World, name: str) -> None:
    number, corrupt = HISTORIES[name]
    corrupted = corrupt(told.history)
    assert corrupted != told.history
    assert number in numbers(checked(told, told.ledger(), corrupted))


def test_what_left_the_escrow_is_told_by_the_token(told: World) -> None:
    """Incident 3 takes 50 KOMP of what a level 3 holds; a wei of it stays in the escrow."""
    taken = next(tx for tx in told.history if tx.function == "execute")
    kept = replace(
        taken,
        events=tuple(
            replace(e, args={**e.args, "value": e.args["value"] - 1}) if e.name == "Transfer" else e
            for e in taken.events
        ),
    )
    history = [kept if tx is taken else tx for tx in told.history]
    texts = [violation.text for violation in checked(told, told.ledger(), history)]
    assert [text for text in texts if f"stake and escrow fell by {50 * KOMP - 1}," in text]
    assert [t for t in texts if t.startswith(address("worker-3")) and t.endswith("and 1")]


def test_a_withdrawal_with_a_pending_level_3_is_found() -> None:
    world = World()
    assert world.stake("worker-1").ok
    assert world.report_level_3("worker-1").ok
    assert world.appeal(1, "worker-1").ok
    assert world.rule(1, False).ok
    world.wait(31 * DAY)
    assert world.owner("worker-1", "withdraw").ok
    assert checked(world, world.ledger(), world.history) == ()
    unruled = [
        replace(tx, events=tuple(e for e in tx.events if e.name != "IncidentOverturned"))
        for tx in world.history
    ]
    assert 15 in numbers(checked(world, world.ledger(), unruled))


def test_the_machine_of_a_forfeited_node_is_free() -> None:
    world = World()
    assert world.stake("worker-1").ok
    assert world.report_level_3("worker-1").ok
    world.wait(WINDOW)
    assert world.execute(1).ok
    assert world.stake("worker-2", hardware="worker-1").ok
    assert checked(world, world.ledger(), world.history) == ()
    assert 16 in numbers(checked(world, world.ledger(), without(world.history, "Forfeited")))
