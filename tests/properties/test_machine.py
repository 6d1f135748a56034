"""Contracts and model agree after every step, whatever is done to them."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest

from devnet.model import pools
from devnet.model.model import FEED_RULES, RULES
from properties.machine import Found, play
from properties.moves import MOVES
from properties.reducing import failure, reduced, same_as
from properties.scenario import save
from properties.tally import Tally
from properties.twins import NETWORK, Twins

# Only a contract may call these: the slashing contract, or the queue with what it executes.
NOBODY_MAY = {
    *(f"Staking.{name}" for name in ("slash", "suspend", "resume", "seize", "restore", "forfeit")),
    *("Rewards.voidV", "Rewards.setMaxV", "Gatekeepers.change", "Gatekeepers.remove"),
    *("Pricing.setContingency", "Feed.setConfig"),
    *("Slashing.setArbiter", "ExecutionQueue.setGuardian"),
}
BUDGET = 20_000  # steps
SEQUENCES = 20  # at once, of some 250 steps
DEEP_SEEDS = 50
FOUND = Path(__file__).parents[2] / ".devnet" / "found"


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


def play_budget(twins: Twins, tally: Tally, seed: int) -> None:
    """At least BUDGET more steps, always the same for a seed."""
    enough = tally.steps + BUDGET
    for batch in count():
        if tally.steps >= enough:
            return
        try:
            play(twins, tally, SEQUENCES, seed=1000 * seed + batch)
        except Found as found:
            pytest.fail(told(twins, found), pytrace=False)


def _has(twins: Twins, contract: str, function: str) -> bool:
    """Mocks have functions of their own."""
    deployment = twins.chain.deployment
    if contract not in deployment.addresses:
        return False
    return any(entry.get("name") == function for entry in deployment.abi(contract))


@pytest.mark.timeout(900)
def test_contracts_and_model_agree(twins: Twins, tally: Tally) -> None:
    """The same 20 000 steps in every run; most are accepted, and each verb is now and then."""
    play_budget(twins, tally, seed=0)
    assert tally.steps >= BUDGET
    assert tally.accepted.total() > tally.transactions / 2
    assert tally.joined > tally.transactions / 5
    verbs = {f"{contract}.{name}" for contract, name in RULES if _has(twins, contract, name)}
    verbs |= {f"Pool.{function}" for function in pools.RULES}
    verbs |= {f"Feed.{function}" for function in FEED_RULES}
    assert verbs - NOBODY_MAY - {verb for verb, times in tally.accepted.items() if times} == set()


@pytest.mark.timeout(6 * 3600)
@pytest.mark.parametrize("seed", range(1, 1 + DEEP_SEEDS))
def test_with_many_seeds(twins: Twins, tally: Tally, seed: int, deep: None) -> None:
    """A million steps, other ones with each seed."""
    play_budget(twins, tally, seed)


def test_moves_have_names_of_their_own() -> None:
    """Names are what failures speak of."""
    names = [move.name for move in MOVES]
    assert len(set(names)) == len(names)
