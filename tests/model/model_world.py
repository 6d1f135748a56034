"""A small network that lives in the model alone: named accounts, blocks, signed messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from devnet.chain.accounts import DEFAULT_MNEMONIC, Account, derive
from devnet.chain.keccak import keccak
from devnet.checking.parameters import model_parameters
from devnet.deploy import DeploymentParameters, plan
from devnet.deploy.parameters import VaultParameters
from devnet.deploy.plan import addresses
from devnet.model import Ledger, Model, Outcome, Parameters
from devnet.protocol import (
    Deployment,
    Event,
    Genesis,
    ObservedTransaction,
    Report,
    observers_word,
)
from devnet.protocol.deployment import (
    POOL_FACTORY,
    pool_address,
    pool_number,
)
from devnet.protocol.messages import Domains, collect
from devnet.spec.feeds import KOMP_USD_FEED, UTILIZATION_FEED, feed_name
from devnet.spec.network import RESOURCES, VENDORS

KOMP = 10**18
USD = 10**18
DAY = 86_400
BLOCK_SECONDS = 720
GENESIS = 2
GENESIS_TIMESTAMP = 1_767_225_600
PRICED = tuple(resource for resource in RESOURCES if resource != "egress_gib")
NAMES = (
    *(
        "deployer",
        "treasury",
        "governance",
        "company",
        "gatekeeper-1",
        "gatekeeper-2",
        "gatekeeper-3",
    ),
    *("oracle-1", "oracle-2", "oracle-3", "oracle-4", "alice", "bob", "mallory", "arbiter"),
    "guardian",
    *(name for n in range(1, 5) for name in (f"worker-{n}", f"worker-{n}-owner")),
)
GATEKEEPERS = ("gatekeeper-1", "gatekeeper-2", "gatekeeper-3")
ACCOUNTS = derive(DEFAULT_MNEMONIC, NAMES)
CLOUD_FEEDS = {r: tuple(feed_name(v, r) for v in VENDORS) for r in PRICED}
DEPLOYMENT = DeploymentParameters(
    treasury=ACCOUNTS["treasury"].address,
    governance=ACCOUNTS["governance"].address,
    guardian=ACCOUNTS["guardian"].address,
    company=ACCOUNTS["company"].address,
    arbiter=ACCOUNTS["arbiter"].address,
    gatekeepers=tuple(ACCOUNTS[f"gatekeeper-{n}"].address for n in range(1, 4)),
    oracles=tuple(ACCOUNTS[f"oracle-{n}"].address for n in range(1, 5)),
    faulty=1,
    perf_quorum=2,
    supply_wei=100_000_000 * KOMP,
    month_seconds=30 * DAY,
    exit_delay_seconds=15 * DAY,
    max_age_seconds=14 * DAY,
    appeal_window_seconds=6 * 3600,
    arbiter_window_seconds=12 * 3600,
    halt_delay_seconds=7200,
    timelock_seconds=2 * DAY,
    cycle_blocks=14,
    gap_blocks=1,
    max_v=10**20,
    resources=PRICED,
    heartbeat_seconds=DAY,
    komp_usd_heartbeat_seconds=DAY // 2,
    utilization_heartbeat_seconds=DAY // 4,
    vault=VaultParameters(78 * KOMP, 12, 2),
)
ADDRESSES = addresses(plan(DEPLOYMENT), ACCOUNTS["deployer"].address)
REFERENCE = {"sgx": 10**6, "b": 10**6, "c1": 500_000, "c2": 300_000, "c3": 200_000}
USD_PRICES = {
    "vcpu_hour": 40 * 10**15,
    "gib_hour": 4 * 10**15,
    "storage_gib_month": 8 * 10**16,
    "function_gib_second": 16 * 10**12,
    "million_requests": 20 * 10**16,
}


def address(name: str) -> str:
    """Of an account, a contract or a pool."""
    number = pool_number(name)
    if number is not None:
        return pool_address(ADDRESSES[POOL_FACTORY], number)
    return ADDRESSES.get(name) or ACCOUNTS[name].address


def block_hash(number: int) -> bytes:
    return keccak(f"block {number}".encode())


def parameters(**changes: Any) -> Parameters:
    """Three gatekeepers, four oracle nodes; short cycles of 14 blocks with a gap of 1."""
    genesis = Genesis(31337, GENESIS_TIMESTAMP, GENESIS)
    deployment = Deployment(ADDRESSES, {}, {}, genesis)
    return replace(model_parameters(DEPLOYMENT, deployment), **changes)


class World:
    """Sends transactions to a model; `history` holds them as the chain would report them."""

    block_seconds = BLOCK_SECONDS

    def __init__(self, **changes: Any) -> None:
        self.parameters = parameters(**changes)
        self.model = Model(self.parameters, self.block_hash)
        self.domains = Domains(31337, ADDRESSES)
        self.block = GENESIS
        self.history: list[ObservedTransaction] = []
        self.fund()

    def fund(self) -> None:
        """Tokens and allowances for everybody, and what the vault begins with."""
        vault = address("IncentiveVault")
        self.send("treasury", "Kompute", "transfer", to=vault, value=78 * KOMP)
        for name in NAMES[4:]:
            self.send("treasury", "Kompute", "transfer", to=address(name), value=10_000 * KOMP)
        for name in NAMES:
            for contract in ("Staking", "Rewards", "Market", "Slashing"):
                spender = address(contract)
                self.send(name, "Kompute", "approve", spender=spender, value=2**256 - 1)

    @property
    def now(self) -> int:
        return GENESIS_TIMESTAMP + self.block * self.block_seconds

    @property
    def cycle(self) -> int:
        return (self.block - GENESIS) // self.parameters.cycle_blocks

    def block_hash(self, number: int) -> bytes:
        return block_hash(number)

    def mine(self, blocks: int = 1) -> None:
        self.block += blocks

    def wait(self, seconds: int) -> None:
        """So many whole blocks that at least `seconds` pass."""
        self.mine(-(-seconds // self.block_seconds))

    def next_cycle(self, cycles: int = 1) -> None:
        """To the first block of the n-th next cycle."""
        self.block = GENESIS + (self.cycle + cycles) * self.parameters.cycle_blocks

    def ledger(self) -> Ledger:
        return self.model.ledger(self.block, self.now)

    def balance(self, name: str) -> int:
        return self.ledger().balances.get(address(name), 0)

    def send(self, sender: str, contract: str, function: str, **args: Any) -> Outcome:
        """One transaction in the block at hand."""
        index = len(self.history)
        asked = self._observed(index, address(sender), contract, function, args, Outcome(True))
        outcome = self.model.apply(asked)
        assert outcome is not None
        seen = self._observed(index, address(sender), contract, function, args, outcome)
        self.history.append(seen)
        return outcome

    def _observed(
        self,
        index: int,
        sender: str,
        contract: str,
        function: str,
        args: Mapping[str, Any],
        outcome: Outcome,
    ) -> ObservedTransaction:
        name = f"0x{index:064x}"
        return ObservedTransaction(
            block=self.block,
            timestamp=self.now,
            index=index,
            hash=name,
            sender=sender,
            to=address(contract),
            contract=contract,
            function=function,
            args=args,
            ok=outcome.ok,
            events=tuple(
                Event(e.contract, e.name, e.args, self.block, name) for e in outcome.events
            ),
            gas_used=0,
            error=outcome.error,
        )

    def signed(self, digest: bytes, *signers: str) -> bytes:
        """By two gatekeepers unless told otherwise."""
        names = signers or ("gatekeeper-1", "gatekeeper-2")
        return collect(digest, accounts(names))

    # What the parts of the protocol are asked

    def stake(self, worker: str, months: int = 1, hardware: str = "", **changes: Any) -> Outcome:
        node, owner = address(worker), changes.pop("owner", f"{worker}-owner")
        hardware_id = keccak((hardware or worker).encode())
        deadline = changes.pop("deadline", self.now + DAY)
        digest = self.domains.admission(node, address(owner), hardware_id, deadline)
        args = {"node": node, "hardwareId": hardware_id, "months": months, "deadline": deadline}
        args["signatures"] = changes.pop("signatures", None) or self.signed(digest)
        args["nodeSignature"] = changes.pop("node_signature", None) or self.signed(digest, worker)
        return self.send(owner, "Staking", "stake", **args)

    def pool(self, number: int, sender: str, function: str, **args: Any) -> Outcome:
        """A call of the n-th pool."""
        return self.send(sender, f"Pool:{number}", function, **args)

    def funded_pool(self, number: int = 1, commission: int = 1_000, **amounts: int) -> None:
        """A new pool whose first member, its operator, and the others pay in so many wei."""
        (operator, *_) = amounts
        assert self.send(operator, POOL_FACTORY, "create", commissionBps=commission).ok
        for member, amount in amounts.items():
            spender = address(f"Pool:{number}")
            self.send(member, "Kompute", "approve", spender=spender, value=2**256 - 1)
            assert self.pool(number, member, "join", amount=amount).ok

    def activate(self, number: int, operator: str, worker: str, **changes: Any) -> Outcome:
        """A pool stakes for a worker's node."""
        node, hardware_id = address(worker), keccak(changes.get("hardware", worker).encode())
        deadline, months = changes.get("deadline", self.now + DAY), changes.get("months", 1)
        owner = address(f"Pool:{number}")
        digest = self.domains.admission(node, owner, hardware_id, deadline)
        args = {"nodeKey": node, "hardwareId": hardware_id, "months": months, "deadline": deadline}
        args["signatures"] = changes.get("signatures") or self.signed(digest)
        args["nodeSignature"] = self.signed(digest, worker)
        return self.pool(number, operator, "activate", **args)

    def owner(self, worker: str, function: str, contract: str = "Staking", **args: Any) -> Outcome:
        """A call of a worker's owner about its node."""
        return self.send(f"{worker}-owner", contract, function, node=address(worker), **args)

    def publish(self, worker: str, sender: str = "", **changes: Any) -> Outcome:
        """What the reference machine measured in the block before, or what `changes` say."""
        node = address(worker)
        measured = changes.pop("measuredBlock", self.block - 1)
        signers = changes.pop("signers", ())
        result = {
            "node": node,
            "cycle": self.cycle,
            "sequence": self.model.state.publishers[node].sequence + 1,
            "measuredBlock": measured,
            "measuredHash": self.block_hash(measured),
            **REFERENCE,
            **changes,
        }
        signatures = self.signed(self.domains.result(*result.values()), *signers)
        args = {"result": result, "signatures": signatures}
        return self.send(sender or worker, "Rewards", "publish", **args)

    def add_reward(self, amount: int) -> Outcome:
        return self.send("treasury", "Rewards", "addReward", amount=amount)

    def report(self, worker: str, start: int, end: int, *signers: str, level: int = 1) -> Outcome:
        node, evidence = address(worker), keccak(b"evidence")
        signatures = self.signed(self.domains.incident(node, level, start, end, evidence), *signers)
        args = {"node": node, "level": level, "from": start, "to": end, "evidence": evidence}
        return self.send("gatekeeper-1", "Slashing", "report", **args, signatures=signatures)

    def report_level_3(self, worker: str) -> Outcome:
        """Signed by all three (L6)."""
        return self.report(worker, self.now, self.now, *GATEKEEPERS, level=3)

    def execute(self, incident: int) -> Outcome:
        return self.send("mallory", "Slashing", "execute", id=incident)

    def appeal(self, incident: int, worker: str) -> Outcome:
        return self.send(f"{worker}-owner", "Slashing", "appeal", id=incident)

    def rule(self, incident: int, upheld: bool) -> Outcome:
        return self.send("arbiter", "Slashing", "rule", id=incident, upheld=upheld)

    def transmit(self, feed: str, answer: int, **changes: Any) -> Outcome:
        sender = changes.pop("sender", "oracle-1")
        signers = changes.pop("signers", ("oracle-1", "oracle-2"))
        observations = changes.pop("observations", (answer - 1, answer, answer + 1))
        state = self.model.state
        fields = {
            "configDigest": state.configs[feed].digest,
            "epoch": (state.epochs[feed] >> 8) + 1,
            "round": 1,
            # Several reports of one block were observed one after the other.
            "observationsTimestamp": max(
                self.now - self.block_seconds, state.rounds[feed].startedAt + 1
            ),
            "observers": observers_word(range(len(observations))),
            "observations": observations,
            **changes,
        }
        digest = self.domains.report(feed, Report.of(fields))
        args = {"report": fields, "signatures": self.signed(digest, *signers)}
        return self.send(sender, feed, "transmit", **args)

    def poke(self, resource: str) -> Outcome:
        return self.send("mallory", "Pricing", "poke", resource=RESOURCES.index(resource))

    def prices(self, komp_usd_1e8: int = 50_000_000, utilization: int = 10**17) -> None:
        """Every price stored, every feed fresh; the shortest heartbeats last."""
        for resource, names in CLOUD_FEEDS.items():
            for vendor, name in enumerate(names):
                usd = USD_PRICES[resource]
                self.transmit(name, usd + usd * (vendor - 1) // 100)
            assert self.poke(resource).ok
        self.transmit(KOMP_USD_FEED, komp_usd_1e8)
        around = (max(utilization - 1, 0), utilization, min(utilization + 1, 10**18))
        self.transmit(UTILIZATION_FEED, utilization, observations=around)

    def order(self, client: str = "alice", kind: int = 0, **changes: Any) -> Outcome:
        request = {
            "kind": kind,
            "spec": keccak(b"web"),
            "milliCpu": 500,
            "memoryMib": 1024,
            "storageGib": 0,
            "maxReplicas": 4,
            "duration": 10 * DAY,
            "deposit": 20 * KOMP,
            "maxRate": KOMP,
            "maxRate2": KOMP,
            **changes,
        }
        return self.send(client, "Market", "createOrder", request=request)

    def accept(self, order: int, worker: str = "worker-1") -> Outcome:
        return self.send(worker, "Market", "accept", id=order)

    def client(self, function: str, order: int, client: str = "alice", **args: Any) -> Outcome:
        return self.send(client, "Market", function, id=order, **args)

    def running(self, order: int, seq: int, replicas: int, at: int, *signers: str) -> Outcome:
        signatures = self.signed(self.domains.running(order, seq, replicas, at), *signers)
        args = {"id": order, "seq": seq, "replicas": replicas, "at": at}
        return self.send("gatekeeper-1", "Market", "reportRunning", **args, signatures=signatures)

    def counters(self, order: int, invocations: int, mib_ms: int, *signers: str) -> Outcome:
        signatures = self.signed(self.domains.counters(order, invocations, mib_ms), *signers)
        args = {"id": order, "invocations": invocations, "mibMilliseconds": mib_ms}
        return self.send("gatekeeper-1", "Market", "reportCounters", **args, signatures=signatures)


def accounts(names: tuple[str, ...]) -> list[Account]:
    return [ACCOUNTS[name] for name in names]
