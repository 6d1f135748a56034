"""A chain of its own with everything deployed; each test sends to it and looks at what came of it.

Blocks are one second apart, so that every boundary in seconds and in blocks can be met exactly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import Phase

from devnet.chain import Account, Chain, Transaction, sign, sign_digest
from devnet.chain.accounts import DEFAULT_MNEMONIC, derive
from devnet.chain.errors import Reverted
from devnet.deploy import DeploymentParameters, execute
from devnet.deploy.execution import creation_code
from devnet.protocol import (
    Contracts,
    Deployment,
    Domains,
    Event,
    ProtocolError,
    Report,
    decode_error,
    observers_word,
)
from devnet.protocol.artifacts import Artifacts
from devnet.spec.network import VENDORS

KOMP = 10**18
STAKE = 500 * KOMP
HOUR = 3_600
DAY = 24 * HOUR
MONTH = 30 * DAY
UNLIMITED = 2**256 - 1
GENESIS_TIMESTAMP = 1_767_225_600
GAS = 5_000_000
NO_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)  # a step costs a block
REFERENCE = (10**6, 10**6, 500_000, 300_000, 200_000)  # sgx, b, c1, c2, c3: V = 1e18
USD = {
    "vcpu_hour": 40 * 10**15,
    "gib_hour": 4 * 10**15,
    "storage_gib_month": 8 * 10**16,
    "egress_gib": 9 * 10**16,
    "function_gib_second": 16 * 10**12,
    "million_requests": 20 * 10**16,
}
NAMES = (
    *("deployer", "treasury", "governance", "company", "alice", "bob", "mallory", "arbiter"),
    "guardian",
    *(f"gatekeeper-{n}" for n in range(1, 6)),
    *(f"oracle-{n}" for n in range(1, 5)),
    *(f"{kind}-{n}" for n in range(1, 5) for kind in ("node", "owner")),
)
ACCOUNTS = derive(DEFAULT_MNEMONIC, NAMES)
GATEKEEPERS = ("gatekeeper-1", "gatekeeper-2", "gatekeeper-3")

PARAMETERS = DeploymentParameters(
    treasury=ACCOUNTS["treasury"].address,
    governance=ACCOUNTS["governance"].address,
    guardian=ACCOUNTS["guardian"].address,
    company=ACCOUNTS["company"].address,
    arbiter=ACCOUNTS["arbiter"].address,
    gatekeepers=tuple(ACCOUNTS[name].address for name in GATEKEEPERS),
    oracles=tuple(ACCOUNTS[f"oracle-{n}"].address for n in range(1, 5)),
    faulty=1,
    perf_quorum=2,
    supply_wei=100_000_000 * KOMP,
    month_seconds=MONTH,
    exit_delay_seconds=15 * DAY,
    max_age_seconds=14 * DAY,
    appeal_window_seconds=6 * HOUR,
    arbiter_window_seconds=12 * HOUR,
    halt_delay_seconds=2 * HOUR,
    timelock_seconds=2 * DAY,
    cycle_blocks=70,
    gap_blocks=5,
    max_v=10**20,
    resources=tuple(USD),
    heartbeat_seconds=DAY,
    komp_usd_heartbeat_seconds=12 * HOUR,
    utilization_heartbeat_seconds=6 * HOUR,
)


def address(name: str) -> str:
    """Of an account."""
    return ACCOUNTS[name].address


def sorted_by_address(names: Sequence[str]) -> list[Account]:
    """Accounts ascending by address, as signatures must be (R4)."""
    return sorted((ACCOUNTS[name] for name in names), key=lambda a: int(a.address, 16))


def signed(digest: bytes, *names: str) -> bytes:
    """The signatures of these accounts, ascending by signer."""
    return b"".join(sign_digest(account, digest) for account in sorted_by_address(names))


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one transaction, alone in its block: gas used, its events by these contracts,
    or the error it was refused with."""

    block: int
    timestamp: int
    gas: int
    events: tuple[Event, ...]
    error: ProtocolError | None

    def event(self, name: str) -> Mapping[str, Any]:
        """The arguments of the one event of that name."""
        (found,) = (event.args for event in self.events if event.name == name)
        return found

    @property
    def names(self) -> list[str]:
        """The events' names, in order."""
        return [event.name for event in self.events]


class Stage:
    """The contracts on a chain. `send` expects success, `refused` a revert."""

    def __init__(self, chain: Chain, artifacts: Artifacts, deployment: Deployment) -> None:
        self.chain, self.artifacts, self.deployment = chain, artifacts, deployment
        self.contracts = Contracts(deployment)
        self.domains = Domains.of(deployment)

    @classmethod
    def raised(
        cls, chain: Chain, artifacts: Artifacts, parameters: DeploymentParameters = PARAMETERS
    ) -> Stage:
        """Deployed, everybody funded, allowances given, feeds fresh and prices stored."""
        deployment, _ = execute(parameters, artifacts, chain, ACCOUNTS["deployer"])
        stage = cls(chain, artifacts, deployment)
        payers = ["treasury", "alice", "bob", "mallory", *(f"owner-{n}" for n in range(1, 5))]
        stage.batch(
            [
                ("treasury", "Kompute", "transfer", (address(name), 10_000 * KOMP))
                for name in payers[1:]
            ]
            + [
                (name, "Kompute", "approve", (stage.address(contract), UNLIMITED))
                for name in payers
                for contract in ("Staking", "Rewards", "Market", "Slashing")
            ]
        )
        stage.feed_all()
        return stage

    # Time

    @property
    def now(self) -> int:
        return self.chain.head.timestamp

    @property
    def block(self) -> int:
        return self.chain.head.number

    @property
    def cycle(self) -> int:
        """The cycle of the block to come."""
        return (self.block + 1 - self.deployment.genesis.block) // PARAMETERS.cycle_blocks

    def mine(self, blocks: int = 1) -> None:
        self.chain.advance(blocks)

    def until(self, timestamp: int) -> None:
        """The next transaction is mined at exactly that second."""
        assert timestamp > self.now
        if timestamp > self.now + 1:
            self.chain.rpc.call("evm_setNextBlockTimestamp", timestamp - 1)
            self.chain.rpc.call("evm_mine")
            self.chain.refresh()

    def until_block(self, number: int) -> None:
        """The next transaction is mined in exactly that block."""
        assert number > self.block
        self.mine(number - self.block - 1)

    def next_cycle(self, cycles: int = 1, offset: int = 0) -> None:
        """The next transaction is in block `offset` of the n-th cycle after the one to come."""
        first = self.deployment.genesis.block + (self.cycle + cycles) * PARAMETERS.cycle_blocks
        self.until_block(first + offset)

    # Sending and reading

    def address(self, contract: str) -> str:
        return self.contracts.address(contract)

    def send(self, sender: str, contract: str, function: str, *args: Any) -> Sent:
        """One transaction in its own block, which must succeed."""
        sent = self._mined(sender, contract, function, *args)
        assert sent.error is None, f"{contract}.{function}: {sent.error!r} {sent.error}"
        return sent

    def refused(self, sender: str, contract: str, function: str, *args: Any) -> ProtocolError:
        """The error with which the contract refuses it."""
        sent = self._mined(sender, contract, function, *args)
        assert sent.error is not None, f"{contract}.{function} was accepted"
        return sent.error

    def batch(self, calls: Sequence[tuple[str, str, str, tuple[Any, ...]]]) -> None:
        """Many transactions in one block, all of which must succeed."""
        nonces: dict[str, int] = {}
        raws = []
        for sender, contract, function, args in calls:
            nonce = nonces.setdefault(sender, self.chain.nonce(address(sender)))
            nonces[sender] += 1
            call = self.contracts.encode(contract, function, *args)
            raws.append(sign(ACCOUNTS[sender], Transaction(nonce, call.to, call.data, gas=GAS)))
        mined = self.chain.mine(raws)
        for receipt, call_ in zip(mined.receipts, calls, strict=True):
            assert receipt.ok, f"{call_}: {decode_error(self.chain.revert_data(receipt.hash))}"

    def read(self, contract: str, function: str, *args: Any) -> Any:
        """A view at the head."""
        call = self.contracts.encode(contract, function, *args)
        return self.contracts.result(contract, function, self.chain.call(call.to, call.data))

    def refused_read(self, contract: str, function: str, *args: Any) -> ProtocolError:
        """The error with which a view refuses."""
        call = self.contracts.encode(contract, function, *args)
        (answer,) = self.chain.calls([(call.to, call.data)])
        assert isinstance(answer, Reverted), f"{contract}.{function} answered"
        return decode_error(answer.data)

    def balance(self, account: str) -> int:
        """KOMP of an account or a contract by name, wei."""
        owner = ACCOUNTS[account].address if account in ACCOUNTS else self.address(account)
        return int(self.read("Kompute", "balanceOf", owner))

    def create(self, name: str, artifact: str, *args: Any) -> ProtocolError | None:
        """Another contract under that name; its error when the constructor refuses."""
        deployer = ACCOUNTS["deployer"]
        code = creation_code(self.artifacts[artifact], args)
        nonce = self.chain.nonce(deployer.address)
        receipt = self.chain.mine(
            [sign(deployer, Transaction(nonce, None, code, gas=8_000_000))]
        ).receipts[0]
        if receipt.contract_address is None:
            return decode_error(self.chain.revert_data(receipt.hash))
        self._extend({name: receipt.contract_address}, {name: self.artifacts[artifact].abi})
        return None

    def _extend(self, addresses: Mapping[str, str], abis: Mapping[str, Any]) -> None:
        self.deployment = replace(
            self.deployment,
            addresses={**self.deployment.addresses, **addresses},
            abis={**self.deployment.abis, **abis},
        )
        self.contracts = Contracts(self.deployment)
        self.domains = Domains.of(self.deployment)

    def _mined(self, sender: str, contract: str, function: str, *args: Any) -> Sent:
        call = self.contracts.encode(contract, function, *args)
        account = ACCOUNTS[sender]
        nonce = self.chain.nonce(account.address)
        mined = self.chain.mine([sign(account, Transaction(nonce, call.to, call.data, gas=GAS))])
        receipt = mined.receipts[0]
        error = None if receipt.ok else decode_error(self.chain.revert_data(receipt.hash))
        return Sent(
            mined.block.number,
            mined.block.timestamp,
            receipt.gas_used,
            self.contracts.events(receipt),
            error,
        )

    # What gatekeepers and oracle nodes sign

    def stake(self, n: int = 1, months: int = 1, *, hardware: bytes = b"") -> Sent:
        """Worker n stakes its 500 KOMP."""
        return self.send(f"owner-{n}", "Staking", "stake", *self.admission(n, months, hardware))

    def admission(
        self, n: int = 1, months: int = 1, hardware: bytes = b"", deadline: int = 2**40 - 1
    ) -> tuple[Any, ...]:
        """The arguments of `stake`, signed by two gatekeepers and by the node's key."""
        hardware = hardware or n.to_bytes(32, "big")
        node, owner = address(f"node-{n}"), address(f"owner-{n}")
        digest = self.domains.admission(node, owner, hardware, deadline)
        signatures = signed(digest, *GATEKEEPERS[:2])
        return node, hardware, months, deadline, signatures, signed(digest, f"node-{n}")

    def result(self, n: int = 1, **changes: Any) -> dict[str, Any]:
        """The next result of worker n, measured in the head block, as IRewards.Result."""
        node = address(f"node-{n}")
        measured = changes.get("measuredBlock", self.block)
        block_hash = self.chain.block_hash(measured)
        names = ("sgx", "b", "c1", "c2", "c3")
        fields: dict[str, Any] = {
            "node": node,
            "cycle": self.cycle,
            "sequence": self.read("Rewards", "sequenceOf", node) + 1,
            "measuredBlock": measured,
            "measuredHash": bytes.fromhex(block_hash[2:]) if block_hash else bytes(32),
            **dict(zip(names, REFERENCE, strict=True)),
        }
        return {**fields, **changes}

    def attested(self, result: Mapping[str, Any], *names: str) -> tuple[Any, bytes]:
        """A result and the signatures of two gatekeepers, or of those named."""
        digest = self.domains.result(*result.values())
        return result, signed(digest, *(names or GATEKEEPERS[:2]))

    def publish(self, n: int = 1, **changes: Any) -> Sent:
        """Worker n publishes, by default the reference machine's V."""
        return self.send(
            f"node-{n}", "Rewards", "publish", *self.attested(self.result(n, **changes))
        )

    def incident(
        self, n: int, start: int, end: int, *names: str, level: int = 1
    ) -> tuple[Any, ...]:
        """The arguments of `report`, signed by two gatekeepers, or by those named."""
        node, evidence = address(f"node-{n}"), b"\xee" * 32
        digest = self.domains.incident(node, level, start, end, evidence)
        return node, level, start, end, evidence, signed(digest, *(names or GATEKEEPERS[:2]))

    def execution(
        self,
        proposal: bytes,
        calls: Sequence[Mapping[str, Any]],
        *names: str,
        deadline: int = 2**40 - 1,
    ) -> tuple[Any, ...]:
        """The arguments of `queue`, signed by all three gatekeepers, or by those named."""
        space = self.read("ExecutionQueue", "space")
        digest = self.domains.execution(space, proposal, calls, deadline)
        return proposal, calls, deadline, signed(digest, *(names or GATEKEEPERS))

    def call(self, contract: str, function: str, *args: Any) -> dict[str, Any]:
        """IExecutionQueue.Call."""
        encoded = self.contracts.encode(contract, function, *args)
        return {"to": encoded.to, "data": encoded.data}

    def round(self, feed: str, *observations: int) -> Sent:
        """Three equal observations, or those given, signed by two oracle nodes."""
        if len(observations) == 1:
            observations = observations * 3
        return self.send("oracle-1", feed, "transmit", *self.transmission(feed, observations))

    def transmission(
        self, feed: str, observations: Sequence[int], *names: str, **changes: Any
    ) -> tuple[Report, bytes]:
        """The next report of what was seen at the head, signed by two oracle nodes or those
        named."""
        fields: dict[str, Any] = {
            "configDigest": self.read(feed, "configDigest"),
            "epoch": (self.read(feed, "latestEpochAndRound") >> 8) + 1,
            "round": 1,
            "observationsTimestamp": self.now,
            "observers": observers_word(range(len(observations))),
            "observations": tuple(observations),
        }
        report = Report(**{**fields, **changes})
        digest = self.domains.report(feed, report)
        return report, signed(digest, *(names or ("oracle-1", "oracle-2")))

    def feed_all(self, komp_usd: int = 50_000_000, utilization: int = 0) -> None:
        """Every feed fresh, every price stored: a KOMP is half a dollar."""
        for resource, price in USD.items():
            for vendor in VENDORS:
                self.round(f"Feed:{vendor}:{resource}", price)
        self.round("Feed:komp_usd", komp_usd)
        self.round("Feed:utilization", utilization)
        for number in range(len(USD)):
            self.send("mallory", "Pricing", "poke", number)
