"""What the gatekeeper saw of a test, and the figures that follow from it for everybody."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from cluster.errors import ClusterError
from cluster.interface import Capacity, Measurement
from cluster.perftest import rules

SECOND_NS = 10**9


class TranscriptRejected(ClusterError):
    """A test's transcript does not prove its figures; the message says which part and why."""


class Undecided(TranscriptRejected):
    """It does not prove them; an honest node of a machine that is too busy has no better one."""


@dataclass(frozen=True, slots=True)
class Processor:
    """A run's processor time, to be held beside the gatekeeper's clock.

    The node states `used_ns` of all the run's processes; `waited_ns` they were ready to run and did
    not, for want of a core or of quota; `cores` that they may run on. Of the whole machine
    meanwhile: what its host took (`stolen_ns`), and how long something waited for a core
    (`pressed_ns`); None where the kernel does not tell. `node_ns` is what all of the node's pods
    had, by the gatekeeper's own look; None where it has none.
    """

    used_ns: int
    waited_ns: int
    cores: int
    stolen_ns: int | None
    pressed_ns: int | None
    node_ns: int | None = None

    def __post_init__(self) -> None:
        machine = (self.stolen_ns, self.pressed_ns, self.node_ns)
        figures = (self.used_ns, self.waited_ns, self.cores, *machine)
        if any(each is not None and (type(each) is not int or each < 0) for each in figures):
            raise ValueError(f"no processor time: {self}")
        if not self.cores:
            raise ValueError("a machine without cores")


@dataclass(frozen=True, slots=True)
class ChainRun:
    """One timed run of all chains: states in hex after each `every` steps, a list a chain.

    `number` counts all runs of a test, also those that do not count: each has seeds of its own.
    """

    number: int
    steps: int
    every: int
    checkpoints: tuple[tuple[str, ...], ...]
    nanoseconds: int
    processor: Processor

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

    def shortfall(self, what: str) -> str:
        """Why its challenge proves nothing; empty where it does."""
        longest = max(self.nanoseconds, rules.LONGEST_FREE_CHALLENGE_NS)
        if self.challenge_nanoseconds <= longest:
            return ""
        return f"{what}: the challenge took as long as filling it again"

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
    """A whole test; `chains` are the runs whose median counts, `refused` says why others do not."""

    chains: tuple[ChainRun, ...]
    memory: Filled
    disk: Filled
    down: Transfer
    up: Transfer
    refused: tuple[str, ...] = ()

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
                refused=tuple(map(str, document["refused"])),
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
    document["processor"] = Processor(**document["processor"])
    return ChainRun(**document)


def _filled(document: dict[str, Any]) -> Filled:
    for name in ("tails", "blocks", "answers"):
        document[name] = tuple(document[name])
    return Filled(**document)
