"""The protocol's sixteen invariants, each a function of the ledger and of what the events say.

Sums are compared with the whole ledger; what must have held at a moment is a row of its part,
so that a check costs what happened since the last one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from devnet.checking.amounts import (
    FULL_STAKE,
    due_share,
)
from devnet.checking.feeds import check_feeds
from devnet.checking.folding import Facts
from devnet.checking.governance import check_enactments, check_vault
from devnet.checking.pools import check_pool_balances, check_pools
from devnet.checking.prices import check_prices, price_base
from devnet.checking.slashes import check_slashes
from devnet.model import Ledger


@dataclass(frozen=True, slots=True)
class Violation:
    """One invariant that does not hold; `text` has the numbers."""

    invariant: int
    title: str
    text: str

    def __str__(self) -> str:
        return f"invariant {self.invariant} ({self.title}): {self.text}"


Check = Callable[[Ledger, Facts], Iterator[str]]


@dataclass(frozen=True, slots=True)
class Invariant:
    """One of §11."""

    number: int
    title: str
    check: Check


def invariant_1(ledger: Ledger, facts: Facts) -> Iterator[str]:
    """Σ balances = total supply, constant."""
    total = sum(ledger.balances.values())
    if total != ledger.supply:
        yield f"all balances are {total} wei, the supply {ledger.supply}"
    if ledger.supply != facts.parameters.supply:
        yield f"the supply is {ledger.supply} wei, it was {facts.parameters.supply}"


def invariant_2(ledger: Ledger, facts: Facts) -> Iterator[str]:
    """Every contract holds what it owes, and what was donated to it."""
    stakes = sum(node.stake for node in ledger.nodes.values())
    if stakes != ledger.total_stake:
        yield f"the stakes sum to {stakes} wei, totalStake is {ledger.total_stake}"
    open_orders = [o for o in ledger.orders.values() if o is not None and not o.finalized]
    escrow = sum(order.deposit - order.consumed for order in open_orders)
    if escrow != ledger.escrowed:
        yield f"unfinalized orders hold {escrow} wei, escrowed is {ledger.escrowed}"
    bonds = sum(i.bond for i in ledger.incidents.values() if i is not None and i.pending)
    owed = {
        "Staking": stakes,
        "Rewards": facts.rewards.added - facts.rewards.paid,
        "Market": escrow,
        "Slashing": sum(node.seized for node in ledger.nodes.values()) + bonds,
    }
    if facts.parameters.vault is not None:
        owed["IncentiveVault"] = facts.parameters.vault.total - facts.governance.released
    for contract, amount in owed.items():
        held = ledger.balances.get(facts.parameters.addresses[contract], 0)
        donated = facts.donated[contract]
        if held != amount + donated or donated < 0:
            yield f"{contract} holds {held} wei, owes {amount}, was given {donated}"
    yield from check_pool_balances(ledger, facts.pools)


def invariant_3(ledger: Ledger, facts: Facts) -> Iterator[str]:
    """cycleTotalV = Σ cycleAccountV; an ended cycle's V and shared reward never change."""
    for number, cycle in ledger.cycles.items():
        total = sum(cycle.v.values())
        if cycle.total_v != total:
            yield f"cycle {number}: total V is {cycle.total_v}, its nodes' V sum to {total}"
        seen = facts.rewards.cycles.get(number)
        published = {name: v for name, v in seen.v.items() if v} if seen else {}
        if dict(cycle.v) != published:
            yield f"cycle {number}: V is {dict(cycle.v)}, published was {published}"
        reward = seen.reward if seen else 0
        if cycle.reward != reward:
            yield f"cycle {number}: reward is {cycle.reward} wei, its events give {reward}"
    for row in facts.incidents.voidings:
        if row.voided != row.due:
            yield f"{row.transaction}: {row.node} lost V {row.voided}, C7 takes {row.due}"
    for number, seen in facts.rewards.cycles.items():
        if (seen.reward or seen.total_v) and number not in ledger.cycles:
            yield f"cycle {number}: empty, its events give {seen.reward} wei, V {seen.total_v}"


def invariant_4(ledger: Ledger, facts: Facts) -> Iterator[str]:
    """cycleTotalV > 0 ⇒ 0 ≤ cycleReward - Σ shares < publishers of the cycle."""
    given = most = 0
    for number, cycle in ledger.cycles.items():
        if number >= ledger.cycle or not cycle.total_v:
            continue
        shares = sum(due_share(cycle.reward, v, cycle.total_v) for v in cycle.v.values())
        dust = cycle.reward - shares
        publishers = sum(1 for v in cycle.v.values() if v)  # C7 may have voided others
        if not 0 <= dust < publishers:
            yield f"cycle {number}: dust of {dust} wei among {publishers} publishers"
        given += cycle.reward
        most += publishers - 1
    # By what the contract has paid and says that it owes, not by a formula.
    left = given - facts.rewards.paid - sum(node.claimable for node in ledger.nodes.values())
    if not 0 <= left <= most:
        yield f"all ended cycles: dust of {left} wei, at most {most} can be"


def invariant_5(ledger: Ledger, facts: Facts) -> Iterator[str]:
    """paid + accrued + pending of a node = Σ of its ended shares; none is paid twice."""
    for name, node in ledger.nodes.items():
        if name not in facts.nodes.seen:
            yield f"{name} never registered by its events"
            continue
        seen = facts.rewards.publishers[name]
        if seen.paid + node.claimable != seen.ended_shares:
            yield (
                f"{name}: paid {seen.paid} + claimable {node.claimable} wei, "
                f"its ended shares are {seen.ended_shares}"
            )
        if node.accrued > node.claimable:
            yield f"{name}: accrued {node.accrued} wei exceed the claimable {node.claimable}"
    for claim in facts.rewards.claims:
        if claim.paid_before:
            yield f"{claim.transaction}: {claim.node} was paid {claim.paid_before} cycles again"


def invariant_6(ledger: Ledger, facts: Facts) -> Iterator[str]:
    """claimAll = Σ of the single claims it replaces, and a single claim is the share."""
    for claim in facts.rewards.claims:
        if claim.amount != claim.due:
            yield (
                f"{claim.transaction}: {claim.node} was paid {claim.amount} wei for "
                f"{len(claim.cycles)} cycles, due was {claim.due}"
            )


def invariant_7(ledger: Ledger, facts: Facts) -> Iterator[str]:
    """At most one ended V-less cycle holds reward, until the next event; Σ reward = added."""
    held = {
        number: cycle.reward
        for number, cycle in ledger.cycles.items()
        if number < ledger.cycle and cycle.reward and not cycle.total_v
    }
    if len(held) > 1:
        yield f"{len(held)} ended cycles without V hold reward: {held}"
    total = sum(cycle.reward for cycle in ledger.cycles.values())
    if total != facts.rewards.added:
        yield f"the cycles' rewards sum to {total} wei, added were {facts.rewards.added}"
    for row in facts.rewards.unrolled:
        yield (
            f"{row.transaction}: {row.event} in cycle {row.cycle} left reward in the "
            f"ended cycles {row.left}"
        )


def invariant_8(ledger: Ledger, facts: Facts) -> Iterator[str]:
    """Publications of a node: ⌊(L-1)/g⌋+1 a cycle, g blocks apart, in sequence, onwards."""
    gap = facts.parameters.gap_blocks
    most = (facts.parameters.cycle_blocks - 1) // gap + 1
    for row in facts.rewards.publications:
        at = f"{row.transaction}: {row.node}"
        if row.in_cycle > most:
            yield f"{at} published {row.in_cycle} times in cycle {row.cycle}, {most} at most"
        if row.previous_block is not None and row.block - row.previous_block < gap:
            yield f"{at} published in blocks {row.previous_block} and {row.block}, gap {gap}"
        if row.sequence != row.previous_sequence + 1:
            yield f"{at} published sequence {row.sequence} after {row.previous_sequence}"
        if row.cycle < row.previous_cycle:
            yield f"{at} published in cycle {row.cycle} after {row.previous_cycle}"


def invariant_9(ledger: Ledger, facts: Facts) -> Iterator[str]:
    """A publication ⇒ active, not suspended, full stake, V exactly by W1 and S."""
    for row in facts.rewards.publications:
        at = f"{row.transaction}: {row.node} published"
        if row.stake_wei < FULL_STAKE:
            yield f"{at} with a stake of {row.stake_wei} wei"
        if row.exiting:
            yield f"{at} after its exit request"
        if row.severe:
            yield f"{at} with {row.severe} pending incidents of levels 2 and 3"
        if row.v != row.due_v:
            yield f"{at} V {row.v}, W1 gives {row.due_v}"


def invariant_10(ledger: Ledger, facts: Facts) -> Iterator[str]:
    """What a slash takes is what rewards get and what the cycle's reward rises by (L4, L7)."""
    yield from check_slashes(ledger, facts)


def invariant_11(ledger: Ledger, facts: Facts) -> Iterator[str]:
    """Σ shares = total; Σ redeemable ≤ assets; Σ collected ≤ harvested - commission; equal loss."""
    yield from check_pools(ledger, facts.pools)


def invariant_12(ledger: Ledger, facts: Facts) -> Iterator[str]:
    """⌊0.75·m⌋ ≤ dynamic ≤ ⌊0.95·m⌋; base ≤ contingency ≤ 2·base; non-decreasing in u.

    What they follow from: an answer is of the feed's nodes and counts inside its bounds (O7).
    """
    yield from check_prices(ledger, facts)
    yield from check_feeds(ledger, facts.feeds)


def invariant_13(ledger: Ledger, facts: Facts) -> Iterator[str]:
    """Per order: company + rewards = C, which never falls; all of the deposit at the end."""
    for row in facts.market.settlements:
        at = f"{row.transaction}: order {row.order}"
        if not row.consumed_before <= row.consumed <= row.deposit:
            yield f"{at}: C went from {row.consumed_before} to {row.consumed} of {row.deposit} wei"
        if (row.fee, row.reward) != (row.to_company, row.to_rewards):
            yield (
                f"{at}: settled {row.fee} + {row.reward} wei, company got {row.to_company}, "
                f"rewards {row.to_rewards}"
            )
        if row.company_total + row.rewards_total != row.consumed:
            yield (
                f"{at}: company {row.company_total} + rewards {row.rewards_total} wei are "
                f"not C = {row.consumed}"
            )
    for ending in facts.market.endings:
        at = f"{ending.transaction}: order {ending.order}"
        if ending.company_total != ending.consumed // 10:
            yield f"{at}: the company got {ending.company_total} of C = {ending.consumed} wei"
        out = ending.company_total + ending.rewards_total + ending.refunded
        if out != ending.deposit or ending.refund != ending.refunded:
            yield (
                f"{at}: company {ending.company_total} + rewards {ending.rewards_total} + "
                f"refund {ending.refunded} wei are not the deposit of {ending.deposit}"
            )
    for number in sorted(facts.market.touched):
        order, seen = ledger.orders.get(number), facts.market.orders[number]
        if order is None:
            yield f"order {number} was created and is gone"
        elif (order.consumed, order.finalized) != (seen.consumed, seen.finalized):
            yield (
                f"order {number}: C = {order.consumed} wei, finalized {order.finalized}; "
                f"its events say {seen.consumed}, {seen.finalized}"
            )


def invariant_14(ledger: Ledger, facts: Facts) -> Iterator[str]:
    """released = E(j) for some j ≤ N; E(k) - E(k-1) never rises, for a total ≥ N(N+1)."""
    yield from check_vault(ledger, facts.governance)


def invariant_15(ledger: Ledger, facts: Facts) -> Iterator[str]:
    """A withdrawal ⇒ no pending slash and now ≥ exitAt ≥ unlockAt."""
    for row in facts.nodes.withdrawals:
        at = f"{row.transaction}: {row.node} withdrew"
        if row.pending:
            yield f"{at} with {row.pending} pending incidents"
        if not row.timestamp >= row.exit_at >= row.unlock_at or not row.exit_at:
            yield f"{at} at {row.timestamp}: exit at {row.exit_at}, unlock at {row.unlock_at}"
        if row.amount != row.stake_wei:
            yield f"{at} {row.amount} wei of a stake of {row.stake_wei}"


def invariant_16(ledger: Ledger, facts: Facts) -> Iterator[str]:
    """One hardwareId ↔ at most one live node; node key ↔ registration, proposal ↔ execution."""
    yield from check_enactments(facts.governance)
    for row in facts.nodes.registrations:
        if row.again:
            yield f"{row.transaction}: {row.node} registered again"
        if row.holder is not None:
            yield (
                f"{row.transaction}: {row.node} registered hardware 0x{row.hardware_id.hex()} "
                f"of the live node {row.holder}"
            )


INVARIANTS: Final = (
    Invariant(1, "tokens are conserved", invariant_1),
    Invariant(2, "contracts hold what they owe", invariant_2),
    Invariant(3, "V adds up", invariant_3),
    Invariant(4, "dust is small", invariant_4),
    Invariant(5, "shares are paid once", invariant_5),
    Invariant(6, "claim-all is the sum of claims", invariant_6),
    Invariant(7, "rewards roll", invariant_7),
    Invariant(8, "publications in order", invariant_8),
    Invariant(9, "only active nodes publish", invariant_9),
    Invariant(10, "slashes go to rewards", invariant_10),
    Invariant(11, "pools share alike", invariant_11),
    Invariant(12, "prices in bounds", invariant_12),
    Invariant(13, "deposits are split", invariant_13),
    Invariant(14, "the vault falls evenly", invariant_14),
    Invariant(15, "withdrawals wait", invariant_15),
    Invariant(16, "one machine, one node, one execution", invariant_16),
)


def check_all(ledger: Ledger, facts: Facts) -> tuple[Violation, ...]:
    """Every invariant; afterwards the facts' news are marked as checked."""
    facts.rewards.end_cycles(ledger.cycle)
    violations = tuple(
        Violation(invariant.number, invariant.title, text)
        for invariant in INVARIANTS
        for text in invariant.check(ledger, facts)
    )
    for resource, price in ledger.prices.items():
        if price.dynamic is not None:
            facts.last_prices[resource] = price_base(price), ledger.utilization, price.dynamic
    facts.mark()
    return violations
