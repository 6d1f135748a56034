"""What oracle nodes send to a feed: a signed report, or what a faulty one tries instead (O1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from devnet.actors.messages import FeedRead
from devnet.actors.operations import Send
from devnet.actors.view import DEPLOYER, View
from devnet.chain import Account, sign_digest
from devnet.protocol import Report, collect, observers_word

FORGING = ("wrong_key", "replay")  # faults of a node that sends what the feed refuses
FUTURE_SECONDS = 3600
GAP_ROUNDS = 7
PHASE = 1 << 64  # Chainlink's proxies put the phase of their aggregator above the round


@dataclass(slots=True)
class Feed:
    """What the nodes remember of a feed; times in seconds, `answer` in the feed's decimals.

    `resource` is None where no vendor stands behind it, `reporters` are its nodes now (O7);
    `mocked`: its answers are scripted.
    `replaced`: other nodes than the first answer it, and the devnet's may not be among them (O7).
    `asked` is the wish for a new round, 0 for none; `played` the fault its mock plays.
    """

    name: str
    heartbeat: int
    resource: str | None
    reporters: Reporters
    mocked: bool = False
    replaced: bool = False
    next_look: int = 0
    updated_at: int | None = None
    answer: int = 0
    epoch: int = 0
    mock_round: int = PHASE
    before: tuple[int | None, int] = (None, 0)  # updated_at, answer before the last transmission
    sent: tuple[object, ...] = ()
    asked: int = 0
    played: str = ""

    def sent_now(self, at: int, answer: int, args: tuple[object, ...]) -> None:
        """A round is on its way."""
        self.before = (self.updated_at, self.answer)
        self.updated_at, self.answer, self.sent = at, answer, args

    @property
    def is_left_to_others(self) -> bool:
        """Whether it has other nodes now, and none of the devnet's has reported to it."""
        return self.replaced and self.updated_at is None

    def is_fresh(self, view: View) -> bool:
        """Whether its answer counts (O2).

        Of a feed that has other nodes now, and none of the devnet's has reported to, the chain
        says what its latest answer is: an earlier one, or a stranger's (O7).
        """
        updated_at, answer = self.updated_at, self.answer
        if self.is_left_to_others:
            latest = view.reads.latest_round(self.name)
            if latest.answeredInRound >= latest.id:
                updated_at, answer = latest.updatedAt, latest.answer
        if updated_at is None or answer <= 0:
            return False
        return 0 <= view.now - updated_at < self.heartbeat


@dataclass(frozen=True, slots=True)
class Reporters:
    """Oracle nodes by name, ascending by address; `places` are their indices in the feed's config.

    Those of a config that are none of the devnet's are left out: nobody acts in their name.
    """

    nodes: Mapping[str, Account]
    places: Mapping[str, int]
    faulty: int

    @classmethod
    def of(cls, nodes: Sequence[Account | None], faulty: int) -> Reporters:
        """`nodes` in the order the feed was told them, None for a stranger."""
        known = [node for node in nodes if node is not None]
        ascending = sorted(known, key=lambda node: int(node.address, 16))  # as signatures are
        places = {node.name: place for place, node in enumerate(nodes) if node is not None}
        return cls({node.name: node for node in ascending}, places, faulty)

    def send(self, view: View, feed: Feed, read: FeedRead) -> list[Send]:
        """A round of these observations; nothing where too few honest nodes are left to sign.

        What faulty nodes try comes first, so that whoever asked for the round learns its error.
        """
        kinds = dict(read.faulty)
        seen = {name: value for name, value in read.observations if name in self.nodes}
        signers = [name for name in self.nodes if name in seen and kinds.get(name) not in FORGING]
        if len(signers) <= self.faulty:
            return []
        previous, report = feed.sent, self._report(view, feed, seen)
        sends = []
        for name, kind in read.faulty:
            if kind == "replay" and previous:
                sends.append(Send(name, feed.name, "transmit", previous, feed.asked, False))
            elif kind == "wrong_key" and name in seen:
                forged = self._forged(view, feed, report, name)
                sends.append(Send(name, feed.name, "transmit", forged, feed.asked, False))
        digest = view.reads.domains.report(feed.name, report)
        chosen = [self.nodes[name] for name in signers[: self.faulty + 1]]
        args = (report, collect(digest, chosen))
        feed.sent_now(view.now, _median(report.observations), args)
        return [*sends, Send(signers[0], feed.name, "transmit", args, feed.asked)]

    def script(self, view: View, feed: Feed, read: FeedRead) -> list[Send]:
        """The round of a mock, with whatever fault it plays."""
        answer = _median(sorted(value for _, value in read.observations))
        at = view.now
        feed.mock_round += 1
        if read.kind != feed.played:
            match read.kind:
                case "future_timestamp":
                    at += FUTURE_SECONDS
                case "round_gap":
                    feed.mock_round += GAP_ROUNDS
                case "phase_change":
                    feed.mock_round = (feed.mock_round // PHASE + 1) * PHASE + 1
        feed.played = read.kind
        args = ((feed.mock_round, answer, at, at),)
        feed.sent_now(at, answer, args)
        operator = next(name for name, place in self.places.items() if place == 0)
        return [Send(operator, feed.name, "script", args, feed.asked)]

    def _report(self, view: View, feed: Feed, seen: Mapping[str, int]) -> Report:
        feed.epoch += 1
        ordered = sorted(seen, key=lambda name: (seen[name], self.places[name]))
        return Report(
            configDigest=view.reads.config_digest(feed.name),
            epoch=feed.epoch,
            round=1,
            observationsTimestamp=view.now,
            observers=observers_word([self.places[name] for name in ordered]),
            observations=tuple(seen[name] for name in ordered),
        )

    def _forged(self, view: View, feed: Feed, report: Report, node: str) -> tuple[object, ...]:
        """The report with f of its signatures by a key that is no oracle node's."""
        digest = view.reads.domains.report(feed.name, report)
        stranger = sign_digest(view.directory.accounts[DEPLOYER], digest)
        own = [self.nodes[node]] if self.faulty else []
        return report, collect(digest, own) + stranger * max(1, self.faulty)


def _median(ascending: Sequence[int]) -> int:
    return ascending[len(ascending) // 2]
