"""The model's tests share one small network, `model_world`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))

from model_world import World

# A busy machine makes examples slow, not wrong.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture
def world() -> World:
    """A fresh network in its first block."""
    return World()
