"""The checkers' tests live on the network of the model's tests, `model_world`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "model"))
sys.path.insert(0, str(Path(__file__).parent))

from model_world import World, lived_through


@pytest.fixture
def world() -> World:
    """A network that has staked, published, claimed, been slashed, billed and refunded."""
    return lived_through()
