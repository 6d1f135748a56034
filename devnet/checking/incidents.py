"""What the events of incidents say: charges, escrow, bonds, voided V (L1 to L7, C7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from devnet.checking.amounts import BOND_PART, due_slash
from devnet.checking.moves import summed, tokens_between
from devnet.checking.nodes import NodeFacts, Nodes
from devnet.checking.part import Part
from devnet.checking.rewards import Rewards
from devnet.model import Parameters
from devnet.protocol import Event, ObservedTransaction

MALICIOUS: Final = 2
SERIOUS: Final = 3  # L3


@dataclass(slots=True)
class IncidentFacts:
    """A reported incident by its events; `bond` is what its appeal took, wei."""

    node: str
    level: int
    start: int
    end: int
    decided: bool = False
    payer: str = ""
    bond: int = 0


@dataclass(frozen=True, slots=True)
class Charge:
    """An `IncidentReported` event; `charged_until` is where earlier ones of its level end, the
    registration where there are none.

    `again`: of level 3, which comes once per node; `in_time`: `end` is not after the report, and at
    most maxAge before it.
    """

    transaction: str
    id: int
    node: str
    level: int
    start: int
    end: int
    charged_until: int
    again: bool
    in_time: bool


@dataclass(frozen=True, slots=True)
class Slash:
    """An `IncidentExecuted` event and everything that moved with it, in wei.

    `left` was staked or in escrow, `taken` left it. `received` and `reward_rise` are what rewards
    got and the cycle's reward rose by, less the `lost_bond`. `bond` is what its appeal took;
    `again` where it was decided before.
    """

    transaction: str
    id: int
    node: str
    amount: int
    due: int
    left: int
    taken: int
    received: int
    reward_rise: int
    bond: int
    lost_bond: int
    returned_bond: int
    upheld: bool
    again: bool


@dataclass(frozen=True, slots=True)
class Overturn:
    """An `IncidentOverturned` event: what was `seized` is `restored`, nothing `slashed`, in wei."""

    transaction: str
    id: int
    seized: int
    restored: int
    slashed: int
    bond: int
    returned_bond: int
    again: bool


@dataclass(frozen=True, slots=True)
class Bond:
    """An `Appealed` or `BondReturned` event, what was `due` and the tokens that moved, in wei."""

    transaction: str
    id: int
    amount: int
    due: int
    moved: int


@dataclass(frozen=True, slots=True)
class Voiding:
    """Where an incident must void V (C7): by cycle, what `Voided` events say and what is due."""

    transaction: str
    node: str
    voided: Mapping[int, int]
    due: Mapping[int, int]


class Incidents(Part):
    """`seen` by number; `charges`, `slashes`, `overturns`, `bonds` and `voidings` are news."""

    def __init__(self, parameters: Parameters, nodes: Nodes, rewards: Rewards) -> None:
        super().__init__(parameters)
        self._nodes, self._rewards = nodes, rewards
        self.seen: dict[int, IncidentFacts] = {}
        self.count = 0
        self.charges: list[Charge] = []
        self.slashes: list[Slash] = []
        self.overturns: list[Overturn] = []
        self.bonds: list[Bond] = []
        self.voidings: list[Voiding] = []
        self.folds = {
            "IncidentReported": self._reported,
            "IncidentExecuted": self._executed,
            "IncidentOverturned": self._overturned,
            "Appealed": self._appealed,
            "BondReturned": self._bond_returned,
            "Ejected": self._ejected,
            "Restored": self._restored,
            "Forfeited": self._forfeited,
            "Voided": self._voided,
        }

    def mark(self) -> None:
        for news in (self.charges, self.slashes, self.overturns, self.bonds, self.voidings):
            news.clear()

    def _reported(self, transaction: ObservedTransaction, event: Event) -> None:
        args = event.args
        node, level = self._nodes.of(args), args["level"]
        self.charges.append(
            Charge(
                transaction=transaction.hash,
                id=args["id"],
                node=args["node"],
                level=level,
                start=args["from"],
                end=args["to"],
                charged_until=node.charged.get(level, node.registered_at),  # L5
                again=level == SERIOUS and SERIOUS in node.charged,
                in_time=self.parameters.max_age >= transaction.timestamp - args["to"] >= 0,
            )
        )
        for milder in (SERIOUS,) if level == SERIOUS else range(1, level + 1):  # L5
            node.charged[milder] = max(node.charged.get(milder, 0), args["to"])
        self.seen[args["id"]] = IncidentFacts(args["node"], level, args["from"], args["to"])
        self.count = max(self.count, args["id"])
        node.pending += 1
        node.severe += level >= MALICIOUS
        if level == SERIOUS:
            self._must_void(transaction, args["node"])

    def _executed(self, transaction: ObservedTransaction, event: Event) -> None:
        args = event.args
        identity, events = args["id"], transaction.events
        node, incident = self._nodes.of(args), self.seen[identity]
        slashing, rewards = self.address("Slashing"), self.address("Rewards")
        upheld = any(
            e.name == "Ruled" and e.args["id"] == identity and e.args["upheld"] for e in events
        )
        drop = summed(events, "Slashed", "amount", node=args["node"])
        lost = summed(events, "BondLost", "amount", id=identity)
        received = tokens_between(events, slashing, rewards) - lost
        freed = received - drop if node.seized else 0  # no event tells it; the escrow's tokens do
        left = node.stake_wei + node.seized
        self.slashes.append(
            Slash(
                transaction=transaction.hash,
                id=identity,
                node=args["node"],
                amount=args["amount"],
                due=due_slash(incident.level, incident.end - incident.start, left),
                left=left,
                taken=drop + freed,
                received=received,
                reward_rise=summed(events, "RewardAdded", "amount", **{"from": slashing}) - lost,
                bond=incident.bond,
                lost_bond=lost,
                returned_bond=summed(events, "BondReturned", "amount", id=identity),
                upheld=upheld,
                again=incident.decided,
            )
        )
        node.stake_wei -= drop
        node.seized -= freed
        self._decided(node, incident)
        if incident.level == MALICIOUS:
            self._must_void(transaction, args["node"])

    def _overturned(self, transaction: ObservedTransaction, event: Event) -> None:
        args = event.args
        identity, events = args["id"], transaction.events
        node, incident = self._nodes.of(args), self.seen[identity]
        slashing, rewards = self.address("Slashing"), self.address("Rewards")
        self.overturns.append(
            Overturn(
                transaction=transaction.hash,
                id=identity,
                seized=node.seized if incident.level == SERIOUS else 0,
                restored=summed(events, "Restored", "amount", node=args["node"]),
                slashed=tokens_between(events, slashing, rewards)
                + summed(events, "Slashed", "amount", node=args["node"]),
                bond=incident.bond,
                returned_bond=summed(events, "BondReturned", "amount", id=identity),
                again=incident.decided,
            )
        )
        self._decided(node, incident)

    def _decided(self, node: NodeFacts, incident: IncidentFacts) -> None:
        incident.decided = True
        node.pending -= 1
        node.severe -= incident.level >= MALICIOUS

    def _appealed(self, transaction: ObservedTransaction, event: Event) -> None:
        args = event.args
        incident, payer = self.seen[args["id"]], args["payer"]
        node = self._nodes.seen[incident.node]
        left = node.stake_wei + node.seized
        at_stake = due_slash(incident.level, incident.end - incident.start, left)
        self.bonds.append(
            Bond(
                transaction=transaction.hash,
                id=args["id"],
                amount=args["bond"],
                due=at_stake // BOND_PART,
                moved=tokens_between(transaction.events, payer, self.address("Slashing")),
            )
        )
        incident.payer, incident.bond = payer, args["bond"]

    def _bond_returned(self, transaction: ObservedTransaction, event: Event) -> None:
        args = event.args
        incident = self.seen[args["id"]]
        moved = tokens_between(transaction.events, self.address("Slashing"), incident.payer)
        self.bonds.append(
            Bond(transaction.hash, args["id"], args["amount"], due=incident.bond, moved=moved)
        )

    def _ejected(self, transaction: ObservedTransaction, event: Event) -> None:
        args = event.args
        node = self._nodes.of(args)
        node.stake_wei -= args["amount"]
        node.seized += args["amount"]
        node.exit_at = args["exitAt"]

    def _restored(self, transaction: ObservedTransaction, event: Event) -> None:
        args = event.args
        node = self._nodes.of(args)
        node.stake_wei += args["amount"]
        node.seized -= args["amount"]

    def _forfeited(self, transaction: ObservedTransaction, event: Event) -> None:
        args = event.args
        self._nodes.of(args).forfeited = True

    def _must_void(self, transaction: ObservedTransaction, name: str) -> None:
        """C7: all of the node's V of the current cycle, and nothing else, goes."""
        cycle = self.cycle(transaction)
        voided = {
            e.args["cycle"]: e.args["v"]
            for e in transaction.events
            if e.name == "Voided" and e.args["node"] == name
        }
        v = self._rewards.cycles[cycle].v.get(name, 0) if cycle in self._rewards.cycles else 0
        due = {cycle: v} if v else {}
        self.voidings.append(Voiding(transaction.hash, name, voided, due))

    def _voided(self, transaction: ObservedTransaction, event: Event) -> None:
        args = event.args
        cycle = self._rewards.cycles[args["cycle"]]
        cycle.v[args["node"]] = cycle.v.get(args["node"], 0) - args["v"]
        cycle.total_v -= args["v"]
        if cycle.reward and not cycle.total_v:
            self._rewards.unshared.add(args["cycle"])  # C4: it may roll after all
