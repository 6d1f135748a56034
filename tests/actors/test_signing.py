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
    made = Stage(network(**changes))
    made.reads.quorums["PERF"] = 3
    return made


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
    asks, signatures = proposals(stage).propose(stage.view(10), STATEMENT, "PERF")

    ask = SignatureAsked(STATEMENT, "gatekeeper-1")
    assert asks == [Tell(peer, ask) for peer in KEEPERS[1:]]
    assert signatures is None


def test_a_quorum_is_exactly_k_signatures_ascending_by_signer(stage: Stage) -> None:
    made = proposals(stage)
    made.propose(stage.view(10), STATEMENT, "PERF")

    assert made.answered(stage.view(10), given(stage, "gatekeeper-4")) is None
    signatures = made.answered(stage.view(10), given(stage, "gatekeeper-2"))

    assert isinstance(signatures, bytes)
    names = ("gatekeeper-1", "gatekeeper-2", "gatekeeper-4")
    assert signers(stage, signatures) == sorted(stage.address(name) for name in names)
    assert (
        made.answered(stage.view(10), given(stage, "gatekeeper-3")) is None
    )  # complete: forgotten


def test_one_signature_is_enough_where_one_is_needed(stage: Stage) -> None:
    stage.reads.quorums["PERF"] = 1
    asks, signatures = proposals(stage).propose(stage.view(10), STATEMENT, "PERF")

    assert asks == []
    assert isinstance(signatures, bytes)
    assert signers(stage, signatures) == [stage.address("gatekeeper-1")]


def test_the_same_signer_twice_counts_once(stage: Stage) -> None:
    made = proposals(stage)
    made.propose(stage.view(10), STATEMENT, "PERF")

    assert made.answered(stage.view(10), given(stage, "gatekeeper-2")) is None
    assert made.answered(stage.view(10), given(stage, "gatekeeper-2")) is None


def test_a_proposal_is_given_up_once_the_quorum_is_out_of_reach(stage: Stage) -> None:
    made = proposals(stage)
    made.propose(stage.view(10), STATEMENT, "PERF")

    assert (
        made.answered(stage.view(10), SignatureRefused(STATEMENT, "gatekeeper-3", "no pods"))
        is None
    )
    reasons = made.answered(stage.view(10), SignatureRefused(STATEMENT, "gatekeeper-2", "no order"))

    assert reasons == "gatekeeper-2: no order; gatekeeper-3: no pods"
    assert made.answered(stage.view(10), given(stage, "gatekeeper-4")) is None


def removed(stage: Stage, *names: str) -> None:
    """By governance, with k as it is."""
    stage.reads.gatekeepers -= {stage.address(name) for name in names}


def test_nobody_waits_for_a_gatekeeper_that_was_removed(stage: Stage) -> None:
    """Its answer neither counts nor keeps the proposal open."""
    made, view = proposals(stage), stage.view(10)
    made.propose(view, STATEMENT, "PERF")
    removed(stage, "gatekeeper-2")
    assert made.answered(view, given(stage, "gatekeeper-2")) is None  # two may still sign

    reasons = made.answered(view, SignatureRefused(STATEMENT, "gatekeeper-3", "no pods"))

    assert reasons == "gatekeeper-2: no gatekeeper any more; gatekeeper-3: no pods"
    assert made.answered(view, given(stage, "gatekeeper-4")) is None  # forgotten


def test_who_signed_and_was_removed_before_the_quorum_does_not_count(stage: Stage) -> None:
    made, view = proposals(stage), stage.view(10)
    made.propose(view, STATEMENT, "PERF")
    assert made.answered(view, given(stage, "gatekeeper-2")) is None
    removed(stage, "gatekeeper-2")
    assert made.answered(view, given(stage, "gatekeeper-4")) is None

    signatures = made.answered(view, given(stage, "gatekeeper-3"))

    assert isinstance(signatures, bytes)
    names = ("gatekeeper-1", "gatekeeper-3", "gatekeeper-4")
    assert signers(stage, signatures) == sorted(stage.address(name) for name in names)


def test_who_proposes_and_was_removed_does_not_count_either(stage: Stage) -> None:
    removed(stage, "gatekeeper-1")
    made, view = proposals(stage), stage.view(10)
    asks, outcome = made.propose(view, STATEMENT, "PERF")
    assert (len(asks), outcome) == (3, None)
    for name in KEEPERS[1:3]:
        assert made.answered(view, given(stage, name)) is None

    signatures = made.answered(view, given(stage, "gatekeeper-4"))

    assert isinstance(signatures, bytes)
    assert signers(stage, signatures) == sorted(stage.address(name) for name in KEEPERS[1:])


def test_what_nobody_can_complete_is_given_up_at_once(stage: Stage) -> None:
    removed(stage, *KEEPERS[2:])

    asks, reasons = proposals(stage).propose(stage.view(10), STATEMENT, "PERF")

    gone = "no gatekeeper any more"
    assert (asks, reasons) == ([], f"gatekeeper-3: {gone}; gatekeeper-4: {gone}")


def test_a_quorum_of_strangers_is_said_to_be_one(stage: Stage) -> None:
    """Nobody refused, nobody is gone: governance took in others, and k grew with them."""
    stage.reads.quorums["PERF"] = 5
    _, reasons = proposals(stage).propose(stage.view(10), STATEMENT, "PERF")
    assert reasons == "5 signatures are needed, 4 gatekeepers are the devnet's"


def test_the_quorum_is_the_one_of_now(stage: Stage) -> None:
    made, view = proposals(stage), stage.view(10)
    made.propose(view, STATEMENT, "PERF")
    removed(stage, "gatekeeper-3", "gatekeeper-4")
    stage.reads.quorums["PERF"] = 2

    signatures = made.answered(view, given(stage, "gatekeeper-2"))

    assert isinstance(signatures, bytes)
    assert signers(stage, signatures) == sorted(stage.address(n) for n in KEEPERS[:2])


def test_a_removal_completes_what_has_enough_signatures_now(stage: Stage) -> None:
    """Three of four; two gave, one refused, the last is removed and k becomes two (G2)."""
    made, view = proposals(stage), stage.view(10)
    made.propose(view, STATEMENT, "PERF")
    made.answered(view, given(stage, "gatekeeper-2"))
    made.answered(view, SignatureRefused(STATEMENT, "gatekeeper-3", "no pods"))
    assert made.governed(view) == []
    removed(stage, "gatekeeper-4")
    stage.reads.quorums["PERF"] = 2

    ((attestation, signatures),) = made.governed(view)

    assert (attestation, isinstance(signatures, bytes)) == (STATEMENT, True)
    assert isinstance(signatures, bytes)
    assert signers(stage, signatures) == sorted(stage.address(n) for n in KEEPERS[:2])
    assert made.governed(view) == []  # complete: forgotten


def test_a_removal_ends_what_nobody_can_complete_any_more(stage: Stage) -> None:
    made, view = proposals(stage), stage.view(10)
    made.propose(view, STATEMENT, "PERF")
    made.answered(view, SignatureRefused(STATEMENT, "gatekeeper-2", "no order"))
    removed(stage, "gatekeeper-3", "gatekeeper-4")
    stage.reads.quorums["PERF"] = 2

    gone = "no gatekeeper any more"
    reasons = f"gatekeeper-2: no order; gatekeeper-3: {gone}; gatekeeper-4: {gone}"
    assert made.governed(view) == [(STATEMENT, reasons)]
    assert made.governed(view) == []


def test_a_smaller_k_completes_and_a_new_gatekeeper_keeps_open(stage: Stage) -> None:
    removed(stage, "gatekeeper-4")
    made, view = proposals(stage), stage.view(10)
    made.propose(view, STATEMENT, "PERF")
    made.answered(view, given(stage, "gatekeeper-2"))
    stage.reads.gatekeepers.add(stage.address("gatekeeper-4"))
    assert made.governed(view) == []
    assert made.answered(view, SignatureRefused(STATEMENT, "gatekeeper-3", "no pods")) is None
    stage.reads.quorums["PERF"] = 2

    ((_, signatures),) = made.governed(view)

    assert isinstance(signatures, bytes)
    assert signers(stage, signatures) == sorted(stage.address(n) for n in KEEPERS[:2])


def test_a_signature_that_is_not_its_signer_s_is_a_refusal(stage: Stage) -> None:
    made, view = proposals(stage), stage.view(10)
    made.propose(view, STATEMENT, "PERF")
    wrong = replace(given(stage, "gatekeeper-2"), signature=given(stage, "gatekeeper-4").signature)
    assert made.answered(view, wrong) is None
    short = replace(given(stage, "gatekeeper-3"), signature=b"short")

    reasons = made.answered(view, short)

    why = "its signature is not its own"
    assert reasons == f"gatekeeper-2: {why}; gatekeeper-3: {why}"


def test_a_signature_after_a_refusal_counts(stage: Stage) -> None:
    """Whoever signs in another's name takes nothing from it."""
    made, view = proposals(stage), stage.view(10)
    made.propose(view, STATEMENT, "PERF")
    forged = replace(given(stage, "gatekeeper-2"), signature=b"short")
    assert made.answered(view, forged) is None
    assert made.answered(view, given(stage, "gatekeeper-2")) is None
    assert isinstance(made.answered(view, given(stage, "gatekeeper-3")), bytes)


# R4: a second result


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
