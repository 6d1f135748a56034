"""Where chain and model differ is said value by value."""

from __future__ import annotations

from dataclasses import replace

import pytest
from model_world import KOMP, World, address

from devnet.checking import Checker, Difference, agreement, outcome_difference
from devnet.model import Outcome
from devnet.protocol import Event


def test_equal_ledgers_have_no_difference(world: World) -> None:
    assert agreement(world.ledger(), world.ledger()) == ()


def test_a_difference_names_the_value_and_both_sides(world: World) -> None:
    chain, name = world.ledger(), address("worker-2")
    wrong = replace(chain.nodes[name], stake=475 * KOMP, sequence=9)
    model = replace(chain, nodes={**chain.nodes, name: wrong}, escrowed=5)
    found = agreement(chain, model, {name: "worker-2"})
    assert found == (
        Difference("nodes.worker-2.stake", 500 * KOMP, 475 * KOMP),
        Difference("nodes.worker-2.sequence", 1, 9),
        Difference("escrowed", 0, 5),
    )
    assert str(found[1]) == "nodes.worker-2.sequence: chain 1, model 9"


def test_what_one_side_lacks_is_said(world: World) -> None:
    chain = world.ledger()
    model = replace(chain, orders={1: chain.orders[1], 2: chain.orders[2]})
    (found,) = agreement(chain, model)
    assert found.path == "orders.3"
    assert str(found).endswith("model nothing")


def test_decisions_are_compared_by_their_named_error(world: World) -> None:
    refused = next(tx for tx in world.history if not tx.ok)
    assert outcome_difference(refused, Outcome(False, refused.error)) is None
    found = outcome_difference(refused, Outcome(True))
    assert found is not None
    assert (found.chain, found.model) == ("refuses with PublishedTooSoon", "accepts")
    other = outcome_difference(refused, Outcome(False, "NotActive"))
    assert other is not None
    assert other.model == "refuses with NotActive"


def test_events_are_compared_too(world: World) -> None:
    staked = next(tx for tx in world.history if tx.function == "stake")
    outcome = Outcome(True, None, tuple(staked.events[:1]))  # type: ignore[arg-type]
    found = outcome_difference(staked, outcome)
    assert found is not None
    assert found.path.startswith("Staking.stake in block 2 (0x")
    assert (found.chain[0][1], str(found.model)) == ("Transfer", "nothing")
    for events in (staked.events[::-1], (*staked.events, staked.events[0])):  # order, one twice
        outcome = Outcome(True, None, events)  # type: ignore[arg-type]
        found = outcome_difference(staked, outcome)
        assert found is not None
        assert (len(found.chain), len(found.model)) == (len(staked.events), len(events))


@pytest.mark.parametrize("accepted", [False, True])
def test_what_a_token_called_back_with_success_is_a_difference(
    world: World, accepted: bool
) -> None:
    staked = next(tx for tx in world.history if tx.function == "stake")
    outcome = Outcome(True, None, staked.events)  # type: ignore[arg-type]
    name = "CallbackAccepted" if accepted else "CallbackRefused"
    callback = Event("Kompute", name, {"target": "0x", "data": b""}, staked.block, staked.hash)
    found = outcome_difference(replace(staked, events=(callback, *staked.events)), outcome)
    assert (found and found.chain) == (
        [("Kompute", name, dict(callback.args))] if accepted else None
    )


def test_a_function_the_model_does_not_know_is_a_difference(world: World) -> None:
    checker = Checker(world.parameters, world.block_hash)
    strange = replace(world.history[0], contract="Staking", function="mint", block=9)
    checker.observe([strange, *world.history])  # and what follows is decided all the same
    (found,) = checker._decided
    assert str(found) == (
        f"Staking.mint in block 9 ({strange.hash}): chain accepts, model has no rule: not modelled"
    )
    refused = replace(strange, ok=False, error="NoReason", events=())
    checker.observe([refused])
    assert checker._decided[1].chain == "refuses with NoReason"
