"""The table of what is not served names behaviours that have a test, and says why."""

from __future__ import annotations

import re
from pathlib import Path

from tests.cluster.conformance.conftest import PROVIDERS
from tests.cluster.conformance.served import NOT_SERVED

BEHAVIOURS = {
    name
    for path in Path(__file__).parent.glob("test_*.py")
    for name in re.findall(r'@pytest\.mark\.behaviour\("([^"]+)"\)', path.read_text())
}


def test_only_behaviours_that_are_tested_are_declared() -> None:
    assert BEHAVIOURS
    for cluster, declared in NOT_SERVED.items():
        assert cluster in PROVIDERS
        assert set(declared) <= BEHAVIOURS
        assert all(len(reason.split()) > 4 for reason in declared.values())
