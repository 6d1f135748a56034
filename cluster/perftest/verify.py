"""What a gatekeeper checks of a peer's test before it signs (R4, W3)."""

from __future__ import annotations

import random
import secrets
from itertools import pairwise

from cluster.interface import Capacity, Measurement
from cluster.perftest import quota, rules
from cluster.perftest.program import DIGEST_BYTES, advance, answer, block, block_sizes, tail
from cluster.perftest.transcript import (
    ChainRun,
    Filled,
    Transcript,
    TranscriptRejected,
    Transfer,
    Undecided,
)
from cluster.scores import (
    MODELLED_TRANSCRIPT,
    profile_measurement,
    proven_memory,
    proven_storage,
)

_SEGMENTS = 4


def verify(
    measurement: Measurement,
    capacity: Capacity,
    *,
    allow_modelled: bool = True,
    salt: bytes | None = None,
) -> None:
    """Raises `TranscriptRejected` unless the transcript proves the figures within `capacity`.

    Chains are recomputed at segments that `salt` chooses (fresh randomness by default), challenged
    blocks wholly. A modelled measurement must be the profile's own figures; a gatekeeper of a
    cluster of real nodes passes `allow_modelled=False`.
    """
    if measurement.transcript == MODELLED_TRANSCRIPT:
        if not allow_modelled:
            raise TranscriptRejected(f"{measurement.node}: a real node's test is not modelled")
        own = profile_measurement(measurement.node, capacity, measurement.seed)
        if measurement != own:
            differing = (
                f"{name} {getattr(measurement, name)} is not {getattr(own, name)}"
                for name in Measurement.__dataclass_fields__
                if getattr(measurement, name) != getattr(own, name)
            )
            told = ", ".join(differing)
            raise TranscriptRejected(f"{measurement.node}: not the figures of its profile: {told}")
        return
    transcript = Transcript.decode(measurement.transcript)
    chooser = random.Random(salt if salt is not None else secrets.token_bytes(16))
    _check_limits(measurement, capacity)
    _check_numbers([run.number for run in transcript.chains])
    for run in transcript.chains:
        _check_chain(run, measurement.seed, capacity, chooser)
        _check_quota(run, capacity)
    _check_filled("memory", transcript.memory, measurement.seed, proven_memory(capacity))
    _check_filled("disk", transcript.disk, measurement.seed, proven_storage(capacity))
    for way, transfer in (("down", transcript.down), ("up", transcript.up)):
        _check_transfer(way, transfer, capacity)
    if transcript.measurement(measurement.node, measurement.seed, capacity) != measurement:
        raise TranscriptRejected(f"{measurement.node}: the figures do not follow from the test")


def _check_limits(measurement: Measurement, capacity: Capacity) -> None:
    limits = {
        "cpu_steps_per_second": (capacity.milli_cpu * rules.MOST_STEPS_PER_SECOND_PER_MILLI_CPU),
        "memory_bytes": proven_memory(capacity),
        "memory_bytes_per_second": capacity.milli_cpu * rules.MOST_FILL_PER_MILLI_CPU,
        "storage_bytes": proven_storage(capacity),
        "storage_write_bytes_per_second": capacity.disk_write_bytes_per_second,
        "up_bits_per_second": capacity.network_bits_per_second,
        "down_bits_per_second": capacity.network_bits_per_second,
    }
    above = [
        f"{name} {getattr(measurement, name)} is above {limit}"
        for name, limit in limits.items()
        if getattr(measurement, name) > limit
    ]
    if above:
        raise TranscriptRejected(f"{measurement.node}: {', '.join(above)}")


def _check_numbers(numbers: list[int]) -> None:
    if len(numbers) != rules.RUNS:
        raise TranscriptRejected(f"{len(numbers)} chain runs, not {rules.RUNS}")
    rising = all(earlier < later for earlier, later in pairwise(numbers))
    if not rising or not set(numbers) <= set(range(rules.MOST_RUNS)):
        raise TranscriptRejected(f"chain runs {numbers}, not {rules.RUNS} of {rules.MOST_RUNS}")


def _check_quota(run: ChainRun, capacity: Capacity) -> None:
    if why := quota.excess(run, capacity):
        raise TranscriptRejected(f"chain run {run.number}: {why}")
    if why := quota.shortfall(run, capacity):
        raise Undecided(f"chain run {run.number}: {why}")


def _check_chain(run: ChainRun, seed: bytes, capacity: Capacity, chooser: random.Random) -> None:
    where = f"chain run {run.number}"
    steps = rules.chain_steps(capacity)
    if (run.steps, run.every) != (steps, rules.checkpoint_every(steps)):
        raise TranscriptRejected(f"{where}: {run.steps} steps every {run.every}, not {steps}")
    _positive(where, run.nanoseconds)
    if len(run.checkpoints) != rules.chain_count(capacity):
        raise TranscriptRejected(f"{where}: {len(run.checkpoints)} chains")
    segments = -(-steps // run.every)
    for chain, checkpoints in enumerate(run.checkpoints):
        if len(checkpoints) != segments:
            raise TranscriptRejected(f"{where}, chain {chain}: {len(checkpoints)} checkpoints")
        states = [rules.chain_seed(seed, run.number, chain), *_bytes(where, checkpoints)]
        # The first segment ties the chain to its seed, the others are chosen.
        chosen = {0, *chooser.sample(range(segments), min(segments, _SEGMENTS))}
        for segment in sorted(chosen):
            length = min(run.every, steps - segment * run.every)
            if advance(states[segment], length) != states[segment + 1]:
                raise TranscriptRejected(f"{where}, chain {chain}: segment {segment} is wrong")


def _check_filled(what: str, filled: Filled, seed: bytes, total: int) -> None:
    sizes = block_sizes(filled.total)
    if filled.total != total or len(filled.tails) != len(sizes):
        raise TranscriptRejected(f"{what}: {filled.total} bytes in {len(filled.tails)} blocks")
    _positive(what, filled.nanoseconds)
    _positive(what, filled.challenge_nanoseconds)
    if why := filled.shortfall(what):
        raise Undecided(why)
    wanted = min(len(sizes), rules.CHALLENGED_BLOCKS)
    blocks = filled.blocks
    if len(set(blocks)) != wanted or len(blocks) != wanted or len(filled.answers) != wanted:
        raise TranscriptRejected(f"{what}: {len(set(blocks))} blocks challenged, not {wanted}")
    tails = _bytes(what, filled.tails)
    (nonce,) = _bytes(what, (filled.nonce,))
    own_seed = rules.fill_seed(seed, what)
    for index, said in zip(blocks, filled.answers, strict=True):
        if not 0 <= index < len(sizes):
            raise TranscriptRejected(f"{what}: there is no block {index}")
        previous = tails[index - 1] if index else b"\0" * DIGEST_BYTES
        data = block(own_seed, index, previous, sizes[index])
        if tail(data) != tails[index] or answer(nonce, data) != said:
            raise TranscriptRejected(f"{what}: block {index} is wrong")


def _check_transfer(way: str, transfer: Transfer, capacity: Capacity) -> None:
    if transfer.total != rules.transfer_bytes(capacity):
        raise TranscriptRejected(f"{way}: {transfer.total} bytes")
    _positive(way, transfer.nanoseconds)


def _positive(where: str, nanoseconds: int) -> None:
    if not isinstance(nanoseconds, int) or nanoseconds <= 0:
        raise TranscriptRejected(f"{where}: took {nanoseconds!r} ns")


def _bytes(where: str, texts: tuple[str, ...]) -> list[bytes]:
    try:
        return [bytes.fromhex(text) for text in texts]
    except (ValueError, TypeError) as error:
        raise TranscriptRejected(f"{where}: {error}") from error
