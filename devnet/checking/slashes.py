"""What a slash may take, and what becomes of its bond and of what was seized (L4 to L7)."""

from __future__ import annotations

from collections.abc import Iterator

from devnet.checking.amounts import FULL_STAKE
from devnet.checking.folding import Facts
from devnet.checking.incidents import SERIOUS, Slash
from devnet.model import Ledger


def check_slashes(ledger: Ledger, facts: Facts) -> Iterator[str]:
    """Invariant 10: of the incidents decided since the last check, and of every stake."""
    yield from _executions(facts)
    yield from _overturns(facts)
    yield from _bonds(facts)
    yield from _charges(facts)
    yield from _stakes(ledger, facts)


def _executions(facts: Facts) -> Iterator[str]:
    for row in facts.incidents.slashes:
        amounts = {row.amount, row.due, row.taken, row.received, row.reward_rise}
        if len(amounts) > 1:
            yield (
                f"{row.transaction}: incident {row.id} executed {row.amount} wei, due {row.due}; "
                f"stake and escrow fell by {row.taken}, rewards got {row.received}, "
                f"the cycle's reward rose by {row.reward_rise}"
            )
        yield from _bond_faults(row)
        if row.again:
            yield f"{row.transaction}: incident {row.id} was decided before"


def _bond_faults(row: Slash) -> Iterator[str]:
    """L6: the bond is lost where the arbiter upheld, else it returns."""
    due = (row.bond, 0) if row.upheld else (0, row.bond)
    if (row.lost_bond, row.returned_bond) != due:
        yield (
            f"{row.transaction}: incident {row.id} executed, upheld {row.upheld}: of a bond of "
            f"{row.bond} wei {row.lost_bond} lost, {row.returned_bond} returned"
        )


def _overturns(facts: Facts) -> Iterator[str]:
    """L6: an overturned incident takes nothing, and all comes back."""
    for overturn in facts.incidents.overturns:
        at = f"{overturn.transaction}: incident {overturn.id}"
        if overturn.slashed or overturn.restored != overturn.seized:
            yield (
                f"{at} overturned: slashed {overturn.slashed} wei, restored "
                f"{overturn.restored} of {overturn.seized}"
            )
        if overturn.returned_bond != overturn.bond:
            yield f"{at} overturned: returned {overturn.returned_bond} of {overturn.bond} wei bond"
        if overturn.again:
            yield f"{at} was decided before"


def _bonds(facts: Facts) -> Iterator[str]:
    for bond in facts.incidents.bonds:
        if len({bond.amount, bond.due, bond.moved}) > 1:
            yield (
                f"{bond.transaction}: incident {bond.id}: a bond of {bond.amount} wei, "
                f"due {bond.due}, moved {bond.moved}"
            )


def _charges(facts: Facts) -> Iterator[str]:
    """L5, L6: no second is charged twice; level 3 has one, of its finding, once per node."""
    for charge in facts.incidents.charges:
        if charge.level == SERIOUS:
            early = charge.start < charge.charged_until
            if charge.start != charge.end or not charge.in_time or charge.again or early:
                yield (
                    f"{charge.transaction}: incident {charge.id} of level 3 charges "
                    f"[{charge.start}, {charge.end}): one second in time and of the node's, "
                    "once per node"
                )
        elif charge.start >= charge.end or charge.start < charge.charged_until:
            yield (
                f"{charge.transaction}: incident {charge.id} charges [{charge.start}, "
                f"{charge.end}), seconds before {charge.charged_until} are charged already or not "
                "the node's"
            )


def _stakes(ledger: Ledger, facts: Facts) -> Iterator[str]:
    for name, node in ledger.nodes.items():
        if not 0 <= node.stake + node.seized <= FULL_STAKE:
            yield f"{name} has a stake of {node.stake} wei, {node.seized} seized"
        seen = facts.nodes.seen.get(name)
        if seen and (node.stake, node.seized) != (seen.stake_wei, seen.seized):
            yield (
                f"{name} has a stake of {node.stake} wei, {node.seized} seized; its events give "
                f"{seen.stake_wei} and {seen.seized}"
            )
