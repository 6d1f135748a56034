"""What becomes of a step; the world behind it is a stand-in."""

from __future__ import annotations

from typing import Any
from unittest.mock import MagicMock

import pytest

from devnet.protocol import ProtocolError
from devnet.runs.pace import Pace
from devnet.runs.performers import PERFORMERS
from devnet.runs.session import Session, StepOutcome
from devnet.spec.scenario import step_from_mapping


def performed(monkeypatch: pytest.MonkeyPatch, error: Exception, **values: Any) -> StepOutcome:
    """The outcome of an `appeal` that raises."""

    def perform(session: Session, step: Any) -> str:
        raise error

    monkeypatch.setitem(PERFORMERS, "appeal", perform)
    world = MagicMock()
    world.chain.head.number = 7
    world.checks.after_step.return_value = []
    session = Session(world, MagicMock(spec=Pace))
    return session.perform(step_from_mapping("appeal", {"incident": 999, **values}))


REFUSED = ProtocolError("NoSuchIncident", {"id": 999}, "there is no incident 999")


def test_what_a_view_refuses_is_the_step_s_rejection(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = performed(monkeypatch, REFUSED)
    assert (outcome.failure, outcome.error) == ("there is no incident 999", "NoSuchIncident")


def test_what_a_view_refuses_can_be_expected(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = performed(monkeypatch, REFUSED, expect_error="NoSuchIncident")
    assert outcome.ok
    assert outcome.did == "rejected with NoSuchIncident, as expected"
