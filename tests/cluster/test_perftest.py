"""The performance test, run as a real process, and the peers' checks of its transcript."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.errors import ClusterError, JobFailed, UnknownSubject
from cluster.faults import OFFLINE
from cluster.interface import (
    Capacity,
    Job,
    JobResult,
    Measurement,
    NodeSpec,
    Workload,
)
from cluster.perftest import (
    Cheated,
    Machine,
    Overloaded,
    Transcript,
    TranscriptRejected,
    Undecided,
    cheats,
    gatekeeper,
    measure,
    quota,
    rules,
    run_test,
    verify,
)
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
from cluster.perftest.transcript import ChainRun, Processor
from cluster.scores import profile_measurement, proven_memory, proven_storage
from cluster.sim.cluster import SimCluster
from cluster.waiting import Seen, wait_for
from devnet.spec.behaviours import BEHAVIOURS, WORKER

SEED = bytes(range(32))
NODE = Capacity(
    milli_cpu=50,  # so little that a busy machine gives it, too
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
    # A twentieth of a core: by its own restraint where nothing else enforces it.
    assert 2_000 < measured.cpu_steps_per_second < 4_000 * 50


def test_peers_accept_it_with_every_choice_of_segments(measured: Measurement) -> None:
    for salt in range(5):
        verify(measured, NODE, allow_modelled=False, salt=bytes([salt]))


def test_the_gatekeepers_clock_decides(measured: Measurement) -> None:
    runs = Transcript.decode(measured.transcript).chains
    rates = sorted(chain_steps(NODE) * 10**9 // run.nanoseconds for run in runs)
    assert measured.cpu_steps_per_second == rates[1]


def test_the_processor_time_beside_it_shows_a_clock_that_is_slow(sim: SimCluster) -> None:
    """By it the node is faster by half than its quota lets it be."""
    with pytest.raises(Cheated, match="% of what its quota gives: nothing holds the node to it"):
        run_test(sim.run_job, "worker-1", NODE, SEED, clock=lambda: time.monotonic_ns() * 6 // 10)


def test_a_node_that_never_gets_its_quota_has_no_result(
    sim: SimCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a clock of three times the speed the node has a third of its processor time."""
    monkeypatch.setattr(rules, "MOST_RUNS", 4)
    with pytest.raises(Overloaded) as caught:
        run_test(sim.run_job, "worker-1", NODE, SEED, clock=lambda: time.monotonic_ns() * 3)
    said = str(caught.value)
    assert said.startswith(
        "the test of worker-1 gave no result: overloaded: 4 of 4 runs do not count; the last that "
        "does not: chain run 3: the node had "
    )
    share = re.search(r"(\d+) % of what its quota gives; its processes waited", said)
    assert share is not None
    assert 20 <= int(share[1]) <= 34
    assert said.endswith("or divide its nodes by a smaller network.scale")


def test_a_slow_node_that_gets_its_quota_is_measured(
    sim: SimCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only runs that do not count try its gatekeeper: it ended with an IndexError after 40 s."""
    monkeypatch.setattr(gatekeeper, "_PATIENCE_SECONDS", -1.0)
    monkeypatch.setattr(rules, "LEAST_PERCENT_OF_QUOTA", 0)
    seen = run_test(sim.run_job, "worker-1", NODE, SEED)
    assert [run.number for run in Transcript.decode(seen.transcript).chains] == [0, 1, 2]


def test_a_run_without_its_quota_is_repeated_under_another_seed(sim: SimCluster) -> None:
    """The clock leaps by ten seconds in the first run only."""
    looks = count()

    def clock() -> int:
        return time.monotonic_ns() + (10**10 if next(looks) >= 1 else 0)

    seen = run_test(sim.run_job, "worker-1", NODE, SEED, clock=clock)
    transcript = Transcript.decode(seen.transcript)
    assert transcript.refused[0].startswith("chain run 0: the node had ")
    assert "done elsewhere" in transcript.refused[0]  # it did not wait
    numbers = [run.number for run in transcript.chains]
    assert numbers[0] > 0
    assert len(numbers) + len(transcript.refused) == numbers[-1] + 1
    verify(seen, NODE, allow_modelled=False)


def slow_challenges(monkeypatch: pytest.MonkeyPatch, what: str, slow: int) -> None:
    """The first so many challenges of `what` take a quarter of an hour more by the clock."""
    ask, left = gatekeeper._Commands._ask, iter(range(slow))

    def slowed(self: Any, command: dict[str, Any]) -> tuple[dict[str, Any], int]:
        reply, took = ask(self, command)
        leaps = command["do"] == f"read {what}" and next(left, None) is not None
        return reply, took + leaps * 10**12

    monkeypatch.setattr(gatekeeper._Commands, "_ask", slowed)


@pytest.mark.parametrize("what", ["memory", "disk"])
def test_a_challenge_that_is_late_is_one_of_another_fill(
    sim: SimCluster, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """A busy machine keeps an honest node from its answer as long as a fill takes."""
    slow_challenges(monkeypatch, what, 2)
    seen = run_test(sim.run_job, "worker-1", NODE, SEED)
    said = f"{what}: the challenge took as long as filling it again"
    assert Transcript.decode(seen.transcript).refused[-2:] == (said, said)
    verify(seen, NODE, allow_modelled=False)


def test_who_is_always_late_with_it_has_no_result(
    sim: SimCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow_challenges(monkeypatch, "disk", 3)
    said = (
        "overloaded: disk: the challenge took as long as filling it again, 3 times; measure again"
    )
    with pytest.raises(Overloaded, match=said):
        run_test(sim.run_job, "worker-1", NODE, SEED)


CHAIN = ChainRun(0, 500_000, 10_000, (("00",) * 50,), 10**9, Processor(0, 0, 2, 0, 0))
HALF = Capacity(milli_cpu=500, memory_bytes=1)


def chain(**of_processor: Any) -> ChainRun:
    """A run of half a million links in a second."""
    return replace(CHAIN, processor=replace(CHAIN.processor, **of_processor))


@pytest.mark.parametrize(
    ("run", "why"),
    [
        (chain(used_ns=500_000_000), ""),
        (chain(used_ns=460_000_000), ""),
        (chain(used_ns=200_000_000, node_ns=500_000_000), ""),  # the rest had the pods that serve
        (
            chain(used_ns=300_000_000, waited_ns=650_000_000, stolen_ns=20_000_000, pressed_ns=9),
            "the node had 300 ms of the processor in 1000 ms, 60 % of what its quota gives; its "
            "processes waited 650 ms to run (of the machine's time 2 % was stolen, and for 0 % "
            "something waited for a core)",
        ),
        (
            chain(used_ns=459_000_000, waited_ns=0, stolen_ns=None, pressed_ns=None),
            "the node had 459 ms of the processor in 1000 ms, 91 % of what its quota gives; its "
            "processes waited only 0 ms to run: the machine stood still, or the work was done "
            "elsewhere (of the machine's time an unknown part was stolen, and for an unknown part "
            "something waited for a core)",
        ),
    ],
    ids=["whole", "least", "serving", "waited", "idle"],
)
def test_which_runs_do_not_count(run: ChainRun, why: str) -> None:
    assert quota.shortfall(run, HALF) == why


def test_a_quota_above_the_machine_gives_its_cores() -> None:
    both = chain(used_ns=1_900_000_000)
    assert quota.shortfall(both, replace(HALF, milli_cpu=8000)) == ""
    assert quota.quota_ns(both, replace(HALF, milli_cpu=8000)) == 2 * 10**9


@pytest.mark.parametrize(
    ("run", "why"),
    [
        (chain(used_ns=577_500_000), ""),
        (
            chain(used_ns=578_000_000),
            "578 ms of the processor in 1000 ms, 115 % of what its quota gives: nothing holds the "
            "node to it",
        ),
        (
            chain(used_ns=100_000_000),
            "500000 links in 100 ms of the processor, where a core makes 400000 at most: they were "
            "made elsewhere, or before",
        ),
        (
            chain(used_ns=500_000_000, node_ns=20_000_000),
            "500000 links in 20 ms of the processor, where a core makes 80000 at most: they were "
            "made elsewhere, or before",
        ),
    ],
    ids=["most", "above", "elsewhere", "elsewhere by the gatekeeper's own look"],
)
def test_which_runs_are_not_the_nodes_own(run: ChainRun, why: str) -> None:
    assert quota.excess(run, HALF) == why


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


def _used(nanoseconds: int) -> Change:
    def change(document: dict[str, Any]) -> None:
        document["chains"][1]["processor"]["used_ns"] = nanoseconds

    return change


def _no_figure(document: dict[str, Any]) -> None:
    document["chains"][1]["processor"]["used_ns"] = -1


def _run_again(document: dict[str, Any]) -> None:
    """The best run in the place of another."""
    document["chains"][1] = document["chains"][0]


def _run_too_many(document: dict[str, Any]) -> None:
    document["chains"][2]["number"] = 15


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
        (_speed, "cpu_steps_per_second .* is above 200000"),
        (_used(0), "chain run 1: .* were made elsewhere, or before"),
        (_used(10**12), "chain run 1: 1000000 ms .* nothing holds the node to it"),
        (_run_again, r"chain runs \[(\d+), \1, \d+\], not 3 of 15"),
        (_run_too_many, r"chain runs \[.*15\], not 3 of 15"),
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
    with pytest.raises(TranscriptRejected, match=why) as caught:
        verify(tampered(measured, change), NODE)
    # A busy machine's honest node may be as slow; all else is a lie.
    assert isinstance(caught.value, Undecided) is (change is _slow_challenge)


def test_a_transcript_with_impossible_figures_is_none(measured: Measurement) -> None:
    with pytest.raises(TranscriptRejected, match="no processor time: .*used_ns=-1"):
        tampered(measured, _no_figure)


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


@pytest.mark.parametrize(
    ("cheat", "how"),
    [
        (
            cheats.COMPUTES_ELSEWHERE,
            r"the test of worker-1 gave no result: chain run 0: \d+ links in \d+ ms of the "
            r"processor, where a core makes \d+ at most: they were made elsewhere, or before",
        ),
        (
            cheats.ANSWERS_BEFORE,
            r"the test of worker-1 gave no result: chain run \d: .* nothing holds the node to it",
        ),
        (cheats.SHARES_DISK, r"disk: block \d+ is wrong"),
        (
            cheats.SWAPPED_NODE,
            "the test of worker-1 gave no result: it ran on worker-2",
        ),
    ],
)
def test_a_cheating_machine_is_caught_by_what_it_does(tmp_path: Path, cheat: str, how: str) -> None:
    """As real processes that nothing holds, so that only the test itself can tell."""
    node = NodeSpec("worker-1", "standard", "eu", "eu-a", NODE, cheat)
    other = NodeSpec("worker-2", "large", "eu", "eu-a", replace(NODE, milli_cpu=400))
    machine = Machine(cheats.machine_of(node, [node, other]), cheat)
    with SimCluster([node, other], tmp_path, f"cheats-{os.getpid()}") as cluster:
        with pytest.raises((Cheated, TranscriptRejected), match=how):
            verify(run_test(cluster.run_job, "worker-1", NODE, SEED, machine=machine), NODE)


@pytest.mark.parametrize(
    ("cheat", "how"),
    [
        (
            cheats.COMPUTES_ELSEWHERE,
            "worker-1: not the figures of its profile: cpu_steps_per_second 200000 is not 50000",
        ),
        (
            cheats.SHARES_DISK,
            "worker-1: not the figures of its profile: storage_bytes 3000000 is not 1500000",
        ),
    ],
)
def test_a_model_of_a_cheating_machine_is_caught_by_its_figures(cheat: str, how: str) -> None:
    node = NodeSpec("worker-1", "standard", "eu", "eu-a", NODE, cheat)
    with pytest.raises(TranscriptRejected, match=how):
        verify(cheats.modelled(node, [node], SEED), NODE)


def test_models_of_other_cheats_answer_for_another_test_or_node() -> None:
    """What gatekeepers say to it: tests/actors/duties/test_measuring.py."""
    before = NodeSpec("worker-1", "standard", "eu", "eu-a", NODE, cheats.ANSWERS_BEFORE)
    assert cheats.modelled(before, [before], SEED).seed != SEED
    swapped = replace(before, cheat=cheats.SWAPPED_NODE)
    other = NodeSpec("worker-2", "large", "eu", "eu-a", replace(NODE, milli_cpu=400))
    answered = cheats.modelled(swapped, [swapped, other], SEED)
    assert (answered.node, answered.cpu_steps_per_second) == ("worker-2", 400_000)
    assert cheats.machine_of(swapped, [swapped]) == "worker-1"  # there is no other
    assert cheats.modelled(other, [other], SEED) == profile_measurement(
        "worker-2", other.capacity, SEED
    )


def test_the_network_file_knows_the_same_cheats() -> None:
    assert set(cheats.CHEATS) == {
        name for role, name in BEHAVIOURS if role == WORKER and name != "accepts_nothing"
    }


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
    runs = run_chains(seeds, 500, 200, 3000)
    assert [checkpoints for checkpoints, _, _ in runs] == alone
    assert all(used > 0 <= waited for _, used, waited in runs)
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


def test_the_machine_behind_ends_with_whoever_started_it(tmp_path: Path) -> None:
    script = (
        "import pathlib, sys\n"
        "from cluster.perftest.cheats import COMPUTES_ELSEWHERE, playing\n"
        "with playing(COMPUTES_ELSEWHERE, pathlib.Path(sys.argv[1])) as command:\n"
        "    print(command[-1], flush=True)\n"
        "    input()\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as starter:
        assert starter.stdout is not None
        port = int(starter.stdout.readline())
        for _ in range(2):  # an answer to nobody does not end it
            socket.create_connection(("127.0.0.1", port)).close()
        starter.kill()

    def gone() -> Seen:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            return Seen(True)
        return Seen(False, f"port {port} still answers")

    wait_for("the machine behind to end", gone, 20.0, error=ClusterError)
