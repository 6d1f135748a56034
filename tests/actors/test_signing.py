"""How a quorum comes together, and when a second result may be signed (R4)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cluster.scores import profile_measurement
from devnet.actors.attestations import Counters, PerfResult
from devnet.actors.duties.measuring import capacity_of, factors
from devnet.actors.messages import SignatureAsked, SignatureGiven, SignatureRefused
from devnet.actors.operations import Tell
from devnet.actors.signing import Proposals, SignedResults
from devnet.chain import recover, sign_digest
from tests.actors.stage import Stage, hash_of, network

KEEPERS = ("gatekeeper-1", "gatekeeper-2", "gatekeeper-3", "gatekeeper-4")
STATEMENT = Counters(1, 2, 3)


@pytest.fixture()
def stage() -> Stage:
    keepers = ", ".join(f"{{name: {name}}}" for name in KEEPERS[1:])
    first = "{name: gatekeeper-1, control_plane: true}"
    changes = {"gatekeepers": f"[{first}, {keepers}]", "parameters.perf_quorum": "3"}
    return Stage(network(**changes))


def proposals(stage: Stage) -> Proposals:
    return Proposals(stage.directory.accounts["gatekeeper-1"], KEEPERS[1:])


def given(stage: Stage, name: str) -> SignatureGiven:
    account = stage.directory.accounts[name]
    digest = STATEMENT.digest(stage.reads.domains)
    return SignatureGiven(STATEMENT, account.address, sign_digest(account, digest))


def signers(stage: Stage, signatures: bytes) -> list[str]:
    digest = STATEMENT.digest(stage.reads.domains)
    pieces = [signatures[start : start + 65] for start in range(0, len(signatures), 65)]
    return [recover(digest, piece) for piece in pieces]


def test_every_peer_is_asked_and_the_proposer_signs_itself(stage: Stage) -> None:
    asks, signatures = proposals(stage).propose(STATEMENT, 3, stage.reads.domains)

    ask = SignatureAsked(STATEMENT, "gatekeeper-1")
    assert asks == [Tell(peer, ask) for peer in KEEPERS[1:]]
    assert signatures is None


def test_a_quorum_is_exactly_k_signatures_ascending_by_signer(stage: Stage) -> None:
    made = proposals(stage)
    made.propose(STATEMENT, 3, stage.reads.domains)

    assert made.given(stage.view(10), given(stage, "gatekeeper-4")) is None
    signatures = made.given(stage.view(10), given(stage, "gatekeeper-2"))

    assert signatures is not None
    names = ("gatekeeper-1", "gatekeeper-2", "gatekeeper-4")
    assert signers(stage, signatures) == sorted(stage.address(name) for name in names)
    assert made.given(stage.view(10), given(stage, "gatekeeper-3")) is None  # complete: forgotten


def test_one_signature_is_enough_where_one_is_needed(stage: Stage) -> None:
    asks, signatures = proposals(stage).propose(STATEMENT, 1, stage.reads.domains)

    assert asks == []
    assert signatures is not None
    assert signers(stage, signatures) == [stage.address("gatekeeper-1")]


def test_the_same_signer_twice_counts_once(stage: Stage) -> None:
    made = proposals(stage)
    made.propose(STATEMENT, 3, stage.reads.domains)

    assert made.given(stage.view(10), given(stage, "gatekeeper-2")) is None
    assert made.given(stage.view(10), given(stage, "gatekeeper-2")) is None


def test_a_proposal_is_given_up_once_the_quorum_is_out_of_reach(stage: Stage) -> None:
    made = proposals(stage)
    made.propose(STATEMENT, 3, stage.reads.domains)

    assert made.refused(SignatureRefused(STATEMENT, "gatekeeper-3", "no pods")) is None
    reasons = made.refused(SignatureRefused(STATEMENT, "gatekeeper-2", "no order"))

    assert reasons == "gatekeeper-2: no order; gatekeeper-3: no pods"
    assert made.given(stage.view(10), given(stage, "gatekeeper-4")) is None


# --- R4: a second result ----------------------------------------------------------------------


def result(stage: Stage, block: int = 10, **fields: int) -> PerfResult:
    view = stage.view(block)
    measurement = profile_measurement("worker-1", capacity_of(view, "worker-1"), b"s" * 32)
    found, sgx = factors(view, "worker-1", measurement)
    made = PerfResult(
        "worker-1",
        stage.address("worker-1"),
        view.cycle_of(block),
        1,
        block,
        hash_of(block),
        sgx,
        found.b,
        found.c1,
        found.c2,
        found.c3,
        1,
        measurement,
    )
    return replace(made, **fields)


def test_a_second_result_for_a_sequence_is_refused_while_the_first_counts(stage: Stage) -> None:
    signed = SignedResults()
    signed.note(result(stage))
    second = result(stage, 11)

    reason = signed.conflict(stage.view(12), second)

    assert reason == "sequence 1 is signed already and can still be published"
    assert signed.conflict(stage.view(12), result(stage)) is None  # the same one again
    assert signed.conflict(stage.view(12), replace(second, sequence=2)) is None
    other = replace(second, node=stage.address("worker-2"))
    assert signed.conflict(stage.view(12), other) is None


@pytest.mark.parametrize(
    ("head", "free"),
    [(70, False), (71, True)],  # genesis 2, 70 blocks: block 72 is the first of cycle 1
    ids=["last block of the cycle is still to come", "cycle over"],
)
def test_a_second_result_may_be_signed_once_the_first_s_cycle_is_over(
    stage: Stage, head: int, free: bool
) -> None:
    signed = SignedResults()
    signed.note(result(stage))

    assert (signed.conflict(stage.view(head), result(stage, 60)) is None) is free


@pytest.mark.parametrize(("head", "free"), [(265, False), (266, True)])
def test_a_second_result_may_be_signed_256_blocks_later(head: int, free: bool) -> None:
    stage = Stage(network(**{"cycle.blocks": "1000"}))
    signed = SignedResults()
    signed.note(result(stage))  # of block 10: published up to block 266

    assert (signed.conflict(stage.view(head), result(stage, 200)) is None) is free


def test_a_second_result_may_be_signed_when_a_reorg_voids_the_first(stage: Stage) -> None:
    signed = SignedResults()
    signed.note(result(stage))
    stage.reads.hashes[10] = b"r" * 32

    assert signed.conflict(stage.view(12), result(stage, 11)) is None


def test_only_results_that_could_still_be_published_are_remembered(stage: Stage) -> None:
    signed = SignedResults()
    for number in range(40):
        signed.note(result(stage, 10 + 100 * number, sequence=number + 1))
    view = stage.view(10 + 3900)
    assert signed.conflict(view, result(stage, 3911, sequence=40)) is not None
    assert len(signed._last) == 3  # of blocks 3710, 3810 and 3910: 256 blocks
