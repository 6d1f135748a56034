"""Every attack of PROTOCOL 12 is a scenario, and the page of attacks is what the scenarios say."""

from __future__ import annotations

from pathlib import Path

import pytest

from devnet.spec import Scenario, load_scenario
from devnet.spec.attacks_page import page

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "e2e" / "scenarios" / "attacks"

# PROTOCOL 12, in its order.
LINES = {
    "pool-inflation-by-donation": "pool inflation by donation",
    "reward-sniping": "reward sniping just before addReward",
    "boundary-publication": "publication at cycle boundaries L-1, L, L+1",
    "boundary-add-reward": "addReward at cycle boundaries L-1, L, L+1",
    "boundary-claim": "claim at cycle boundaries L-1, L, L+1",
    "exit-to-dodge": "exit to dodge a slash",
    "double-slash": "double slash of one incident",
    "split-slash": "split",
    "overlapping-levels": "overlapping levels",
    "reordered-slash": "re-ordered",
    "slashed-node-claims": "slashed node claims past cycles only",
    "claim-all-then-old-cycle": "claim-all, publish, then the old cycle again",
    "re-registered-key": "a key re-registered under another owner",
    "pool-slashed-to-nothing": "pool slashed 100 % then join/redeem/harvest",
    "pool-slashed-to-dust": "slashed to dust and refilled",
    "late-claim": "claim after thousands of cycles",
    "feeds-dead": "one, two, three feeds dead",
    "feed-zero": "zero",
    "feed-negative": "negative",
    "feed-wrong-decimals": "wrong decimals",
    "feed-future-timestamp": "future timestamp",
    "feed-round-gap": "round gap",
    "feeds-flapping": "flapping",
    "held-back-crash": "a real crash held back for ever",
    "re-entering-token": "a re-entering token",
    "replayed-signatures": "a signature replayed across chain, contract, cycle, sequence and node",
    "malformed-signatures": "duplicate, unsorted, high-s and removed-gatekeeper signatures",
    "future-block-zero-hash": "a future measured block with a zero hash",
    "corrupt-gatekeepers": "k corrupt gatekeepers",
    "shared-hardware": "two nodes on one hardware id",
    "over-deposit": "crediting beyond a deposit",
    "usage-replayed": "usage replayed",
    "back-dated-halt": "halt back-dated",
    "appeal-griefing": "appeal griefing",
    "idle-arbiter": "an idle arbiter",
    "integer-limits": "reward sums near the integer limits",
    "orphaned-result": "reorg under an anchored result",
    "clock-drift-gatekeepers": "clock drift",
    "clock-drift-oracles": "clock drift",
}


@pytest.fixture(scope="module")
def scenarios() -> dict[str, Scenario]:
    paths = sorted(FOLDER.glob("*.yaml"))
    return {path.stem: load_scenario(path, environment={}) for path in paths}


def test_every_scenario_is_an_attack_of_protocol_and_every_attack_has_one(
    scenarios: dict[str, Scenario],
) -> None:
    lines = {name: s.attack.line if s.attack else "none" for name, s in scenarios.items()}
    assert {name: line for name, line in lines.items() if line not in LINES} == {}
    assert sorted(LINES.keys() - set(lines.values())) == []


def test_every_attack_ends_with_invariants_and_model(scenarios: dict[str, Scenario]) -> None:
    for name, scenario in scenarios.items():
        last = scenario.steps[-1]
        asked = (getattr(last, "invariants", None), getattr(last, "model", None))
        assert (last.verb, asked) == ("expect", ("all", "equal")), name


def test_every_attack_is_refused_or_gains_nothing(scenarios: dict[str, Scenario]) -> None:
    """Of an attack that only expected to be accepted, nothing would be shown."""
    for name, scenario in scenarios.items():
        refused = [step for step in scenario.steps if step.expect_error]
        expected = [step for step in scenario.steps[:-1] if step.verb == "expect"]
        assert refused or expected, name


def test_the_page_is_what_the_scenarios_say() -> None:
    said = (ROOT / "docs" / "reference" / "attacks.md").read_text(encoding="utf-8")
    assert said == page(FOLDER), "python -m devnet.spec.attacks_page"
