"""Whether a node had what its quota gives while it was measured; pure, the same for every peer.

The figure of a run is by the gatekeeper's clock alone. The processor time beside it only says
whether the run counts. The node states it: one that understates it is measured again, one that
overstates it keeps a worse figure, and neither makes more links of it than a core can. Where the
gatekeeper sees by itself what the node's pods had, that counts, also what those had that serve.
"""

from __future__ import annotations

from cluster.interface import Capacity
from cluster.perftest import rules
from cluster.perftest.transcript import ChainRun

_MS = 10**6


def quota_ns(run: ChainRun, capacity: Capacity) -> int:
    """Processor time that the node's quota gives in the time the run took; a quota above the
    machine's own cores gives those."""
    return _given_ns(run, capacity, run.nanoseconds)


def shortfall(run: ChainRun, capacity: Capacity) -> str:
    """Why a run does not count: its node had less than its quota gives. Empty when it had it."""
    given, told, had = quota_ns(run, capacity), run.processor, _had_ns(run)
    if had * 100 >= given * rules.LEAST_PERCENT_OF_QUOTA:
        return ""
    waited, missing = told.waited_ns, given - had
    why = (
        f"its processes waited {waited // _MS} ms to run"
        if 2 * waited >= missing
        else f"its processes waited only {waited // _MS} ms to run: the machine stood still, or "
        "the work was done elsewhere"
    )
    return (
        f"the node had {had // _MS} ms of the processor in {run.nanoseconds // _MS} ms, "
        f"{had * 100 // given} % of what its quota gives; {why} (of the machine's time "
        f"{_percent(told.stolen_ns, run.nanoseconds)} was stolen, and for "
        f"{_percent(told.pressed_ns, run.nanoseconds)} something waited for a core)"
    )


def excess(run: ChainRun, capacity: Capacity) -> str:
    """Why a run is no run of this node: more processor time, or more links of it, than it has."""
    had = _had_ns(run)
    given = _given_ns(run, capacity, run.nanoseconds)
    most = _given_ns(run, capacity, run.nanoseconds + rules.LONGEST_PERIOD_NS)
    if had * 100 > most * rules.MOST_PERCENT_OF_QUOTA:
        return (
            f"{had // _MS} ms of the processor in {run.nanoseconds // _MS} ms, "
            f"{had * 100 // given} % of what its quota gives: nothing holds the node to it"
        )
    links = len(run.checkpoints) * run.steps
    most = had * rules.MOST_STEPS_PER_SECOND_PER_MILLI_CPU // _MS
    if links > most:
        return (
            f"{links} links in {had // _MS} ms of the processor, where a core makes "
            f"{most} at most: they were made elsewhere, or before"
        )
    return ""


def _given_ns(run: ChainRun, capacity: Capacity, nanoseconds: int) -> int:
    milli = min(capacity.milli_cpu, run.processor.cores * 1000)
    return max(1, milli * nanoseconds // 1000)


def _had_ns(run: ChainRun) -> int:
    """The node's processor time: seen where the gatekeeper sees it, else as stated."""
    told = run.processor
    return told.used_ns if told.node_ns is None else told.node_ns


def _percent(part_ns: int | None, whole_ns: int) -> str:
    return "an unknown part" if part_ns is None else f"{part_ns * 100 // max(1, whole_ns)} %"
