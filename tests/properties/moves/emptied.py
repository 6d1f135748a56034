"""C7, L4: a level 2 that finds nothing left to take, in the cycle its node has published in."""

from __future__ import annotations

from collections.abc import Iterator

from devnet.model import staking
from devnet.model.slashing import CAP_SECONDS, MALICIOUS, OFFLINE

from ..action import Action, Advance, Send
from ..sight import Draw, Sight
from . import move
from .rewards import published
from .slashing import HOUR, reported


@move(1)
def emptied(draw: Draw, sight: Sight) -> Iterator[Action] | None:
    """A node publishes, and a level 1 of ten days takes all before its level 2 executes."""
    able = [w for w in sight.staked() if staking.is_active(sight.node(w))]
    able = [w for w in able if not sight.node(w).suspensions]
    return _emptied(draw, sight, draw.of(able)) if able else None


def _emptied(draw: Draw, sight: Sight, worker: str) -> Iterator[Action]:
    p, seconds = sight.model.parameters, sight.spec.chain.block_seconds
    node, cursors = sight.node(worker), sight.state.cursors
    cursor = max(cursors[sight.address(worker), OFFLINE], node.registered_at)
    window = p.appeal_window // seconds
    block = sight.next.number + max(-((sight.now - cursor - CAP_SECONDS[OFFLINE]) // seconds), 0)
    place = (block - p.genesis_block) % p.cycle_blocks
    if place == 0 or place + window + 6 > p.cycle_blocks:  # all of it in one cycle, after its first
        block += p.cycle_blocks - place + 1
    if block > sight.next.number:
        yield Advance(block - sight.next.number)
    yield published(draw, sight, worker)
    identity = len(sight.state.incidents) + 1
    for level, length in ((OFFLINE, CAP_SECONDS[OFFLINE]), (MALICIOUS, HOUR)):
        yield reported(draw, sight, worker, level, length)
    yield Advance(window)
    for number in draw.one((0, 1), (0, 1), (1, 0)):
        yield Send("mallory", "Slashing", "execute", {"id": identity + number})
