"""What the folder of attacks costs: one `devnet run` of them all, each on a devnet of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Final

from benchmarks.bound import Bound
from benchmarks.children import environment
from devnet.base import CheckFailed, assets

LIMIT_SECONDS: Final = Fraction(180)
COMMAND_SECONDS: Final = 1_200  # until the run counts as hung
SHORT: Final = ("exit-to-dodge", "one-wei-exit")


def measure(smallest: bool = False) -> Bound:
    """The wall clock that the run itself tells; raises CheckFailed where an attack succeeds."""
    folder = assets.root() / "e2e" / "scenarios" / "attacks"
    attacks = [folder / f"{name}.yaml" for name in SHORT] if smallest else [folder]
    with tempfile.TemporaryDirectory(prefix="kompute-bench-") as place:
        done = subprocess.run(
            [sys.executable, "-m", "devnet.cli", "run", *attacks, "--cluster", "sim", "--json"],
            cwd=place,
            env=environment(Path(place) / "bytecode"),
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
    if done.returncode:
        raise CheckFailed(f"devnet run {folder} ended with {done.returncode}: {done.stderr}")
    ran = json.loads(done.stdout)
    what = f"devnet run of {len(ran['attacks'])} attacks on sim, wall clock"
    return Bound(what, Fraction(ran["seconds"]), None, "s", LIMIT_SECONDS)
