"""EIP-712 digests of everything gatekeepers and oracle nodes sign, packed by hand.

The domain is {name "Kompute", version "1", chainId, verifyingContract}; the verifying contract is
the one the message is sent to. The types stand in the NatSpec of `contracts/interfaces`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from devnet.chain.accounts import Account
from devnet.chain.keccak import keccak
from devnet.chain.signer import sign_digest
from devnet.protocol.codec import Codec, Parameter
from devnet.protocol.deployment import Deployment
from devnet.protocol.reports import Report

DOMAIN_NAME: Final = "Kompute"
DOMAIN_VERSION: Final = "1"

ADMISSION: Final = "Admission(address node,address owner,bytes32 hardwareId,uint256 deadline)"
RESULT: Final = (
    "Result(address node,uint256 cycle,uint256 sequence,uint256 measuredBlock,"
    "bytes32 measuredHash,uint256 sgx,uint256 b,uint256 c1,uint256 c2,uint256 c3)"
)
INCIDENT: Final = "Incident(address node,uint8 level,uint64 from,uint64 to,bytes32 evidence)"
REPORT: Final = (
    "Report(bytes32 configDigest,uint32 epoch,uint8 round,uint32 observationsTimestamp,"
    "bytes32 observers,int192[] observations)"
)
RUNNING: Final = "Running(uint256 order,uint256 seq,uint256 replicas,uint256 at)"
COUNTERS: Final = "Counters(uint256 order,uint256 invocations,uint256 mibMilliseconds)"
EXECUTION: Final = "Execution(bytes32 space,bytes32 proposal,bytes32 calls,uint256 deadline)"
SNAPSHOT_SPACE: Final = keccak(b"kompute.eth")  # G1: whose proposals are executed

_DOMAIN: Final = (
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
_HASHES: Final = {
    text: keccak(text.encode())
    for text in (ADMISSION, RESULT, INCIDENT, REPORT, RUNNING, COUNTERS, EXECUTION, _DOMAIN)
}


_CALL: Final = (Parameter("to", "address"), Parameter("data", "bytes"))
_CALLS: Final = Codec([Parameter("calls", "(address,bytes)[]", _CALL)])


class Domains:
    """The digests of one deployment; addresses are hex, hashes 32 bytes, the rest integers."""

    def __init__(self, chain_id: int, addresses: Mapping[str, str]) -> None:
        self._separators = {
            name: _separator(chain_id, address) for name, address in addresses.items()
        }

    @classmethod
    def of(cls, deployment: Deployment) -> Domains:
        """Of a deployment's chain and contracts."""
        return cls(deployment.genesis.chain_id, deployment.addresses)

    def admission(self, node: str, owner: str, hardware_id: bytes, deadline: int) -> bytes:
        """S6: this owner may register this node on this hardware until `deadline`."""
        words = (_address(node), _address(owner), _bytes32(hardware_id), _uint(deadline))
        return self._digest("Staking", ADMISSION, words)

    def result(
        self,
        node: str,
        cycle: int,
        sequence: int,
        measured_block: int,
        measured_hash: bytes,
        sgx: int,
        b: int,
        c1: int,
        c2: int,
        c3: int,
    ) -> bytes:
        """W3: the factors of one performance test."""
        words = (
            _address(node),
            _uint(cycle),
            _uint(sequence),
            _uint(measured_block),
            _bytes32(measured_hash),
            *(_uint(factor) for factor in (sgx, b, c1, c2, c3)),
        )
        return self._digest("Rewards", RESULT, words)

    def incident(self, node: str, level: int, start: int, end: int, evidence: bytes) -> bytes:
        """L6: an incident over the seconds [start, end)."""
        words = (_address(node), _uint(level), _uint(start), _uint(end), _bytes32(evidence))
        return self._digest("Slashing", INCIDENT, words)

    def running(self, order: int, seq: int, replicas: int, at: int) -> bytes:
        """M6: `replicas` of an order run from second `at` on."""
        words = (_uint(order), _uint(seq), _uint(replicas), _uint(at))
        return self._digest("Market", RUNNING, words)

    def counters(self, order: int, invocations: int, mib_milliseconds: int) -> bytes:
        """M3: a serverless order's cumulative totals."""
        words = (_uint(order), _uint(invocations), _uint(mib_milliseconds))
        return self._digest("Market", COUNTERS, words)

    def report(self, feed: str, report: Report) -> bytes:
        """O1: what oracle nodes report to a feed; `feed` is the contract's name."""
        words = (
            _bytes32(report.configDigest),
            *(_uint(n) for n in (report.epoch, report.round, report.observationsTimestamp)),
            _bytes32(report.observers),
            keccak(b"".join(_int(observation) for observation in report.observations)),
        )
        return self._digest(feed, REPORT, words)

    def execution(
        self, space: bytes, proposal: bytes, calls: Sequence[Any], deadline: int
    ) -> bytes:
        """G2: a proposal of a space has passed and does these calls (`to`, `data`); to be queued
        until `deadline`."""
        words = (_bytes32(space), _bytes32(proposal), calls_hash(calls), _uint(deadline))
        return self._digest("ExecutionQueue", EXECUTION, words)

    def _digest(self, contract: str, kind: str, words: Iterable[bytes]) -> bytes:
        struct = keccak(_HASHES[kind] + b"".join(words))
        return keccak(b"\x19\x01" + self._separators[contract] + struct)


def calls_hash(calls: Sequence[Any]) -> bytes:
    """keccak256(abi.encode(calls)) of IExecutionQueue.Call[] (G2), mappings or dataclasses."""
    return keccak(_CALLS.encode((calls,)))


def order_spec(kind: int, spec: bytes, milli_cpu: int, memory_mib: int, storage_gib: int) -> bytes:
    """What an order stores of a request: IMarket.Order.spec, of what its rates are locked for (M1).

    keccak256(abi.encode(kind, spec, milliCpu, memoryMib, storageGib)), `spec` the 32 bytes of the
    service's own hash. Raises ValueError for a hash of another length.
    """
    sizes = (_uint(size) for size in (milli_cpu, memory_mib, storage_gib))
    return keccak(_uint(kind) + _bytes32(spec) + b"".join(sizes))


def collect(digest: bytes, accounts: Iterable[Account]) -> bytes:
    """The accounts' signatures over a digest, strictly ascending by signer (R4)."""
    ascending = sorted(accounts, key=lambda account: account.address.lower())
    return b"".join(sign_digest(account, digest) for account in ascending)


def _separator(chain_id: int, address: str) -> bytes:
    return keccak(
        _HASHES[_DOMAIN]
        + keccak(DOMAIN_NAME.encode())
        + keccak(DOMAIN_VERSION.encode())
        + _uint(chain_id)
        + _address(address)
    )


def _address(address: str) -> bytes:
    raw = bytes.fromhex(address[2:])
    if len(raw) != 20:
        raise ValueError(f"{address} is no address")
    return bytes(12) + raw


def _bytes32(value: bytes) -> bytes:
    if len(value) != 32:
        raise ValueError(f"{len(value)} bytes where 32 are due")
    return value


def _uint(value: int) -> bytes:
    return value.to_bytes(32, "big")


def _int(value: int) -> bytes:
    return value.to_bytes(32, "big", signed=True)
