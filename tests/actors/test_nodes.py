"""Who is gone, since when, and how long that is remembered."""

from __future__ import annotations

import pytest

from cluster.interface import ClusterEvent, EventKind
from devnet.actors.nodes import Nodes

LOST, READY = (
    ClusterEvent(kind, "worker-1") for kind in (EventKind.NODE_LOST, EventKind.NODE_READY)
)
KEPT = 1000


def nodes(*told: tuple[ClusterEvent, int]) -> Nodes:
    made = Nodes(KEPT)
    for event, now in told:
        made.tell(event, now)
    return made


def test_what_was_said_is_known_before_anybody_is_told() -> None:
    made = Nodes(KEPT)
    assert made.said("worker-1") is None
    made.hear(LOST)
    assert (made.said("worker-1"), made.is_lost("worker-1")) == (EventKind.NODE_LOST, False)


def test_of_a_pod_nothing_is_remembered() -> None:
    made, pod = Nodes(KEPT), ClusterEvent(EventKind.POD_LOST, "worker-1", "worker-1")
    made.hear(pod)
    made.tell(pod, 10)
    assert (made.said("worker-1"), made.is_lost("worker-1")) == (None, False)


@pytest.mark.parametrize(
    ("start", "end", "gone"),
    [(20, 60, True), (30, 40, True), (19, 60, False), (20, 61, False), (59, 80, False)],
)
def test_an_outage_lasts_from_the_loss_to_the_return(start: int, end: int, gone: bool) -> None:
    ended = nodes((LOST, 20), (LOST, 30), (READY, 60), (READY, 70), (LOST, 80))
    assert ended.was_lost("worker-1", start, end) is gone
    assert not ended.was_lost("worker-2", start, end)


def test_one_that_lasts_has_no_end_yet() -> None:
    lasting = nodes((LOST, 20))
    assert lasting.is_lost("worker-1")
    assert lasting.was_lost("worker-1", 20, 10**9)
    assert not lasting.was_lost("worker-1", 19, 30)


def test_what_nobody_may_report_any_more_is_forgotten() -> None:
    """L5: an outage counts for a while, however often a node comes and goes."""
    made = Nodes(KEPT)
    for start in range(0, 10 * KEPT, 20):
        made.tell(LOST, start)
        made.tell(READY, start + 10)
    last = 10 * KEPT - 20
    assert made.was_lost("worker-1", last, last + 10)
    assert made.was_lost("worker-1", last - KEPT + 20, last - KEPT + 30)
    assert not made.was_lost("worker-1", last - KEPT - 20, last - KEPT - 10)
