"""Whose events are whose: what a stranger's contract had ours do, held against the receipt.

The chain tells the calls in order and, apart from them, all their events in order. What the model
says each call does must make up exactly those: then each has its own, by which the facts go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from devnet.checking.agreement import (
    MISSING,
    MOCKED_EVENTS,
    Difference,
    Told,
    path_of,
    told,
)
from devnet.protocol import Event, ObservedTransaction


def divided(
    transaction: ObservedTransaction, expected: Sequence[Sequence[Told]]
) -> tuple[ObservedTransaction, Difference | None]:
    """The transaction, each of its inner calls with its own events; and the first event that is
    not the one the model has there: other values, one too many, too few, or another order.

    `expected` are the model's events of each of its inner calls. All that comes from a difference
    on is left with the call at which it was found: nobody knows whose it is.
    """
    events, place = transaction.events, 0
    calls: list[ObservedTransaction] = []
    for call, dues in zip(transaction.inner, expected, strict=True):
        begun = place
        for due in dues:
            place = _unmocked(events, place)
            seen = told(events[place : place + 1])
            if seen != [due]:
                found = _difference(call, place, seen, due)
                return _with(transaction, [*calls, replace(call, events=events[begun:])]), found
            place += 1
        calls.append(replace(call, events=events[begun:place]))
    over = _unmocked(events, place)
    if over == len(events):
        return _with(transaction, calls), None
    calls[-1] = replace(calls[-1], events=(*calls[-1].events, *events[place:]))
    found = _difference(transaction, over, told(events[over : over + 1]), None)
    return _with(transaction, calls), found


def _unmocked(events: Sequence[Event], place: int) -> int:
    """The next place of an event that the model knows of."""
    while place < len(events) and events[place].name in MOCKED_EVENTS:
        place += 1
    return place


def _with(
    transaction: ObservedTransaction, calls: Sequence[ObservedTransaction]
) -> ObservedTransaction:
    rest = transaction.inner[len(calls) :]
    return replace(transaction, inner=(*calls, *rest))


def _difference(
    at: ObservedTransaction, place: int, chain: Sequence[Told], model: Told | None
) -> Difference:
    path = f"{path_of(at)} event {place + 1} of its transaction"
    return Difference(path, chain[0] if chain else MISSING, model or MISSING)
