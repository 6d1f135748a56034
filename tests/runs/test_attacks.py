"""An attack is defeated when every step held and everybody lost what the scenario claims."""

from __future__ import annotations

import pytest

from devnet.runs.attacks import Holdings, judged
from devnet.spec.attack import Attack

KOMP = 10**18
ATTACK = Attack.model_validate(
    {
        "line": "exit-to-dodge",
        "attempt": "A worker leaves.",
        "stopped_by": ["S5"],
        "lost": {"worker-1": "25 KOMP", "mallory": "<= 0 KOMP"},
    }
)
BEFORE = Holdings({"worker-1": 2000 * KOMP, "mallory": 1000 * KOMP})


def test_defeated() -> None:
    after = Holdings({"worker-1": 1975 * KOMP, "mallory": 1001 * KOMP})
    outcome = judged(ATTACK, BEFORE, after, held=True)
    assert outcome.defeated
    assert outcome.losses() == "worker-1 25 KOMP, mallory -1 KOMP"
    assert outcome.to_json() == {
        "line": "exit-to-dodge",
        "attempt": "A worker leaves.",
        "stopped_by": ["S5"],
        "lost": {"worker-1": str(25 * KOMP), "mallory": str(-KOMP)},
        "faults": [],
        "verdict": "defeated",
    }


def test_another_loss_than_claimed() -> None:
    outcome = judged(ATTACK, BEFORE, BEFORE, held=True)
    assert (outcome.verdict, outcome.faults) == (
        "not defeated",
        ("worker-1: lost: expected 25 KOMP, saw 0 KOMP",),
    )


@pytest.mark.parametrize("held", [True, False])
def test_a_step_that_did_not_hold(held: bool) -> None:
    after = Holdings({"worker-1": 1975 * KOMP, "mallory": 1000 * KOMP})
    assert judged(ATTACK, BEFORE, after, held=held).defeated == held
