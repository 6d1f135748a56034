"""Proposals, contingency prices and the vault: seen to hold, and to fail when corrupted."""

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
from governing_world import DELAY, PROPOSAL, call, execute, passed, queue, veto
from model_world import KOMP, World, address

from devnet.checking import Facts, check_all
from devnet.checking.amounts import due_release
from devnet.model import Ledger, PriceLedger, VaultLedger

SWITCH = ("Pricing", "setContingency", 0, 3 * 10**16, 15 * 10**17, True)


@pytest.fixture
def world() -> World:
    """Governed by its queue: a contingency price on, all of the vault released."""
    world = World(governance=address("ExecutionQueue"))
    world.prices(utilization=5 * 10**17)
    assert passed(world, call(*SWITCH)) is None
    world.next_cycle(2)
    assert world.send("mallory", "IncentiveVault", "release").ok
    world.prices(utilization=5 * 10**17)
    return world


def priced(ledger: Ledger, **changes: object) -> Ledger:
    price: PriceLedger = replace(ledger.prices[0], **changes)  # type: ignore[arg-type]
    return replace(ledger, prices={**ledger.prices, 0: price})


def vault(ledger: Ledger, released: int, releasable: int) -> Ledger:
    return replace(ledger, vault=VaultLedger(released, releasable))


LEDGERS: Mapping[str, tuple[int, Callable[[Ledger], Ledger]]] = {
    "the vault pays somebody": (2, lambda it: moved(it, "IncentiveVault", "mallory", 1)),
    "the vault keeps a part": (2, lambda it: moved(it, "Rewards", "IncentiveVault", 1)),
    "below the base": (12, lambda it: priced(it, dynamic=45 * 10**15 - 1)),
    "above twice the base": (12, lambda it: priced(it, dynamic=90 * 10**15 + 1)),
    "no price while it is on": (12, lambda it: priced(it, dynamic=None)),
    "another switch": (12, lambda it: priced(it, contingency=it.prices[1].contingency)),
    "less released than told": (14, lambda it: vault(it, 77 * KOMP, KOMP)),
    "a part is lost": (14, lambda it: vault(it, it.vault.released if it.vault else 0, 1)),
}


def early(history: History) -> History:
    """The execution a second before its timelock is over."""
    queued, done = (
        next(tx for tx in history if tx.function == function) for function in ("queue", "execute")
    )
    sooner = replace(done, timestamp=queued.timestamp + DELAY - 1)
    return [sooner if tx is done else tx for tx in history]


HISTORIES: Mapping[str, tuple[int, Callable[[History], History]]] = {
    "released too much": (14, lambda h: event(h, "Released", amount=79 * KOMP)),
    "released to nobody": (14, lambda h: without(h, "RewardAdded")),
    "queued again": (16, lambda h: repeated(h, "Queued")),
    "executed again": (16, lambda h: repeated(h, "Executed")),
    "executed early": (16, early),
    "never queued": (16, lambda h: without(h, "Queued")),
}


def test_it_holds(world: World) -> None:
    assert checked(world, world.ledger(), world.history) == ()


def test_and_at_every_moment(world: World) -> None:
    assert moments(world, World(governance=address("ExecutionQueue"))) == {()}


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


def test_an_execution_after_a_veto_is_found() -> None:
    world = World(governance=address("ExecutionQueue"))
    calls = (call(*SWITCH),)
    assert queue(world, calls) is None
    assert veto(world) is None
    vetoed = world.history[-1]
    world.wait(DELAY)
    assert execute(world, calls) == "NotQueued"
    (told,) = vetoed.events
    forged = replace(told, name="Executed")
    history = [*world.history, replace(vetoed, timestamp=world.now, events=(forged,))]
    violations = checked(world, world.ledger(), history)
    assert {str(v).partition(": proposal")[2] for v in violations} == {
        f" 0x{PROPOSAL.hex()} was executed after its veto"
    }


def test_the_contingency_price_never_falls_while_utilization_rises(world: World) -> None:
    facts, ledger = Facts(world.parameters), world.ledger()
    facts.observe(world.history)
    assert check_all(ledger, facts) == ()
    price = ledger.prices[0].dynamic
    assert price is not None
    later = replace(priced(ledger, dynamic=price - 1), utilization=ledger.utilization + 1)
    assert numbers(check_all(later, facts)) == {12}


def test_a_switch_may_lower_the_price_whatever_utilization_does(world: World) -> None:
    facts = Facts(world.parameters)
    facts.observe(world.history)
    assert check_all(world.ledger(), facts) == ()
    start = len(world.history)
    cheaper = ("Pricing", "setContingency", 0, 10**16, 10**18, True)
    calls = (call(*cheaper),)
    assert queue(world, calls, proposal=bytes(32)) is None
    world.wait(DELAY)
    world.prices(utilization=9 * 10**17)
    assert execute(world, calls, proposal=bytes(32)) is None
    facts.observe(world.history[start:])
    assert check_all(world.ledger(), facts) == ()


def test_an_unfunded_vault_is_found() -> None:
    world = World()
    history = [tx for tx in world.history if tx.args.get("to") != address("IncentiveVault")]
    ledger = balance(world.ledger(), "IncentiveVault", -78 * KOMP)
    assert numbers(checked(world, balance(ledger, "treasury", 78 * KOMP), history)) == {2}


def test_a_part_that_rises_is_found() -> None:
    """Honest: 12, then 11 and 10 at once, then 9 KOMP; by the released amounts, whatever is due."""
    world = World()
    for cycles in (2, 2, 1):
        world.next_cycle(cycles)
        assert world.send("mallory", "IncentiveVault", "release").ok
    assert checked(world, world.ledger(), world.history) == ()

    def risen(place: int, amount: int) -> list[str]:
        history = event(world.history, "Released", place, amount=amount)
        found = checked(world, world.ledger(), history)
        return [v.text.partition(": ")[2] for v in found if "more a cycle" in v.text]

    assert risen(1, 24 * KOMP) == []
    assert risen(1, 24 * KOMP + 1) == [
        f"{24 * KOMP + 1} wei for 2 cycles of the vault are more a cycle than the {12 * KOMP} "
        "for the 1 before"
    ]
    assert risen(2, 105 * KOMP // 10) == []
    assert len(risen(2, 105 * KOMP // 10 + 1)) == 1


@pytest.mark.parametrize(
    ("total", "cycles", "k", "due"),
    [(78, 12, 1, 12), (78, 12, 3, 33), (78, 12, 12, 78), (7, 2, 1, 4), (7, 2, 2, 7), (5, 1, 0, 0)],
)
def test_i1_parts(total: int, cycles: int, k: int, due: int) -> None:
    assert due_release(total, cycles, k) == due
