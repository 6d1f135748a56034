"""A gap of the observer's own clock casts doubt on what it sees, for a while."""

from __future__ import annotations

import pytest

from cluster.kubernetes.vigil import DOUBT_SECONDS, GAP_SECONDS, Vigil


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture()
def clock() -> Clock:
    return Clock()


def test_an_observer_that_was_awake_has_no_doubt(clock: Clock) -> None:
    vigil = Vigil(clock)
    for _ in range(50):
        clock.now += GAP_SECONDS / 2
        vigil.tick()
    assert vigil.doubt_seconds() == 0.0


def test_after_a_gap_there_is_doubt_for_whoever_asks_first_and_it_ends(clock: Clock) -> None:
    vigil = Vigil(clock)
    clock.now += 20.0
    assert vigil.doubt_seconds() == DOUBT_SECONDS
    while clock.now < 120.0 + DOUBT_SECONDS - 0.5:
        clock.now += 0.5
        assert vigil.doubt_seconds() == pytest.approx(120.0 + DOUBT_SECONDS - clock.now)
    clock.now += 0.6
    assert vigil.doubt_seconds() == 0.0


def test_while_another_witness_sleeps_and_a_while_after_it_there_is_doubt(clock: Clock) -> None:
    sleeping = {"etcd": False}
    vigil = Vigil(clock, lambda: sleeping["etcd"])
    clock.now += GAP_SECONDS / 2
    assert vigil.doubt_seconds() == 0.0
    sleeping["etcd"] = True
    for _ in range(40):
        clock.now += GAP_SECONDS / 2
        assert vigil.doubt_seconds() == DOUBT_SECONDS
    sleeping["etcd"] = False
    for seconds in range(1, 6):
        clock.now += GAP_SECONDS / 2
        assert vigil.doubt_seconds() == DOUBT_SECONDS - seconds * GAP_SECONDS / 2
