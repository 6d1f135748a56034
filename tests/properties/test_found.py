"""What the machine finds becomes a scenario that `devnet run` replays."""

from __future__ import annotations

from pathlib import Path

import pytest

from devnet.base import DevnetFolder, Toolchain
from devnet.checking.invariants import Violation
from devnet.runs.runner import run_scenario
from devnet.spec.scenario import Scenario, load_scenario
from devnet.spec.sending import Together
from properties.action import Advance, Send, now
from properties.hunting import (
    ROOT,
    Seeded,
    hunt,
    judging,
    patched,
    scenario_of,
    seeded_errors,
)
from properties.reducing import reduced, renumbered, same_as
from properties.twins import Disagreement, Twins

EVERY = seeded_errors()
SAMPLE = (0, 3, 7)  # what CI hunts, all of these invariants; `--deep` hunts all
SLOW = ("00-cheap-shares",)  # minutes: a deep slash, a top-up and a small one after it
REPLAYED = ("03-void-half-done", "07b-one-reward-a-block")  # the second by sends in one block
MOST_STEPS = 40


def test_there_is_an_error_for_each_invariant() -> None:
    assert {seeded.invariant for seeded in EVERY} == set(range(17))
    assert all(seeded.error for seeded in EVERY)


@pytest.mark.parametrize("seeded", EVERY, ids=lambda seeded: seeded.patch.stem)
def test_every_seeded_error_fits_the_contracts_of_now(seeded: Seeded, tmp_path: Path) -> None:
    """Most are hunted with `--deep` only."""
    patched(seeded, tmp_path)
    (file,) = {line[6:] for line in seeded.patch.read_text().splitlines() if line[:4] == "+++ "}
    assert (tmp_path / file).read_text() != (ROOT / file).read_text()


@pytest.mark.timeout(3600)  # a few seconds each, the SLOW minutes, and more on a loaded machine
@pytest.mark.parametrize("seeded", EVERY, ids=lambda seeded: seeded.patch.stem)
def test_the_machine_finds_a_seeded_error(
    seeded: Seeded, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """With all checks, and by its invariant alone; a short scenario is left."""
    if seeded.invariant not in SAMPLE or seeded.patch.stem in SLOW:
        request.getfixturevalue("deep")
    every, alone = judging(seeded, patched(seeded, tmp_path / "project"))
    found = hunt(every)
    assert found is not None
    assert len(found.actions) <= MOST_STEPS
    path = scenario_of(seeded, every, found, tmp_path)
    assert played(load_scenario(path)) == len(found.actions)
    if alone is None:
        assert found.wrong.invariants == frozenset()
        return
    by_itself = hunt(alone)
    assert by_itself is not None
    assert by_itself.wrong.invariants == {seeded.invariant}


def played(scenario: Scenario) -> int:
    """How many actions its steps are."""
    return sum(len(s.sends) if isinstance(s, Together) else 1 for s in scenario.steps)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", REPLAYED)
def test_a_found_scenario_fails_on_the_error_and_passes_without_it(
    name: str, tmp_path: Path
) -> None:
    (seeded,) = (seeded for seeded in EVERY if seeded.patch.stem == name)
    toolchain = patched(seeded, tmp_path / "project")
    every, _ = judging(seeded, toolchain)
    found = hunt(every)
    assert found is not None
    scenario = load_scenario(scenario_of(seeded, every, found, tmp_path))

    def verdict(tools: Toolchain, name: str) -> tuple[str, int]:
        result = run_scenario(
            scenario,
            cluster="sim",
            folder=DevnetFolder.open(name, tmp_path),
            toolchain=tools,
            say=tools.say,
        )
        return result.verdict, len(result.steps)

    steps = len(scenario.steps)
    assert (steps < len(found.actions)) is (name == REPLAYED[1])
    assert verdict(Toolchain(), "mended") == ("passed", steps)
    assert verdict(toolchain, "broken") == ("failed", steps)


def broken(*numbers: int) -> Disagreement:
    """Of these invariants, and of model and contracts."""
    return Disagreement(["stake differs", *(Violation(number, "", "") for number in numbers)])


@pytest.mark.parametrize(
    ("found", "other", "in_common", "whole"),
    [
        (broken(3), broken(3, 4), True, True),
        (broken(3, 4), broken(3), True, False),
        (broken(3), broken(4), False, False),
        (broken(), broken(), True, True),
        (broken(), broken(3), False, False),
    ],
    ids=["more", "less", "another", "model-alone", "model-then-invariant"],
)
def test_a_reduced_failure_is_of_the_same_kind(
    found: Disagreement, other: Disagreement, in_common: bool, whole: bool
) -> None:
    assert same_as(found)(other) is in_common
    assert same_as(found, whole=True)(other) is whole


def test_what_does_not_fail_is_not_reduced(twins: Twins) -> None:
    with pytest.raises(ValueError, match="do not fail"):
        reduced(twins, [Advance(3)], lambda wrong: True)


def test_what_is_counted_is_counted_anew_without_an_earlier_one(twins: Twins) -> None:
    stake = Send(
        "worker-1-owner",
        "Staking",
        "stake",
        {
            "node": "worker-1",
            "hardwareId": {"hardware_id": "worker-1"},
            "months": 1,
            "deadline": now(60),
            "signatures": {"signers": ["gatekeeper-1", "gatekeeper-2"]},
            "nodeSignature": {"signers": ["worker-1"]},
        },
    )
    report = Send(
        "mallory",
        "Slashing",
        "report",
        {
            "node": "worker-1",
            "level": 1,
            "from": now(-3600),
            "to": now(0),
            "evidence": {"hash": "evidence"},
            "signatures": {"signers": ["gatekeeper-1", "gatekeeper-2"]},
        },
    )
    twins.act(stake)
    twins.act(Advance(3))
    seen = twins.act(report)
    assert seen is not None and seen.ok
    later = (Send("mallory", "Slashing", "execute", {"id": 1}),)
    later += (Send("mallory", "Slashing", "execute", {"id": 2}),)
    anew = renumbered(report, seen, later)
    assert [action.args["id"] for action in anew if isinstance(action, Send)] == [1, 1]
