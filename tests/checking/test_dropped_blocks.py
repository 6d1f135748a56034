"""What strangers' contracts do is followed on a node that has the head's state and drops blocks."""

from __future__ import annotations

import foreign_code as code
import pytest
from chain_world import ChainWorld
from foreign_world import Foreign, names
from model_world import KOMP, address

from devnet.chain import pruning

KEPT, EVERY = 260, 40


@pytest.fixture
def foreign(dropping_world: ChainWorld, monkeypatch: pytest.MonkeyPatch) -> Foreign:
    monkeypatch.setattr(pruning, "KEPT_BLOCKS", KEPT)
    monkeypatch.setattr(pruning, "DROP_EVERY", EVERY)
    return Foreign(dropping_world)


def test_calls_of_a_stranger_are_followed_before_and_after_each_drop(foreign: Foreign) -> None:
    world = foreign.world
    market = world.contracts.address("Market")
    firsts = []
    for amount in range(1, 5):
        where = foreign.next_address()
        calls = [
            foreign.encoded("Kompute", "transfer", market, amount),
            foreign.encoded("Kompute", "approve", address("bob"), amount * KOMP),
        ]
        seen = foreign.send(None, code.program(code.call(*call) for call in calls))
        assert names(seen) == ["Kompute.transfer", "Kompute.approve"]
        assert {call.sender for call in seen.inner} == {where}
        world.mine(KEPT + EVERY)
        world.mine()
        firsts.append(world.chain.first)
        verdict = world.check(whole=True)
        assert verdict.ok, [*verdict.violations, *verdict.differences, verdict.unmodelled]
    assert firsts == sorted(set(firsts))  # each round dropped some
    assert world.checker.facts.donated["Market"] == 1 + 2 + 3 + 4
