"""The `together` step on a real chain: one block, in order, and every send judged by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from devnet.base import DevnetFolder, Toolchain
from devnet.record.replay import replay
from devnet.runs.runner import RunResult, run_scenario
from devnet.spec.scenario import load_scenario

ARENA = Path(__file__).parents[2] / "e2e" / "networks" / "arena.yaml"
REWARD = "{{from: {}, to: Rewards, function: addReward, args: {{amount: {}}}{}}}"
EXPECTED = ", expect_error: ZeroAmount"


def reward(amount: str, more: str = "", account: str = "treasury") -> str:
    return "send: " + REWARD.format(account, amount, more)


def ran(folder: Path, *steps: str) -> RunResult:
    """The steps on `sim`; the first stands on line 5."""
    path = folder / "block.yaml"
    lines = "".join(f"  - {step}\n" for step in steps)
    path.write_text(f"version: 1\nname: block\nnetwork: {ARENA}\nsteps:\n{lines}")
    toolchain = Toolchain()
    return run_scenario(
        load_scenario(path, environment={}),
        cluster="sim",
        folder=DevnetFolder.open("block", folder),
        toolchain=toolchain,
        say=toolchain.say,
    )


def together(*sends: str) -> str:
    return "together:\n" + "\n".join(f"      - {one}" for one in sends)


def test_all_are_in_one_block_in_their_order(tmp_path: Path) -> None:
    """The second spends what the first one gives, and the refused one between them is mined."""
    given = (
        "send: {from: alice, to: Kompute, function: transfer, args: {to: bob, value: 1000 KOMP}}"
    )
    result = ran(
        tmp_path,
        together(
            given.replace("bob", "mallory"),
            reward("0", EXPECTED),
            given.replace("alice", "mallory").replace("bob", "alice").replace("1000", "2000"),
        ),
        "expect: {client: alice, balance: 2000 KOMP}",
        "expect: {client: mallory, balance: 0 KOMP}",
    )
    assert result.verdict == "passed", [step.failure for step in result.steps]
    step = result.steps[0]
    assert step.last_block == step.first_block + 1
    assert step.did == (
        f"3 in block {step.last_block}: alice Kompute.transfer; "
        "treasury Rewards.addReward (rejected with ZeroAmount); mallory Kompute.transfer"
    )
    assert step.text.startswith("together: [{send: {from: alice, to: Kompute, function: transfer")
    assert replay(result.remains.bundle, Toolchain()).last_block.number == result.last_block.number


@pytest.mark.parametrize(
    ("sends", "failure", "error"),
    [
        (
            (reward("1 KOMP"), reward("0"), reward("2 KOMP", EXPECTED)),
            "send 2 of 3 (line 7), treasury Rewards.addReward: it was rejected with ZeroAmount: "
            "the amount is 0; send 3 of 3 (line 8), treasury Rewards.addReward: expected "
            "ZeroAmount, but it was accepted",
            "mixed",
        ),
        (
            (reward("0"), reward("1 KOMP"), reward("0")),
            "send 1 of 3 (line 6), treasury Rewards.addReward: it was rejected with ZeroAmount: "
            "the amount is 0; send 3 of 3 (line 8), treasury Rewards.addReward: it was rejected "
            "with ZeroAmount: the amount is 0",
            "ZeroAmount",
        ),
        (
            (reward("1 KOMP", EXPECTED),),
            "send 1 of 1 (line 6), treasury Rewards.addReward: expected ZeroAmount, but it was "
            "accepted",
            "",
        ),
    ],
    ids=["both", "refused", "accepted"],
)
def test_whichever_did_not_go_as_expected_is_named(
    tmp_path: Path, sends: tuple[str, ...], failure: str, error: str
) -> None:
    (step,) = ran(tmp_path, together(*sends)).steps
    assert (step.failure, step.error) == (failure, error)
    assert step.last_block == step.first_block + 1


def test_nothing_is_sent_where_an_argument_is_at_fault(tmp_path: Path) -> None:
    (step,) = ran(tmp_path, together(reward("1 KOMP"), reward("all"))).steps
    assert step.failure.startswith("send 2 of 2 (line 7): amount: ")
    assert step.last_block == step.first_block
