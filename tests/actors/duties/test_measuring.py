"""Performance tests asked for, run one at a time, checked by every gatekeeper (W3, R4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from cluster.perftest import Undecided
from cluster.scores import profile_measurement
from devnet.actors.attestations import PerfResult
from devnet.actors.duties.measuring import (
    SGX_EMULATED,
    SGX_NONE,
    Measuring,
    capacity_of,
    factors,
    seed_of,
)
from devnet.actors.gatekeeper import Gatekeeper
from devnet.actors.messages import (
    MeasureAsked,
    Measured,
    MeasureFailed,
    ResultSigned,
    SignatureAsked,
    SignatureGiven,
    SignatureRefused,
)
from devnet.actors.operations import RunMeasurement, Tell
from devnet.chain import recover
from devnet.chain.keccak import keccak
from tests.actors.stage import KEEPERS, LEAD, Stage, hash_of, keepers, talk


@pytest.fixture()
def stage() -> Stage:
    return Stage()


def test_one_node_is_measured_at_a_time_each_under_a_seed_of_its_own(stage: Stage) -> None:
    lead, view = keepers(stage)[0], stage.view(10)

    first = lead.act(view, [MeasureAsked("worker-1"), MeasureAsked("worker-3")])
    node = bytes.fromhex(stage.address("worker-1")[2:])
    seed = keccak(hash_of(10) + node + (1).to_bytes(32, "big"))
    assert first == [RunMeasurement("worker-1", seed)]
    assert lead.act(view, []) == []

    second = lead.act(view, [Measured("worker-1", None, "lost")])
    other = bytes.fromhex(stage.address("worker-3")[2:])
    seed = keccak(hash_of(10) + other + (2).to_bytes(32, "big"))
    assert second == [
        Tell("worker-1", MeasureFailed("lost")),
        RunMeasurement("worker-3", seed),
    ]


def measured(stage: Stage, worker: str, block: int) -> Measured:
    """The answer to the gatekeeper's first test, asked for in `block`."""
    capacity = capacity_of(stage.view(block), worker)
    seed = seed_of(hash_of(block), stage.address(worker), 1)
    return Measured(worker, profile_measurement(worker, capacity, seed))


def test_a_measurement_becomes_a_result_with_a_quorum_for_its_worker(stage: Stage) -> None:
    actors = keepers(stage)
    stage.reads.sequences[stage.address("worker-4")] = 4
    talk(actors, stage.view(80), {LEAD: [MeasureAsked("worker-4")]})

    ((name, tell),) = talk(actors, stage.view(81), {LEAD: [measured(stage, "worker-4", 80)]})

    assert isinstance(tell, Tell)
    assert (name, tell.to) == (LEAD, "worker-4")
    signed = tell.message
    assert isinstance(signed, ResultSigned)
    # Block 80, where it was asked for, is in cycle 1 (genesis 2, 70 blocks).
    assert (signed.cycle, signed.sequence, signed.measured_block) == (1, 5, 80)
    assert signed.result[:6] == (stage.address("worker-4"), 1, 5, 80, hash_of(80), SGX_EMULATED)
    digest = stage.reads.domains.result(*signed.result)  # type: ignore[arg-type]
    pieces = [signed.signatures[start : start + 65] for start in range(0, 130, 65)]
    assert len(signed.signatures) == 130  # PERF of three: exactly two
    signers = [recover(digest, piece) for piece in pieces]
    assert signers == sorted(set(signers))
    assert set(signers) < {stage.address(name) for name in KEEPERS}


def test_the_factors_are_the_profile_s_against_the_reference_machine(stage: Stage) -> None:
    view = stage.view(10)
    sums: dict[str, int] = {}
    for worker in ("worker-1", "worker-3", "worker-4"):
        measurement = measured(stage, worker, 10).measurement
        assert measurement is not None
        found, sgx = factors(view, worker, measurement)
        assert sgx == (SGX_EMULATED if worker == "worker-4" else SGX_NONE)
        sums[worker] = found.c1 + found.c2 + found.c3

    assert sums["worker-1"] < sums["worker-3"]  # standard, large


# What a peer refuses


def result(
    stage: Stage, block: int = 10, worker: str = "worker-1", *, nonce: int = 1
) -> PerfResult:
    view = stage.view(block)
    node = stage.address(worker)
    seed = seed_of(hash_of(block), node, nonce)
    measurement = profile_measurement(worker, capacity_of(view, worker), seed)
    found, sgx = factors(view, worker, measurement)
    values = (sgx, found.b, found.c1, found.c2, found.c3, nonce, measurement)
    return PerfResult(worker, node, view.cycle_of(block), 1, block, hash_of(block), *values)


def answer(stage: Stage, peer: Gatekeeper, asked: PerfResult, block: int = 12) -> object:
    (tell,) = peer.act(stage.view(block), [SignatureAsked(asked, LEAD)])
    assert isinstance(tell, Tell)
    assert tell.to == LEAD
    return tell.message


def test_a_peer_signs_what_follows_from_the_transcript(stage: Stage) -> None:
    asked = result(stage)
    given = answer(stage, keepers(stage)[1], asked)

    assert isinstance(given, SignatureGiven)
    digest = asked.digest(stage.reads.domains)
    assert recover(digest, given.signature) == given.signer == stage.address("gatekeeper-2")


@pytest.mark.parametrize("factor", ["sgx", "b", "c1", "c2", "c3"])
def test_a_peer_refuses_a_factor_that_does_not_follow(stage: Stage, factor: str) -> None:
    true = result(stage)
    asked = replace(true, **{factor: getattr(true, factor) + 1})

    refused = SignatureRefused(
        asked, "gatekeeper-2", "the factors do not follow from the measurement"
    )
    assert answer(stage, keepers(stage)[1], asked) == refused


def test_a_peer_refuses_a_measurement_that_is_not_the_machine_s(stage: Stage) -> None:
    true = result(stage)
    faster = replace(true.measurement, cpu_steps_per_second=10**9)
    asked = replace(true, measurement=faster)

    refused = answer(stage, keepers(stage)[1], asked)

    assert isinstance(refused, SignatureRefused)
    assert refused.reason == Measuring(modelled=True).objection(stage.view(12), asked)
    assert refused.reason != "the factors do not follow from the measurement"


def test_a_peer_refuses_a_test_of_another_seed(stage: Stage) -> None:
    asked = replace(result(stage), nonce=2)

    refused = answer(stage, keepers(stage)[1], asked)

    reason = "the seed is not that of the block, the node and the nonce"
    assert refused == SignatureRefused(asked, "gatekeeper-2", reason)


def test_the_figures_of_a_profile_are_no_test_of_a_real_node(stage: Stage) -> None:
    asked = result(stage)

    reason = Measuring(modelled=False).objection(stage.view(12), asked)

    assert reason == "worker-1: a real node's test is not modelled"


@pytest.mark.parametrize("worker", ["worker-1", "worker-2"])
def test_a_peer_refuses_another_node_s_measurement(stage: Stage, worker: str) -> None:
    """worker-1 and worker-2 are alike: what one measured would pass for the other."""
    other = stage.address("worker-2")
    asked = replace(result(stage), worker=worker, node=other)

    refused = SignatureRefused(asked, "gatekeeper-2", "another node's measurement")
    assert answer(stage, keepers(stage)[1], asked) == refused


def test_a_peer_refuses_a_result_of_a_block_that_is_gone(stage: Stage) -> None:
    asked = result(stage)
    stage.reads.hashes[10] = b"r" * 32

    refused = SignatureRefused(asked, "gatekeeper-2", "block 10 has another hash")
    assert answer(stage, keepers(stage)[1], asked) == refused


def test_a_peer_refuses_a_second_result_while_the_first_counts(stage: Stage) -> None:
    peer = keepers(stage)[1]
    answer(stage, peer, result(stage))
    second = result(stage, 11, nonce=2)

    reason = "sequence 1 is signed already and can still be published"
    assert answer(stage, peer, second) == SignatureRefused(second, "gatekeeper-2", reason)
    third = result(stage, 72, nonce=3)
    assert isinstance(answer(stage, peer, third, 72), SignatureGiven)  # cycle over


def test_a_worker_hears_why_its_result_was_not_signed(stage: Stage) -> None:
    actors = keepers(stage)
    for peer in actors[1:]:  # they have signed another one meanwhile
        answer(stage, peer, result(stage, 9, nonce=0))
    talk(actors, stage.view(10), {LEAD: [MeasureAsked("worker-1")]})

    told = talk(actors, stage.view(10), {LEAD: [measured(stage, "worker-1", 10)]})

    why = "sequence 1 is signed already and can still be published"
    failed = MeasureFailed(f"gatekeeper-2: {why}; gatekeeper-3: {why}")
    assert told == [(LEAD, Tell("worker-1", failed))]


def swapped(asked: Measured) -> Measured:
    assert asked.measurement is not None
    return replace(asked, measurement=replace(asked.measurement, node="worker-2"))


def faster(asked: Measured) -> Measured:
    assert asked.measurement is not None
    return replace(asked, measurement=replace(asked.measurement, cpu_steps_per_second=10**9))


def of_another_seed(asked: Measured) -> Measured:
    assert asked.measurement is not None
    return replace(asked, measurement=replace(asked.measurement, seed=b"earlier"))


def heard(stage: Stage, ended: Measured) -> MeasureFailed:
    """What worker-1 is told of a test that ended so."""
    actors = keepers(stage)
    talk(actors, stage.view(10), {LEAD: [MeasureAsked("worker-1")]})
    ((_, tell),) = talk(actors, stage.view(10), {LEAD: [ended]})
    assert isinstance(tell, Tell)
    assert isinstance(tell.message, MeasureFailed)
    return tell.message


@pytest.mark.parametrize("cheat", [swapped, faster, of_another_seed])
def test_what_the_lead_finds_of_a_measurement_is_a_cheat(
    stage: Stage, cheat: Callable[[Measured], Measured]
) -> None:
    assert heard(stage, cheat(measured(stage, "worker-1", 10))).cheated


def test_a_cheat_that_the_test_itself_found_is_told(stage: Stage) -> None:
    why = "it ran on worker-2"
    assert heard(stage, Measured("worker-1", None, why, cheated=True)) == MeasureFailed(why, True)
    stage = Stage()
    assert heard(stage, Measured("worker-1", None, "overloaded")) == MeasureFailed("overloaded")


def test_what_a_busy_machine_does_as_well_is_no_cheat(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`verify` says it of no model; which transcripts are so is `test_perftest`'s."""

    def slow(*_: object, **__: object) -> None:
        raise Undecided("disk: the challenge took as long as filling it again")

    monkeypatch.setattr("devnet.actors.duties.measuring.verify", slow)

    told = heard(stage, measured(stage, "worker-1", 10))

    assert told == MeasureFailed(f"{LEAD}: disk: the challenge took as long as filling it again")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"cycle": 1}, "block 10 is in cycle 0, not 1"),
        ({"sequence": 2}, "the next sequence is 1, not 2"),
    ],
)
def test_a_peer_refuses_another_cycle_or_sequence(
    stage: Stage, change: dict[str, int], reason: str
) -> None:
    """W4."""
    asked = replace(result(stage), **change)  # type: ignore[arg-type]

    refused = SignatureRefused(asked, "gatekeeper-2", reason)
    assert answer(stage, keepers(stage)[1], asked) == refused


def test_a_peer_takes_tests_of_a_node_in_the_order_they_were_made(stage: Stage) -> None:
    """Nobody picks the best of many."""
    peer = keepers(stage)[1]
    assert isinstance(answer(stage, peer, result(stage, nonce=3)), SignatureGiven)
    assert isinstance(answer(stage, peer, result(stage, nonce=3)), SignatureGiven)  # the same
    other = result(stage, worker="worker-3", nonce=2)
    assert isinstance(answer(stage, peer, other), SignatureGiven)
    earlier = result(stage, 72, nonce=3)

    reason = "test 3 of this node is not later than test 3"
    refused = SignatureRefused(earlier, "gatekeeper-2", reason)
    assert answer(stage, peer, earlier, 72) == refused
