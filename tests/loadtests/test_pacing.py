"""Intended times: what a stall costs is seen, and a user never catches up without a word."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from loadtests.pacing import Pacer


class Clock:
    """Seconds that pass only when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def pacer(clock: Clock, dropped: list[int], most_late: int = 3) -> Pacer:
    return Pacer(2.0, most_late, clock, dropped.append)


def test_steps_are_due_at_their_intended_times_however_long_they_take() -> None:
    clock, dropped = Clock(), []
    paced = pacer(clock, dropped)
    assert paced.due == 100.0

    clock.now = 101.5
    paced.done()
    assert paced.due == 102.0
    assert paced.seconds_to_due() == 0.5

    clock.now = 105.0  # this one took longer than a step
    paced.done()
    assert paced.due == 104.0
    assert paced.seconds_to_due() == 0.0
    assert dropped == []


def test_a_user_that_is_too_late_drops_the_steps_it_missed() -> None:
    clock, dropped = Clock(), []
    paced = pacer(clock, dropped)

    clock.now = 113.0  # due is 102: five and a half steps late
    paced.done()

    assert dropped == [5]
    assert paced.due == 112.0


def test_what_the_protocol_has_it_wait_is_no_lateness() -> None:
    clock, dropped = Clock(), []
    paced = pacer(clock, dropped)

    clock.now = 113.0
    paced.done(excused_seconds=11.0)

    assert dropped == []
    assert paced.due == 113.0


def test_steps_that_were_due_and_never_began_are_counted() -> None:
    clock, dropped = Clock(), []
    paced = pacer(clock, dropped, most_late=100)
    assert paced.begin() == 100.0
    clock.now = 101.0
    paced.done()
    assert [paced.missed(end) for end in (102.0, 102.1, 104.0, 104.1, 120.0)] == [0, 1, 1, 2, 9]
    assert (paced.begun, dropped) == (1, [])


@given(st.lists(st.floats(0.0, 50.0), max_size=40))
def test_no_step_is_lost_without_being_counted(took: list[float]) -> None:
    clock, dropped = Clock(), []
    paced = pacer(clock, dropped)
    for seconds in took:
        clock.now = max(clock.now, paced.due) + seconds
        paced.done()
    assert paced.due == 100.0 + 2.0 * (len(took) + sum(dropped))
    assert clock.now - paced.due <= 3 * 2.0
