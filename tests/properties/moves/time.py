"""Time passes: mostly a little, and often to just before, at or after a moment that matters."""

from __future__ import annotations

from devnet.protocol.states import IncidentStatus, ProposalStatus

from ..action import Advance
from ..sight import Draw, Sight
from . import move
from .slashing import due_at


@move(9)
def pass_a_little(draw: Draw, sight: Sight) -> Advance:
    return Advance(draw.one(1, 1, 2, 3, 5))


@move(6)
def to_a_boundary_of_cycles(draw: Draw, sight: Sight) -> Advance | None:
    """So that the next transaction is in block L-1, L or L+1 of the cycle (C1)."""
    p = sight.model.parameters
    ends = p.genesis_block + (sight.cycle + 1) * p.cycle_blocks
    return _to_block(ends + draw.one(0, 1, -1), sight)


@move(6)
def to_a_moment(draw: Draw, sight: Sight) -> Advance | None:
    """A block before, at or after what somebody waits for."""
    moments = waited_for(sight)
    if not moments:
        return None
    # The nearest is the likeliest: what lies months ahead makes all else stale.
    reach = min(len(moments), draw.one(1, 2, 3, len(moments)))
    chosen = moments[draw.integer(0, reach - 1)]
    seconds = sight.spec.chain.block_seconds
    blocks = -((sight.now - chosen) // seconds)
    return _to_block(sight.next.number + blocks + draw.one(0, 0, 1, -1), sight)


def _to_block(number: int, sight: Sight) -> Advance | None:
    blocks = number - sight.next.number
    return Advance(blocks) if blocks > 0 else None


def waited_for(sight: Sight) -> list[int]:
    """Every second in the future at which the rules change for somebody."""
    state, p = sight.state, sight.model.parameters
    moments: set[int] = set()
    for node in state.nodes:
        row = state.nodes[node]
        if not row.withdrawn:
            moments |= {row.unlock_at, row.exit_at}
            if row.owner in state.pools:
                moments.add(row.unlock_at + p.exit_delay)
    for _, incident in state.incidents.items():
        if incident.state is IncidentStatus.PENDING:
            moments.add(due_at(sight, incident))
    for _, order in state.orders.items():
        if order.acceptedAt and not order.finalized:
            end = min(order.acceptedAt + order.duration, order.createdAt + 30 * 86_400)
            end = min(end, order.closedAt) if order.closedAt else end
            moments |= {end, end + p.halt_delay}
    for _, proposal in state.proposals.items():
        if proposal.state is ProposalStatus.QUEUED:
            moments.add(proposal.queuedAt + p.timelock)
    for resource in p.cloud_feeds:
        price = state.prices[resource]
        longest = max(p.feeds[name].heartbeat for name in p.cloud_feeds[resource])
        if price.pendingAt:
            moments.add(price.pendingAt + longest)
        if price.storedAt:
            moments.add(price.storedAt + 3 * longest)
    return sorted(moment for moment in moments if moment > sight.now)
