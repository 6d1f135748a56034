"""What the events of incidents say: charges, escrow, bonds, voided V (L1 to L7, C7)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from devnet.checking.amounts import BOND_PART, due_slash
from devnet.checking.books import IncidentFacts, NodeFacts
from devnet.checking.moves import summed, tokens_between
from devnet.checking.rows import Bond, Charge, Overturn, Slash, Voiding
from devnet.protocol import ObservedTransaction

if TYPE_CHECKING:
    from devnet.checking.facts import Facts

MALICIOUS: Final = 2
SERIOUS: Final = 3  # L3

Args = Mapping[str, Any]
Fold = Callable[["Facts", ObservedTransaction, Args], None]


def _reported(facts: Facts, transaction: ObservedTransaction, args: Args) -> None:
    node, level = facts.node(args), args["level"]
    facts.news.charges.append(
        Charge(
            transaction=transaction.hash,
            id=args["id"],
            node=args["node"],
            level=level,
            start=args["from"],
            end=args["to"],
            charged_until=node.charged.get(level, 0),
            again=level == SERIOUS and SERIOUS in node.charged,
        )
    )
    for milder in (SERIOUS,) if level == SERIOUS else range(1, level + 1):  # L5
        node.charged[milder] = max(node.charged.get(milder, 0), args["to"])
    facts.reported[args["id"]] = IncidentFacts(args["node"], level, args["from"], args["to"])
    facts.incidents = max(facts.incidents, args["id"])
    node.pending += 1
    node.severe += level >= MALICIOUS
    if level == SERIOUS:
        _must_void(facts, transaction, args["node"])


def _executed(facts: Facts, transaction: ObservedTransaction, args: Args) -> None:
    identity, events = args["id"], transaction.events
    node, incident = facts.node(args), facts.reported[identity]
    slashing, rewards = facts.address("Slashing"), facts.address("Rewards")
    upheld = any(
        e.name == "Ruled" and e.args["id"] == identity and e.args["upheld"] for e in events
    )
    drop = summed(events, "Slashed", "amount", node=args["node"])
    lost = summed(events, "BondLost", "amount", id=identity)
    received = tokens_between(events, slashing, rewards) - lost
    freed = received - drop if node.seized else 0  # no event tells it; the escrow's tokens do
    left = node.stake_wei + node.seized
    facts.news.slashes.append(
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
    _decided(node, incident)
    if incident.level == MALICIOUS:
        _must_void(facts, transaction, args["node"])


def _overturned(facts: Facts, transaction: ObservedTransaction, args: Args) -> None:
    identity, events = args["id"], transaction.events
    node, incident = facts.node(args), facts.reported[identity]
    slashing, rewards = facts.address("Slashing"), facts.address("Rewards")
    facts.news.overturns.append(
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
    _decided(node, incident)


def _decided(node: NodeFacts, incident: IncidentFacts) -> None:
    incident.decided = True
    node.pending -= 1
    node.severe -= incident.level >= MALICIOUS


def _appealed(facts: Facts, transaction: ObservedTransaction, args: Args) -> None:
    incident, payer = facts.reported[args["id"]], args["payer"]
    node = facts.nodes[incident.node]
    left = node.stake_wei + node.seized
    at_stake = due_slash(incident.level, incident.end - incident.start, left)
    facts.news.bonds.append(
        Bond(
            transaction=transaction.hash,
            id=args["id"],
            amount=args["bond"],
            due=at_stake // BOND_PART,
            moved=tokens_between(transaction.events, payer, facts.address("Slashing")),
        )
    )
    incident.payer, incident.bond = payer, args["bond"]


def _bond_returned(facts: Facts, transaction: ObservedTransaction, args: Args) -> None:
    incident = facts.reported[args["id"]]
    moved = tokens_between(transaction.events, facts.address("Slashing"), incident.payer)
    facts.news.bonds.append(
        Bond(transaction.hash, args["id"], args["amount"], due=incident.bond, moved=moved)
    )


def _ejected(facts: Facts, transaction: ObservedTransaction, args: Args) -> None:
    node = facts.node(args)
    node.stake_wei -= args["amount"]
    node.seized += args["amount"]
    node.exit_at = args["exitAt"]


def _restored(facts: Facts, transaction: ObservedTransaction, args: Args) -> None:
    node = facts.node(args)
    node.stake_wei += args["amount"]
    node.seized -= args["amount"]


def _forfeited(facts: Facts, transaction: ObservedTransaction, args: Args) -> None:
    facts.node(args).forfeited = True


def _must_void(facts: Facts, transaction: ObservedTransaction, name: str) -> None:
    """C7: all of the node's V of the current cycle, and nothing else, goes."""
    cycle = facts.cycle(transaction)
    voided = {
        e.args["cycle"]: e.args["v"]
        for e in transaction.events
        if e.name == "Voided" and e.args["node"] == name
    }
    v = facts.cycles[cycle].v.get(name, 0) if cycle in facts.cycles else 0
    due = {cycle: v} if v else {}
    facts.news.voidings.append(Voiding(transaction.hash, name, voided, due))


def _voided(facts: Facts, transaction: ObservedTransaction, args: Args) -> None:
    cycle = facts.cycles[args["cycle"]]
    cycle.v[args["node"]] = cycle.v.get(args["node"], 0) - args["v"]
    cycle.total_v -= args["v"]
    if cycle.reward and not cycle.total_v:
        facts.unshared.add(args["cycle"])  # C4: it may roll after all


INCIDENT_FOLDS: Final[Mapping[str, Fold]] = {
    "IncidentReported": _reported,
    "IncidentExecuted": _executed,
    "IncidentOverturned": _overturned,
    "Appealed": _appealed,
    "BondReturned": _bond_returned,
    "Ejected": _ejected,
    "Restored": _restored,
    "Forfeited": _forfeited,
    "Voided": _voided,
}
