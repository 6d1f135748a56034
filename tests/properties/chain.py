"""The contracts in an EVM inside this process: a transaction in some 100 microseconds.

Gas differs from a real chain's (slots stay warm), so nothing here looks at gas; the sample of
`test_anvil` holds this chain to a real one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from pyrevm import EVM, BlockEnv, CfgEnv, Env

from devnet.actors.view import Directory
from devnet.base.errors import UsageError
from devnet.chain import Block
from devnet.chain.block import Log, Receipt
from devnet.chain.keccak import keccak
from devnet.deploy import DeploymentParameters, plan
from devnet.deploy.execution import creation_code
from devnet.deploy.plan import abi_sources, addresses, resolved
from devnet.protocol import Contracts, Deployment, Event, Genesis, ObservedTransaction
from devnet.protocol.artifacts import Artifacts
from devnet.protocol.deployment import pool_number
from devnet.protocol.errors import ProtocolError, decode_error
from devnet.runs.genesis import funding
from devnet.spec.feeds import FEED_PREFIX
from devnet.spec.network import NetworkSpec

GENESIS_BLOCK: Final = 2  # as `devnet up`: an empty block, the creations, the funding
GAS: Final = 8_000_000
MOST_RESTORED: Final = 200  # then a fresh EVM: its journal keeps what was ever touched

_OUTPUT = re.compile(r"output: 0x([0-9a-f]*)")
_GAS_USED = re.compile(r"gas_used: (\d+)")

# Views that time changes by itself. The others change by an accepted transaction only, and then
# not those of the feeds it was not sent to; a check of everything (`forget`) proves it.
TIMED: Final = frozenset(
    (
        *("multiplierBps", "claimableAll", "currentCycle", "utilization", "amountOf", "endOf"),
        *("marketPrice", "price", "priceInKomp", "beatsAll", "uncollectedOf", "closed"),
        "releasable",
    )
)

Read = tuple[str, str, Sequence[Any]]
Key = tuple[Any, ...]  # contract, function, arguments


@dataclass(frozen=True, slots=True)
class Returned:
    """What a call gave: its data, or the revert's; `logs` as emitted."""

    ok: bool
    data: bytes
    logs: tuple[Log, ...]
    gas_used: int


class EvmChain:
    """The contracts of a network, deployed and funded as `devnet up` does.

    `prelude` are the transactions of that. Every block is its parent + `block_seconds`; the hash
    of block n is the keccak of its decimal digits, as this EVM has it. `restore` goes back to the
    end of the prelude. It is what `devnet.checking` asks for its reads.
    """

    def __init__(self, spec: NetworkSpec, directory: Directory, artifacts: Artifacts) -> None:
        self.spec, self.directory, self.artifacts = spec, directory, artifacts
        accounts = {name: account.address for name, account in directory.accounts.items()}
        self.given = DeploymentParameters.of(spec, accounts)
        deployer = accounts["deployer"]
        creations = plan(self.given)
        where = addresses(creations, deployer)
        abis = {key: artifacts[name].abi for key, name in abi_sources(creations).items()}
        genesis = Genesis(spec.chain.chain_id, spec.chain.genesis_timestamp, GENESIS_BLOCK)
        self.deployment = Deployment(where, abis, self.given.document(), genesis)
        self.contracts = Contracts(self.deployment)
        self._creations = [
            (where[c.name], creation_code(artifacts[c.contract], _args(c.args, where)))
            for c in creations
        ]
        self._deployer = deployer
        self._calldata: dict[Key, tuple[str, bytes]] = {}
        self._results: dict[tuple[str, str, bytes], Any] = {}
        self._refusals: dict[bytes, ProtocolError] = {}
        self._kept: dict[Key, Any] = {}
        self._restored = 0
        self._raise()

    @property
    def first_block(self) -> int:
        """It keeps every hash."""
        return 0

    def _raise(self) -> None:
        self._evm = EVM(
            Env(cfg=CfgEnv(chain_id=self.spec.chain.chain_id)),
            gas_limit=2**40,
            spec_id="CANCUN",
        )
        self._enter(GENESIS_BLOCK)
        for where, code in self._creations:
            created = self._evm.deploy(self._deployer, code)
            assert created.lower() == where
        self.head = self._block(GENESIS_BLOCK)
        self._sent = self._index = 0  # the latter in its block
        self._enter(GENESIS_BLOCK + 1)
        calls = funding(self.spec, self.directory, self.contracts)
        self.prelude = tuple(
            self._transact(self.directory.address(sender), "Kompute", function, args)
            for sender, function, args in calls
        )
        assert all(transaction.ok for transaction in self.prelude)
        self.head = self._block(GENESIS_BLOCK + 1)
        self._funded = self._sent
        self._checkpoint = self._evm.snapshot()

    def restore(self) -> None:
        """Back to the end of the prelude."""
        self.forget()
        self._restored += 1
        if self._restored % MOST_RESTORED == 0:
            self._raise()
            return
        self._evm.revert(self._checkpoint)
        self._checkpoint = self._evm.snapshot()
        self._sent = self._funded
        self.head = self._block(GENESIS_BLOCK + 1)

    # Blocks

    @property
    def next(self) -> Block:
        """The block to come."""
        return self._block(self.head.number + 1)

    def advance(self, blocks: int) -> None:
        """Empty blocks."""
        self.head = self._block(self.head.number + blocks)

    def block_hash(self, number: int) -> bytes:
        """32 zero bytes above the head."""
        return hash_of(number) if 0 <= number <= self.head.number else bytes(32)

    def _block(self, number: int) -> Block:
        chain = self.spec.chain
        timestamp = chain.genesis_timestamp + number * chain.block_seconds
        return Block(number, timestamp, "0x" + hash_of(number).hex())

    def _enter(self, number: int) -> None:
        self._at = at = self._block(number)
        self._evm.set_block_env(BlockEnv(number=at.number, timestamp=at.timestamp, gas_limit=2**40))

    # Transactions

    def send(
        self, sender: str, contract: str, function: str, args: Sequence[Any], *, joins: bool = False
    ) -> ObservedTransaction:
        """One transaction of an address, in a block of its own or as one more of the head."""
        number = pool_number(contract)
        if number is not None and number > self.read("PoolFactory", "poolCount"):
            raise UsageError(f"there is no {contract} yet")  # the EVM would accept it
        block = self.head if joins else self.next
        self._index = self._index + 1 if joins else 0
        self._enter(block.number)
        seen = self._transact(sender, contract, function, args)
        self.head = block
        if seen.ok:
            self._expire(contract, {event.contract for event in seen.events})
        return seen

    def _transact(
        self, sender: str, contract: str, function: str, args: Sequence[Any]
    ) -> ObservedTransaction:
        call = self.contracts.encode(contract, function, *args)
        self._evm.reset_transient_storage()
        returned = self._call(sender, call.to, call.data)
        number, timestamp, name = self._at.number, self._at.timestamp, f"0x{self._sent:064x}"
        self._sent += 1
        index = self._index
        receipt = Receipt(number, name, index, sender, call.to, returned.ok, 0, returned.logs, None)
        refusal = None if returned.ok else decode_error(returned.data, self.contracts.names)
        decoded = self.contracts.decode(call.to, call.data)
        assert decoded is not None
        events: tuple[Event, ...] = self.contracts.events(receipt)
        return ObservedTransaction(
            block=number,
            timestamp=timestamp,
            index=index,
            hash=name,
            sender=sender,
            to=call.to,
            contract=decoded.contract,
            function=decoded.function,
            args=decoded.args,
            ok=returned.ok,
            events=events,
            gas_used=returned.gas_used,
            error=refusal.name if refusal else None,
            error_values=refusal.values if refusal else {},
            sentence=refusal.sentence if refusal else "",
            gas=GAS,
            view=decoded.view,
        )

    def _call(self, sender: str, to: str, data: bytes) -> Returned:
        try:
            out = self._evm.message_call(sender, to, calldata=data, gas=GAS)
        except RuntimeError as refused:  # its text is all this EVM tells of a revert
            text = str(refused)
            output, used = _OUTPUT.search(text), _GAS_USED.search(text)
            reason = bytes.fromhex(output[1]) if output else b""
            return Returned(False, reason, (), int(used[1]) if used else GAS)
        result = self._evm.result
        assert result is not None
        logs = tuple(
            Log(log.address.lower(), tuple(log.data[0]), log.data[1], place)
            for place, log in enumerate(result.logs)
        )
        return Returned(True, out, logs, result.gas_used)

    # Reads

    def read(self, contract: str, function: str, *args: Any) -> Any:
        """One view at the head; raises its ProtocolError."""
        (value,) = self.read_many([(contract, function, args)])
        if isinstance(value, ProtocolError):
            raise value
        return value

    def read_many(self, reads: Sequence[Read]) -> list[Any]:
        """Many views at the head; a refused one's place holds its ProtocolError."""
        self._enter(self.head.number)
        return [self._kept_or_read(*read) for read in reads]

    def forget(self) -> None:
        """Every view is asked again."""
        self._kept.clear()

    def _expire(self, contract: str, told: set[str]) -> None:
        if contract.startswith(FEED_PREFIX) or contract == "Kompute":  # these call nobody
            gone = [key for key in self._kept if key[0] == contract]
        else:  # of feeds only what a proposal has changed (O7), which its event tells
            gone = [
                key for key in self._kept if not key[0].startswith(FEED_PREFIX) or key[0] in told
            ]
        for key in gone:
            del self._kept[key]

    def _kept_or_read(self, contract: str, function: str, args: Sequence[Any]) -> Any:
        key = (contract, function, *args)
        if function in TIMED:
            return self._read(key, contract, function, args)
        if key not in self._kept:
            self._kept[key] = self._read(key, contract, function, args)
        return self._kept[key]

    def _read(self, key: Key, contract: str, function: str, args: Sequence[Any]) -> Any:
        known = self._calldata.get(key)
        if known is None:
            call = self.contracts.encode(contract, function, *args)
            known = self._calldata[key] = call.to, call.data
        try:
            data = self._evm.message_call(self._deployer, known[0], calldata=known[1], gas=GAS)
        except RuntimeError as refused:
            output = _OUTPUT.search(str(refused))
            reason = bytes.fromhex(output[1]) if output else b""
            if reason not in self._refusals:
                self._refusals[reason] = decode_error(reason)
            return self._refusals[reason]
        # Most answers are those of the step before; decoding a struct costs ten calls.
        seen = (contract, function, data)
        if seen not in self._results:
            if len(self._results) > 200_000:
                self._results.clear()
            self._results[seen] = self.contracts.result(contract, function, data)
        return self._results[seen]


def _args(args: tuple[object, ...], where: Mapping[str, str]) -> tuple[object, ...]:
    return tuple(resolved(argument, dict(where)) for argument in args)


@lru_cache(maxsize=50_000)
def hash_of(number: int) -> bytes:
    """A block's hash, as the in-process EVM has it."""
    return keccak(str(number).encode())
