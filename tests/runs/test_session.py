"""What becomes of a step; the world behind it is a stand-in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from unittest.mock import MagicMock

import pytest

from cluster.errors import NodeLost
from devnet.base import UsageError
from devnet.chain import Block, MinedBlock
from devnet.checking import Unmodelled
from devnet.protocol import ProtocolError
from devnet.runs.session import Session, StepOutcome
from devnet.runs.world import World
from devnet.spec.scenario import step_from_mapping
from devnet.steps import PERFORMERS
from devnet.steps.incidents import report
from devnet.steps.stage import Pace, Stage
from tests.actors.stage import GENESIS_TIME, directory, network


def session_of(world: MagicMock, removed: Sequence[str] = ()) -> Session:
    """An hour after genesis; the gatekeepers but for the `removed` ones are on chain."""
    spec = network()
    world.spec, world.directory = spec, directory(spec)
    world.chain.head = Block(5, GENESIS_TIME + 3600, "0x05")
    world.scheduler.lead.return_value = "gatekeeper-1"
    world.checks.after_step.return_value = []
    world.checks.unmodelled = None
    world.readings.is_gatekeeper.side_effect = lambda name: name not in removed
    world.readings.registered_at.return_value = GENESIS_TIME + 720
    return Session(world, MagicMock(spec=Pace))


def performed(monkeypatch: pytest.MonkeyPatch, error: Exception, **values: Any) -> StepOutcome:
    """The outcome of an `appeal` that raises."""

    def perform(stage: Stage, step: Any) -> str:
        raise error

    monkeypatch.setitem(PERFORMERS, "appeal", perform)
    return session_of(MagicMock()).perform(step_from_mapping("appeal", {"incident": 999, **values}))


REFUSED = ProtocolError("UnknownIncident", {"id": 999}, "there is no incident 999")


def test_what_a_view_refuses_is_the_step_s_rejection(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = performed(monkeypatch, REFUSED)
    assert (outcome.failure, outcome.error) == ("there is no incident 999", "UnknownIncident")


def test_what_a_view_refuses_can_be_expected(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = performed(monkeypatch, REFUSED, expect_error="UnknownIncident")
    assert outcome.ok
    assert outcome.did == "rejected with UnknownIncident, as expected"


def test_who_was_removed_is_asked_no_more() -> None:
    assert session_of(MagicMock()).stage.registered() == (
        "gatekeeper-1",
        ("gatekeeper-2", "gatekeeper-3"),
    )
    left = session_of(MagicMock(), ["gatekeeper-2"]).stage.registered()
    assert left == ("gatekeeper-1", ("gatekeeper-3",))


def test_without_the_one_that_hosts_the_control_plane_nobody_proposes() -> None:
    session = session_of(MagicMock(), ["gatekeeper-1"])
    outcome = session.perform(step_from_mapping("incident", {"worker": "worker-1", "level": 3}))
    assert outcome.failure.startswith(
        "gatekeeper-1 hosts the control plane and is no gatekeeper any more (R3)"
    )


@pytest.mark.parametrize("interval", [{"from": "61m"}, {"to": "2h"}, {"from": "3650d"}], ids=str)
def test_no_incident_lies_before_genesis(interval: dict[str, str]) -> None:
    step = step_from_mapping("incident", {"worker": "worker-1", "level": 2, **interval})
    with pytest.raises(UsageError, match="no incident of worker-1 lies before genesis") as refused:
        report(session_of(MagicMock()).stage, step)  # type: ignore[arg-type]
    assert refused.value.hint == "at most 1h ago"


def test_a_request_without_an_answer_fails_its_step() -> None:
    world = MagicMock()
    world.gateway.url.return_value = "http://127.0.0.1:1"  # nobody listens there
    session = session_of(world)
    world.scheduler.wishes = MagicMock()
    world.scheduler.wishes.__getitem__.return_value.outcome = "ok"
    world.scheduler.wishes.__getitem__.return_value.values.return_value = [1]
    session.perform(
        step_from_mapping("order", {"client": "alice", "service": "web", "deposit": "1 KOMP"})
    )
    outcome = session.perform(
        step_from_mapping("request", {"client": "alice", "service": "web", "path": "/x"})
    )
    assert outcome.failure.startswith("no answer from http://127.0.0.1:1/x: ")


def test_a_node_is_lost_once() -> None:
    world = MagicMock()
    world.cluster.fault.side_effect = NodeLost("node 'worker-1' is lost")
    outcome = session_of(world).perform(
        step_from_mapping("fault", {"worker": "worker-1", "kind": "offline"})
    )
    assert outcome.failure == "node 'worker-1' is lost (heal it first)"


def test_an_event_that_no_contract_has_is_no_expectation() -> None:
    world = MagicMock()
    world.contracts.event_names.return_value = frozenset({"Claimed", "Staked"})
    step = step_from_mapping("expect", {"event": {"name": "Claimedd", "count": 0}})
    outcome = session_of(world).perform(step)
    assert outcome.failure == "no contract has an event 'Claimedd' (did you mean 'Claimed'?)"


def test_where_the_checks_have_ended_each_step_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    world = MagicMock()
    session = session_of(world)
    step = step_from_mapping("appeal", {"incident": 999})
    monkeypatch.setitem(PERFORMERS, "appeal", lambda stage, step: "appealed")
    assert (session.perform(step).did, session.perform(step).unchecked_since) == ("appealed", None)
    world.checks.unmodelled = Unmodelled(7, "tx 0x in block 7: …")
    outcome = session.perform(step)
    assert (outcome.did, outcome.failure) == ("appealed; unchecked since block 7", "")
    assert outcome.unchecked_since == 7

    def refused(stage: Stage, step: Any) -> str:
        raise REFUSED

    monkeypatch.setitem(PERFORMERS, "appeal", refused)
    outcome = session.perform(step)
    assert outcome.failure == "there is no incident 999; unchecked since block 7"
    assert outcome.did == ""


def test_strangers_are_followed_until_nobody_can() -> None:
    world = World.__new__(World)
    world._history, world.scheduler, world.checks = MagicMock(), MagicMock(), MagicMock()
    world.cluster = MagicMock()  # without incidents
    world.ended = list  # type: ignore[method-assign]
    mined = MinedBlock(Block(7, GENESIS_TIME, "0x07"))
    for unmodelled in (None, Unmodelled(7, "tx 0x in block 7: …")):
        world.checks.unmodelled = unmodelled
        world._mined(mined, ())
        assert world.scheduler.follows is (unmodelled is None)
