"""How long a control plane takes to be ready, beside `kwokctl create cluster --runtime binary`.

Both start the same etcd, API server, controller manager and scheduler; both count from the start
of a process of their own (a Python of ours, kwokctl) until the API server's /readyz and the
healthz of the two others answer 200. kwokctl's own controller is left out. In turns; medians.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
import uuid
from fractions import Fraction
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.bound import Bound
from benchmarks.children import environment
from benchmarks.kwokctl import KWOK, READY_SECONDS, created, get_kwokctl, kwokctl_cached
from benchmarks.ratio import Ratio
from devnet.base import Toolchain
from devnet.base.environment import plain_environment

PAIRS: Final = 5
TARGET: Final = Fraction(85, 100)


def measure(smallest: bool = False) -> Ratio | Bound:
    """The control plane must be built; kwokctl is built once into the cache, or left out of the
    smallest form."""
    toolchain = Toolchain()
    tools = toolchain.controlplane()
    kwokctl = kwokctl_cached(toolchain) if smallest else get_kwokctl(toolchain)
    ours: list[float] = []
    peer: list[float] = []
    with tempfile.TemporaryDirectory(prefix="kompute-bench-") as folder:
        bytecode = Path(folder)
        _ours(tools, bytecode)  # the first start compiles, and reads 300 MB of programs
        if kwokctl is None:
            alone = Fraction(_ours(tools, bytecode))
            return Bound("control plane ready", alone, None, "s", Fraction(READY_SECONDS))
        for _ in range(1 if smallest else PAIRS):
            peer.append(_peer(kwokctl, tools))
            ours.append(_ours(tools, bytecode))
    return Ratio(
        what=f"control plane ready, beside kwokctl {KWOK}",
        ours=Fraction(median(ours)),
        peer=Fraction(median(peer)),
        unit="s",
        target=TARGET,
        at_least=False,
    )


def _ours(tools: Path, bytecode: Path) -> float:
    own = plain_environment(KOMPUTE_DEVNET_ID=f"bench-{uuid.uuid4().hex[:12]}")
    with tempfile.TemporaryDirectory(prefix="kompute-bench-") as folder:
        started = time.perf_counter()
        with subprocess.Popen(
            [sys.executable, "-m", "benchmarks.plane", folder, str(tools)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(bytecode),
        ) as process:
            assert process.stdin is not None and process.stdout is not None
            process.stdin.write(json.dumps(own) + "\n")
            process.stdin.flush()
            said = process.stdout.readline().strip()
            seconds = time.perf_counter() - started
            process.stdin.close()
            process.wait(READY_SECONDS)
    if said != "ready":
        raise RuntimeError(f"our control plane did not come up: exit {process.returncode}")
    return seconds


def _peer(kwokctl: Path, tools: Path) -> float:
    with tempfile.TemporaryDirectory(prefix="kompute-bench-") as folder:
        started = time.perf_counter()
        with created(kwokctl, tools, Path(folder)) as peer:
            peer.wait_ready()
            return time.perf_counter() - started
