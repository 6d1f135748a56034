"""Admission to the network (S6), and who acts: the lead proposes, peers only answer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from devnet.actors.attestations import Admission, Execution, QueuedCall
from devnet.actors.duties.admitting import ADMISSION_SECONDS
from devnet.actors.messages import (
    AdmissionAsked,
    AdmissionRefused,
    Admitted,
    ChainEvent,
    Govern,
    MeasureAsked,
    SignatureAsked,
    SignatureGiven,
    SignatureRefused,
    Stake,
)
from devnet.actors.operations import Done, Fail, Send, Tell
from devnet.actors.view import hardware_id
from devnet.chain import recover, sign_digest
from devnet.protocol.messages import SNAPSHOT_SPACE
from tests.actors.stage import (
    KEEPERS,
    LEAD,
    Stage,
    gatekeeper,
    happened,
    incident_reported,
    keepers,
    network,
    talk,
    time_of,
)


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
    told = [stage.lost("worker-2", 20), incident_reported(stage, 20, 1, "worker-2")]
    peer.act(stage.view(20), told)

    words = [stage.back("worker-2", 80), MeasureAsked("worker-1"), asked(stage)]
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
        Fail(9, "Stake is not a wish it serves", "NotServed")
    ]


# Proposals (G2)

CALLS = (QueuedCall("0x" + "0a" * 20, b"\x01\x02"),)
PROPOSAL = b"\x0b" * 32
UNTIL = 99


def test_a_passed_proposal_is_queued_with_a_critical_quorum(stage: Stage) -> None:
    stage.reads.quorums["CRITICAL"] = 3
    told = {name: [Govern(n, PROPOSAL, CALLS, UNTIL)] for n, name in enumerate(KEEPERS, start=1)}

    said = talk(keepers(stage), stage.view(10), told)

    assert [op for _, op in said if isinstance(op, Done)] == [Done(2), Done(3)]
    (send,) = (op for _, op in said if isinstance(op, Send))
    assert (send.account, send.contract, send.function) == (LEAD, "ExecutionQueue", "queue")
    assert send.args[:3] == (PROPOSAL, CALLS, UNTIL)
    assert send.wish == 1
    signatures = send.args[3]
    assert isinstance(signatures, bytes)
    digest = stage.reads.domains.execution(SNAPSHOT_SPACE, PROPOSAL, CALLS, UNTIL)
    pieces = [signatures[start : start + 65] for start in range(0, 195, 65)]
    assert {recover(digest, p) for p in pieces} == {stage.address(n).lower() for n in KEEPERS}


@pytest.mark.parametrize(
    "other",
    [
        Execution(PROPOSAL, (*CALLS, *CALLS), UNTIL),
        Execution(b"\x0c" * 32, CALLS, UNTIL),
        Execution(PROPOSAL, CALLS, UNTIL + 1),
    ],
    ids=["other calls", "another proposal", "another deadline"],
)
def test_a_peer_attests_only_what_it_saw_pass(stage: Stage, other: Execution) -> None:
    peer = keepers(stage)[1]
    assert peer.act(stage.view(10), [Govern(2, PROPOSAL, CALLS, UNTIL)]) == [Done(2)]

    (tell,) = peer.act(stage.view(11), [SignatureAsked(other, LEAD)])

    reason = f"no tally passed proposal 0x{other.proposal.hex()} with these calls until then"
    assert tell == Tell(LEAD, SignatureRefused(other, "gatekeeper-2", reason))


def test_a_proposal_that_peers_did_not_see_pass_fails(stage: Stage) -> None:
    stage.reads.quorums["CRITICAL"] = 3

    said = talk(keepers(stage), stage.view(10), {LEAD: [Govern(1, PROPOSAL, CALLS, UNTIL)]})

    ((_, fail),) = said
    assert isinstance(fail, Fail)
    assert fail.wish == 1
    assert "no tally passed" in fail.reason


# R4: what governance does to a proposal under way


def four() -> Stage:
    """Three of four gatekeepers are a PERF quorum, as they are a SLASH one."""
    others = ", ".join(f"{{name: gatekeeper-{n}}}" for n in (2, 3, 4))
    keepers = f"[{{name: gatekeeper-1, control_plane: true}}, {others}]"
    stage = Stage(network(**{"gatekeepers": keepers, "parameters.perf_quorum": "3"}))
    stage.reads.quorums |= {"PERF": 3, "SLASH": 3, "CRITICAL": 3}
    return stage


def governed(stage: Stage, name: str, *removed: str, needed: int) -> ChainEvent:
    """Gatekeepers were removed, and every quorum is `needed` from now on; its last event."""
    stage.reads.gatekeepers -= {stage.address(one) for one in removed}
    stage.reads.quorums = dict.fromkeys(stage.reads.quorums, needed)
    return happened(name, 11)


GOVERNED = ("GatekeeperAdded", "GatekeeperRemoved", "PerfQuorumChanged")


@pytest.mark.parametrize("event", GOVERNED)
def test_a_removal_itself_completes_a_proposal(event: str) -> None:
    stage = four()
    lead, second = gatekeeper(stage, LEAD), gatekeeper(stage, "gatekeeper-2")
    asks = lead.act(stage.view(10), [asked(stage)])
    (ask,) = (o.message for o in asks if isinstance(o, Tell) and o.to == "gatekeeper-2")
    (answer,) = second.act(stage.view(10), [ask])
    assert isinstance(answer, Tell)
    refusal = SignatureRefused(admission(stage), "gatekeeper-3", "another machine's hardware id")
    assert lead.act(stage.view(10), [answer.message, refusal]) == []

    told = governed(stage, event, "gatekeeper-4", needed=2)
    (tell,) = lead.act(stage.view(11), [told])

    assert isinstance(tell, Tell) and isinstance(tell.message, Admitted)
    assert (tell.to, len(tell.message.signatures)) == ("worker-1", 2 * 65)
    assert lead.act(stage.view(11), [told]) == []  # once


@pytest.mark.parametrize("event", GOVERNED)
def test_a_removal_itself_fails_the_wish_of_what_is_out_of_reach(event: str) -> None:
    stage = four()
    lead = gatekeeper(stage, LEAD)
    wish = Govern(7, b"\x07" * 32, (), time_of(100))
    asks = lead.act(stage.view(10), [wish])
    (ask, *_) = (o.message for o in asks if isinstance(o, Tell))
    assert isinstance(ask, SignatureAsked)
    refusal = SignatureRefused(ask.attestation, "gatekeeper-2", "no tally")
    assert lead.act(stage.view(10), [refusal]) == []

    told = governed(stage, event, "gatekeeper-3", "gatekeeper-4", needed=2)

    gone = "no gatekeeper any more"
    reasons = f"gatekeeper-2: no tally; gatekeeper-3: {gone}; gatekeeper-4: {gone}"
    assert lead.act(stage.view(11), [told]) == [Fail(7, reasons, "NotAttested")]


def test_who_leads_no_more_ends_what_it_proposed_all_the_same() -> None:
    stage = four()
    lead = gatekeeper(stage, LEAD)
    lead.act(stage.view(10), [asked(stage)])
    told = governed(stage, "GatekeeperRemoved", *KEEPERS[1:], needed=2)
    stage.reads.gatekeepers -= {stage.address("gatekeeper-4")}

    (tell,) = lead.act(stage.view(11, lead="gatekeeper-2"), [told])

    assert isinstance(tell, Tell) and isinstance(tell.message, AdmissionRefused)
