"""The performance test, run as a real process, and the peers' checks of its transcript."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.errors import JobFailed, UnknownSubject
from cluster.faults import OFFLINE
from cluster.interface import (
    Capacity,
    Job,
    JobResult,
    Measurement,
    NodeSpec,
    Workload,
)
from cluster.perftest import Transcript, TranscriptRejected, measure, run_test, verify
from cluster.perftest.program import (
    BLOCK_BYTES,
    advance,
    block,
    block_sizes,
    fill,
    run_chain,
    run_chains,
    tail,
)
from cluster.perftest.rules import chain_steps
from cluster.scores import profile_measurement, proven_memory, proven_storage
from cluster.sim.cluster import SimCluster

SEED = bytes(range(32))
NODE = Capacity(
    milli_cpu=200,
    memory_bytes=100 << 20,
    storage_bytes=3 * 10**9,
    disk_write_bytes_per_second=10**9,
    network_bits_per_second=1_500_000,
)


@pytest.fixture(scope="module")
def sim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimCluster]:
    nodes = [NodeSpec("worker-1", "standard", "eu", "eu-a", NODE)]
    state = tmp_path_factory.mktemp("sim")
    with SimCluster(nodes, state, f"perftest-{os.getpid()}") as cluster:
        yield cluster


@pytest.fixture(scope="module")
def measured(sim: SimCluster) -> Measurement:
    return measure(sim, "worker-1", SEED)


def test_a_real_test_proves_its_share_of_the_node(measured: Measurement) -> None:
    assert (measured.node, measured.seed) == ("worker-1", SEED)
    assert measured.memory_bytes == proven_memory(NODE) == (100 << 20) // 32
    assert measured.storage_bytes == proven_storage(NODE) == 3 * 10**9 // 2000
    # Loopback is faster than what the node declares.
    assert (measured.up_bits_per_second, measured.down_bits_per_second) == (1_500_000, 1_500_000)
    # A fifth of a core: by its own restraint where nothing else enforces it.
    assert 2_000 < measured.cpu_steps_per_second < 4_000 * 200


def test_peers_accept_it_with_every_choice_of_segments(measured: Measurement) -> None:
    for salt in range(5):
        verify(measured, NODE, allow_modelled=False, salt=bytes([salt]))


def test_the_gatekeepers_clock_decides(sim: SimCluster) -> None:
    ticks = iter(range(0, 10**12, 10**8))  # every look is 0.1 s later
    seen = run_test(sim.run_job, "worker-1", NODE, SEED, clock=lambda: next(ticks))
    assert seen.cpu_steps_per_second == chain_steps(NODE) * 10
    assert seen.memory_bytes_per_second == seen.memory_bytes * 10
    verify(seen, NODE)


Change = Callable[[dict[str, Any]], None]


def tampered(measurement: Measurement, change: Change, capacity: Capacity = NODE) -> Measurement:
    """The transcript changed, and the figures made to follow from it."""
    document = json.loads(measurement.transcript)
    change(document)
    changed = Transcript.decode(json.dumps(document).encode())
    return changed.measurement(measurement.node, measurement.seed, capacity)


def flipped(text: str) -> str:
    return ("0" if text[0] != "0" else "1") + text[1:]


def _checkpoint(document: dict[str, Any]) -> None:
    run = document["chains"][1]["checkpoints"][0]
    run[:] = [flipped(each) for each in run]


def _steps(document: dict[str, Any]) -> None:
    document["chains"][0]["steps"] *= 2


def _runs(document: dict[str, Any]) -> None:
    del document["chains"][0]


def _speed(document: dict[str, Any]) -> None:
    for run in document["chains"]:
        run["nanoseconds"] //= 1000


def _no_time(document: dict[str, Any]) -> None:
    document["disk"]["nanoseconds"] = 0


def _answer(document: dict[str, Any]) -> None:
    document["memory"]["answers"][3] = flipped(document["memory"]["answers"][3])


def _tail(document: dict[str, Any]) -> None:
    index = document["disk"]["blocks"][0]
    document["disk"]["tails"][index] = flipped(document["disk"]["tails"][index])


def _more_memory(document: dict[str, Any]) -> None:
    document["memory"]["total"] *= 2


def _fewer_challenges(document: dict[str, Any]) -> None:
    for name in ("blocks", "answers"):
        document["memory"][name] = document["memory"][name][:1]


def _same_block(document: dict[str, Any]) -> None:
    for name in ("blocks", "answers"):
        document["memory"][name] = [document["memory"][name][0]] * 8


def _slow_challenge(document: dict[str, Any]) -> None:
    document["disk"]["challenge_nanoseconds"] = 10**12


def _block_out_of_range(document: dict[str, Any]) -> None:
    document["memory"]["blocks"][0] = -1


def _no_hex(document: dict[str, Any]) -> None:
    document["memory"]["tails"][0] = "zz"


def _few_bytes(document: dict[str, Any]) -> None:
    document["up"]["total"] = 1


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (_checkpoint, "chain run 1, chain 0: segment 0 is wrong"),
        (_steps, "chain run 0: "),
        (_runs, "2 chain runs, not 3"),
        (_speed, "cpu_steps_per_second .* is above 800000"),
        (_no_time, "disk: took 0 ns"),
        (_answer, r"memory: block \d+ is wrong"),
        (_tail, r"disk: block \d+ is wrong"),
        (_more_memory, "memory_bytes .* is above"),
        (_fewer_challenges, "memory: 1 blocks challenged, not 8"),
        (_same_block, "memory: 1 blocks challenged, not 8"),
        (_slow_challenge, "disk: the challenge took as long as filling it again"),
        (_block_out_of_range, "memory: there is no block -1"),
        (_no_hex, "memory: non-hexadecimal"),
        (_few_bytes, "up: 1 bytes"),
    ],
)
def test_a_tampered_transcript_is_rejected(measured: Measurement, change: Change, why: str) -> None:
    with pytest.raises(TranscriptRejected, match=why):
        verify(tampered(measured, change), NODE)


def test_figures_that_do_not_follow_from_the_transcript_are_rejected(
    measured: Measurement,
) -> None:
    better = replace(measured, cpu_steps_per_second=measured.cpu_steps_per_second + 1)
    with pytest.raises(TranscriptRejected, match="do not follow"):
        verify(better, NODE)


def test_a_transcript_of_another_seed_or_machine_is_rejected(measured: Measurement) -> None:
    with pytest.raises(TranscriptRejected, match="segment 0 is wrong"):
        verify(replace(measured, seed=b"\xff" * 32), NODE)
    with pytest.raises(TranscriptRejected, match="memory_bytes 3276800 is above 1638400"):
        verify(measured, replace(NODE, memory_bytes=50 << 20))


@pytest.mark.parametrize("transcript", [b"", b"{}", b"[]", b'{"chains":1}', b"\xff"])
def test_what_is_no_transcript_is_rejected(measured: Measurement, transcript: bytes) -> None:
    with pytest.raises(TranscriptRejected, match="not a transcript"):
        verify(replace(measured, transcript=transcript), NODE)


def test_a_modelled_measurement_must_be_the_profiles_own() -> None:
    own = profile_measurement("worker-1", NODE, SEED)
    verify(own, NODE)
    with pytest.raises(TranscriptRejected, match="not the figures of its profile"):
        verify(replace(own, memory_bytes=own.memory_bytes + 1), NODE)
    with pytest.raises(TranscriptRejected, match="not modelled"):
        verify(own, NODE, allow_modelled=False)


def test_an_unknown_node_is_named(sim: SimCluster) -> None:
    with pytest.raises(UnknownSubject, match="worker-9"):
        measure(sim, "worker-9", SEED)


def test_a_program_that_never_connects_is_a_failed_job() -> None:
    def dead(job: Job) -> JobResult:
        return JobResult(job.name, "worker-1", 7, b"", 1, 1)

    with pytest.raises(JobFailed, match="exit code 7"):
        run_test(dead, "worker-1", NODE, SEED)


def test_a_busy_node_can_be_tested(sim: SimCluster, tmp_path: Path) -> None:
    sim.apply(Workload("all-of-it", tmp_path, ("sleep", "60"), 1, NODE))
    try:
        verify(measure(sim, "worker-1", SEED), NODE)
    finally:
        sim.delete("all-of-it")


def test_a_lost_node_cannot(sim: SimCluster) -> None:
    sim.fault("worker-1", OFFLINE)
    try:
        with pytest.raises(JobFailed, match="node 'worker-1' is lost"):
            measure(sim, "worker-1", SEED)
    finally:
        sim.heal("worker-1")


def test_chains_in_processes_are_the_chains_in_one() -> None:
    seeds = [bytes([n]) * 32 for n in range(3)]
    alone = [run_chain(seed, 500, 200, lambda: None) for seed in seeds]
    assert run_chains(seeds, 500, 200, 3000) == alone
    assert alone[1] == [advance(seeds[1], steps).hex() for steps in (200, 400, 500)]


@given(st.integers(0, 5 * BLOCK_BYTES))
def test_block_sizes_add_up(total: int) -> None:
    sizes = block_sizes(total)
    assert sum(sizes) == total
    assert all(0 < size <= BLOCK_BYTES for size in sizes)


def test_each_block_needs_the_one_before() -> None:
    first, second = fill(SEED, BLOCK_BYTES + 10, lambda: None)
    assert second == block(SEED, 1, tail(first), 10)
    assert second != block(SEED, 1, bytes(32), 10)
    assert len(tail(second)) == 32


def test_the_program_needs_nothing_of_the_project() -> None:
    from cluster.perftest import program

    source = Path(program.__file__).read_text(encoding="utf-8")
    assert "import cluster" not in source
    assert "from cluster" not in source
