"""What the events of rewards say: publications, cycles and claims (W1 to W5, C1 to C7)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from devnet.checking.amounts import NO_BONUS, due_share, due_v
from devnet.checking.nodes import NodeFacts, Nodes
from devnet.checking.part import Part
from devnet.model import Parameters
from devnet.protocol import Event, ObservedTransaction


@dataclass(frozen=True, slots=True)
class Publication:
    """A `Published` event; `previous…` are those of the node's last one, None at the first.

    `stake_wei`, `exiting` and `severe` (pending incidents of levels 2 and 3) are the node's at
    that moment, `due_v` what W1 and S give for the result that was sent.
    """

    transaction: str
    node: str
    cycle: int
    sequence: int
    v: int
    block: int
    in_cycle: int
    previous_block: int | None
    previous_cycle: int
    previous_sequence: int
    stake_wei: int
    exiting: bool
    severe: int
    due_v: int


@dataclass(frozen=True, slots=True)
class Claiming:
    """A `Claimed` (one cycle) or `ClaimedAll` event; `due` is the sum of the shares it pays.

    `paid_before` is the number of its cycles that were paid already.
    """

    transaction: str
    node: str
    cycles: tuple[int, ...]
    amount: int
    due: int
    paid_before: int


@dataclass(frozen=True, slots=True)
class Unrolled:
    """A reward or publication that left an ended, V-less cycle its reward (C4)."""

    transaction: str
    event: str
    cycle: int
    left: tuple[int, ...]


@dataclass(slots=True)
class CycleFacts:
    """A cycle by its events."""

    reward: int = 0
    total_v: int = 0
    v: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class PublisherFacts:
    """What a node has published, is owed of ended cycles and was paid, wei."""

    last: Publication | None = None
    paid: int = 0
    ended_shares: int = 0
    unpaid: dict[int, None] = field(default_factory=dict)
    published: dict[int, int] = field(default_factory=dict)


class Rewards(Part):
    """`cycles` and `publishers`; `publications`, `claims` and `unrolled` are news."""

    def __init__(self, parameters: Parameters, nodes: Nodes) -> None:
        super().__init__(parameters)
        self._nodes = nodes
        self.cycles: defaultdict[int, CycleFacts] = defaultdict(CycleFacts)
        self.publishers: defaultdict[str, PublisherFacts] = defaultdict(PublisherFacts)
        self.added = 0
        self.paid = 0
        self.ended_before = 0  # cycles below have been added to `ended_shares`
        self.unshared: set[int] = set()  # cycles with reward and no V
        self.publications: list[Publication] = []
        self.claims: list[Claiming] = []
        self.unrolled: list[Unrolled] = []
        self.folds = {
            "Published": self._published,
            "RewardAdded": self._reward_added,
            "RewardRolled": self._reward_rolled,
            "Claimed": self._claimed,
            "ClaimedAll": self._claimed_all,
        }

    def mark(self) -> None:
        self.publications.clear()
        self.claims.clear()
        self.unrolled.clear()

    def end_cycles(self, current: int) -> None:
        """Count the shares of cycles that have ended since."""
        for cycle in sorted(self.cycles):
            if self.ended_before <= cycle < current:
                for node in self.cycles[cycle].v:
                    self.publishers[node].ended_shares += self.share(cycle, node)
        self.ended_before = max(self.ended_before, current)

    def share(self, cycle: int, node: str) -> int:
        """C3, by the events."""
        facts = self.cycles[cycle]
        return due_share(facts.reward, facts.v.get(node, 0), facts.total_v)

    def _published(self, transaction: ObservedTransaction, event: Event) -> None:
        args = event.args
        name, cycle, node = args["node"], args["cycle"], self._nodes.of(args)
        publisher = self.publishers[name]
        publisher.published[cycle] = publisher.published.get(cycle, 0) + 1
        last = publisher.last
        publisher.last = Publication(
            transaction=transaction.hash,
            node=name,
            cycle=cycle,
            sequence=args["sequence"],
            v=args["v"],
            block=transaction.block,
            in_cycle=publisher.published[cycle],
            previous_block=last.block if last else None,
            previous_cycle=last.cycle if last else 0,
            previous_sequence=last.sequence if last else 0,
            stake_wei=node.stake_wei,
            exiting=node.exit_at != 0,
            severe=node.severe,
            due_v=_due(transaction, node),
        )
        self.publications.append(publisher.last)
        self._check_rolled(transaction, event, cycle)
        facts = self.cycles[cycle]
        facts.v[name] = facts.v.get(name, 0) + args["v"]
        facts.total_v += args["v"]
        publisher.unpaid[cycle] = None
        self.unshared.discard(cycle)

    def _reward_added(self, transaction: ObservedTransaction, event: Event) -> None:
        cycle, amount = event.args["cycle"], event.args["amount"]
        self._check_rolled(transaction, event, cycle)
        self.cycles[cycle].reward += amount
        self.added += amount
        if not self.cycles[cycle].total_v:
            self.unshared.add(cycle)

    def _reward_rolled(self, transaction: ObservedTransaction, event: Event) -> None:
        source, target = event.args["from"], event.args["to"]
        self.cycles[source].reward -= event.args["amount"]
        self.cycles[target].reward += event.args["amount"]
        if not self.cycles[source].reward:
            self.unshared.discard(source)
        if not self.cycles[target].total_v:
            self.unshared.add(target)

    def _check_rolled(self, transaction: ObservedTransaction, event: Event, cycle: int) -> None:
        left = tuple(sorted(c for c in self.unshared if c < cycle))
        if left:
            self.unrolled.append(Unrolled(transaction.hash, event.name, cycle, left))

    def _claimed(self, transaction: ObservedTransaction, event: Event) -> None:
        cycle = event.args["cycle"]
        due = self.share(cycle, event.args["node"]) if cycle < self.cycle(transaction) else 0
        self._paid(transaction, event, (cycle,), due)

    def _claimed_all(self, transaction: ObservedTransaction, event: Event) -> None:
        name, before = event.args["node"], event.args["before"]
        cycles = tuple(c for c in self.publishers[name].unpaid if c < before)
        due = sum(self.share(cycle, name) for cycle in cycles)
        self._paid(transaction, event, cycles, due)

    def _paid(
        self, transaction: ObservedTransaction, event: Event, cycles: tuple[int, ...], due: int
    ) -> None:
        name, amount = event.args["node"], event.args["amount"]
        publisher = self.publishers[name]
        again = sum(1 for cycle in cycles if cycle not in publisher.unpaid)
        for cycle in cycles:
            publisher.unpaid.pop(cycle, None)
        publisher.paid += amount
        self.paid += amount
        self.claims.append(Claiming(transaction.hash, name, cycles, amount, due, again))


def _due(transaction: ObservedTransaction, node: NodeFacts) -> int:
    """W1, of the result that was sent; nothing where none was."""
    result = transaction.args.get("result")
    if result is None:
        return 0
    s = node.bps if transaction.timestamp < node.unlock_at else NO_BONUS  # S3
    return due_v(result, s)
