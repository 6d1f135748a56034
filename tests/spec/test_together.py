"""The `together` step: a list of sends, each read as by itself, with its own line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from devnet.spec import SpecError, load_scenario, scenario_yaml, step_from_mapping, step_mapping
from devnet.spec.sending import MOST_TOGETHER, Together

if TYPE_CHECKING:
    from tests.spec.conftest import Town

ADD: dict[str, Any] = {
    "from": "treasury",
    "to": "Rewards",
    "function": "addReward",
    "args": {"amount": "1 KOMP"},
}
WRITTEN = [{"send": ADD}, {"send": {**ADD, "expect_error": "ZeroAmount"}}]
BLOCK = """together:
      - send: {from: treasury, to: Rewards, function: addReward, args: {amount: 1 KOMP}}
      - send:
          from: alice
          to: Rewards
          function: addReward
          args: {amount: 0}
          expect_error: ZeroAmount"""


def test_a_file_gives_a_list_and_every_send_keeps_its_line(town: Town) -> None:
    town.write_steps(BLOCK)
    (step,) = town.scenario().steps
    assert isinstance(step, Together)
    assert (step.line, [one.send.line for one in step.sends]) == (5, [6, 7])
    assert [(one.send.source, one.send.expect_error) for one in step.sends] == [
        ("treasury", None),
        ("alice", "ZeroAmount"),
    ]


def test_it_reads_back_as_itself(town: Town) -> None:
    step = step_from_mapping("together", {"sends": WRITTEN}, town.network())
    assert step_mapping(step) == {"together": WRITTEN}
    town.write_steps(BLOCK)
    before = town.scenario()
    town.write_scenario(scenario_yaml(before, "network.yaml"))
    (again,) = load_scenario(town.scenario_path, environment={}, profiles=town.profiles).steps
    assert step_mapping(again) == step_mapping(before.steps[0])


def only(seen: str) -> str:
    """Of an entry that is no send."""
    return f"only sends are mined together; seen '{seen}'; each is 'send: {{from: …, to: …}}'"


LIST = "must be a list of its sends; for example 'together: [{send: …}, {send: …}]'"


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ("[]", ": must not be empty"),
        ("", f": {LIST}"),
        ("all", f": {LIST}"),
        ("{send: {}}", f": {LIST}"),
        ("{sends: []}", f": {LIST}"),
        ("[claim: {worker: all}]", "[0]: " + only("claim")),
        ("[together: []]", "[0]: " + only("together")),
        ("[send]", "[0]: " + only("send")),
        ("[{}]", "[0]: " + only("")),
        ("[{send: {}, claim: {}}]", "[0]: " + only("send, claim")),
    ],
)
def test_what_is_no_list_of_sends_is_one_fault(town: Town, written: str, fault: str) -> None:
    town.write_steps("stake: {worker: all}", f"together: {written}")
    assert town.faults_of_scenario() == [f"scenario.yaml:6: steps[1].together{fault}"]


def test_every_fault_is_at_its_own_line(town: Town) -> None:
    town.write_steps(
        """together:
      - send: {from: treasuri, to: Rewards, function: addReward}
      - stake: {worker: all}
      - send:
          from: alice
          to: rewards
          funktion: addReward
      - send: {from: alice, to: Rewards, function: addReward}"""
    )
    assert town.faults_of_scenario() == [
        "scenario.yaml:6: steps[0].together[0].send.from: unknown account; seen 'treasuri'; "
        "did you mean 'treasury'?",
        "scenario.yaml:7: steps[0].together[1]: " + only("stake"),
        "scenario.yaml:8: steps[0].together[2].send.function: is missing",
        "scenario.yaml:10: steps[0].together[2].send.to: not the name of a contract; "
        "seen 'rewards'; for example Staking, Feed:komp_usd",
        "scenario.yaml:11: steps[0].together[2].send.funktion: unknown key; "
        "did you mean 'function'?",
    ]


def test_a_block_holds_so_many(town: Town) -> None:
    sends = [{"send": ADD}] * MOST_TOGETHER
    step = step_from_mapping("together", {"sends": sends}, town.network())
    assert isinstance(step, Together)
    assert len(step.sends) == MOST_TOGETHER
    with pytest.raises(SpecError) as refused:
        step_from_mapping("together", {"sends": [*sends, {"send": ADD}]}, town.network())
    (fault,) = refused.value.faults
    assert (fault.path, str(MOST_TOGETHER) in fault.message) == ("together", True)
