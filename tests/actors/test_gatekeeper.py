"""Admission to the network (S6), and who acts: the lead proposes, peers only answer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from devnet.actors.attestations import Admission
from devnet.actors.gatekeeper import ADMISSION_SECONDS, Gatekeeper
from devnet.actors.messages import (
    AdmissionAsked,
    Admitted,
    MeasureAsked,
    SignatureAsked,
    SignatureGiven,
    SignatureRefused,
    Stake,
)
from devnet.actors.operations import Fail, Tell
from devnet.actors.view import hardware_id
from devnet.chain import recover, sign_digest
from tests.actors.stage import Stage, back, happened, lost, talk, time_of

KEEPERS = ("gatekeeper-1", "gatekeeper-2", "gatekeeper-3")
LEAD = KEEPERS[0]


@pytest.fixture()
def stage() -> Stage:
    return Stage()


def keepers(stage: Stage) -> list[Gatekeeper]:
    accounts = stage.directory.accounts
    return [Gatekeeper(accounts[n], KEEPERS, lead=n == LEAD, modelled=True) for n in KEEPERS]


def asked(stage: Stage, worker: str = "worker-1") -> AdmissionAsked:
    owner = stage.address(f"{worker}-owner")
    return AdmissionAsked(worker, owner, stage.address(worker), hardware_id(7, worker))


def admission(stage: Stage) -> Admission:
    ask = asked(stage)
    deadline = time_of(10) + ADMISSION_SECONDS
    return Admission(ask.worker, ask.node_address, ask.owner_address, ask.hardware_id, deadline)


def test_a_worker_is_admitted_by_a_perf_quorum(stage: Stage) -> None:
    ((_, tell),) = talk(keepers(stage), stage.view(10), {LEAD: [asked(stage)]})

    assert isinstance(tell, Tell)
    assert tell.to == "worker-1"
    admitted = tell.message
    assert isinstance(admitted, Admitted)
    assert admitted.hardware_id == hardware_id(7, "worker-1")
    assert admitted.deadline == time_of(10) + 86_400
    digest = admission(stage).digest(stage.reads.domains)
    pieces = [admitted.signatures[start : start + 65] for start in range(0, 130, 65)]
    assert len(admitted.signatures) == 130
    signers = [recover(digest, piece) for piece in pieces]
    assert signers == sorted(set(signers))
    assert set(signers) < {stage.address(name) for name in KEEPERS}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"worker": "worker-9"}, "no machine named worker-9"),
        ({"hardware_id": hardware_id(7, "worker-2")}, "another machine's hardware id"),
        ({"hardware_id": hardware_id(8, "worker-1")}, "another machine's hardware id"),
        ({"node": "0x" + "11" * 20}, "not that machine's node key"),
        ({"owner": "0x" + "22" * 20}, "not that machine's owner"),
        ({"deadline": time_of(10) + ADMISSION_SECONDS + 1}, "valid for longer than a day"),
    ],
)
def test_a_peer_refuses_an_admission_that_is_not_of_that_machine(
    stage: Stage, change: dict[str, object], reason: str
) -> None:
    wrong = replace(admission(stage), **change)  # type: ignore[arg-type]

    (tell,) = keepers(stage)[1].act(stage.view(10), [SignatureAsked(wrong, LEAD)])

    assert tell == Tell(LEAD, SignatureRefused(wrong, "gatekeeper-2", reason))


def test_a_gatekeeper_owns_no_worker(stage: Stage) -> None:
    right = admission(stage)
    wrong = replace(right)
    stage.reads.gatekeepers = {right.owner}

    (tell,) = keepers(stage)[1].act(stage.view(10), [SignatureAsked(wrong, LEAD)])

    reason = "a gatekeeper owns no worker (R3)"
    assert tell == Tell(LEAD, SignatureRefused(wrong, "gatekeeper-2", reason))


def test_a_peer_s_signature_is_its_own(stage: Stage) -> None:
    right = admission(stage)

    (tell,) = keepers(stage)[2].act(stage.view(10), [SignatureAsked(right, LEAD)])

    assert isinstance(tell, Tell)
    given = tell.message
    assert isinstance(given, SignatureGiven)
    assert (tell.to, given.signer) == (LEAD, stage.address("gatekeeper-3"))
    assert recover(right.digest(stage.reads.domains), given.signature) == given.signer


def test_a_peer_proposes_measures_and_submits_nothing(stage: Stage) -> None:
    peer = keepers(stage)[1]
    peer.act(stage.view(20), [lost("worker-2"), happened("IncidentReported", 20, id=1)])

    words = [back("worker-2"), MeasureAsked("worker-1"), asked(stage)]
    assert peer.act(stage.view(80), words) == []
    assert peer.due() is None


def test_a_signature_that_is_not_a_gatekeeper_s_own_completes_nothing(stage: Stage) -> None:
    lead = keepers(stage)[0]
    lead.act(stage.view(10), [asked(stage)])
    right = admission(stage)
    digest = right.digest(stage.reads.domains)
    stranger, peer = (stage.directory.accounts[name] for name in ("alice", "gatekeeper-2"))
    forged = SignatureGiven(right, peer.address, sign_digest(stranger, digest))
    foreign = SignatureGiven(right, stranger.address, sign_digest(stranger, digest))
    broken = SignatureGiven(right, peer.address, bytes(65))

    assert lead.act(stage.view(10), [forged, foreign, broken]) == []
    given = SignatureGiven(right, peer.address, sign_digest(peer, digest))
    (tell,) = lead.act(stage.view(10), [given])
    assert isinstance(tell, Tell)
    assert isinstance(tell.message, Admitted)


def test_a_wish_nobody_serves_fails(stage: Stage) -> None:
    assert keepers(stage)[1].act(stage.view(10), [Stake(9, 1)]) == [
        Fail(9, "Stake is not a wish it serves")
    ]
