"""From a lost node to a signed incident (L1, L5, L6), three gatekeepers talking to each other."""

from __future__ import annotations

from itertools import pairwise

import pytest

from devnet.actors.attestations import Incident
from devnet.actors.duties.incidents import Incidents
from devnet.actors.messages import (
    SignatureAsked,
    SignatureRefused,
    Vouch,
)
from devnet.actors.operations import Done, Fail, Send, Tell
from devnet.chain import recover
from devnet.chain.keccak import keccak
from tests.actors.duties.incidents_stage import KEEPERS, MAX_AGE, everybody, keepers, reports
from tests.actors.stage import Stage, happened, incident_reported, sends, talk, time_of


@pytest.fixture()
def stage() -> Stage:
    return Stage()


def unregistered(stage: Stage, worker: str) -> None:
    stage.reads.live[stage.address(worker)] = False
    stage.reads.registered[stage.address(worker)] = 0


def test_an_outage_is_reported_at_its_end_from_head_time_to_head_time(stage: Stage) -> None:
    actors = keepers(stage)
    assert talk(actors, stage.view(20), everybody(stage.lost("worker-2", 20))) == []

    # 12 h of 720 s blocks are 60 blocks, to the second.
    (report,) = reports(talk(actors, stage.view(80), everybody(stage.back("worker-2", 80))))

    node, level, start, end, evidence, signatures = report.args
    assert (report.account, report.contract) == ("gatekeeper-1", "Slashing")
    assert (node, level, start, end) == (stage.address("worker-2"), 1, time_of(20), time_of(80))
    assert evidence == keccak(f"offline:worker-2:{time_of(20)}:{time_of(80)}".encode())
    assert isinstance(signatures, bytes)
    assert len(signatures) == 2 * 65  # SLASH of three: exactly two
    incident = Incident(
        "worker-2", stage.address("worker-2"), 1, time_of(20), time_of(80), evidence
    )
    digest = incident.digest(stage.reads.domains)
    signers = [recover(digest, signatures[start : start + 65]) for start in (0, 65)]
    assert signers == sorted(signers)
    assert set(signers) < {stage.address(name) for name in KEEPERS}


def test_lost_and_back_in_one_block_is_no_incident(stage: Stage) -> None:
    actors = keepers(stage)
    talk(actors, stage.view(20), everybody(stage.lost("worker-2", 20)))

    assert talk(actors, stage.view(20), everybody(stage.back("worker-2", 20))) == []


def test_a_node_without_a_stake_is_not_reported(stage: Stage) -> None:
    unregistered(stage, "worker-2")
    actors = keepers(stage)
    talk(actors, stage.view(20), everybody(stage.lost("worker-2", 20)))

    assert talk(actors, stage.view(80), everybody(stage.back("worker-2", 80))) == []


def test_a_second_loss_event_does_not_restart_the_outage(stage: Stage) -> None:
    actors = keepers(stage)
    talk(actors, stage.view(20), everybody(stage.lost("worker-2", 20)))
    talk(actors, stage.view(30), everybody(stage.lost("worker-2", 30)))

    (report,) = reports(talk(actors, stage.view(40), everybody(stage.back("worker-2", 40))))
    assert report.args[2:4] == (time_of(20), time_of(40))


def test_a_long_outage_is_reported_in_pieces_none_too_old_or_charged_twice(stage: Stage) -> None:
    """L5 refuses an interval that starts more than maxAge ago."""
    actors = keepers(stage)
    lead = actors[0]
    talk(actors, stage.view(20), everybody(stage.lost("worker-2", 20)))
    pieces: list[tuple[int, int]] = []
    block = 20
    for _ in range(3):
        due = lead.due()
        assert due is not None
        block = (due - time_of(0)) // 720
        (report,) = reports(talk(actors, stage.view(block), {lead.name: []}))
        pieces.append((report.args[2], report.args[3]))  # type: ignore[arg-type]
        assert time_of(block + 1) - pieces[-1][0] <= MAX_AGE
    (report,) = reports(
        talk(actors, stage.view(block + 5), everybody(stage.back("worker-2", block + 5)))
    )
    pieces.append((report.args[2], report.args[3]))  # type: ignore[arg-type]

    week = 7 * 86_400
    starts = [time_of(20) + n * week for n in range(4)]
    assert pieces == [*pairwise(starts), (starts[3], time_of(block + 5))]
    assert lead.due() is None


@pytest.mark.parametrize(
    ("interval", "level", "reason"),
    [
        ((20, 60), 1, None),
        ((25, 40), 1, None),
        ((19, 60), 1, "worker-2 was not seen offline then"),
        ((20, 61), 1, "ends in the future"),
        ((20, 60), 2, "knows nothing of level 2"),
    ],
    ids=["all of it", "a part", "a block too early", "future", "level 2"],
)
def test_a_peer_signs_only_what_it_saw_itself(
    stage: Stage, interval: tuple[int, int], level: int, reason: str | None
) -> None:
    incidents = Incidents(KEEPERS[0])
    incidents.take(stage.view(20), stage.lost("worker-2", 20), leads=False)
    start, end = (time_of(block) for block in interval)
    evidence = keccak(f"offline:worker-2:{start}:{end}".encode())
    incident = Incident("worker-2", stage.address("worker-2"), level, start, end, evidence)

    assert incidents.objection(stage.view(60), incident) == reason


def test_a_peer_that_saw_nothing_says_so(stage: Stage) -> None:
    peer = keepers(stage)[1]
    incident = Incident(
        "worker-2", stage.address("worker-2"), 1, time_of(20), time_of(60), bytes(32)
    )

    answers = peer.act(stage.view(60), [SignatureAsked(incident, "gatekeeper-1")])

    reason = "worker-2 was not seen offline then"
    refused = SignatureRefused(incident, "gatekeeper-2", reason)
    assert answers == [Tell("gatekeeper-1", refused)]


def test_an_incident_is_executed_in_the_block_in_which_its_window_ends(stage: Stage) -> None:
    actors = keepers(stage)
    reported = incident_reported(stage, 81, 3, "worker-2")
    talk(actors, stage.view(81), everybody(reported))
    # 6 h are 30 blocks: due at head 110, mined in block 111.
    assert actors[0].due() == time_of(110)
    assert [actor.due() for actor in actors[1:]] == [None, None]  # only the lead submits

    assert talk(actors, stage.view(109), everybody(None)) == []
    operations = [o for _, o in talk(actors, stage.view(110), {"gatekeeper-1": []})]

    assert sends(operations) == [("gatekeeper-1", "execute", (3,))]
    assert actors[0].due() is None


def test_an_incident_somebody_else_executed_is_left_alone(stage: Stage) -> None:
    actors = keepers(stage)
    talk(actors, stage.view(81), everybody(incident_reported(stage, 81, 3, "worker-2")))
    talk(actors, stage.view(90), everybody(happened("IncidentExecuted", 90, id=3)))

    assert actors[0].due() is None
    assert talk(actors, stage.view(110), {"gatekeeper-1": []}) == []


def test_a_peer_refuses_another_node_s_key_and_another_evidence(stage: Stage) -> None:
    incidents = Incidents(KEEPERS[0])
    incidents.take(stage.view(20), stage.lost("worker-2", 20), leads=False)
    start, end = time_of(20), time_of(60)
    evidence = keccak(f"offline:worker-2:{start}:{end}".encode())
    other = Incident("worker-2", stage.address("worker-1"), 1, start, end, evidence)
    unproven = Incident("worker-2", stage.address("worker-2"), 1, start, end, bytes(32))

    assert incidents.objection(stage.view(60), other) == "not the node key of worker-2"
    assert incidents.objection(stage.view(60), unproven) == "the evidence is not this outage's"


def test_a_node_lost_before_it_staked_is_charged_from_its_registration(stage: Stage) -> None:
    actors, node = keepers(stage), stage.address("worker-2")
    unregistered(stage, "worker-2")
    talk(actors, stage.view(20), everybody(stage.lost("worker-2", 20)))
    stage.reads.live[node], stage.reads.registered[node] = True, time_of(30)

    (report,) = reports(talk(actors, stage.view(90), everybody(stage.back("worker-2", 90))))

    assert report.args[2:4] == (time_of(30), time_of(90))  # L5: the cursor cuts it


def test_a_node_that_is_gone_for_good_is_reported_no_more(stage: Stage) -> None:
    actors, node = keepers(stage), stage.address("worker-2")
    talk(actors, stage.view(20), everybody(stage.lost("worker-2", 20)))
    stage.reads.live[node] = False  # it exited and withdrew
    due = actors[0].due()
    assert due == time_of(20) + MAX_AGE // 2

    block = (due - time_of(0)) // 720
    assert reports(talk(actors, stage.view(block), {KEEPERS[0]: []})) == []
    assert actors[0].due() is None


def test_an_exited_node_is_charged_up_to_its_exit_request_and_no_further(stage: Stage) -> None:
    actors, node = keepers(stage), stage.address("worker-2")
    talk(actors, stage.view(20), everybody(stage.lost("worker-2", 20)))
    stage.reads.exit_requested[node] = stage.reads.cursors[node] = time_of(15)  # L1

    assert reports(talk(actors, stage.view(60), everybody(stage.back("worker-2", 60)))) == []


def test_a_short_max_age_is_reported_no_faster_than_blocks_come(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage.reads, "max_age", lambda: 1)
    actors = keepers(stage)
    talk(actors, stage.view(20), everybody(stage.lost("worker-2", 20)))

    assert actors[0].due() == time_of(21)


def vouched(stage: Stage, level: int) -> Incident:
    span = (time_of(20) if level == 3 else time_of(10), time_of(20))
    return Incident("worker-2", stage.address("worker-2"), level, *span, bytes(32))


@pytest.mark.parametrize(("level", "signatures"), [(2, 2), (3, 3)], ids=["SLASH", "CRITICAL"])
def test_gatekeepers_report_what_they_were_told_of(
    stage: Stage, level: int, signatures: int
) -> None:
    actors, incident = keepers(stage), vouched(stage, level)
    wishes = {name: [Vouch(place, incident)] for place, name in enumerate(KEEPERS, start=1)}
    operations = [o for _, o in talk(actors, stage.view(30), wishes)]

    assert [o for o in operations if isinstance(o, Done)] == [Done(2), Done(3)]
    (report,) = (o for o in operations if isinstance(o, Send))
    assert (report.account, report.function, report.wish) == ("gatekeeper-1", "report", 1)
    assert report.args[:4] == (incident.node, level, incident.start, incident.end)
    assert isinstance(report.args[5], bytes)
    assert len(report.args[5]) == signatures * 65


def test_the_wish_fails_where_peers_know_nothing(stage: Stage) -> None:
    actors, incident = keepers(stage), vouched(stage, 3)
    operations = [o for _, o in talk(actors, stage.view(30), {KEEPERS[0]: [Vouch(7, incident)]})]
    # CRITICAL of three is all: one refusal is enough.
    assert operations == [Fail(7, "gatekeeper-2: knows nothing of level 3", "NotAttested")]


@pytest.mark.parametrize(
    ("age", "objection"),
    [(MAX_AGE, None), (MAX_AGE + 720, "knows nothing of level 3")],
    ids=["maxAge", "a block older"],
)
def test_what_was_vouched_for_grows_old(stage: Stage, age: int, objection: str | None) -> None:
    """L5: what nobody may report any more is kept by nobody, the lead or a peer."""
    actors, incident = keepers(stage), vouched(stage, 3)
    wishes = {name: [Vouch(place, incident)] for place, name in enumerate(KEEPERS, start=1)}
    talk(actors, stage.view(30), wishes)

    late = stage.view(20 + age // 720)
    talk(actors, late, {name: [] for name in KEEPERS})
    assert [actor.objection(late, incident) for actor in actors] == [objection] * 3


def test_an_appealed_incident_waits_for_the_arbiter(stage: Stage) -> None:
    actors = keepers(stage)
    talk(actors, stage.view(81), everybody(incident_reported(stage, 81, 3, "worker-2")))
    talk(actors, stage.view(90), everybody(happened("Appealed", 90, id=3)))
    # 12 h are 60 blocks from the appeal.
    assert actors[0].due() == time_of(149)
    assert talk(actors, stage.view(148), {"gatekeeper-1": []}) == []
    operations = [o for _, o in talk(actors, stage.view(149), {"gatekeeper-1": []})]
    assert sends(operations) == [("gatekeeper-1", "execute", (3,))]


def test_an_overturned_incident_is_left_alone(stage: Stage) -> None:
    actors = keepers(stage)
    talk(actors, stage.view(81), everybody(incident_reported(stage, 81, 3, "worker-2")))
    talk(actors, stage.view(90), everybody(happened("IncidentOverturned", 90, id=3)))
    assert actors[0].due() is None
