"""Every attack of PROTOCOL 12 is a scenario, and the page of attacks is what the scenarios say."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.rules import rules
from devnet.spec import Scenario, load_scenario
from devnet.spec.attacks_page import page

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "e2e" / "scenarios" / "attacks"

# Of PROTOCOL 12, in its order; the last ones are of M1, M2, S6, S7, L5, L6 and O7.
LINES = (
    "pool-inflation-by-donation",
    "reward-sniping",
    "boundary-publication",
    "boundary-add-reward",
    "boundary-claim",
    "exit-to-dodge",
    "double-slash",
    "split-slash",
    "overlapping-levels",
    "reordered-slash",
    "slashed-node-claims",
    "claim-all-then-old-cycle",
    "re-registered-key",
    "pool-slashed-to-nothing",
    "pool-slashed-to-dust",
    "late-claim",
    "feeds-dead",
    "feed-zero",
    "feed-negative",
    "feed-wrong-decimals",
    "feed-future-timestamp",
    "feed-round-gap",
    "feeds-flapping",
    "held-back-crash",
    "re-entering-token",
    "replayed-signatures",
    "malformed-signatures",
    "future-block-zero-hash",
    "corrupt-gatekeepers",
    "shared-hardware",
    "over-deposit",
    "usage-replayed",
    "back-dated-halt",
    "appeal-griefing",
    "idle-arbiter",
    "integer-limits",
    "orphaned-result",
    "clock-drift-gatekeepers",
    "clock-drift-oracles",
    "understated-size",
    "zero-node",
    "strangers-key",
    "one-wei-exit",
    "absent-operator",
    "old-level-3",
    "last-wei",
    "cheap-shares",
    "finding-before-the-node",
    "removed-oracle",
)


@pytest.fixture(scope="module")
def scenarios() -> dict[str, Scenario]:
    paths = sorted(FOLDER.glob("*.yaml"))
    return {path.stem: load_scenario(path, environment={}) for path in paths}


def test_every_scenario_is_an_attack_of_protocol_and_every_attack_has_one(
    scenarios: dict[str, Scenario],
) -> None:
    lines = {name: s.attack.line if s.attack else "none" for name, s in scenarios.items()}
    assert {name: line for name, line in lines.items() if line not in LINES} == {}
    assert sorted(set(LINES) - set(lines.values())) == []


def test_every_attack_ends_with_invariants_and_model(scenarios: dict[str, Scenario]) -> None:
    for name, scenario in scenarios.items():
        last = scenario.steps[-1]
        asked = (getattr(last, "invariants", None), getattr(last, "model", None))
        assert (last.verb, asked) == ("expect", ("all", "equal")), name


def test_every_attack_is_refused_or_says_what_the_attacker_has_of_it(
    scenarios: dict[str, Scenario],
) -> None:
    """Of an attack that is accepted at every step and bounds no gain, nothing would be shown."""
    for name, scenario in scenarios.items():
        assert scenario.attack is not None
        refused = [step for step in scenario.steps if step.expect_error]
        bounded = [
            who
            for who, claim in scenario.attack.lost.items()
            if who.startswith("mallory") and claim.operator in ("==", ">", ">=")
        ]
        assert refused or bounded, name


def test_what_stops_an_attack_is_a_rule_of_protocol(scenarios: dict[str, Scenario]) -> None:
    known = {rule.name for rule in rules()}
    for name, scenario in scenarios.items():
        assert scenario.attack is not None
        assert set(scenario.attack.stopped_by) <= known, name


def test_the_page_is_what_the_scenarios_say() -> None:
    said = (ROOT / "docs" / "reference" / "attacks.md").read_text(encoding="utf-8")
    assert said == page(FOLDER), "python -m devnet.spec.attacks_page"
