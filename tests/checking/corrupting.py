"""Ledgers and histories made wrong on purpose, and what the checkers say of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from model_world import World, address

from devnet.checking import Facts, Violation, check_all
from devnet.model import Ledger
from devnet.protocol import ObservedTransaction

History = list[ObservedTransaction]


def checked(world: World, ledger: Ledger, history: History) -> tuple[Violation, ...]:
    facts = Facts(world.parameters)
    facts.observe(history)
    return check_all(ledger, facts)


def numbers(violations: tuple[Violation, ...]) -> set[int]:
    return {violation.invariant for violation in violations}


def balance(ledger: Ledger, name: str, change: int) -> Ledger:
    before = ledger.balances.get(address(name), 0)
    return replace(ledger, balances={**ledger.balances, address(name): before + change})


def event(history: History, name: str, place: int = 0, **changes: Any) -> History:
    """The history with the n-th event of that name changed."""
    found = [tx for tx in history if any(e.name == name for e in tx.events)][place]
    events = tuple(
        replace(e, args={**e.args, **{k.rstrip("_"): v for k, v in changes.items()}})
        if e.name == name
        else e
        for e in found.events
    )
    return [replace(tx, events=events) if tx is found else tx for tx in history]


def repeated(history: History, name: str, place: int = 0, **moment: Any) -> History:
    """The history with the n-th transaction that has such an event once more, right after."""
    found = [i for i, tx in enumerate(history) if any(e.name == name for e in tx.events)][place]
    return [*history[: found + 1], replace(history[found], **moment), *history[found + 1 :]]


def without(history: History, name: str) -> History:
    """The history without any event of that name."""
    return [replace(tx, events=tuple(e for e in tx.events if e.name != name)) for tx in history]


def moved(ledger: Ledger, sender: str, to: str, amount: int) -> Ledger:
    return balance(balance(ledger, sender, -amount), to, amount)


def moments(world: World, begun: World) -> set[tuple[Violation, ...]]:
    """What is found after each transaction that `world` has more than `begun`; all apply to it."""
    facts, seen = Facts(world.parameters), set()
    facts.observe(begun.history)
    for transaction in world.history[len(begun.history) :]:
        begun.model.apply(transaction)
        facts.observe([transaction])
        ledger = begun.model.ledger(transaction.block, transaction.timestamp)
        seen.add(check_all(ledger, facts))
    return seen
