"""A stall of the whole process shows, though every clock of a request stood still with it."""

from __future__ import annotations

import pytest

from loadtests.pulse import Pulse
from tests.loadtests.test_pacing import Clock


def test_ticks_in_time_and_a_little_late_are_no_stall() -> None:
    clock = Clock()
    pulse = Pulse(clock)
    for late in (0.0, 0.1, 0.24):
        clock.now += 0.1 + late
        pulse.tick()
    assert pulse.stalled_seconds() == 0.0


def test_a_stall_is_seen_at_once_and_counted_once() -> None:
    clock = Clock()
    pulse = Pulse(clock)
    clock.now += 12.1
    assert pulse.stalled_seconds() == pytest.approx(12.0)  # whoever wakes up before the tick
    pulse.tick()
    assert pulse.stalled_seconds() == pytest.approx(12.0)
    clock.now += 1.1
    pulse.tick()
    assert pulse.stalled_seconds() == pytest.approx(13.0)
