"""What `devnet --help` costs: nobody waits for a help text."""

from __future__ import annotations

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


def measure() -> Bound:
    """The median of nine runs, each beside one of a Python that does nothing."""
    ours: list[float] = []
    floor: list[float] = []
    with tempfile.TemporaryDirectory(prefix="kompute-bench-") as folder:
        env = environment(Path(folder))
        _wall(HELP, env)  # the first start compiles
        for _ in range(PAIRS):
            floor.append(_wall(NOTHING, env))
            ours.append(_wall(HELP, env))
    return Bound(
        what="devnet --help, beside python -c pass",
        ours=Fraction(median(ours)),
        peer=Fraction(median(floor)),
        unit="s",
        target=LIMIT_SECONDS,
    )


def _wall(command: Sequence[str], env: Mapping[str, str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, env=env, check=True, capture_output=True)
    return time.perf_counter() - started
