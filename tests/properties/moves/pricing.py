"""O1 to O7: rounds of feeds, and prices stored."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from devnet.model.pricing import WAD, fresh
from devnet.protocol.reports import observers_word
from devnet.spec.feeds import KOMP_USD_FEED, UTILIZATION_FEED
from devnet.spec.network import (
    CONTAINER_RESOURCES,
    RESOURCES,
    SERVERLESS_RESOURCES,
    VIRTUAL_MACHINE_RESOURCES,
)

from ..action import Action, Advance, Send, now
from ..sight import Draw, Sight
from . import move

KOMP_USD = 50_000_000
USD = {
    "vcpu_hour": 40 * 10**15,
    "gib_hour": 4 * 10**15,
    "storage_gib_month": 10**17,
    "egress_gib": 8 * 10**16,
    "function_gib_second": 16 * 10**12,
    "million_requests": 20 * 10**16,
}


@move(3)
def answer(draw: Draw, sight: Sight) -> Send:
    """The next answer of any feed, now and then a report that must not count."""
    feed = draw.of(list(sight.model.parameters.feeds))
    if feed == UTILIZATION_FEED:
        return said(sight, feed, draw.one(0, 1, WAD // 3, WAD // 2 + 1, WAD), spread=0)
    if feed == KOMP_USD_FEED:
        return said(sight, feed, draw.one(KOMP_USD, 10**7, 3 * 10**8 + 1))
    usd = USD[feed.split(":")[2]] * draw.one(100, 101, 99, 129, 131, 70, 160, 50) // 100
    made = said(sight, feed, usd)
    if sight.model.parameters.feeds[feed].operator:
        return _scripted(draw, made) if draw.rarely(3) else made
    return _spoilt(draw, made, usd, _first_digest(sight, feed)) if draw.rarely(6) else made


def said(sight: Sight, feed: str, value: int, spread: int = 1) -> Send:
    """A feed's next answer: of a mock its script, of the others a report of its nodes now (O7)."""
    p, state = sight.model.parameters.feeds[feed], sight.state
    if p.operator:
        times = {"startedAt": now(0), "updatedAt": now(0)}
        script = {"id": state.rounds[feed].id + 1, "answer": value, **times}
        return Send("oracle-1", feed, "script", {"round": script})
    config = state.configs[feed]
    nodes, f = [sight.name(node) for node in config.oracles], config.faulty
    report = {
        "configDigest": "0x" + config.digest.hex(),
        "epoch": (state.epochs[feed] >> 8) + 1,
        "round": 1,
        "observationsTimestamp": now(0),
        "observers": "0x" + observers_word(range(2 * f + 1)).hex(),
        "observations": [*[value - spread] * f, value, *[value + spread] * f],
    }
    signed = {"signers": nodes[: f + 1]}
    return Send(nodes[0], feed, "transmit", {"report": report, "signatures": signed})


def _scripted(draw: Draw, made: Send) -> Send:
    """O2: what no feed should say, and no rule may believe."""
    wrong: dict[str, Any] = draw.one(
        {"answer": 0},
        {"answer": -1},
        {"answer": 10**30},
        {"answer": 2**191},
        {"updatedAt": now(3600)},
        {"updatedAt": 0},
        {"updatedAt": now(-11 * 86_400)},
        {"id": made.args["round"]["id"] + 5},
    )
    script = {**made.args["round"], **wrong}
    return Send(draw.one("oracle-1", "mallory"), made.contract, "script", {"round": script})


def _first_digest(sight: Sight, feed: str) -> str:
    """O7: what reports that were kept back name, once the feed has another."""
    return "0x" + sight.model.parameters.feeds[feed].config.digest.hex()


def _spoilt(draw: Draw, made: Send, usd: int, first: str) -> Send:
    signed, epoch = made.args["signatures"], made.args["report"]["epoch"]
    report: dict[str, Any] = draw.one(
        {},
        {"epoch": epoch - 1},
        {"epoch": epoch - 1, "round": 2},
        {"round": 0},
        {"configDigest": "0x" + "11" * 32},
        {"configDigest": first},
        {"configDigest": first, "epoch": epoch + 100},
        {"observationsTimestamp": now(1)},
        {"observationsTimestamp": now(-30 * 86_400)},
        {"observations": [usd, usd]},
        {"observations": [usd] * 5},
        {"observations": [usd, usd - 1, usd]},
        {"observations": [0, 0, 0]},
        {"observations": [-5, -5, usd]},
    )
    if not report:
        signed = draw.one(
            {"signers": ["oracle-1"]},
            {"signers": ["oracle-1", "oracle-2", "oracle-3"]},
            {"signers": ["oracle-1", "mallory"]},
            {"signers": ["oracle-1", "oracle-1"]},
            {**signed, "s": "high"},
            {**signed, "chain_id": 1},
            {**signed, "contract": "Pricing"},
            {**signed, "with": {"observations": [usd - 2, usd, usd]}},
        )
    sender = draw.one("oracle-1", "oracle-2", "oracle-3", "mallory")
    args = {"report": {**made.args["report"], **report}, "signatures": signed}
    return Send(sender, made.contract, made.function, args)


@move(4)
def poke(draw: Draw, sight: Sight) -> Send | None:
    ready = [r for r in sight.model.parameters.cloud_feeds if _fresh_feeds(sight, r) >= 2]
    if not ready and not draw.rarely(40):
        return None
    resource = draw.of(ready) if ready and not draw.rarely(16) else draw.integer(0, 5)
    return Send(draw.one("mallory", "alice"), "Pricing", "poke", {"resource": resource})


@move(1)
def jump_twice(draw: Draw, sight: Sight) -> Iterator[Action] | None:
    """O2: a price far from the stored one, another on its side before H is over, and a last one."""
    known = [number for number, row in sight.state.prices.items() if row.storedAt]
    return _jumps(draw, sight, draw.of(known)) if known else None


def _jumps(draw: Draw, sight: Sight, number: int) -> Iterator[Action]:
    feeds = sight.model.parameters.cloud_feeds[number]
    longest = max(sight.model.parameters.feeds[feed].heartbeat for feed in feeds)
    blocks = longest // sight.spec.chain.block_seconds  # of H
    early = draw.one(1, blocks // 2, blocks - 1)
    usd, far = sight.state.prices[number].price, draw.one((140, 150, 200), (65, 60, 50))
    for wait in (0, early - 1, blocks - early - 1 + draw.one(0, 0, -1, 1)):
        if wait > 0:
            yield Advance(wait)
        percent = draw.of(far)
        for feed in feeds:
            yield said(sight, feed, usd * percent // 100)
        yield Send("mallory", "Pricing", "poke", {"resource": number})


@move(5)
def refresh(draw: Draw, sight: Sight) -> Iterator[Action] | None:
    """All that one kind of order is priced by."""
    needed = draw.one(VIRTUAL_MACHINE_RESOURCES, SERVERLESS_RESOURCES, CONTAINER_RESOURCES)
    if priced(sight, needed) and not draw.rarely(40):
        return None
    return _rounds(draw, sight, needed)


def _rounds(draw: Draw, sight: Sight, needed: tuple[str, ...]) -> Iterator[Action]:
    for name in needed:
        number = RESOURCES.index(name)
        usd = sight.state.prices[number].price or USD[name]
        feeds = sight.model.parameters.cloud_feeds[number]
        for feed in feeds[: draw.one(2, 3)]:
            yield said(sight, feed, usd * draw.one(100, 101, 110, 95) // 100)
        yield Send("mallory", "Pricing", "poke", {"resource": number})
    yield said(sight, KOMP_USD_FEED, draw.one(KOMP_USD, 10**7 + 3))
    yield said(sight, UTILIZATION_FEED, draw.one(0, WAD // 3, WAD), spread=0)


def priced(sight: Sight, resources: tuple[str, ...]) -> bool:
    """Whether these have a price in KOMP in the block to come."""
    p, state = sight.model.parameters, sight.state
    komp = p.feeds[KOMP_USD_FEED]
    if fresh(komp, state.rounds[KOMP_USD_FEED], sight.now, zero=False) is None:
        return False
    for name in resources:
        number = RESOURCES.index(name)
        if state.contingencies[number].on:
            continue
        longest = max(p.feeds[feed].heartbeat for feed in p.cloud_feeds[number])
        stored = state.prices[number].storedAt
        if not stored or sight.now > stored + 3 * longest:
            return False
    return True


def _fresh_feeds(sight: Sight, resource: int) -> int:
    p, state = sight.model.parameters, sight.state
    return sum(
        fresh(p.feeds[feed], state.rounds[feed], sight.now, zero=False) is not None
        for feed in p.cloud_feeds[resource]
    )
