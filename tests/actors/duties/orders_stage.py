"""Gatekeepers that carry out two orders: alice's of a container, bob's of a function."""

from __future__ import annotations

from devnet.actors.gatekeeper import Gatekeeper
from devnet.actors.messages import (
    ReadyCounted,
)
from devnet.actors.operations import (
    CountReady,
    Operation,
    Send,
)
from tests.actors.stage import KEEPERS, LEAD, Stage, happened, talk

WEB, THUMBNAIL = 1, 2
PAYLOAD, OUTPUT = b"kompute", b"a thumbnail"


def tell_all(
    stage: Stage, actors: list[Gatekeeper], block: int, *messages: object
) -> list[Operation]:
    """What they do about it, in order."""
    inboxes = dict.fromkeys(KEEPERS, messages)
    return [operation for _, operation in talk(actors, stage.view(block), inboxes)]


def tell_lead(
    stage: Stage, actors: list[Gatekeeper], block: int, *messages: object
) -> list[Operation]:
    return [o for _, o in talk(actors, stage.view(block), {LEAD: messages})]


def accepted(order: int, block: int = 10) -> object:
    return happened("OrderAccepted", block, id=order)


def counts(operations: list[Operation]) -> list[CountReady]:
    return [o for o in operations if isinstance(o, CountReady)]


def peers_count(
    stage: Stage, actors: list[Gatekeeper], block: int, asked: list[CountReady], ready: int
) -> list[Operation]:
    """Both peers' own counts reach them."""
    inboxes = {
        name: [ReadyCounted(one.attestation, one.asked_by, ready)]
        for name, one in zip(KEEPERS[1:], asked, strict=True)
    }
    return [o for _, o in talk(actors, stage.view(block), inboxes)]


def reported(operations: list[Operation]) -> list[tuple[str, tuple[object, ...]]]:
    """Statements sent, without their signatures."""
    return [(o.function, o.args[:-1]) for o in operations if isinstance(o, Send)]
