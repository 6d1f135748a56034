"""Locust's transactions a second over those of a bare client that sends the same ones.

Both are processes of their own, both send the same signed KOMP transfers to the same chain from
the same state, in turns; a block is mined every 0.25 s, as in `devnet load`. Timed from the first
transaction to the block that holds the last. Once more through the door before the chain, which is
here, as in a devnet, in the process that mines.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from statistics import median
from types import TracebackType
from typing import Final, Self

from benchmarks.ratio import Ratio
from devnet.base import CheckFailed, StartFailed, Toolchain
from devnet.chain import Account, Anvil, Chain, Rpc, Transaction, derive, sign
from devnet.chain.anvil import BLOCK_GAS_LIMIT
from devnet.chain.door import RpcDoor
from devnet.deploy import compile_contracts
from devnet.deploy.execution import creation_code
from devnet.protocol.artifacts import Artifact
from devnet.protocol.contracts import Interface
from loadtests.transfers import write_lanes

USERS: Final = 50
EACH: Final = 40
ROUNDS: Final = 9
FEW_EACH: Final = 2  # in the smallest form
SECONDS_PER_BLOCK: Final = 0.25
ROUND_SECONDS: Final = 60.0
FUNDS_WEI: Final = 1_000
SUPPLY_WEI: Final = 10**24
TARGET: Final = Fraction(7, 10)


def measure(smallest: bool = False) -> tuple[Ratio, Ratio]:
    """The median of nine rounds of each side: to the node itself, and through the door."""
    each, rounds = (FEW_EACH, 1) if smallest else (EACH, ROUNDS)
    transactions = USERS * each
    toolchain = Toolchain()
    names = ["holder", *(f"user-{n}" for n in range(USERS))]
    holder, *users = derive(
        "test test test test test test test test test test test junk", names
    ).values()
    with tempfile.TemporaryDirectory(prefix="kompute-bench-") as folder:
        path = Path(folder)
        with (
            Anvil(toolchain.anvil(), genesis_timestamp=1_767_225_600, folder=path) as anvil,
            Rpc(anvil.url) as rpc,
            RpcDoor(anvil.url, most_waiting=BLOCK_GAS_LIMIT) as door,
        ):
            chain = Chain(rpc, 12)
            chain.prepare()
            artifact = compile_contracts(toolchain, lambda text: print(text, file=sys.stderr))[
                "Kompute"
            ]
            token = _deploy(chain, artifact, holder, users)
            transfer = Interface.of(artifact.abi).functions["transfer"]
            data = transfer.selector + transfer.inputs.encode((holder.address, 1))
            lanes, stats = path / "lanes.jsonl", path / "stats.json"
            write_lanes(lanes, users, token, data, each, chain.chain_id)
            keepalive = (sys.executable, "-m", "benchmarks.keepalive", anvil.url, str(lanes))
            sides = {
                url: [*(sys.executable, "-m", "loadtests.throughput"), url, str(lanes), str(stats)]
                for url in (anvil.url, door.url)
            }
            peer: list[float] = []
            ours: dict[str, list[float]] = {url: [] for url in sides}
            with ExitStack() as stack:
                bare = stack.enter_context(_Sender(keepalive, transactions))
                senders = {
                    url: stack.enter_context(_Sender(c, transactions)) for url, c in sides.items()
                }
                for _ in range(rounds):
                    peer.append(bare.round(chain))
                    for url, locust in senders.items():
                        ours[url].append(locust.round(chain))
                        _require_all(json.loads(stats.read_text()), transactions)
            return (
                _ratio("Locust's transactions a second", ours[anvil.url], peer, transactions),
                _ratio(
                    "Locust's transactions a second through the door",
                    ours[door.url],
                    peer,
                    transactions,
                ),
            )


def _ratio(what: str, ours: list[float], peer: list[float], transactions: int) -> Ratio:
    return Ratio(
        what=f"{what} ({transactions} transfers of {USERS} users)",
        ours=Fraction(transactions / median(ours)),
        peer=Fraction(transactions / median(peer)),
        unit="tx/s",
        target=TARGET,
    )


class _Sender:
    """A context manager: one side's process, which sends all transactions whenever it is told."""

    def __init__(self, command: Sequence[str], transactions: int) -> None:
        self._name, self._transactions = command[2], transactions
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[1],
        )

    def __enter__(self) -> Self:
        self._expect("ready")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def round(self, chain: Chain) -> float:
        """Seconds from the word to the block with the last transaction; the chain is put back."""
        snapshot = chain.snapshot()
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        seconds = _mine_all(self._name, chain.rpc, self._transactions)
        self._expect("done")
        chain.revert(snapshot)
        return seconds

    def _expect(self, word: str) -> None:
        assert self._process.stdout is not None
        said = self._process.stdout.readline().strip()
        if said != word:
            ended = "" if said else f"; it ended with exit code {self._process.wait(10)}"
            raise StartFailed(f"{self._name} said '{said}' where '{word}' was due{ended}")


def _deploy(chain: Chain, artifact: Artifact, holder: Account, users: Sequence[Account]) -> str:
    """The token, with something on every user's account; its address."""
    code = creation_code(artifact, (holder.address, SUPPLY_WEI))
    mined = chain.mine([sign(holder, Transaction(0, None, code, 8_000_000))])
    token = mined.receipts[0].contract_address
    if token is None:
        raise StartFailed("the token was not created")
    transfer = Interface.of(artifact.abi).functions["transfer"]
    chain.mine(
        [
            sign(
                holder,
                Transaction(
                    place,
                    token,
                    transfer.selector + transfer.inputs.encode((user.address, FUNDS_WEI)),
                    100_000,
                ),
            )
            for place, user in enumerate(users, start=1)
        ]
    )
    return token


def _mine_all(sender: str, rpc: Rpc, transactions: int) -> float:
    started = time.perf_counter()
    mined, due = 0, started
    while mined < transactions:
        due = max(due + SECONDS_PER_BLOCK, time.perf_counter())
        time.sleep(max(0.0, due - time.perf_counter()))
        # Not Chain.mine: reading every receipt here would cost both sides a core.
        rpc.call("evm_mine")
        mined += int(rpc.call("eth_getBlockTransactionCountByNumber", "latest"), 16)
        if time.perf_counter() - started > ROUND_SECONDS:
            raise CheckFailed(
                f"{sender}: {mined} of {transactions} mined after {ROUND_SECONDS:g} s"
            )
    return time.perf_counter() - started


def _require_all(statistics: dict[str, object], transactions: int) -> None:
    """Every transaction succeeded by Locust's own count, or the round says nothing."""
    entries = statistics["entries"]
    assert isinstance(entries, dict)
    found = entries.get("TX transfer", {})
    if statistics["exceptions"] or found.get("ok") != transactions or found.get("failed"):
        raise CheckFailed(f"Locust counts {found}, exceptions {statistics['exceptions']}")
