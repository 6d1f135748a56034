"""The model as a whole: what it decides, what it leaves alone, how fast it is."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from model_lived import lived_through
from model_world import KOMP, World, address, block_hash, parameters

from devnet.model import Model, NoSuchRule


def test_it_never_looks_at_the_chains_outcome() -> None:
    world = lived_through()
    blind = Model(parameters(), block_hash)
    for seen in world.history:
        lie = replace(seen, ok=not seen.ok, error=None if seen.error else "Lie", events=())
        outcome = blind.apply(lie)
        assert outcome is not None
        assert (outcome.ok, outcome.error) == (seen.ok, seen.error)
    assert blind.ledger(world.block, world.now) == world.ledger()


def test_a_refused_transaction_changes_nothing_and_emits_nothing(world: World) -> None:
    world.stake("worker-1")
    before = world.ledger()
    outcome = world.send("alice", "Rewards", "addReward", amount=10_001 * KOMP)
    assert (outcome.error, outcome.events) == ("ERC20InsufficientBalance", ())
    assert world.ledger() == before


def test_it_leaves_alone_what_is_no_call_of_a_contract(world: World) -> None:
    plain = replace(world.history[0], contract="", function="", to=address("bob"), args={})
    before = world.ledger()
    assert world.model.apply(plain) is None
    assert world.ledger() == before


def test_it_says_which_rule_it_lacks(world: World) -> None:
    strange = replace(world.history[0], contract="Staking", function="mint")
    with pytest.raises(NoSuchRule, match=r"no rule for Staking\.mint"):
        world.model.apply(strange)


def test_events_say_what_a_stake_did(world: World) -> None:
    events = world.stake("worker-1", 3).events
    assert [(e.contract, e.name) for e in events] == [
        ("Staking", "Staked"),
        ("Kompute", "Transfer"),
    ]
    assert events[0].args["unlockAt"] == world.now + 90 * 86_400
    assert events[1].args == {
        "from": address("worker-1-owner"),
        "to": address("Staking"),
        "value": 500 * KOMP,
    }


def test_it_decides_ten_thousand_transfers_in_a_second_of_processor_time(world: World) -> None:
    model, one = world.model, world.history[0]
    moves = [replace(one, args={"to": address("bob"), "value": n}) for n in range(10_000)]
    start = time.process_time()
    outcomes = [model.apply(move) for move in moves]
    spent = time.process_time() - start
    assert all(outcome and outcome.ok for outcome in outcomes)
    assert spent < 1


def test_a_view_sent_as_a_transaction_changes_nothing(world: World) -> None:
    before = world.ledger()
    for contract, function in (("Rewards", "currentCycle"), ("Market", "orderOf")):
        view = replace(world.history[0], contract=contract, function=function, view=True)
        assert world.model.apply(view) is None
    assert world.ledger() == before


def test_no_function_takes_eth(world: World) -> None:
    before = world.ledger()
    for seen in world.history[:3]:
        outcome = world.model.apply(replace(seen, value=1))
        assert outcome is not None
        assert (outcome.ok, outcome.error) == (False, "NoReason")
    assert world.ledger() == before


@pytest.mark.parametrize(
    ("used", "error", "ok", "skipped"),
    [
        (64_000, "NoReason", False, True),  # all of it
        (61_000, "NoReason", False, True),  # what three calls inside keep back is left
        (60_999, "NoReason", False, False),
        (64_000, "KompUsdStale", False, True),  # the feed ran out of it
        (64_000, "Panic", False, False),
        (64_000, None, True, False),
    ],
)
def test_what_the_chain_ran_out_of_gas_for_counts_as_never_sent(
    world: World, used: int, error: str | None, ok: bool, skipped: bool
) -> None:
    before = world.ledger()
    assert world.history[0].function == "transfer"
    seen = replace(world.history[0], ok=ok, error=error, gas=64_000, gas_used=used)
    assert (world.model.apply(seen) is None) == skipped
    assert (world.ledger() == before) == skipped


@pytest.mark.parametrize("bits", [128, 200])
def test_sums_beyond_128_bits_panic_as_the_chains_do(world: World, bits: int) -> None:
    world.prices()
    assert world.add_reward(KOMP).ok
    assert world.order().ok
    assert world.add_reward(2**bits - 1).error == (
        "Panic" if bits == 128 else "SafeCastOverflowedUintDowncast"
    )
    assert world.order(deposit=2**128 - 1).error == "Panic"
    assert world.order(deposit=10**30).error == "ERC20InsufficientBalance"
