"""The oracle nodes of every feed: when a round starts, what is signed, when prices are stored."""

from __future__ import annotations

from collections.abc import Sequence

from devnet.actors.actor import Actor
from devnet.actors.messages import ChainEvent, FeedRead, Poke, RequestRound, SendFailed
from devnet.actors.operations import Fail, Operation, ReadFeed, Refusal, Send
from devnet.actors.reports import Feed, Reporters
from devnet.actors.view import View
from devnet.chain import Account
from devnet.protocol import Event
from devnet.spec.feeds import KOMP_USD_FEED, UTILIZATION_FEED, feed_name
from devnet.spec.network import RESOURCES, VENDORS, NetworkSpec

FRESH_VENDORS = 2  # O2: fewer revert


class Oracles(Actor):
    """As OCR2 has it: a new round at the first, at a deviation, after the heartbeat, on request.

    Every oracle node reads the source itself; f+1 of those that could sign the sorted
    observations, and one of these sends them (O1). Who is offline signs nothing, and nor does who
    is no node of the feed any more: what `ConfigSet` says counts from its block on (O7).
    """

    def __init__(self, spec: NetworkSpec, nodes: Sequence[Account]) -> None:
        super().__init__("oracles")
        self._nodes = {node.address.lower(): node for node in nodes}
        reporters = Reporters.of(nodes, spec.oracles.faulty)
        self._everybody = reporters  # of the devnet, whatever feeds they report to
        self._up: tuple[str, ...] = ()  # who could read a source last
        self._deviation_bps = spec.oracles.deviation_bps
        heartbeats = {KOMP_USD_FEED: spec.oracles.komp_usd_heartbeat}
        heartbeats[UTILIZATION_FEED] = spec.oracles.utilization_heartbeat
        feeds = [
            Feed(
                feed_name(vendor, resource),
                spec.oracles.heartbeat,
                resource,
                reporters,
                mocked=vendor in spec.oracles.mocked,
            )
            for resource in spec.oracles.resources
            for vendor in VENDORS
        ]
        feeds += [Feed(name, heartbeat, None, reporters) for name, heartbeat in heartbeats.items()]
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
                case RequestRound():
                    sends += self._request(message)
                case FeedRead():
                    sends += self._read(view, message)
                case ChainEvent(event) if event.name == "ConfigSet":
                    self._replaced(event)
                case ChainEvent(event) if event.name == "AnswerUpdated":
                    self._answered(event)
                case SendFailed(function="transmit"):
                    self._refused(view, message)
                case _:
                    sends += self.otherwise(message)
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

    def _request(self, wish: RequestRound) -> list[Operation]:
        busy = [name for name in wish.feeds if self._feeds[name].asked]
        if busy:
            reason = f"a round of {', '.join(busy)} is requested already"
            return [Fail(wish.id, reason, Refusal.ROUND_REQUESTED)]
        for name in wish.feeds:
            self._feeds[name].asked, self._feeds[name].next_look = wish.id, 0
        return []

    def _replaced(self, event: Event) -> None:
        """O7: other nodes, epochs from 0 on, and a round as at first; strangers stay silent."""
        feed = self._feeds[event.contract]
        named = [self._nodes.get(address) for address in event.args["oracles"]]
        feed.reporters = Reporters.of(named, event.args["faulty"])
        feed.replaced, feed.updated_at, feed.epoch, feed.next_look = True, None, 0, 0
        feed.before = (None, feed.answer)

    def _answered(self, event: Event) -> None:
        """What strangers report is stored as the devnet's own is, also where they report to all
        feeds of a resource (O2, O7)."""
        feed = self._feeds.get(event.contract)
        if feed is not None and feed.resource is not None and feed.is_left_to_others:
            self._to_poke.add(feed.resource)

    def _refused(self, view: View, failed: SendFailed) -> None:
        """Such as an answer outside the bounds (O2); what faulty nodes tried changes nothing."""
        feed = self._feeds[failed.contract]
        if failed.args == feed.sent:
            feed.updated_at, feed.answer = feed.before
            if failed.error == "StaleReport":  # somebody else has reported meanwhile
                feed.epoch = view.reads.epoch_and_round(feed.name) >> 8

    def _read(self, view: View, read: FeedRead) -> list[Operation]:
        feed = self._feeds[read.feed]
        self._asked.discard(feed.name)
        # The round must land inside the heartbeat: two blocks before it ends at the latest.
        margin = 2 * view.block_seconds
        feed.next_look = view.now + min(
            self._poll, max(view.block_seconds, feed.heartbeat - margin)
        )
        seen = dict(read.observations)
        observed = tuple(name for name in self._everybody.nodes if name in seen)
        if observed or (feed.resource is None and not read.kind):  # else its source may be down
            self._up = observed
        sends: list[Send] = []
        theirs = sum(1 for name in observed if name in feed.reporters.nodes)
        enough = 1 if feed.mocked else 2 * feed.reporters.faulty + 1
        if theirs >= enough and self._starts_round(view, feed, read, margin):
            round_of = feed.reporters.script if feed.mocked else feed.reporters.send
            sends = round_of(view, feed, read)
        wish, feed.asked = feed.asked, 0
        if wish and not sends:
            reason = (
                f"{theirs} of the devnet's nodes in the config of {feed.name} have an observation, "
                f"{enough} that report it are needed"
            )
            return [Fail(wish, reason, Refusal.TOO_FEW_OBSERVATIONS)]
        if sends and feed.resource is not None:
            self._to_poke.add(feed.resource)
        return [*sends]

    def _starts_round(self, view: View, feed: Feed, read: FeedRead, margin: int) -> bool:
        if feed.updated_at is None or feed.asked or (feed.mocked and read.kind != feed.played):
            return True
        next_chance = view.now + self._poll + margin
        if next_chance >= feed.updated_at + feed.heartbeat:
            return True
        members = feed.reporters.nodes
        values = sorted(value for name, value in read.observations if name in members)
        answer = values[len(values) // 2]
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
                1 for vendor in VENDORS if self._feeds[feed_name(vendor, resource)].is_fresh(view)
            )
            if sender is not None and fresh >= FRESH_VENDORS:
                index = RESOURCES.index(resource)
                operations.append(Send(sender, "Pricing", "poke", (index,)))
        for wish, resources in self._wishes.items():
            if sender is None:
                operations.append(Fail(wish, "no oracle node is up", Refusal.NO_ORACLE_UP))
                continue
            operations += [
                Send(sender, "Pricing", "poke", (RESOURCES.index(name),), wish)
                for name in resources
            ]
        self._wishes, self._to_poke = {}, set()
        return operations
