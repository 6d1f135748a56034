"""A devnet that stays: memory of chain and daemon over 20 000 blocks, and what idling costs.

The blocks are those of `devnet advance`, which plays all that falls due on the way: rounds of the
feeds, publications, cycles. Idling is `devnet up` at its default pace with every worker staked.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import psutil

from benchmarks.bound import Bound
from benchmarks.children import environment
from benchmarks.ratio import Ratio
from devnet.base import CheckFailed, Toolchain

FIRST: Final = 2_000
LAST: Final = 20_000
FEW: Final = (20, 40)  # those two in the smallest form
PIECE: Final = 1_000
FLAT: Final = Fraction(11, 10)
CHAIN_BYTES_A_BLOCK: Final = 16_384  # headers, receipts, logs, traces stay; 82 KB with states
WARM_SECONDS: Final = 20.0
IDLE_SECONDS: Final = 60.0
IDLE_PERCENT: Final = {"sim": Fraction(3), "native": Fraction(15)}  # of a core, all processes
COMMAND_SECONDS: Final = 300
NAME: Final = "soak"


@dataclass(frozen=True, slots=True)
class Raised:
    """A running devnet."""

    folder: Path
    daemon: psutil.Process
    chain: psutil.Process

    def block(self) -> int:
        number: int = _devnet(self.folder, "status", "--name", NAME)["block"]["number"]
        return number

    def advance_to(self, block: int) -> None:
        while (missing := block - self.block()) > 0:
            words = ("advance", "--blocks", str(min(PIECE, missing)), "--devnet", NAME)
            _devnet(self.folder, *words)

    def cpu_seconds(self) -> float:
        """Of the daemon and everything below it."""
        processes = [self.daemon, *self.daemon.children(recursive=True)]
        return sum(sum(process.cpu_times()[:2]) for process in processes)


def measure(smallest: bool = False) -> tuple[Ratio | Bound, ...]:
    """`native` only where its control plane is built, and not in the smallest form."""
    first, last = FEW if smallest else (FIRST, LAST)
    warm, idling = (0.0, 1.0) if smallest else (WARM_SECONDS, IDLE_SECONDS)
    with _raised("sim") as devnet:
        idle = [_idle("sim", devnet, warm, idling)]
        devnet.advance_to(first)
        daemon, chain = (p.memory_info().rss for p in (devnet.daemon, devnet.chain))
        devnet.advance_to(last)
        grown = devnet.chain.memory_info().rss - chain
        flat = Ratio(
            what=f"RSS of the daemon at block {last}, beside block {first}",
            ours=Fraction(devnet.daemon.memory_info().rss // 1024),
            peer=Fraction(daemon // 1024),
            unit="KiB",
            target=FLAT,
            at_least=False,
        )
    bounded = Bound(
        what=f"growth of the chain's RSS a block, from {first} to {last}",
        ours=Fraction(grown // (last - first)),
        peer=None,
        unit="bytes",
        target=Fraction(CHAIN_BYTES_A_BLOCK),
    )
    if not smallest and Toolchain().controlplane_cached() is not None:
        with _raised("native") as devnet:
            idle.append(_idle("native", devnet, warm, idling))
    return (flat, bounded, *idle)


def _idle(cluster: str, devnet: Raised, warm_seconds: float, seconds: float) -> Bound:
    time.sleep(warm_seconds)
    before, started = devnet.cpu_seconds(), time.monotonic()
    time.sleep(seconds)
    used = devnet.cpu_seconds() - before
    return Bound(
        what=f"an idle devnet on {cluster}, of one core",
        ours=Fraction(used * 100 / (time.monotonic() - started)).limit_denominator(1000),
        peer=None,
        unit="%",
        target=IDLE_PERCENT[cluster],
    )


@contextmanager
def _raised(cluster: str) -> Iterator[Raised]:
    with tempfile.TemporaryDirectory(prefix="kompute-bench-") as name:
        folder = Path(name)
        status = _devnet(folder, "up", "small", "--cluster", cluster, "--name", NAME)
        try:
            _devnet(folder, "stake", "all", "--devnet", NAME)
            daemon = psutil.Process(status["pid"])
            (chain,) = (child for child in daemon.children() if child.name() == "anvil")
            yield Raised(folder, daemon, chain)
        finally:
            _devnet(folder, "down", "--name", NAME)


def _devnet(folder: Path, *words: str) -> dict[str, Any]:
    """What the command answers, as JSON."""
    done = subprocess.run(
        [sys.executable, "-m", "devnet.cli", *words, "--json"],
        cwd=folder,
        env=environment(folder / "bytecode"),
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )
    if done.returncode:
        raise CheckFailed(f"devnet {' '.join(words)} ended with {done.returncode}: {done.stderr}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
