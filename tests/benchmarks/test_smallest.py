"""Each benchmark still runs: in its smallest form, as a process, rows come out."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import present
from devnet.base import Toolchain

ROOT = Path(__file__).parents[2]
ROWS = {
    "cli": 2,
    "cluster": 5,
    "economics": 3,
    "gas": 26,
    "load": 2,
    "soak": 3,
    "startup": 2,
}  # else 1
LONGEST_SECONDS = 300  # of a machine with other work


@pytest.mark.timeout(LONGEST_SECONDS + 30)
@pytest.mark.parametrize("name", present())
def test_a_benchmark_runs_in_its_smallest_form(name: str) -> None:
    if name in ("cluster", "controlplane") and Toolchain().controlplane_cached() is None:
        pytest.skip("the control plane is not built: devnet up --cluster native builds it")
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--smallest", "--json", name],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, f"measuring {name}\n")
    rows = json.loads(done.stdout)
    assert [row["benchmark"] for row in rows] == [name] * ROWS.get(name, 1)
    assert [row["held"] for row in rows] == [None] * len(rows)
    # All gas but the spread of claim-all, and every time, rate and size, is something; of an idle
    # devnet's few seconds the clock of the processor may tell none.
    maybe_nothing = {"claim all: most less least of these"} if name == "gas" else set()
    maybe_nothing |= {row["what"] for row in rows if row["what"].startswith("an idle devnet")}
    assert {row["what"] for row in rows if not row["ours"] > 0} <= maybe_nothing
