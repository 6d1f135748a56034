"""Every invariant holds on an honest network and is seen to fail on a corrupted one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

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
from model_lived import lived_through
from model_world import KOMP, World, address

from devnet.checking import INVARIANTS, Facts, check_all
from devnet.model import CycleLedger, Ledger, NodeLedger

WORKER = "worker-2"


def node(ledger: Ledger, worker: str = WORKER, **changes: Any) -> Ledger:
    name = address(worker)
    changed: NodeLedger = replace(ledger.nodes[name], **changes)
    return replace(ledger, nodes={**ledger.nodes, name: changed})


def cycle(ledger: Ledger, number: int, **changes: Any) -> Ledger:
    found = ledger.cycles.get(number, CycleLedger(0, 0, {}))
    return replace(ledger, cycles={**ledger.cycles, number: replace(found, **changes)})


def dusty(ledger: Ledger) -> Ledger:
    """Cycle 0 gives out less than it has: its sum of V is too large."""
    return cycle(ledger, 0, total_v=ledger.cycles[0].total_v * 2)


def untold(ledger: Ledger) -> Ledger:
    """The market counts an order and holds its deposit; the row is as `read_ledger` makes it."""
    orders: Any = {**ledger.orders, len(ledger.orders) + 1: None}
    return replace(ledger, orders=orders, escrowed=ledger.escrowed + KOMP)


LEDGERS: Mapping[str, tuple[int, Callable[[Ledger], Ledger]]] = {
    "a coin from nowhere": (1, lambda it: balance(it, "bob", 1)),
    "another supply": (1, lambda it: replace(it, supply=it.supply + 1)),
    "stake taken": (2, lambda it: moved(it, "Staking", "mallory", KOMP)),
    "reward taken": (2, lambda it: moved(it, "Rewards", "mallory", 1)),
    "deposit left behind": (2, lambda it: moved(it, "bob", "Market", 1)),
    "seizure kept": (2, lambda it: moved(it, "bob", "Slashing", 1)),
    "totalStake off": (2, lambda it: replace(it, total_stake=it.total_stake - 1)),
    "escrow off": (2, lambda it: replace(it, escrowed=1)),
    "an order that no event told": (2, untold),
    "V lost": (3, lambda it: cycle(it, 0, total_v=it.cycles[0].total_v - 1)),
    "an ended reward changed": (3, lambda it: cycle(it, 0, reward=it.cycles[0].reward + 1)),
    "a cycle gone": (3, lambda it: replace(it, cycles={0: it.cycles[0]})),
    "dust": (4, dusty),
    "a share kept back by the contract": (4, lambda it: node(it, "worker-3", claimable=10**9)),
    "more owed than there is": (4, lambda it: node(it, claimable=10**21)),
    "a share too much": (5, lambda it: node(it, claimable=1)),
    "accrued without end": (5, lambda it: node(it, accrued=1)),
    "two cycles hold reward": (7, lambda it: cycle(it, 1, reward=1)),
    "reward without addReward": (7, lambda it: cycle(it, 0, reward=10**21 + 1)),
    "more than 500 KOMP": (10, lambda it: node(it, stake=500 * KOMP + 1)),
    "consumed differs from events": (
        13,
        lambda it: replace(it, orders={**it.orders, 1: replace(it.orders[1], consumed=1)}),
    ),
    "an order gone": (13, lambda it: replace(it, orders={2: it.orders[2], 3: it.orders[3]})),
}


def exit_first(history: History) -> History:
    """worker-1's publication after an exit request of its own."""
    asked = next(tx for tx in history if tx.function == "requestExit")
    events = tuple(replace(e, args={**e.args, "node": address("worker-1")}) for e in asked.events)
    first = next(i for i, tx in enumerate(history) if tx.function == "publish")
    return [*history[:first], replace(asked, events=events), *history[first:]]


def slash_kept(history: History) -> History:
    """The tokens of the executed slash go to mallory."""
    found = next(tx for tx in history if tx.function == "execute")
    events = tuple(
        replace(e, args={**e.args, "to": address("mallory")})
        if e.name == "Transfer" and e.args["to"] == address("Rewards")
        else e
        for e in found.events
    )
    return [replace(tx, events=events) if tx is found else tx for tx in history]


def one_machine(history: History) -> History:
    """worker-2 on the hardware of worker-1."""
    staked = [e for tx in history for e in tx.events if e.name == "Staked"]
    return event(history, "Staked", 1, hardwareId=staked[0].args["hardwareId"])


HISTORIES: Mapping[str, tuple[int, Callable[[History], History]]] = {
    "paid less than the shares": (6, lambda h: event(h, "ClaimedAll", amount=1)),
    "paid another share": (6, lambda h: event(h, "Claimed", amount=1)),
    "paid twice": (5, lambda h: repeated(h, "Claimed")),
    "reward left behind": (7, lambda h: without(h, "RewardRolled")),
    "sequence skipped": (8, lambda h: event(h, "Published", 4, sequence=9)),
    "published twice in a block": (8, lambda h: repeated(h, "Published")),
    "cycles go back": (8, lambda h: event(h, "Published", 0, cycle=99)),
    "V out of thin air": (9, lambda h: event(h, "Published", v=10**18)),
    "published without stake": (9, lambda h: without(h, "Staked")),
    "published after an exit request": (9, exit_first),
    "slashed more than due": (10, lambda h: event(h, "IncidentExecuted", amount=26 * KOMP)),
    "slash kept from rewards": (10, slash_kept),
    "stake fell by more": (10, lambda h: event(h, "Slashed", amount=26 * KOMP)),
    "charged twice": (10, lambda h: repeated(h, "IncidentReported")),
    "fee not paid": (13, lambda h: event(h, "Settled", fee=1)),
    "C falls": (13, lambda h: event(h, "Settled", -1, consumed=1)),
    "refund too small": (13, lambda h: event(h, "Finalized", refund=1)),
    "withdrawn early": (15, lambda h: event(h, "ExitRequested", exitAt=2**40)),
    "withdrawn before unlock": (15, lambda h: event(h, "Staked", 3, unlockAt=2**40)),
    "withdrawn with a pending slash": (
        15,
        lambda h: event(h, "IncidentReported", node=address("worker-4")),
    ),
    "withdrawn another amount": (15, lambda h: event(h, "Withdrawn", amount=1)),
    "registered again": (16, lambda h: repeated(h, "Staked")),
    "two nodes on one machine": (16, one_machine),
}


def test_an_honest_network_holds_all_of_them(world: World) -> None:
    assert checked(world, world.ledger(), world.history) == ()


def test_and_at_every_moment_of_its_life(world: World) -> None:
    assert moments(world, World()) == {()}


@pytest.mark.parametrize("name", LEDGERS)
def test_a_corrupted_ledger_is_found(world: World, name: str) -> None:
    number, corrupt = LEDGERS[name]
    violations = checked(world, corrupt(world.ledger()), world.history)
    assert number in numbers(violations), violations


@pytest.mark.parametrize("name", HISTORIES)
def test_a_corrupted_history_is_found(world: World, name: str) -> None:
    number, corrupt = HISTORIES[name]
    violations = checked(world, world.ledger(), corrupt(world.history))
    assert number in numbers(violations), violations


@pytest.mark.parametrize("wrong", [74, 96], ids=["below", "above"])
def test_a_price_out_of_bounds_is_found(wrong: int) -> None:
    world = World()
    world.prices()
    price = world.ledger().prices[0]
    assert price.market is not None
    bad = replace(price, dynamic=price.market * wrong // 100)
    ledger = replace(world.ledger(), prices={0: bad})
    assert numbers(checked(world, ledger, world.history)) == {12}


def test_a_price_that_falls_while_utilization_rises_is_found() -> None:
    world = World()
    world.prices()
    facts = Facts(world.parameters)
    facts.observe(world.history)
    ledger = world.ledger()
    assert check_all(ledger, facts) == ()
    price = ledger.prices[0]
    assert price.dynamic is not None
    fallen = {**ledger.prices, 0: replace(price, dynamic=price.dynamic - 1)}
    later = replace(ledger, utilization=ledger.utilization + 1, prices=fallen)
    assert numbers(check_all(later, facts)) == {12}


def test_a_donation_is_no_violation(world: World) -> None:
    for contract in ("Staking", "Rewards", "Market", "Slashing"):
        assert world.send("bob", "Kompute", "transfer", to=address(contract), value=KOMP).ok
    assert checked(world, world.ledger(), world.history) == ()


def test_more_publications_than_a_cycle_has_room_for_are_found() -> None:
    world = World(gap_blocks=1, cycle_blocks=14)
    world.stake("worker-1")
    world.mine()
    assert world.publish("worker-1").ok
    one = world.history[-1]
    many = [replace(one, block=one.block + n) for n in range(1, 15)]
    violations = checked(world, world.ledger(), [*world.history, *many])
    assert any("published 15 times in cycle 0, 14 at most" in v.text for v in violations)


def test_a_violation_says_which_and_the_numbers(world: World) -> None:
    (violation,) = checked(world, balance(world.ledger(), "bob", 1), world.history)
    assert str(violation) == (
        "invariant 1 (tokens are conserved): all balances are "
        "100000000000000000000000001 wei, the supply 100000000000000000000000000"
    )


def test_the_registry_names_all_of_11() -> None:
    assert [invariant.number for invariant in INVARIANTS] == list(range(1, 17))
    for invariant in INVARIANTS:
        assert invariant.check.__name__ == f"invariant_{invariant.number}"
        assert invariant.check.__doc__


def test_what_has_been_checked_is_not_checked_again(world: World) -> None:
    facts = Facts(world.parameters)
    facts.observe(event(world.history, "Withdrawn", amount=1))
    assert 15 in numbers(check_all(world.ledger(), facts))
    assert facts.nodes.withdrawals == []
    assert check_all(world.ledger(), facts) == ()


def test_a_life_ends_as_it_is_told() -> None:
    ledger = lived_through().ledger()
    assert ledger.nodes[address("worker-4")].live is False
    assert [order.finalized for order in ledger.orders.values()] == [True, True, True]
