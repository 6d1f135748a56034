"""What events say of a feed's configs and reports, and what must hold (O1, O2, O7)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from devnet.checking.amounts import ZERO_ADDRESS
from devnet.checking.part import Part
from devnet.model import Ledger, Parameters
from devnet.protocol import Event, ObservedTransaction, config_digest


@dataclass(frozen=True, slots=True)
class Config:
    """What a feed takes (O1, O2): the oracle nodes, f and the bounds; `count` of its configs."""

    digest: bytes
    count: int
    oracles: tuple[str, ...]
    faulty: int
    minimum: int
    maximum: int

    def inside(self, answer: int) -> bool:
        """O2: within the bounds."""
        return self.minimum <= answer <= self.maximum


@dataclass(slots=True)
class FeedFacts:
    """A feed by its events: the config in force, the last report under it, the last answer."""

    config: Config
    epoch_and_round: int = 0
    round: int = 0
    answer: int = 0
    updated_at: int = 0


@dataclass(frozen=True, slots=True)
class Reported:
    """A `NewTransmission` (O1), and the config in force when it came (O7)."""

    transaction: str
    feed: str
    config: Config
    digest: bytes
    transmitter: str
    observations: tuple[int, ...]
    answer: int
    epoch_and_round: int
    epoch_and_round_before: int


@dataclass(frozen=True, slots=True)
class Replaced:
    """A `ConfigSet` (O7): the config it says, the digest it replaces, the one that was in force.

    `due` is the digest of what it says; `governed`: in a transaction that executes a proposal.
    """

    transaction: str
    feed: str
    config: Config
    previous: bytes
    before: Config
    due: bytes
    governed: bool


class Feeds(Part):
    """`seen` by contract name; `reports` and `replacements` are news."""

    def __init__(self, parameters: Parameters) -> None:
        super().__init__(parameters)
        self.seen = {
            name: FeedFacts(
                Config(c.digest, c.count, c.oracles, c.faulty, c.minimum, c.maximum),
            )
            for name, feed in parameters.feeds.items()
            for c in (feed.config,)
        }
        self.touched: set[str] = set(self.seen)  # since the last check
        self.reports: list[Reported] = []
        self.replacements: list[Replaced] = []
        self.folds = {
            "ConfigSet": self._config_set,
            "NewTransmission": self._transmitted,
            "AnswerUpdated": self._answered,
        }

    def mark(self) -> None:
        """All news is checked."""
        self.touched.clear()
        self.reports.clear()
        self.replacements.clear()

    def _config_set(self, transaction: ObservedTransaction, event: Event) -> None:
        created = transaction.block <= self.parameters.genesis_block
        if created and event.args["configCount"] == 1:
            return  # the first config, which the parameters tell
        seen, args = self.seen[event.contract], event.args
        feed, oracles = self.parameters.feeds[event.contract], tuple(args["oracles"])
        bounds = args["minAnswer"], args["maxAnswer"]
        config = Config(args["configDigest"], args["configCount"], oracles, args["faulty"], *bounds)
        said = (config.count, feed.description, feed.decimals, oracles, config.faulty, bounds)
        due = config_digest(self.parameters.chain_id, self.address(event.contract), *said)
        governed = any(one.name == "Executed" for one in transaction.events)
        self.replacements.append(
            Replaced(
                transaction.hash,
                event.contract,
                config,
                args["previousConfigDigest"],
                seen.config,
                due,
                governed,
            )
        )
        self.touched.add(event.contract)
        seen.config, seen.epoch_and_round = config, 0

    def _transmitted(self, transaction: ObservedTransaction, event: Event) -> None:
        seen, args = self.seen[event.contract], event.args
        self.reports.append(
            Reported(
                transaction.hash,
                event.contract,
                seen.config,
                args["configDigest"],
                args["transmitter"],
                tuple(args["observations"]),
                args["answer"],
                args["epochAndRound"],
                seen.epoch_and_round,
            )
        )
        seen.epoch_and_round = args["epochAndRound"]

    def _answered(self, transaction: ObservedTransaction, event: Event) -> None:
        seen, args = self.seen[event.contract], event.args
        seen.round, seen.answer = args["roundId"], args["current"]
        seen.updated_at = args["updatedAt"]
        self.touched.add(event.contract)


def check_feeds(ledger: Ledger, facts: Feeds) -> Iterator[str]:
    """O1, O2, O7: whose answers there are, and that one counts exactly inside its bounds."""
    for replaced in facts.replacements:
        yield from _replacement(replaced, facts)
    for report in facts.reports:
        yield from _report(report)
    for name in sorted(facts.touched):
        seen, latest = facts.seen[name], ledger.feeds[name]
        counts = seen.round if seen.config.inside(seen.answer) else 0
        told = (seen.round, seen.answer, seen.updated_at, counts)
        found = (latest.id, latest.answer, latest.updatedAt, latest.answeredInRound)
        if found != told:
            yield f"{name}: round, answer, time and whether it counts are {found}, told {told}"
        if name not in ledger.configs:
            continue  # a mock has bounds for good
        config = ledger.configs[name]
        if (config.digest, config.epoch_and_round) != (seen.config.digest, seen.epoch_and_round):
            yield (
                f"{name}: epoch and round {config.epoch_and_round} of 0x{config.digest.hex()}, "
                f"its events say {seen.epoch_and_round} of 0x{seen.config.digest.hex()}"
            )


def _replacement(row: Replaced, facts: Feeds) -> Iterator[str]:
    at, config, parameters = f"{row.transaction}: {row.feed}", row.config, facts.parameters
    if row.previous != row.before.digest or config.count != row.before.count + 1:
        yield f"{at} went from config {row.before.count} to {config.count}, which names another"
    if config.digest != row.due:
        yield f"{at}: the digest of config {config.count} is of something else"
    if parameters.governance == parameters.addresses["ExecutionQueue"] and not row.governed:
        yield f"{at} was replaced without a proposal"
    nodes = set(config.oracles)
    if len(nodes) < len(config.oracles) or ZERO_ADDRESS in nodes or 3 * config.faulty >= len(nodes):
        yield f"{at}: {config.oracles} of whom {config.faulty} may lie"
    if config.minimum >= config.maximum:
        yield f"{at}: bounds of [{config.minimum}, {config.maximum}]"


def _report(row: Reported) -> Iterator[str]:
    at, config, given = f"{row.transaction}: {row.feed}", row.config, row.observations
    if row.digest != config.digest:
        yield f"{at}: a report of another config than {config.count}"
    if row.transmitter not in config.oracles:
        yield f"{at}: {row.transmitter} is no node of config {config.count}"
    if row.epoch_and_round <= row.epoch_and_round_before:
        yield f"{at}: epoch and round {row.epoch_and_round} after {row.epoch_and_round_before}"
    if not 2 * config.faulty < len(given) <= len(config.oracles):
        yield f"{at}: {len(given)} observations of {len(config.oracles)}, f is {config.faulty}"
    if list(given) != sorted(given) or row.answer != given[len(given) // 2]:
        yield f"{at}: the answer {row.answer} is not the median of {given}"
    if not config.inside(row.answer):
        yield f"{at}: the answer {row.answer} is outside [{config.minimum}, {config.maximum}]"
