"""A devnet that stays: memory of chain and daemon over 20 000 blocks, and what idling costs.

The blocks are those of `devnet advance`, which plays all that falls due on the way: rounds of the
feeds, publications, cycles. Idling is `devnet up` at its default pace with every worker staked.

Memory is read twenty times a second meanwhile, in the middle of drops as well; the most of the
second thousand is what must stay.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

import psutil

from benchmarks.bound import Bound
from benchmarks.raised import NAME, devnet, raised
from benchmarks.ratio import Ratio
from devnet.base import Toolchain

FIRST: Final = 2_000
LAST: Final = 20_000
FEW: Final = (20, 40)  # those two in the smallest form
PIECE: Final = 1_000  # each command has rounds of its own, whose feeds keep them
FLAT: Final = Fraction(11, 10)
LOOK_SECONDS: Final = 0.05
WARM_SECONDS: Final = 20.0
IDLE_SECONDS: Final = 60.0
IDLE_PERCENT: Final = {"sim": Fraction(3), "native": Fraction(15)}  # of a core, all processes


@dataclass(frozen=True, slots=True)
class Running:
    """A devnet with every worker staked."""

    folder: Path
    daemon: psutil.Process
    chain: psutil.Process

    def block(self) -> int:
        number: int = devnet(self.folder, "status", "--name", NAME)["block"]["number"]
        return number

    def advance_to(self, block: int) -> Memory:
        """The most that was seen on the way."""
        over, most = threading.Event(), [self.memory()]

        def look() -> None:
            while not over.wait(LOOK_SECONDS):
                most[0] = most[0].with_most(self.memory())

        watch = threading.Thread(target=look, daemon=True)
        watch.start()
        try:
            while (missing := block - self.block()) > 0:
                words = ("advance", "--blocks", str(min(PIECE, missing)), "--devnet", NAME)
                devnet(self.folder, *words)
        finally:
            over.set()
            watch.join()
        return most[0].with_most(self.memory())

    def memory(self) -> Memory:
        return Memory(*(process.memory_info().rss for process in (self.daemon, self.chain)))

    def cpu_seconds(self) -> float:
        """Of the daemon and everything below it."""
        processes = [self.daemon, *self.daemon.children(recursive=True)]
        return sum(sum(process.cpu_times()[:2]) for process in processes)


@dataclass(frozen=True, slots=True)
class Memory:
    """RSS in bytes."""

    daemon: int
    chain: int

    def with_most(self, other: Memory) -> Memory:
        return Memory(max(self.daemon, other.daemon), max(self.chain, other.chain))


def measure(smallest: bool = False) -> tuple[Ratio | Bound, ...]:
    """`native` only where its control plane is built, and not in the smallest form."""
    first, last = FEW if smallest else (FIRST, LAST)
    warm, idling = (0.0, 1.0) if smallest else (WARM_SECONDS, IDLE_SECONDS)
    with _running("sim") as running:
        idle = [_idle("sim", running, warm, idling)]
        running.advance_to(first // 2)
        at_first = running.advance_to(first)
        most = running.advance_to(last)
    rows = (
        _flat("daemon", most.daemon, at_first.daemon, (first, last)),
        _flat("chain", most.chain, at_first.chain, (first, last)),
    )
    if not smallest and Toolchain().controlplane_cached() is not None:
        with _running("native") as running:
            idle.append(_idle("native", running, warm, idling))
    return (*rows, *idle)


def _flat(whose: str, most: int, before: int, blocks: tuple[int, int]) -> Ratio:
    return Ratio(
        what=f"RSS of the {whose}, the most to block {blocks[1]}, beside that to {blocks[0]}",
        ours=Fraction(most // 1024),
        peer=Fraction(before // 1024),
        unit="KiB",
        target=FLAT,
        at_least=False,
    )


def _idle(cluster: str, running: Running, warm_seconds: float, seconds: float) -> Bound:
    time.sleep(warm_seconds)
    before, started = running.cpu_seconds(), time.monotonic()
    time.sleep(seconds)
    used = running.cpu_seconds() - before
    return Bound(
        what=f"an idle devnet on {cluster}, of one core",
        ours=Fraction(used * 100 / (time.monotonic() - started)).limit_denominator(1000),
        peer=None,
        unit="%",
        target=IDLE_PERCENT[cluster],
    )


@contextmanager
def _running(cluster: str) -> Iterator[Running]:
    with tempfile.TemporaryDirectory(prefix="kompute-bench-") as name:
        folder = Path(name)
        with raised(folder, cluster) as status:
            devnet(folder, "stake", "all", "--devnet", NAME)
            daemon = psutil.Process(status["pid"])
            (chain,) = (child for child in daemon.children() if child.name() == "anvil")
            yield Running(folder, daemon, chain)
