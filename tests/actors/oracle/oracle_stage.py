"""Feeds of one resource, what oracle nodes may see, and what comes of it."""

from __future__ import annotations

from devnet.actors.messages import FeedRead, RequestRound
from devnet.actors.operations import Operation, ReadFeed, Send
from devnet.actors.oracle import Oracles
from devnet.actors.view import View
from devnet.chain import recover
from devnet.protocol import Report
from tests.actors.stage import Stage

VCPU = tuple(f"Feed:{vendor}:vcpu_hour" for vendor in ("aws", "gcp", "azure"))
OTHERS = ("Feed:komp_usd", "Feed:utilization")
BLOCKS_PER_HOUR = 5
Observations = tuple[tuple[str, int], ...]


def observed(*values: int) -> Observations:
    """What oracle-1, oracle-2 and so on have seen."""
    return tuple((f"oracle-{n}", value) for n, value in enumerate(values, 1))


def everybody(value: int) -> Observations:
    return observed(*(value,) * 4)


def asked(operations: list[Operation]) -> list[str]:
    return [o.feed for o in operations if isinstance(o, ReadFeed)]


def sent(operations: list[Operation]) -> list[tuple[str, str]]:
    return [(o.contract, o.function) for o in operations if isinstance(o, Send)]


def read_all(oracles: Oracles, view: View, answers: dict[str, Observations]) -> list[Operation]:
    """Whatever it asks to read, answered."""
    feeds = asked(oracles.act(view, []))
    return oracles.act(view, [FeedRead(feed, answers[feed]) for feed in feeds])


def steady(value: int = 1_000_000) -> dict[str, Observations]:
    return dict.fromkeys((*VCPU, *OTHERS), everybody(value))


def everyone_of(stage: Stage) -> list[str]:
    """The oracle nodes' addresses, ascending."""
    return sorted(stage.address(name) for name in stage.spec.oracles.node_names())


def request(oracles: Oracles, stage: Stage, block: int, read: FeedRead) -> list[Operation]:
    """What comes of a requested round of the first feed when this is what was seen."""
    assert asked(oracles.act(stage.view(block), [RequestRound(5, (VCPU[0],))])) == [VCPU[0]]
    return oracles.act(stage.view(block), [read])


def signers_of(stage: Stage, send: Send) -> set[str]:
    report, signatures = send.args
    assert isinstance(report, Report) and isinstance(signatures, bytes)
    digest = stage.reads.domains.report(send.contract, report)
    return {recover(digest, signatures[at : at + 65]) for at in range(0, len(signatures), 65)}
