"""What `devnet --help` costs: nobody waits for a help text."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.bound import Bound
from benchmarks.children import environment

PAIRS: Final = 9
LIMIT_SECONDS: Final = Fraction(1, 5)
HELP: Final = (sys.executable, "-m", "devnet.cli", "--help")
NOTHING: Final = (sys.executable, "-c", "pass")


def measure(smallest: bool = False) -> tuple[Bound, Bound]:
    """The medians of nine runs, each beside one of a Python that does nothing.

    The wall clock, which is what a person waits for, and the processor's time, which a busy
    machine leaves alone.
    """
    ours: list[tuple[float, float]] = []
    floor: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory(prefix="kompute-bench-") as folder:
        env = environment(Path(folder))
        _timed(HELP, env)  # the first start compiles
        for _ in range(1 if smallest else PAIRS):
            floor.append(_timed(NOTHING, env))
            ours.append(_timed(HELP, env))
    wall, processor = (
        Bound(
            what=f"devnet --help, {clock}, beside python -c pass",
            ours=Fraction(median(times[place] for times in ours)),
            peer=Fraction(median(times[place] for times in floor)),
            unit="s",
            target=LIMIT_SECONDS,
        )
        for place, clock in enumerate(("wall clock", "processor time"))
    )
    return wall, processor


def _timed(command: Sequence[str], env: Mapping[str, str]) -> tuple[float, float]:
    started, used = time.perf_counter(), _processor()
    subprocess.run(command, env=env, check=True, capture_output=True)
    return time.perf_counter() - started, _processor() - used


def _processor() -> float:
    """Seconds of all children that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
