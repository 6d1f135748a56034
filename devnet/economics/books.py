"""Those of the invariants that a year without a chain can break, checked on the state."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from devnet.economics.economy import Economy
from devnet.economics.population import Worker
from devnet.economics.tally import SLASHES, Tally
from devnet.model import pricing, rewards, staking, vault
from devnet.model.market import fee
from devnet.model.parameters import STAKE_WEI
from devnet.model.shares import due
from devnet.model.tables import Refused
from devnet.protocol.states import IncidentStatus


def each_cycle(economy: Economy, tally: Tally) -> Iterator[str]:
    """What is cheap: sums of whole tables."""
    yield from _tokens(economy)
    yield from _holdings(economy, tally)
    yield from _rewards(economy, tally)
    yield from _prices(economy)
    yield from _vault(economy)


def at_the_end(economy: Economy, workers: Sequence[Worker], tally: Tally) -> Iterator[str]:
    """Those, and what looks at every node, cycle and order."""
    yield from each_cycle(economy, tally)
    yield from _cycles(economy)
    yield from _nodes(economy, workers, tally)
    yield from _pools(economy)
    yield from _orders(economy)


def _tokens(economy: Economy) -> Iterator[str]:
    total = sum(amount for _, amount in economy.state.balances.items())
    if total != economy.parameters.supply:
        yield f"invariant 1: balances sum to {total} wei, supply is {economy.parameters.supply}"
    if any(amount < 0 for _, amount in economy.state.balances.items()):
        yield "invariant 1: a balance is below 0"


def _holdings(economy: Economy, tally: Tally) -> Iterator[str]:
    state = economy.state
    stakes = sum(node.stake for _, node in state.nodes.items())
    if stakes != state.total_stake.value:
        yield f"invariant 2: stakes sum to {stakes} wei, total is {state.total_stake.value}"
    owed = {
        "Staking": stakes,
        "Rewards": sum(tally.added.values()) - sum(tally.paid),
        "Market": state.escrowed.value,
        "Slashing": sum(amount for _, amount in state.escrow.items()) + _bonds(economy),
    }
    for contract, amount in owed.items():
        held = economy.balance(economy.parameters.addresses[contract])
        if held != amount:
            yield f"invariant 2: {contract} holds {held} wei and owes {amount}"


def _rewards(economy: Economy, tally: Tally) -> Iterator[str]:
    state, current = economy.state, economy.cycle
    held = [c for c, r in state.cycle_reward.items() if r and not state.cycle_total_v[c]]
    if sum(1 for cycle in held if cycle < current) > 1:
        yield f"invariant 7: ended cycles without V hold reward: {held}"
    total = sum(reward for _, reward in state.cycle_reward.items())
    if total != sum(tally.added.values()):
        yield f"invariant 7: cycles hold {total} wei, added were {sum(tally.added.values())}"
    executed = IncidentStatus.EXECUTED
    slashed = sum(i.amount for _, i in state.incidents.items() if i.state is executed)
    if slashed + tally.bonds_lost != tally.added[SLASHES]:
        yield (
            f"invariant 10: slashed {slashed} and lost bonds {tally.bonds_lost} wei, "
            f"rewards got {tally.added[SLASHES]}"
        )


def _bonds(economy: Economy) -> int:
    pending = IncidentStatus.PENDING
    return sum(i.bond for _, i in economy.state.incidents.items() if i.state is pending)


def _prices(economy: Economy) -> Iterator[str]:
    state, now = economy.state, economy.now
    for resource in economy.parameters.cloud_feeds:
        try:
            median, price = (
                pricing.market_price(state, resource, now),
                pricing.price(state, resource, now),
            )
        except Refused:
            continue
        if not 75 * median // 100 <= price <= 95 * median // 100:
            yield f"invariant 12: resource {resource} costs {price} of a median of {median}"


def _vault(economy: Economy) -> Iterator[str]:
    given, released = economy.parameters.vault, economy.state.released.value
    if given is None:
        return
    held = economy.balance(economy.parameters.addresses["IncentiveVault"])
    if held != given.total - released:
        yield f"invariant 2: the vault holds {held} wei, released {released} of {given.total}"
    k = vault.begun(given, economy.cycle)
    if released not in {vault.released_of(given.total, given.cycles, j) for j in (k - 1, k)}:
        yield f"invariant 14: the vault has released {released} wei, {k} cycles have begun"


def _cycles(economy: Economy) -> Iterator[str]:
    state = economy.state
    sums: dict[int, int] = {}
    shares: dict[int, int] = {}
    publishers: dict[int, int] = {}
    for (cycle, node), v in state.account_v.items():
        sums[cycle] = sums.get(cycle, 0) + v
        if cycle < economy.cycle:
            shares[cycle] = shares.get(cycle, 0) + rewards.share_of(state, node, cycle)
            publishers[cycle] = publishers.get(cycle, 0) + (1 if v else 0)
    for cycle, total in state.cycle_total_v.items():
        if total != sums.get(cycle, 0):
            yield f"invariant 3: cycle {cycle} has V {total}, its nodes' sum is {sums.get(cycle)}"
    for cycle, paid in shares.items():
        dust = state.cycle_reward[cycle] - paid
        if state.cycle_total_v[cycle] and not 0 <= dust < publishers[cycle]:
            yield f"invariant 4: cycle {cycle} leaves {dust} wei of dust"


def _nodes(economy: Economy, workers: Sequence[Worker], tally: Tally) -> Iterator[str]:
    state, cycle = economy.state, economy.cycle
    machines: dict[bytes, str] = {}
    for worker in workers:
        node, publisher = state.nodes[worker.node], state.publishers[worker.node]
        owed = rewards.settled(state, worker.node, cycle).accrued
        if tally.paid[worker.index] + owed != tally.earned[worker.index]:
            yield (
                f"invariant 5: {worker.name} was paid {tally.paid[worker.index]} wei and is owed "
                f"{owed}, its shares are {tally.earned[worker.index]}"
            )
        if publisher.sequence != tally.published[worker.index]:
            yield (
                f"invariant 8: {worker.name} published {tally.published[worker.index]} times, its "
                f"sequence is {publisher.sequence}"
            )
        if not 0 <= node.stake <= STAKE_WEI:
            yield f"invariant 10: {worker.name} has a stake of {node.stake} wei"
        if node.withdrawn and not node.exit_at >= node.unlock_at > 0:
            yield f"invariant 15: {worker.name} withdrew before it was unlocked"
        if staking.is_live(node):
            other = machines.setdefault(node.hardware_id, worker.name)
            if other != worker.name:
                yield f"invariant 16: {worker.name} and {other} are one machine"


def _pools(economy: Economy) -> Iterator[str]:
    state = economy.state
    shares: dict[str, int] = {}
    owed: dict[str, int] = {}
    for (address, _), member in state.members.items():
        pool = state.pools[address]
        shares[address] = shares.get(address, 0) + member.shares
        owed[address] = owed.get(address, 0) + due(member, pool.rewards_per_share)
    for address, pool in state.pools.items():
        if shares.get(address, 0) != pool.total_shares:
            yield f"invariant 11: {address} has {pool.total_shares} shares, its members' differ"
        owes = owed.get(address, 0) + pool.commission + pool.unredeemed
        if economy.balance(address) < owes:
            yield f"invariant 11: {address} holds {economy.balance(address)} wei, owes {owes}"


def _orders(economy: Economy) -> Iterator[str]:
    escrowed = company = 0
    for identity, order in economy.state.orders.items():
        company += fee(order.consumed)
        if not order.finalized:
            escrowed += order.deposit - order.consumed
        if not 0 <= order.consumed <= order.deposit:
            yield f"invariant 13: order {identity} cost {order.consumed} of {order.deposit} wei"
    if escrowed != economy.state.escrowed.value:
        yield f"invariant 2: open orders hold {escrowed}, the market {economy.state.escrowed.value}"
    held = economy.balance(economy.parameters.company)
    if company != held:
        yield f"invariant 13: the company has {held} wei, due are {company}"
