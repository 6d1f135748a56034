"""The keys of `expect`: of whom each is asked, in which unit it is compared, and what answers it.

The same keys are fields of `devnet.spec.expectation.Expect`, where what is expected is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cluster.interface import EventKind, Pod
from devnet.actors.duties.tasks import workload_name
from devnet.protocol import ProtocolError
from devnet.spec.expectation import (
    CLIENT,
    FEED,
    NOBODY,
    ORDER,
    POOL,
    PROPOSAL,
    RESOURCE,
    WORKER,
    Comparison,
    EventCount,
    Expect,
)
from devnet.spec.faults import NO_FAULT
from devnet.steps.faults import fault_of
from devnet.steps.governing import proposal_id
from devnet.steps.readings import Readings
from devnet.steps.stage import Stage

USD_1E8 = 10**10  # of 1e18


@dataclass(frozen=True, slots=True)
class Asked:
    """What a reading is asked: of one subject by its name, empty where nobody is asked."""

    stage: Stage
    step: Expect
    name: str

    @property
    def ledger(self) -> Readings:
        return self.stage.ledger

    @property
    def order(self) -> int:
        return self.stage.order(self.name).id

    @property
    def pods(self) -> tuple[Pod, ...]:
        """Of the order."""
        return self.stage.cluster.pods(workload_name(self.order))

    @property
    def pool(self) -> str:
        """The name of its contract."""
        return self.stage.pool(self.name)

    @property
    def member(self) -> str:
        """Of the pool; never empty where a key needs one."""
        return self.step.member or ""


Unit = Callable[[str, Any, Any], Iterator[str]]
"""(what is asked, what was expected, what was seen) to what does not hold, in words."""


def number(what: str, expected: Comparison, seen: int | ProtocolError) -> Iterator[str]:
    """An amount, a price or a count; written as what was expected is."""
    if isinstance(seen, ProtocolError):
        yield f"{what}: expected {expected}, saw: {seen}"
    elif not expected.holds(seen):
        yield f"{what}: expected {expected}, saw {expected.write(seen)}"


def value(what: str, expected: object, seen: object) -> Iterator[str]:
    """Yes or no, or a word."""
    if seen != expected:
        yield f"{what}: expected {expected}, saw {'none' if seen == '' else seen}"


def events(what: str, expected: EventCount, seen: Callable[[str], int]) -> Iterator[str]:
    """How many there were of that name."""
    yield from number(f"{what} {expected.name}", expected.count, seen(expected.name))


def taken(what: str, expected: Sequence[str], seen: Sequence[Pod]) -> Iterator[str]:
    """Nodes, each with a ready replica."""
    ready = {pod.node for pod in seen if pod.ready}
    for node in expected:
        if node not in ready:
            yield f"{what}: no ready replica on {node}, but on {sorted(ready)}"


def free(what: str, expected: Sequence[str], seen: Sequence[Pod]) -> Iterator[str]:
    """Nodes without any."""
    for node in expected:
        if any(pod.node == node for pod in seen):
            yield f"{what}: a replica is still on {node}"


def same(what: str, expected: Sequence[str], seen: Sequence[str]) -> Iterator[str]:
    """Exactly these names, in whatever order."""
    if set(seen) != set(expected):
        yield f"{what}: expected {', '.join(expected)}, saw {', '.join(seen)}"


def faults(what: str, expected: str, seen: Sequence[str]) -> Iterator[str]:
    """None may be found."""
    yield from seen


@dataclass(frozen=True, slots=True)
class Key:
    """One key; `told` is what a miss calls it, where not by its name."""

    name: str
    subject: tuple[str, ...]
    unit: Unit
    reading: Callable[[Asked], Any]
    told: str | None = None

    def misses(self, asked: Asked) -> Iterator[str]:
        """What does not hold, with what was expected and seen."""
        told = self.name if self.told is None else self.told.format(member=asked.member)
        what = ": ".join(part for part in (asked.name, told) if part)
        return self.unit(what, getattr(asked.step, self.name), self.reading(asked))


def _charged_usd(at: Asked) -> int | ProtocolError:
    try:
        return at.ledger.charged_usd_1e18(at.name) // USD_1E8
    except ProtocolError as refused:  # O4: there is no price that could be charged
        return refused


KEYS: Final = (
    Key("stake", WORKER, number, lambda at: at.ledger.stake(at.name)),
    Key("slashed", WORKER, number, lambda at: at.ledger.slashed(at.name)),
    Key("pending_slash", WORKER, number, lambda at: at.ledger.pending_slash(at.name)),
    Key("seized", WORKER, number, lambda at: at.ledger.seized(at.name)),
    Key("claimable", WORKER, number, lambda at: at.ledger.claimable(at.name)),
    Key("claimed", WORKER, number, lambda at: at.ledger.claimed(at.name)),
    Key("balance", WORKER, number, lambda at: at.ledger.balance(at.stage.owner_of(at.name))),
    Key("v", WORKER, number, lambda at: at.ledger.last_v(at.name)),
    Key("multiplier_bps", WORKER, number, lambda at: at.ledger.multiplier_bps(at.name)),
    Key("suspended", WORKER, value, lambda at: at.ledger.suspended(at.name)),
    Key("active", WORKER, value, lambda at: at.ledger.active(at.name)),
    Key("lost", WORKER, value, lambda at: at.stage.seen_of(at.name) is EventKind.NODE_LOST),
    Key("fault", WORKER, value, lambda at: fault_of(at.stage, at.name) or NO_FAULT),
    Key("balance", CLIENT, number, lambda at: at.ledger.balance(at.name)),
    Key("consumed", ORDER, number, lambda at: at.ledger.consumed(at.order)),
    Key("refunded", ORDER, number, lambda at: at.ledger.refunded(at.order)),
    Key("ready", ORDER, number, lambda at: sum(1 for pod in at.pods if pod.ready)),
    Key("billed", ORDER, number, lambda at: at.ledger.billed(at.order)),
    Key("on", ORDER, taken, lambda at: at.pods, told=""),
    Key("not_on", ORDER, free, lambda at: at.pods, told=""),
    Key("price_usd", RESOURCE, number, lambda at: at.ledger.price_usd_1e18(at.name) // USD_1E8),
    Key("charged_usd", RESOURCE, number, _charged_usd),
    Key("contingency", RESOURCE, value, lambda at: at.ledger.contingency(at.name)),
    Key("oracles", FEED, same, lambda at: at.ledger.feed_nodes(at.name)),
    Key("faulty", FEED, number, lambda at: at.ledger.feed_faulty(at.name)),
    Key("in_bounds", FEED, value, lambda at: at.ledger.feed_in_bounds(at.name)),
    Key("state", PROPOSAL, value, lambda at: at.ledger.proposal(proposal_id(at.name))),
    Key("assets", POOL, number, lambda at: at.ledger.pool_assets(at.pool)),
    Key("closed", POOL, value, lambda at: at.ledger.pool_closed(at.pool)),
    Key(
        *("shares", POOL, number, lambda at: at.ledger.pool_shares(at.pool, at.member)),
        told="shares of {member}",
    ),
    Key(
        *("uncollected", POOL, number, lambda at: at.ledger.pool_uncollected(at.pool, at.member)),
        told="uncollected of {member}",
    ),
    Key("released", NOBODY, number, lambda at: at.ledger.released()),
    Key("max_v", NOBODY, number, lambda at: at.ledger.max_v()),
    Key("gatekeepers", NOBODY, number, lambda at: at.ledger.gatekeepers()),
    Key("error", NOBODY, value, lambda at: at.stage.last_error),
    Key("cycle", NOBODY, number, lambda at: at.stage.cycle()),
    Key("event", NOBODY, events, lambda at: at.ledger.event_count),
    Key("invariants", NOBODY, faults, lambda at: at.stage.checks.violations()),
    Key("model", NOBODY, faults, lambda at: at.stage.checks.differences()),
)
"""In the order in which what does not hold is told."""


def misses(stage: Stage, step: Expect) -> list[str]:
    """Every key that does not hold, subject by subject, then those asked of nobody."""
    wanted = [key for key in KEYS if getattr(step, key.name) is not None]
    found: list[str] = []
    for name in step.names:
        for key in wanted:
            if step.subject in key.subject:
                found += key.misses(Asked(stage, step, name))
    for key in wanted:
        if key.subject == NOBODY:
            found += key.misses(Asked(stage, step, ""))
    return found
