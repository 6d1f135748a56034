"""Calls that a stranger's contract made, and all their events: what differs is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import foreign_code as code
import pytest
from chain_world import ChainWorld
from foreign_world import Foreign, names, refusals
from model_world import address

from devnet.checking import Checker, Difference
from devnet.protocol import Event, ObservedTransaction, observe

Change = Callable[[ObservedTransaction], ObservedTransaction]


def with_events(change: Callable[[list[Event]], list[Event]]) -> Change:
    return lambda seen: replace(seen, events=tuple(change(list(seen.events))))


def with_call(place: int, **changes: Any) -> Change:
    def changed(seen: ObservedTransaction) -> ObservedTransaction:
        calls = list(seen.inner)
        calls[place] = replace(calls[place], **changes)
        return replace(seen, inner=tuple(calls))

    return changed


def other(event: Event) -> Event:
    return replace(event, args=event.args | {"value": 8})


# Of a transaction that transfers 1, is refused a transfer, transfers 2 and approves: where the
# difference is said to be, and what each side has there.
TELLINGS: dict[str, tuple[Change, str, str, str]] = {
    "one too many": (with_events(lambda e: [*e, e[0]]), "event 4", "'value': 1", "nothing"),
    "one too many within": (
        with_events(lambda e: [e[0], e[0], *e[1:]]),
        *("Kompute.transfer", "'value': 1", "'value': 2"),
    ),
    "the last too few": (with_events(lambda e: e[:-1]), "approve", "nothing", "'Approval'"),
    "one too few": (with_events(lambda e: e[1:]), "transfer", "'value': 2", "'value': 1"),
    "other values": (
        with_events(lambda e: [e[0], other(e[1]), e[2]]),
        *("event 2", "'value': 8", "'value': 2"),
    ),
    "another order": (
        with_events(lambda e: [e[1], e[0], e[2]]),
        *("event 1", "'value': 2", "'value': 1"),
    ),
    "another order across calls": (
        with_events(lambda e: [e[0], e[2], e[1]]),
        *("Kompute.transfer", "'Approval'", "'value': 2"),
    ),
    "a callback that was accepted": (
        with_events(lambda e: [e[0], replace(e[0], name="CallbackAccepted"), *e[1:]]),
        *("event 2", "CallbackAccepted", "'value': 2"),
    ),
    "none at all": (with_events(lambda e: []), "event 1", "nothing", "'value': 1"),
    "a call the chain refused": (
        with_call(0, ok=False, error="Paused", gas=100_000, gas_used=10_000),
        *("Kompute.transfer", "refuses with Paused", "accepts"),
    ),
    "a call the chain refused for another reason": (
        with_call(1, error="Paused"),
        *("Kompute.transfer", "refuses with Paused", "refuses with ERC20InsufficientBalance"),
    ),
    "a call the chain accepted": (
        with_call(1, ok=True, error=None),
        *("Kompute.transfer", "accepts", "refuses with ERC20InsufficientBalance"),
    ),
    "a call without a rule": (
        with_call(2, function="mint"),
        *("Kompute.mint", "accepts", "has no rule: not modelled"),
    ),
    "one call too many": (
        lambda seen: replace(seen, inner=(*seen.inner, seen.inner[0])),
        *("Kompute.transfer", "nothing", "'value': 1"),
    ),
    "one call too few": (
        lambda seen: replace(seen, inner=seen.inner[:3]),
        *("event 3", "'Approval'", "nothing"),
    ),
}


@pytest.mark.parametrize("told", TELLINGS.values(), ids=list(TELLINGS))
def test_whatever_differs_is_named_with_the_transaction(
    chain_world: ChainWorld, told: tuple[Change, str, str, str]
) -> None:
    foreign, (change, where, chain, model) = Foreign(chain_world), told
    seen = transfers(foreign)
    assert differences(foreign, seen) == []
    (found,) = differences(foreign, change(seen))
    assert seen.hash in found.path
    assert where in found.path
    assert f"chain {chain}" in str(found) or chain in str(found.chain)
    assert f"model {model}" in str(found) or model in str(found.model)


def test_a_callback_that_was_refused_is_nobodys_event(chain_world: ChainWorld) -> None:
    foreign = Foreign(chain_world)
    seen, mocked = transfers(foreign), "CallbackRefused"
    for place in range(4):
        change = with_events(lambda e, p=place: [*e[:p], replace(e[0], name=mocked), *e[p:]])
        assert differences(foreign, change(seen)) == []


def test_where_the_checks_have_ended_events_are_read_whosever_they_are(
    chain_world: ChainWorld,
) -> None:
    foreign = Foreign(chain_world)
    seen, checker = transfers(foreign), foreign.world.checker
    checker.observe([replace(foreign.world.history[-1], unfollowed="it is dark", events=())])
    checker.facts.mark()
    checker.observe([seen])
    assert address("bob") in checker.facts.moved


def transfers(foreign: Foreign) -> ObservedTransaction:
    """Left out of what the world's checker has seen."""
    calls = [
        foreign.encoded("Kompute", "transfer", address("bob"), 1),
        foreign.encoded("Kompute", "transfer", address("bob"), 10**40),
        foreign.encoded("Kompute", "transfer", address("bob"), 2),
        foreign.encoded("Kompute", "approve", address("bob"), 3),
    ]
    transfer = foreign.deploy(code.program(code.call(*call) for call in calls))
    mined = foreign.world.chain.mine([foreign.raw(transfer, b"")])
    (seen,) = observe(mined, foreign.world.contracts, foreign.world.chain)
    assert names(seen) == ["Kompute.transfer"] * 2 + ["Kompute.approve"]
    assert refusals(seen) == [("transfer", "ERC20InsufficientBalance")]
    return seen


def differences(foreign: Foreign, seen: ObservedTransaction) -> list[Difference]:
    """Of a checker that has seen the same until then."""
    checker = Checker(foreign.world.parameters, foreign.world.reads.block_hash)
    checker.observe([*foreign.world.prelude, *foreign.world.history, seen])
    return checker._decided
