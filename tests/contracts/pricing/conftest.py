"""The stage of these tests is a module beside them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from contracts_stage import Stage

sys.path.insert(0, str(Path(__file__).parent))

from pricing_stage import Market


@pytest.fixture
def market(stage: Stage) -> Iterator[Market]:
    yield Market(stage)
