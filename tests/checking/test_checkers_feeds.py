"""Feeds and their configs: seen to hold, and to fail when corrupted (O1, O2, O7)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from corrupting import History, checked, event, moments, numbers, repeated, without
from governing_world import DELAY, call, execute, passed, queue
from model_world import CLOUD_FEEDS, USD_PRICES, World, address

from devnet.model import ConfigLedger, FeedConfig, FeedParameters, Ledger
from devnet.spec.feeds import KOMP_USD_FEED

FEED = CLOUD_FEEDS["vcpu_hour"][0]
PRICE = USD_PRICES["vcpu_hour"]
NEW = tuple(address(name) for name in ("alice", "bob", "mallory", "oracle-1"))
BOUNDS = (PRICE // 2, PRICE * 2)
NUMBER = 12


@pytest.fixture
def world() -> World:
    """Governed by its queue, which has replaced one feed's config; the new nodes have reported."""
    world = World(governance=address("ExecutionQueue"))
    world.prices()
    assert passed(world, call(FEED, "setConfig", NEW, 1, *BOUNDS)) is None
    world.mine()
    assert world.transmit(FEED, PRICE, sender="alice", signers=("alice", "bob"), epoch=3).ok
    return world


def latest(ledger: Ledger, **changes: object) -> Ledger:
    changed: Any = replace(ledger.feeds[FEED], **changes)  # type: ignore[arg-type]
    return replace(ledger, feeds={**ledger.feeds, FEED: changed})


def config(ledger: Ledger, changed: ConfigLedger) -> Ledger:
    return replace(ledger, configs={**ledger.configs, FEED: changed})


LEDGERS: Mapping[str, Callable[[Ledger], Ledger]] = {
    "another answer": lambda it: latest(it, answer=PRICE + 1),
    "another round": lambda it: latest(it, id=it.feeds[FEED].id + 1),
    "another time": lambda it: latest(it, updatedAt=1),
    "it does not count": lambda it: latest(it, answeredInRound=0),
    "another digest": lambda it: config(it, ConfigLedger(bytes(32), 3 * 256 + 1)),
    "another epoch": lambda it: config(it, ConfigLedger(it.configs[FEED].digest, 3 * 256 + 2)),
}


def last(history: History, name: str, **changes: object) -> History:
    """With the last event of that name changed."""
    count = sum(any(e.name == name for e in tx.events) for tx in history)
    return event(history, name, count - 1, **changes)


def by_a_stranger(history: History) -> History:
    """The replacement without the execution of a proposal in its transaction."""
    return [
        replace(tx, events=tuple(e for e in tx.events if e.name != "Executed"))
        if any(e.name == "ConfigSet" for e in tx.events)
        else tx
        for tx in history
    ]


HISTORIES: Mapping[str, tuple[str, Callable[[History], History]]] = {
    "another transmitter": (
        "no node",
        lambda h: last(h, "NewTransmission", transmitter=NEW[0][:-1]),
    ),
    "a removed node": (
        "no node of config 2",
        lambda h: last(h, "NewTransmission", transmitter=address("oracle-2")),
    ),
    "another config": (
        "another config",
        lambda h: last(h, "NewTransmission", configDigest=bytes(32)),
    ),
    "an old epoch": ("epoch and round 0", lambda h: last(h, "NewTransmission", epochAndRound=0)),
    "below the bounds": (
        "outside",
        lambda h: last(h, "NewTransmission", answer=1, observations=(1, 1, 1)),
    ),
    "above the bounds": (
        "outside",
        lambda h: last(h, "NewTransmission", answer=PRICE * 3, observations=(PRICE * 3,) * 3),
    ),
    "not the median": ("not the median", lambda h: last(h, "NewTransmission", answer=PRICE + 1)),
    "unsorted": (
        "not the median",
        lambda h: last(h, "NewTransmission", observations=(PRICE + 1, PRICE, PRICE - 1)),
    ),
    "too few": ("2 observations", lambda h: last(h, "NewTransmission", observations=(PRICE,) * 2)),
    "too many": ("5 observations", lambda h: last(h, "NewTransmission", observations=(PRICE,) * 5)),
    "twice": ("epoch and round", lambda h: repeated(h, "NewTransmission")),
    "an untold answer": ("told", lambda h: without(h, "AnswerUpdated")),
    "an untold config": ("another config", lambda h: without(h, "ConfigSet")),
    "by nobody": ("without a proposal", by_a_stranger),
    "of another config": (
        "names another",
        lambda h: last(h, "ConfigSet", previousConfigDigest=bytes(32)),
    ),
    "not the next": ("names another", lambda h: last(h, "ConfigSet", configCount=3)),
    "count 1": ("to 1, which names another", lambda h: last(h, "ConfigSet", configCount=1)),
    "another digest": ("something else", lambda h: last(h, "ConfigSet", configDigest=bytes(32))),
    "f too large": ("2 may lie", lambda h: last(h, "ConfigSet", faulty=2)),
    "a node twice": ("1 may lie", lambda h: last(h, "ConfigSet", oracles=(*NEW, NEW[0]))),
    "nobody a node": (
        "1 may lie",
        lambda h: last(h, "ConfigSet", oracles=(*NEW, "0x" + "00" * 20)),
    ),
    "bounds without room": ("bounds of", lambda h: last(h, "ConfigSet", maxAnswer=BOUNDS[0])),
}


def test_it_holds(world: World) -> None:
    assert world.history[-1].events[0].args["epochAndRound"] == 3 * 256 + 1
    assert checked(world, world.ledger(), world.history) == ()


def test_and_at_every_moment(world: World) -> None:
    assert moments(world, World(governance=address("ExecutionQueue"))) == {()}


@pytest.mark.parametrize("name", LEDGERS)
def test_a_corrupted_ledger_is_found(world: World, name: str) -> None:
    violations = checked(world, LEDGERS[name](world.ledger()), world.history)
    assert numbers(violations) == {NUMBER}, violations
    assert FEED in str(violations)


@pytest.mark.parametrize("name", HISTORIES)
def test_a_corrupted_history_is_found(world: World, name: str) -> None:
    text, corrupt = HISTORIES[name]
    violations = checked(world, world.ledger(), corrupt(world.history))
    assert NUMBER in numbers(violations)
    assert any(text in str(violation) for violation in violations), violations


def test_an_answer_outside_the_new_bounds_must_not_count(world: World) -> None:
    assert passed_again(world, PRICE + 1, PRICE + 2) is None
    assert checked(world, world.ledger(), world.history) == ()
    counting = latest(world.ledger(), answeredInRound=world.ledger().feeds[FEED].id)
    assert numbers(checked(world, counting, world.history)) == {NUMBER}


def passed_again(world: World, *bounds: int) -> str | None:
    calls = (call(FEED, "setConfig", NEW, 1, *bounds),)
    number = len(world.ledger().proposals) + 1
    proposal = bytes([number]) * 32
    assert queue(world, calls, proposal=proposal) is None
    world.wait(DELAY)
    return execute(world, calls, proposal)


def test_where_somebody_else_governs_no_proposal_is_needed() -> None:
    world = World()
    args = {"oracles_": NEW, "faulty_": 1, "minAnswer_": 1, "maxAnswer_": 9}
    assert world.send("governance", KOMP_USD_FEED, "setConfig", **args).ok
    assert checked(world, world.ledger(), world.history) == ()


def test_a_mock_has_bounds_for_good_and_no_config() -> None:
    mock = FeedParameters(18, 3600, FeedConfig(1, 10), operator=address("oracle-1"))
    world = World(feeds={**World().parameters.feeds, FEED: mock})
    assert FEED not in world.ledger().configs
    for answer, counts in ((5, True), (11, False)):
        told = {"id": 7, "answer": answer, "startedAt": 1, "updatedAt": world.now}
        assert world.send("oracle-1", FEED, "script", round=told).ok
        assert world.ledger().feeds[FEED].answeredInRound == (7 if counts else 0)
        assert checked(world, world.ledger(), world.history) == ()
        other = latest(world.ledger(), answeredInRound=0 if counts else 7)
        assert numbers(checked(world, other, world.history)) == {NUMBER}
