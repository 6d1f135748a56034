"""Contracts and model agree after every step, whatever is done to them."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from properties.machine import Found, play
from properties.moves import MOVES
from properties.reducing import failure, reduced, same_as
from properties.scenario import save
from properties.tally import Tally
from properties.twins import NETWORK, Twins

# Only a contract may call these: the slashing contract, or the queue with what it executes.
NOBODY_MAY = {
    *(f"Staking.{name}" for name in ("slash", "suspend", "resume", "seize", "restore", "forfeit")),
    *("Rewards.voidV", "Rewards.setMaxV", "Gatekeepers.change", "Pricing.setContingency"),
    *("Slashing.setArbiter", "ExecutionQueue.setGuardian"),
}
SEQUENCES = 95  # of some 230 steps
DEEP_SEEDS = 50
FOUND = Path(".devnet/found")


def told(twins: Twins, found: Found) -> str:
    """The failure, the scenario it was reduced to, and where that lies."""
    kept = reduced(twins, found.actions, same_as(found.wrong))
    again = failure(twins, kept)
    assert again is not None
    name = "-".join(["found", *(str(n) for n in sorted(again[1].invariants))])
    path = save(FOUND / f"{name}.yaml", name, NETWORK, twins.done, again[1])
    return (
        f"{again[1]}\n{len(found.actions)} steps, {len(kept)} of them are enough; "
        f"again: devnet run {path} --cluster sim"
    )


def play_or_tell(twins: Twins, tally: Tally, sequences: int, seed: int | None = None) -> None:
    try:
        play(twins, tally, sequences, seed=seed)
    except Found as found:
        pytest.fail(told(twins, found), pytrace=False)


@pytest.mark.timeout(900)
def test_contracts_and_model_agree(twins: Twins, tally: Tally) -> None:
    """A fixed budget: the same 20 000 steps in every run."""
    started = tally.steps, time.monotonic()
    play_or_tell(twins, tally, SEQUENCES)
    assert tally.steps - started[0] >= 20_000
    assert tally.accepted.total() > tally.transactions / 2
    assert {verb for verb in tally.refused if not tally.accepted[verb]} <= NOBODY_MAY


@pytest.mark.timeout(6 * 3600)
@pytest.mark.parametrize("seed", range(DEEP_SEEDS))
def test_with_many_seeds(twins: Twins, tally: Tally, seed: int, deep: None) -> None:
    """A million steps, other ones with each seed."""
    play_or_tell(twins, tally, SEQUENCES, seed=seed)


def test_every_move_has_a_place() -> None:
    """Names are what failures speak of."""
    names = [move.name for move in MOVES]
    assert len(set(names)) == len(names)
