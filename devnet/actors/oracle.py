"""The oracle nodes of every feed: when a round starts, what is signed, when prices are stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from devnet.actors.actor import Actor
from devnet.actors.messages import FeedRead, Poke, SendFailed
from devnet.actors.operations import Fail, Operation, ReadFeed, Send
from devnet.actors.view import View
from devnet.chain import Account, sign_digest
from devnet.spec.network import RESOURCES, VENDORS, NetworkSpec

KOMP_USD = "Feed:komp_usd"
UTILIZATION = "Feed:utilization"
FRESH_VENDORS = 2  # O2: fewer revert


def feed_name(vendor: str, resource: str) -> str:
    return f"Feed:{vendor}:{resource}"


@dataclass(slots=True)
class _Feed:
    name: str
    heartbeat: int
    resource: str | None
    next_look: int = 0
    updated_at: int | None = None
    answer: int = 0
    round_id: int = 0
    before: tuple[int | None, int] = (None, 0)  # updated_at, answer before the last transmission


class Oracles(Actor):
    """REFERENCE, OCR2: a new round at the first, at a deviation, after the heartbeat, on request.

    Every oracle node reads the source itself; f+1 of those that could sign the sorted
    observations, and one of these sends them (O1). Who is offline signs nothing.
    """

    def __init__(self, spec: NetworkSpec, nodes: Sequence[Account]) -> None:
        super().__init__("oracles")
        ascending = sorted(nodes, key=lambda node: int(node.address, 16))  # as signatures are
        self._nodes = {node.name: node for node in ascending}
        self._up: tuple[str, ...] = ()  # who could read a source last
        self._faulty = spec.oracles.faulty
        self._deviation_bps = spec.oracles.deviation_bps
        heartbeats = {KOMP_USD: spec.oracles.komp_usd_heartbeat}
        heartbeats[UTILIZATION] = spec.oracles.utilization_heartbeat
        feeds = [
            _Feed(feed_name(vendor, resource), spec.oracles.heartbeat, resource)
            for resource in spec.oracles.resources
            for vendor in VENDORS
        ]
        feeds += [_Feed(name, heartbeat, None) for name, heartbeat in heartbeats.items()]
        self._feeds = {feed.name: feed for feed in feeds}
        self._poll = min(feed.heartbeat for feed in feeds)
        self._asked: set[str] = set()
        self._wishes: dict[int, tuple[str, ...]] = {}
        self._to_poke: set[str] = set()

    def due(self) -> int | None:
        times = (feed.next_look for feed in self._feeds.values() if feed.name not in self._asked)
        return min(times, default=None)

    def act(self, view: View, messages: Sequence[object]) -> list[Operation]:
        sends: list[Operation] = []
        for message in messages:
            match message:
                case Poke():
                    self._wishes[message.id] = message.resources
                    self._look_now(message.resources)
                case FeedRead():
                    sends += self._read(view, message)
                case SendFailed(function="transmit"):  # such as an answer outside the bounds (O2)
                    feed = self._feeds[message.contract]
                    feed.updated_at, feed.answer = feed.before
                    feed.round_id -= 1
                case _:
                    sends += self.refuse(message)
        due = [
            feed.name
            for feed in self._feeds.values()
            if feed.name not in self._asked and view.now >= feed.next_look
        ]
        self._asked |= set(due)
        reads: list[Operation] = [ReadFeed(name) for name in due]
        if not self._asked:  # a price is stored once everything asked for has been read
            sends += self._pokes(view)
        return [*reads, *sends]

    def _look_now(self, resources: Sequence[str]) -> None:
        for feed in self._feeds.values():
            if feed.resource is None or feed.resource in resources:
                feed.next_look = 0

    def _read(self, view: View, read: FeedRead) -> list[Operation]:
        feed = self._feeds[read.feed]
        self._asked.discard(feed.name)
        # The round must land inside the heartbeat: two blocks before it ends at the latest.
        margin = 2 * view.block_seconds
        feed.next_look = view.now + min(
            self._poll, max(view.block_seconds, feed.heartbeat - margin)
        )
        seen = dict(read.observations)
        observed = tuple(name for name in self._nodes if name in seen)
        if observed or feed.resource is None:  # else its vendor may be what is down
            self._up = observed
        if len(observed) < 2 * self._faulty + 1:
            return []
        observations = tuple(sorted(seen[name] for name in observed))
        answer = observations[len(observations) // 2]
        if not self._starts_round(view, feed, answer, margin):
            return []
        feed.before = (feed.updated_at, feed.answer)
        feed.updated_at, feed.answer = view.now, answer
        feed.round_id += 1
        if feed.resource is not None:
            self._to_poke.add(feed.resource)
        digest = view.reads.domains.round(feed.name, feed.round_id, observations)
        signers = observed[: self._faulty + 1]
        signatures = b"".join(sign_digest(self._nodes[name], digest) for name in signers)
        args = (feed.round_id, observations, signatures)
        return [Send(signers[0], feed.name, "transmit", args)]

    def _starts_round(self, view: View, feed: _Feed, answer: int, margin: int) -> bool:
        if feed.updated_at is None:
            return True
        next_chance = view.now + self._poll + margin
        if next_chance >= feed.updated_at + feed.heartbeat:
            return True
        deviation = abs(answer - feed.answer) * 10_000
        return deviation >= self._deviation_bps * abs(feed.answer) and answer != feed.answer

    def _pokes(self, view: View) -> list[Operation]:
        """O2: store what two fresh vendors allow; with fewer the contract would revert, so only
        a wish tries that."""
        operations: list[Operation] = []
        wished = {name for resources in self._wishes.values() for name in resources}
        sender = self._up[0] if self._up else None
        for resource in sorted(self._to_poke - wished, key=RESOURCES.index):
            fresh = sum(
                1
                for vendor in VENDORS
                if self._is_fresh(view, self._feeds[feed_name(vendor, resource)])
            )
            if sender is not None and fresh >= FRESH_VENDORS:
                index = RESOURCES.index(resource)
                operations.append(Send(sender, "Pricing", "poke", (index,)))
        for wish, resources in self._wishes.items():
            if sender is None:
                operations.append(Fail(wish, "no oracle node is up"))
                continue
            operations += [
                Send(sender, "Pricing", "poke", (RESOURCES.index(name),), wish)
                for name in resources
            ]
        self._wishes, self._to_poke = {}, set()
        return operations

    @staticmethod
    def _is_fresh(view: View, feed: _Feed) -> bool:
        return feed.updated_at is not None and view.now - feed.updated_at < feed.heartbeat
