"""What people pay: the gas of whole transactions, from their receipts on a real chain.

The table of docs/benchmarks.md. A node's owner holds KOMP and has claimed before, unless a row says
otherwise. `python -m benchmarks.gas` writes the figures to `gas.json`, which a contract test holds
equal to what it measures, so that a review shows what a change costs.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from benchmarks.bound import Bound
from devnet.actors.view import TREASURY, Directory, account_names, hardware_id, owner_of
from devnet.base import CheckFailed, Toolchain, assets
from devnet.chain import Anvil, Chain, Rpc, Transaction, derive, sign
from devnet.protocol import (
    Contracts,
    Domains,
    ObservedTransaction,
    Report,
    collect,
    observe,
    observers_word,
)
from devnet.protocol import View as Reads
from devnet.runs.genesis import deploy_network
from devnet.spec import load_network
from devnet.spec.network import RESOURCES, VENDORS, NetworkSpec

KOMP: Final = 10**18
SEED: Final = 7
GAS: Final = 3_000_000
ONE: Final = 1_000_000
CLAIM_CYCLES: Final = (3, 12, 52)
FLAT_GAS: Final = 64  # between claim-all after 3 and after 52 cycles; a calldata byte is 16
TRANSFER, TRANSFER_FRESH, STAKE, WITHDRAW = 34_503, 51_603, 130_000, 60_000
ADD_SAME, ADD_OPENING = 55_000, 95_000
PUBLISH_FIRST, PUBLISH_NEW_CYCLE, PUBLISH_AGAIN = 125_000, 125_000, 90_000
CLAIM_FIRST, CLAIM_NEXT, CLAIM_ALL, CLAIM_ALL_FRESH = 85_000, 64_000, 55_000, 76_000
POKE, ORDER, ACCEPT, SETTLE = 75_000, 165_000, 40_000, 120_000
REPORT, EXECUTE = 160_000, 120_000
JOIN, COLLECT_FIRST, COLLECT_AGAIN = 80_000, 75_000, 56_000
SNAPSHOT: Final = Path(__file__).with_name("gas.json")


def measure(smallest: bool = False) -> tuple[Bound, ...]:
    """One row an operation; none can be left out."""
    del smallest
    with rig() as made:
        return (
            *_token(made),
            *_rewards(made),
            *_claim_all(made),
            *_market(made),
            *_slashing(made),
            *_exit(made),
            *_pools(made),
        )


def bound(what: str, gas: int, target: int) -> Bound:
    return Bound(what, Fraction(gas), None, "gas", Fraction(target))


@dataclass(slots=True)
class Rig:
    """Sends one transaction a block and tells its gas."""

    spec: NetworkSpec
    chain: Chain
    contracts: Contracts
    directory: Directory
    reads: Reads
    domains: Domains

    def send(self, account: str, contract: str, function: str, *args: object) -> int:
        """Gas used; raises CheckFailed when it is refused."""
        return self.observed(account, contract, function, *args).gas_used

    def observed(
        self, account: str, contract: str, function: str, *args: object
    ) -> ObservedTransaction:
        who = self.directory.accounts[account]
        call = self.contracts.encode(contract, function, *args)
        nonce = self.chain.nonce(who.address)
        transaction = Transaction(nonce, call.to, call.data, GAS, chain_id=self.chain.chain_id)
        mined = self.chain.mine([sign(who, transaction)])
        (done,) = observe(mined, self.contracts, self.chain)
        if not done.ok:
            raise CheckFailed(f"{account} {contract}.{function}: {done.error} {done.sentence}")
        return done

    def address(self, name: str) -> str:
        return self.directory.address(name)

    def attested(self, digest: bytes, signers: int = 2) -> bytes:
        names = [gatekeeper.name for gatekeeper in self.spec.gatekeepers[:signers]]
        return collect(digest, [self.directory.accounts[name] for name in names])

    def agreed(self, worker: str, digest: bytes) -> bytes:
        """S6: by the node's key."""
        return collect(digest, [self.directory.accounts[worker]])

    def stake(self, worker: str) -> int:
        node, owner = self.address(worker), owner_of(worker)
        machine, deadline = hardware_id(SEED, worker), self.chain.head.timestamp + 86_400
        digest = self.domains.admission(node, self.address(owner), machine, deadline)
        signatures = (self.attested(digest), self.agreed(worker, digest))
        return self.send(owner, "Staking", "stake", node, machine, 1, deadline, *signatures)

    def publish(self, worker: str) -> int:
        node, block = self.address(worker), self.chain.head
        result = (
            node,
            self.reads.current_cycle(),
            self.reads.sequence_of(node) + 1,
            block.number,
            bytes.fromhex(block.hash[2:]),
            *(ONE, ONE, ONE // 3, ONE // 3, ONE // 3),
        )
        signatures = self.attested(self.domains.result(*result))
        return self.send(worker, "Rewards", "publish", result, signatures)

    def add_reward(self, amount: int = 1_000 * KOMP) -> int:
        return self.send(TREASURY, "Rewards", "addReward", amount)

    def to_next_cycle(self) -> None:
        """To its first block: what is sent then is mined in the second."""
        length = self.spec.cycle.blocks
        done = (self.chain.head.number - self.reads.genesis()) % length
        self.chain.advance(length - done)

    def transmit(self, feed: str, answer: int) -> int:
        oracles = [self.directory.accounts[name] for name in self.spec.oracles.node_names()]
        report = Report(
            configDigest=self.reads.config_digest(feed),
            epoch=(self.reads.epoch_and_round(feed) >> 8) + 1,
            round=1,
            observationsTimestamp=self.chain.head.timestamp,
            observers=observers_word(range(len(oracles))),
            observations=(answer,) * len(oracles),
        )
        signatures = collect(
            self.domains.report(feed, report), oracles[: self.spec.oracles.faulty + 1]
        )
        return self.send(oracles[0].name, feed, "transmit", report, signatures)

    def wait(self, seconds: int) -> None:
        self.chain.advance(-(-seconds // self.chain.block_seconds))


@contextmanager
def rig() -> Iterator[Rig]:
    """small.yaml's contracts on a chain of their own."""
    toolchain = Toolchain()
    spec = load_network(assets.root() / "e2e" / "networks" / "small.yaml")
    names = account_names(spec)
    directory = Directory.of(spec, SEED, derive(spec.accounts.mnemonic, names))
    with (
        tempfile.TemporaryDirectory(prefix="kompute-bench-") as folder,
        Anvil(
            toolchain.anvil(),
            genesis_timestamp=spec.chain.genesis_timestamp,
            folder=Path(folder),
            accounts=len(names),
        ) as anvil,
        Rpc(anvil.url) as rpc,
    ):
        chain = Chain(rpc, spec.chain.block_seconds)
        genesis = deploy_network(
            spec, chain, directory, toolchain, lambda line: print(line, file=sys.stderr)
        )
        reads = Reads(chain, genesis.contracts)
        domains = Domains.of(genesis.deployment)
        yield Rig(spec, chain, genesis.contracts, directory, reads, domains)


def _token(made: Rig) -> Iterator[Bound]:
    fresh = "0x" + "77" * 20
    gas = made.send("alice", "Kompute", "transfer", fresh, KOMP)
    yield bound("ERC-20 transfer, fresh holder", gas, TRANSFER_FRESH)
    gas = made.send("alice", "Kompute", "transfer", fresh, KOMP)
    yield bound("ERC-20 transfer, existing holder", gas, TRANSFER)


def _rewards(made: Rig) -> Iterator[Bound]:
    made.stake("worker-1")
    yield bound("stake a node", made.stake("worker-2"), STAKE)
    made.to_next_cycle()
    yield bound("addReward, opening a cycle", made.add_reward(), ADD_OPENING)
    yield bound("addReward, same cycle", made.add_reward(), ADD_SAME)
    yield bound("publish V, first ever", made.publish("worker-1"), PUBLISH_FIRST)
    made.wait(made.spec.cycle.gap_blocks * made.chain.block_seconds)
    yield bound("publish V, repeat", made.publish("worker-1"), PUBLISH_AGAIN)
    made.publish("worker-2")
    first = made.reads.current_cycle()
    for rolled in (False, True):
        made.to_next_cycle()
        made.add_reward()
        if rolled:  # C4: that cycle ends with nobody's V, its reward moves on
            made.to_next_cycle()
        what = "publish V, new cycle" + (" with a roll" if rolled else "")
        yield bound(what, made.publish("worker-1"), PUBLISH_NEW_CYCLE)
    made.to_next_cycle()
    node, owner = made.address("worker-1"), owner_of("worker-1")
    gas = made.send(owner, "Rewards", "claim", node, first)
    yield bound("claim one cycle, first", gas, CLAIM_FIRST)
    gas = made.send(owner, "Rewards", "claim", node, first + 1)
    yield bound("claim one cycle, next", gas, CLAIM_NEXT)
    made.send(owner, "Rewards", "claimAll", node)


def _claim_all(made: Rig) -> Iterator[Bound]:
    used: list[int] = []
    for cycles in CLAIM_CYCLES:
        _publish_for(made, "worker-1", cycles)
        gas = made.send(owner_of("worker-1"), "Rewards", "claimAll", made.address("worker-1"))
        used.append(gas)
        yield bound(f"claim all after {cycles} cycles", gas, CLAIM_ALL)
    yield bound("claim all: most less least of these", max(used) - min(used), FLAT_GAS)
    owner = owner_of("worker-1")
    _publish_for(made, "worker-1", 3)
    everything = made.reads.balance_of(made.address(owner))
    made.send(owner, "Kompute", "transfer", made.address(TREASURY), everything)
    gas = made.send(owner, "Rewards", "claimAll", made.address("worker-1"))
    yield bound("claim all, owner holds no KOMP", gas, CLAIM_ALL_FRESH)


def _publish_for(made: Rig, worker: str, cycles: int) -> None:
    for _ in range(cycles):
        made.to_next_cycle()
        made.add_reward()
        made.publish(worker)
    made.to_next_cycle()


def _market(made: Rig) -> Iterator[Bound]:
    prices = {"vcpu_hour": 4 * 10**16, "gib_hour": 4 * 10**15}
    for resource, usd_1e18 in prices.items():
        for vendor in VENDORS:
            made.transmit(f"Feed:{vendor}:{resource}", usd_1e18)
    made.transmit("Feed:komp_usd", 50_000_000)
    made.transmit("Feed:utilization", 5 * 10**17)
    for resource in prices:
        made.send("alice", "Pricing", "poke", RESOURCES.index(resource))
    gas = made.send("alice", "Pricing", "poke", RESOURCES.index("vcpu_hour"))
    yield bound("oracle poke, three feeds", gas, POKE)
    made.add_reward()
    made.send("bob", "Market", "createOrder", _request())
    gas = made.send("alice", "Market", "createOrder", _request())
    yield bound("order create", gas, ORDER)
    accepted = made.observed("worker-1", "Market", "accept", 2)
    yield bound("order accept", accepted.gas_used, ACCEPT)
    at = accepted.timestamp
    signatures = made.attested(made.domains.running(2, 1, 2, at))
    made.send("alice", "Market", "reportRunning", 2, 1, 2, at, signatures)
    made.send(TREASURY, "Kompute", "transfer", made.address("company"), 1)
    made.wait(4 * 3_600)
    made.add_reward()
    settled = made.observed("alice", "Market", "settle", 2)
    _require(_argument(settled, "Settled", "consumed") > 0, "nothing was settled")
    yield bound("order settle", settled.gas_used, SETTLE)


def _request() -> tuple[object, ...]:
    """Containers of 2 vCPU and 4 GiB for an hour and more."""
    return (0, b"\x5e" * 32, 2_000, 4_096, 0, 3, 86_400, 20 * KOMP, 2**127, 2**127)


def _slashing(made: Rig) -> Iterator[Bound]:
    start = made.chain.head.timestamp
    made.wait(3_600)
    node, end, evidence = made.address("worker-2"), start + 3_600, b"\x11" * 32
    signatures = made.attested(made.domains.incident(node, 1, start, end, evidence))
    made.add_reward()
    gas = made.send("alice", "Slashing", "report", node, 1, start, end, evidence, signatures)
    yield bound("incident report, first", gas, REPORT)
    made.wait(made.spec.parameters.appeal_window)
    made.add_reward()
    executed = made.observed("alice", "Slashing", "execute", 1)
    _require(_argument(executed, "IncidentExecuted", "amount") > 0, "nothing was slashed")
    yield bound("incident execute", executed.gas_used, EXECUTE)


def _exit(made: Rig) -> Iterator[Bound]:
    node, owner = made.address("worker-2"), owner_of("worker-2")
    asked = made.observed(owner, "Staking", "requestExit", node)
    exit_at = _argument(asked, "ExitRequested", "exitAt")
    made.wait(max(0, exit_at - made.chain.head.timestamp))
    yield bound("withdraw", made.send(owner, "Staking", "withdraw", node), WITHDRAW)


def _pools(made: Rig) -> Iterator[Bound]:
    """alice operates, bob is a member, at first without KOMP; harvested before (S7)."""
    made.send("alice", "PoolFactory", "create", 1_000)
    pool, node = "Pool:1", made.address("worker-3")
    for member in ("alice", "bob"):
        where = made.contracts.address(pool)
        made.send(member, "Kompute", "approve", where, 1_000 * KOMP)
    made.send("alice", pool, "join", 200 * KOMP)
    yield bound("pool join", made.send("bob", pool, "join", 300 * KOMP), JOIN)
    machine, deadline = hardware_id(SEED, "worker-3"), made.chain.head.timestamp + 86_400
    digest = made.domains.admission(node, made.contracts.address(pool), machine, deadline)
    signatures = (made.attested(digest), made.agreed("worker-3", digest))
    made.send("alice", pool, "activate", node, machine, 1, deadline, *signatures)
    for what, target in (
        ("pool collect, first", COLLECT_FIRST),
        ("pool collect, again", COLLECT_AGAIN),
    ):
        _publish_for(made, "worker-3", 1)
        made.send("alice", pool, "harvest")
        if target == COLLECT_FIRST:  # a holder of none pays for its slot
            everything = made.reads.balance_of(made.address("bob"))
            made.send("bob", "Kompute", "transfer", made.address(TREASURY), everything)
        yield bound(what, made.send("bob", pool, "collect"), target)


def _argument(done: ObservedTransaction, event: str, name: str) -> Any:
    return next(one.args[name] for one in done.events if one.name == event)


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise CheckFailed(otherwise)


def document(measured: tuple[Bound, ...]) -> dict[str, int]:
    """Gas by row, as the snapshot has it."""
    return {one.what: int(one.ours) for one in measured}


def main() -> None:
    SNAPSHOT.write_text(json.dumps(document(measure()), indent=1) + "\n")


if __name__ == "__main__":
    main()
