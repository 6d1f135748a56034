"""What `devnet up --cluster sim` costs over its bare chain.

Ours is the wall clock of the commands, processes and all: `devnet up`, which returns with every
feed fresh and every worker's node ready, and then `devnet stake all`, which registers the workers
on chain (`devnet up` leaves staking to its user). The peer starts the same anvil and sends the same
signed transactions, block by block.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from statistics import median
from typing import Any, Final

from benchmarks.bound import Excess
from benchmarks.raised import NAME, devnet, raised
from devnet.base import CheckFailed, Toolchain
from devnet.chain import Anvil, Chain, Rpc
from devnet.record.bundle import Bundle, RecordedBlock, open_bundle

PAIRS: Final = 5
UP_SECONDS: Final = Fraction("1.2")  # over the peer, which starts a chain as well
STAKED_SECONDS: Final = Fraction("1.5")
SECONDS_PER_BLOCK: Final = "0.05"  # a step waits for its block: not what is measured here
WORKERS: Final = 4


@dataclass(frozen=True, slots=True)
class Raised:
    """Seconds until `devnet up` returned, and until all workers were registered."""

    up: float
    staked: float
    genesis: dict[str, Any]
    of_up: tuple[tuple[bytes, ...], ...]  # the signed transactions of each block that has some
    of_stake: tuple[tuple[bytes, ...], ...]


def measure(smallest: bool = False) -> tuple[Excess, Excess]:
    """Medians of pairs."""
    toolchain = Toolchain()
    toolchain.anvil()
    ours: list[Raised] = []
    peers: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory(prefix="kompute-bench-") as folder:
        _raise(Path(folder))  # the first start compiles
        for _ in range(1 if smallest else PAIRS):
            raised = _raise(Path(folder))
            ours.append(raised)
            peers.append(_bare(toolchain, raised, Path(folder) / "anvil"))
    return (
        Excess(
            what="devnet up --cluster sim: feeds fresh, nodes ready",
            ours=Fraction(median(raised.up for raised in ours)),
            peer=Fraction(median(up for up, _ in peers)),
            unit="s",
            target=UP_SECONDS,
        ),
        Excess(
            what="the same and devnet stake all: workers registered on chain",
            ours=Fraction(median(raised.staked for raised in ours)),
            peer=Fraction(median(staked for _, staked in peers)),
            unit="s",
            target=STAKED_SECONDS,
        ),
    )


def _raise(folder: Path) -> Raised:
    pace = ("--block-time", SECONDS_PER_BLOCK)
    started = time.perf_counter()
    with raised(folder, "sim", *pace) as status:
        up = time.perf_counter() - started
        outcome = devnet(folder, "stake", "all", "--devnet", NAME)
        staked = time.perf_counter() - started
    up_to, staked_to = status["block"]["number"], outcome["blocks"][1]
    with open_bundle(Path(status["run"]), verify=False) as bundle:
        _check(bundle, up_to, staked_to)
        blocks = [block for block in bundle.blocks() if block.transactions]
        genesis = dict(bundle.genesis)
    return Raised(
        up,
        staked,
        genesis,
        tuple(_raws(block) for block in blocks if block.number <= up_to),
        tuple(_raws(block) for block in blocks if up_to < block.number <= staked_to),
    )


def _check(bundle: Bundle, up_to: int, staked_to: int) -> None:
    """Every feed had its first round when `up` returned, every worker its stake afterwards."""
    names = bundle.genesis["deployment"]["addresses"]
    feeds = {name for name in names if name.startswith("Feed:")}
    invoked = [record for record in bundle.history() if record["type"] == "invoke"]
    fresh = {r["contract"] for r in invoked if r["function"] == "transmit" and r["block"] <= up_to}
    staked = {r["account"] for r in invoked if r["function"] == "stake" and r["block"] <= staked_to}
    failed = sum(1 for record in bundle.history() if record["type"] == "fail")
    if fresh != feeds or len(staked) != WORKERS or failed:
        raise CheckFailed(
            f"{len(fresh)} of {len(feeds)} feeds fresh, {len(staked)} of {WORKERS} workers "
            f"registered, {failed} transactions refused"
        )


def _raws(block: RecordedBlock) -> tuple[bytes, ...]:
    return tuple(transaction.raw for transaction in block.transactions)


def _bare(toolchain: Toolchain, raised: Raised, folder: Path) -> tuple[float, float]:
    chain_facts = raised.genesis["chain"]
    started = time.perf_counter()
    with (
        Anvil(
            toolchain.anvil(),
            genesis_timestamp=chain_facts["genesis_timestamp"],
            folder=folder,
            mnemonic=chain_facts["mnemonic"],
            accounts=chain_facts["accounts"],
        ) as anvil,
        Rpc(anvil.url) as rpc,
    ):
        chain = Chain(rpc, chain_facts["block_seconds"])
        chain.prepare()
        for block in raised.of_up:
            chain.mine(block)
        up = time.perf_counter() - started
        for block in raised.of_stake:
            chain.mine(block)
        return up, time.perf_counter() - started
