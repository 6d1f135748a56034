"""Rows of the conformance table on every cluster with an API."""

from __future__ import annotations

import pytest

from cluster.conformance.row import Row
from cluster.conformance.subject import Subject
from cluster.conformance.suite import State, outcome


def test_it_holds_or_is_declared(there: Subject, row: Row) -> None:
    ended = outcome(there, row)
    assert ended.state is not State.FAILS, ended.text
    if ended.state is State.DECLARED:
        pytest.skip(f"not served by {there.cluster.name}: {ended.text}")
