"""What a year costs: 10 000 nodes, weekly cycles, pools, slashes and appeals."""

from __future__ import annotations

import time
from fractions import Fraction
from typing import Final

from benchmarks.bound import Bound
from benchmarks.ratio import Ratio
from devnet.base import assets
from devnet.economics.year import simulate
from devnet.model.rewards import share, value
from devnet.spec.loading import load_network

LIMIT_SECONDS: Final = Fraction(60)
# Ours decides every call with all its checks, tables and events; the peer only multiplies.
MOST_TIMES: Final = Fraction(150)
FACTORS: Final = (1_000_000, 1_000_000, (576_000, 253_000, 171_000), 12_000)
REWARD: Final = 10**23
FEW: Final = {f"workers[{group}].count": "10" for group in range(8)}  # of 500 to 2 500


def measure(smallest: bool = False) -> tuple[Bound, Bound, Ratio]:
    """One year: the wall clock, which is what a person waits for, and the processor's time, which a
    busy machine leaves alone, beside the bare arithmetic of its shares.

    The floor is a loop over the same nodes and cycles that computes V and the share, nothing else.
    """
    network = assets.root() / "e2e" / "networks" / "year.yaml"
    spec = load_network(network, FEW if smallest else None, environment={})
    started, used = time.perf_counter(), time.process_time()
    result = simulate(spec, say=lambda _: None)
    wall, ours = time.perf_counter() - started, time.process_time() - used
    if not result.ok:
        raise AssertionError("\n".join(result.violations))
    published = sum(row.publishers for row in result.cycles)
    what = (
        f"a year: {result.nodes} nodes, {len(result.cycles)} cycles, {result.pools.pools} pools, "
        f"{result.incidents} incidents, {result.calls} calls"
    )
    return (
        Bound(f"{what}; wall clock", Fraction(wall), None, "s", LIMIT_SECONDS),
        Bound("the same, processor time", Fraction(ours), None, "s", LIMIT_SECONDS),
        Ratio(
            "processor time beside the arithmetic of V and shares alone",
            Fraction(ours),
            Fraction(_arithmetic(published)),
            "s",
            MOST_TIMES,
            at_least=False,
        ),
    )


def _arithmetic(publications: int) -> float:
    used = time.process_time()
    total = 0
    for _ in range(publications):
        v = value(*FACTORS)
        total += v
        share(REWARD, v, total)
    return time.process_time() - used
