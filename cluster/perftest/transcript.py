"""What the gatekeeper saw of a test, and the figures that follow from it for everybody."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from cluster.errors import ClusterError
from cluster.interface import Capacity, Measurement

SECOND_NS = 10**9


class TranscriptRejected(ClusterError):
    """A test's transcript does not prove its figures; the message says which part and why."""


@dataclass(frozen=True, slots=True)
class ChainRun:
    """One timed run of all chains: states in hex after each `every` steps, a list a chain."""

    steps: int
    every: int
    checkpoints: tuple[tuple[str, ...], ...]
    nanoseconds: int

    def steps_per_second(self) -> int:
        return len(self.checkpoints) * self.steps * SECOND_NS // max(1, self.nanoseconds)


@dataclass(frozen=True, slots=True)
class Filled:
    """A timed fill and a challenge after it. Tails are every block's, answers the challenged's."""

    total: int
    tails: tuple[str, ...]
    nanoseconds: int
    nonce: str
    blocks: tuple[int, ...]
    answers: tuple[str, ...]
    challenge_nanoseconds: int

    def bytes_per_second(self) -> int:
        return self.total * SECOND_NS // max(1, self.nanoseconds)


@dataclass(frozen=True, slots=True)
class Transfer:
    """Gatekeeper-made bytes, one way."""

    total: int
    nanoseconds: int

    def bits_per_second(self) -> int:
        return 8 * self.total * SECOND_NS // max(1, self.nanoseconds)


@dataclass(frozen=True, slots=True)
class Transcript:
    """A whole test; `chains` are the runs whose median counts."""

    chains: tuple[ChainRun, ...]
    memory: Filled
    disk: Filled
    down: Transfer
    up: Transfer

    def encode(self) -> bytes:
        return json.dumps(asdict(self), separators=(",", ":")).encode()

    @classmethod
    def decode(cls, data: bytes) -> Transcript:
        """Raises `TranscriptRejected` on anything that is not a transcript."""
        try:
            document = json.loads(data)
            return cls(
                chains=tuple(_chain_run(each) for each in document["chains"]),
                memory=_filled(document["memory"]),
                disk=_filled(document["disk"]),
                down=Transfer(**document["down"]),
                up=Transfer(**document["up"]),
            )
        except (ValueError, TypeError, KeyError) as error:
            raise TranscriptRejected(f"not a transcript: {error!r}") from error

    def measurement(self, node: str, seed: bytes, capacity: Capacity) -> Measurement:
        """The figures. Disk and network are cut at what the node declares, since nothing on a
        shared machine would hold them there."""
        runs = sorted(run.steps_per_second() for run in self.chains)
        network = capacity.network_bits_per_second
        return Measurement(
            node=node,
            seed=seed,
            cpu_steps_per_second=runs[len(runs) // 2],
            memory_bytes=self.memory.total,
            memory_bytes_per_second=self.memory.bytes_per_second(),
            storage_bytes=self.disk.total,
            storage_write_bytes_per_second=min(
                capacity.disk_write_bytes_per_second, self.disk.bytes_per_second()
            ),
            up_bits_per_second=min(network, self.up.bits_per_second()),
            down_bits_per_second=min(network, self.down.bits_per_second()),
            transcript=self.encode(),
        )


def _chain_run(document: dict[str, Any]) -> ChainRun:
    document["checkpoints"] = tuple(tuple(each) for each in document["checkpoints"])
    return ChainRun(**document)


def _filled(document: dict[str, Any]) -> Filled:
    for name in ("tails", "blocks", "answers"):
        document[name] = tuple(document[name])
    return Filled(**document)
