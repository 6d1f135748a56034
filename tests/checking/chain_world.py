"""The network of `model_world` on a real chain: every transaction is mined and compared."""

from __future__ import annotations

from typing import Any

from model_world import ACCOUNTS, DEPLOYMENT, NAMES, World, address, parameters

from devnet.chain import Chain, Transaction, sign
from devnet.checking import Checker, Verdict
from devnet.deploy import execute
from devnet.model import Ledger, Outcome
from devnet.protocol import Contracts, ObservedTransaction, View, observe
from devnet.protocol.artifacts import Artifacts
from devnet.protocol.messages import Domains

GAS = 3_000_000


class ChainWorld(World):
    """One transaction a block; the checker sees every block. Long blocks, so that months pass."""

    block_seconds = 1800

    def __init__(self, chain: Chain, artifacts: Artifacts) -> None:
        deployment, mined = execute(DEPLOYMENT, artifacts, chain, ACCOUNTS["deployer"])
        self.chain = chain
        self.contracts = Contracts(deployment)
        self.reads = View(chain, self.contracts)
        self.parameters = parameters()
        assert self.parameters.addresses == deployment.addresses
        self.checker = Checker(self.parameters, self.reads.block_hash)
        self.prelude = observe(mined, self.contracts, chain)
        self.checker.observe(self.prelude)
        self.model = self.checker.model
        self.domains = Domains.of(deployment)
        self.lanes = chain.nonce_lanes()
        self.history: list[ObservedTransaction] = []
        self.fund()

    @property
    def block(self) -> int:  # type: ignore[override]
        """That of the next transaction."""
        return self.chain.head.number + 1

    def mine(self, blocks: int = 1) -> None:
        if blocks:
            self.chain.advance(blocks)

    def next_cycle(self, cycles: int = 1) -> None:
        first = self.parameters.genesis_block + (self.cycle + cycles) * self.parameters.cycle_blocks
        self.mine(first - self.block)

    def block_hash(self, number: int) -> bytes:
        return self.reads.block_hash(number)

    def ledger(self) -> Ledger:
        return self.check().ledger

    def check(self, *, whole: bool = False) -> Verdict:
        return self.checker.check(self.reads, self.chain.head, whole=whole)

    def fund(self) -> None:
        """All in one block."""
        approvals = ("Staking", "Rewards", "Market", "Slashing")
        calls = [("treasury", "transfer", (address(name), 10_000 * 10**18)) for name in NAMES[4:]]
        calls.append(("treasury", "transfer", (address("IncentiveVault"), 78 * 10**18)))
        calls += [
            (name, "approve", (address(contract), 2**256 - 1))
            for name in NAMES
            for contract in approvals
        ]
        self._mine([self._signed(who, "Kompute", f, args) for who, f, args in calls])

    def send(self, sender: str, contract: str, function: str, **args: Any) -> Outcome:
        """Mined in a block of its own; gives what the chain made of it."""
        names = self.contracts.function(contract, function).inputs.names
        raw = self._signed(sender, contract, function, tuple(args[name] for name in names))
        (seen,) = self._mine([raw])
        return Outcome(seen.ok, seen.error)

    def _mine(self, raws: list[bytes]) -> tuple[ObservedTransaction, ...]:
        mined = self.chain.mine(raws)
        observed = observe(mined, self.contracts, self.chain)
        self.checker.observe(observed)
        self.history += observed
        return observed

    def _signed(self, sender: str, contract: str, function: str, args: tuple[Any, ...]) -> bytes:
        call, account = self.contracts.encode(contract, function, *args), ACCOUNTS[sender]
        transaction = Transaction(
            nonce=self.lanes.take(account.address),
            to=call.to,
            data=call.data,
            gas=GAS,
            chain_id=self.chain.chain_id,
        )
        return sign(account, transaction)
