"""A run's files written by hand: two cycles of a small network, every event a report shows.

Stands in for a world where only the report's reading is under test; amounts are chosen, the
token's transfers follow from them as the contracts' would.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from devnet.record.encoding import plain
from devnet.record.folder import RunFolder

GENESIS = 1_767_225_600
BLOCK_SECONDS = 720
CYCLE_BLOCKS = 70
KOMP = 10**18
SUPPLY = 100_000_000 * KOMP

ACCOUNTS = ("treasury", "company", "worker-1", "owner-1", "worker-2", "owner-2", "alice", "bob")
CONTRACTS = (
    "Kompute",
    "Staking",
    "Rewards",
    "Slashing",
    "Pricing",
    "Market",
    "Feed:utilization",
    "Feed:aws:vcpu_hour",
    "Feed:gcp:vcpu_hour",
    "Feed:azure:vcpu_hour",
)
ADDRESSES = {
    name: "0x" + f"{place:02x}" * 20 for place, name in enumerate((*ACCOUNTS, *CONTRACTS), start=1)
}
NOBODY = "0x" + "00" * 20


class Fabrication:
    """Writes lines into a run's folder; the block moves by `wait`."""

    def __init__(self, run: RunFolder) -> None:
        self.run = run
        self.block = 1
        self.steps = 0

    @property
    def now(self) -> int:
        return GENESIS + self.block * BLOCK_SECONDS

    def wait(self, blocks: int) -> None:
        self.block += blocks
        self.run.line(
            "blocks.jsonl",
            {
                "number": self.block,
                "timestamp": self.now,
                "hash": "0x" + f"{self.block:064x}",
                "run": blocks,
                "transactions": [],
            },
        )

    def event(self, contract: str, name: str, **args: Any) -> None:
        cleaned = {key.rstrip("_"): value for key, value in args.items()}
        self.run.line(
            "events.jsonl",
            {
                "block": self.block,
                "timestamp": self.now,
                "transaction": "0x" + "ee" * 32,
                "contract": contract,
                "name": name,
                "args": plain(cleaned),
            },
        )

    def move(self, source: str, target: str, wei: int) -> None:
        self.event(
            "Kompute",
            "Transfer",
            from_=ADDRESSES.get(source, NOBODY),
            to=ADDRESSES.get(target, NOBODY),
            value=wei,
        )

    def reward(self, payer: str, cycle: int, wei: int) -> None:
        self.move(payer, "Rewards", wei)
        self.event("Rewards", "RewardAdded", from_=ADDRESSES[payer], cycle=cycle, amount=wei)

    def publish(self, worker: str, cycle: int, sequence: int, v: int) -> None:
        node = ADDRESSES[worker]
        self.event("Rewards", "Published", node=node, cycle=cycle, sequence=sequence, v=v)

    def step(self, text: str, did: str, *, failure: str = "", blocks: int = 0) -> None:
        self.steps += 1
        first = self.block
        if blocks:
            self.wait(blocks)
        record = {
            "type": "StepOutcome",
            "index": self.steps,
            "line": 8 + self.steps,
            "verb": text.split(":")[0],
            "text": text,
            "did": did,
            "failure": failure,
            "error": "",
            "seconds": 0.25,
            "first_block": first,
            "last_block": self.block,
            "timestamp": self.now,
            "ledger": {},
        }
        self.run.line("steps.jsonl", record)


def fabricate(
    path: Path, *, scenario: str = "full loop", failure: str = "", others: int = 0
) -> Path:
    """A run of two ended cycles and a running one; with `failure` its last step fails.

    `others` more nodes, which nobody named, publish in the running cycle.
    """
    with RunFolder(path) as run:
        run.text(
            "scenario.yaml", f"version: 1\nname: {scenario!r}\nseed: 7\nsteps: [1, 2, 3, 4, 5]\n"
        )
        run.text("network.yaml", "version: 1\nname: small\n")
        run.document(
            "genesis.json",
            {
                "chain": {
                    "genesis_timestamp": GENESIS,
                    "chain_id": 31337,
                    "block_seconds": BLOCK_SECONDS,
                    "mnemonic": "x",
                    "accounts": 10,
                    "prune_history": False,
                },
                "deployment": {
                    "block": 1,
                    "addresses": {name: ADDRESSES[name] for name in CONTRACTS},
                    "parameters": {
                        "cycle_blocks": CYCLE_BLOCKS,
                        "utilization_heartbeat_seconds": 21_600,
                    },
                },
                "accounts": {name: ADDRESSES[name] for name in ACCOUNTS},
            },
        )
        told = Fabrication(run)
        _tell(told, failure)
        for place in range(others):
            told.event("Rewards", "Published", node=f"0x{place:040x}", cycle=2, sequence=1, v=KOMP)
    return path


def _tell(run: Fabrication, failure: str) -> None:
    run.wait(1)
    run.move("", "treasury", SUPPLY)
    for owner in ("owner-1", "owner-2"):
        run.move("treasury", owner, 2_000 * KOMP)
    for client in ("alice", "bob"):
        run.move("treasury", client, 1_000 * KOMP)
    run.event("Feed:utilization", "AnswerUpdated", current=0, roundId=1, updatedAt=run.now)
    for vendor, price in (("aws", 40), ("gcp", 42), ("azure", 50)):
        feed = f"Feed:{vendor}:vcpu_hour"
        run.event(feed, "AnswerUpdated", current=price * 10**15, roundId=1, updatedAt=run.now)
    run.event("Pricing", "PriceStored", resource=0, price=42 * 10**15)
    _first_cycle(run)
    _second_cycle(run)
    run.step(
        "expect: {worker: worker-2, stake: 475 KOMP}",
        "" if failure else "stake of worker-2 is 475 KOMP",
        failure=failure,
    )


def _first_cycle(run: Fabrication) -> None:
    run.reward("treasury", 0, 1_000 * KOMP)
    for worker, owner in (("worker-1", "owner-1"), ("worker-2", "owner-2")):
        run.move(owner, "Staking", 500 * KOMP)
        run.event("Staking", "Staked", node=ADDRESSES[worker], owner=ADDRESSES[owner])
    run.step("stake: {worker: all}", "2 workers staked 500 KOMP each", blocks=1)
    run.publish("worker-1", 0, 1, 10**18)
    run.publish("worker-2", 0, 1, 2 * 10**18)
    run.move("alice", "Market", 20 * KOMP)
    run.event("Market", "OrderCreated", id=1, client=ADDRESSES["alice"], kind=0, deposit=20 * KOMP)
    run.event("Market", "OrderAccepted", id=1, node=ADDRESSES["worker-1"])
    run.event("Market", "UsageReported", id=1, seq=1, replicas=2, at=run.now)
    run.step("order: {client: alice, service: web}", "order 1 of alice accepted", blocks=2)
    run.event("Feed:utilization", "AnswerUpdated", current=5 * 10**17, roundId=2, updatedAt=run.now)
    run.step("advance: {cycles: 1}", "70 blocks", blocks=70)


def _second_cycle(run: Fabrication) -> None:
    run.move("Market", "company", 1 * KOMP)
    run.reward("Market", 1, 9 * KOMP)
    run.event("Market", "Settled", id=1, consumed=10 * KOMP, fee=KOMP, reward=9 * KOMP)
    run.move("Market", "alice", 10 * KOMP)
    run.event("Market", "OrderClosed", id=1)
    run.event("Market", "Finalized", id=1, refund=10 * KOMP)
    run.move("bob", "Market", 5 * KOMP)
    run.event("Market", "OrderCreated", id=2, client=ADDRESSES["bob"], kind=1, deposit=5 * KOMP)
    run.event("Market", "OrderAccepted", id=2, node=ADDRESSES["worker-2"])
    for invocation in (1, 2):
        run.event("Market", "Invoked", id=2, invocation=invocation)
    run.event("Market", "Completed", id=2, invocation=1, exitCode=0)
    run.publish("worker-1", 1, 2, 10**18 + 1)
    run.event(
        "Slashing",
        "IncidentReported",
        id=1,
        node=ADDRESSES["worker-2"],
        level=1,
        from_=run.now - 43_200,
        to=run.now,
    )
    run.move("Staking", "Slashing", 25 * KOMP)
    run.reward("Slashing", 1, 25 * KOMP)
    run.event("Slashing", "IncidentExecuted", id=1, node=ADDRESSES["worker-2"], amount=25 * KOMP)
    paid = 1_000 * KOMP * 10**18 // (3 * 10**18)
    run.move("Rewards", "owner-1", paid)
    run.event(
        "Rewards",
        "ClaimedAll",
        node=ADDRESSES["worker-1"],
        owner=ADDRESSES["owner-1"],
        before=1,
        amount=paid,
    )
    run.step("claim: {worker: all}", "1 worker claimed", blocks=70)
