"""What was proposed is kept until it is on chain or too old (L1, L5, R4)."""

from __future__ import annotations

import pytest

from devnet.actors.attestations import Incident
from devnet.actors.gatekeeper import Gatekeeper
from devnet.actors.messages import (
    ChainEvent,
    LeadChanged,
    SendFailed,
)
from devnet.actors.operations import Send
from devnet.chain import recover
from tests.actors.duties.incidents_stage import KEEPERS, everybody, keepers, reports
from tests.actors.stage import Stage, happened, talk, time_of


@pytest.fixture()
def stage() -> Stage:
    return Stage()


def removed(stage: Stage, block: int, *names: str) -> object:
    stage.reads.gatekeepers -= {stage.address(name) for name in names}
    return happened("GatekeeperRemoved", block)


def failed(report: Send, error: str) -> SendFailed:
    return SendFailed(report.contract, report.function, report.args, error)


def reported(stage: Stage, report: Send, block: int) -> ChainEvent:
    node, level, start, end, evidence, _ = report.args
    values = {"id": 1, "node": node, "level": level, "from": start, "to": end}
    return happened("IncidentReported", block, **values, evidence=evidence)


def outage(stage: Stage, actors: list[Gatekeeper]) -> Send:
    """Of worker-2, from block 20 to block 80: what the lead sends."""
    talk(actors, stage.view(20), everybody(stage.lost("worker-2", 20)))
    (report,) = reports(talk(actors, stage.view(80), everybody(stage.back("worker-2", 80))))
    return report


def test_a_report_that_was_overtaken_by_blocks_is_made_again(stage: Stage) -> None:
    """L5: its first second grew too old before it was mined."""
    actors = keepers(stage)
    first = outage(stage, actors)
    told = [failed(first, "IntervalTooOld")]
    (again,) = reports(talk(actors, stage.view(1720), {KEEPERS[0]: told}))
    assert again.args[2:4] == (time_of(41), time_of(80))


def test_what_was_refused_is_made_again_before_what_came_after_it(stage: Stage) -> None:
    """The later one would move the cursor past it (L5)."""
    actors = keepers(stage)
    first = outage(stage, actors)
    assert reports(talk(actors, stage.view(82), {KEEPERS[0]: [failed(first, "NotTaken")]})) == []
    seen = talk(actors, stage.view(90), everybody(stage.lost("worker-2", 90)))
    seen += talk(actors, stage.view(95), everybody(stage.back("worker-2", 95)))
    spans = [report.args[2:4] for report in reports(seen)]
    assert spans == [(time_of(20), time_of(80)), (time_of(90), time_of(95))]


@pytest.mark.parametrize("error", ["NotGatekeeper", "TooFewSignatures"])
def test_a_report_whose_signer_was_removed_before_it_was_mined_is_made_again(
    stage: Stage, error: str
) -> None:
    actors = keepers(stage)
    first = outage(stage, actors)
    told = [failed(first, error), removed(stage, 81, "gatekeeper-2")]

    (again,) = reports(talk(actors, stage.view(81), {KEEPERS[0]: told}))

    assert again.args[:5] == first.args[:5]
    assert isinstance(again.args[5], bytes)
    digest = Incident("worker-2", *first.args[:5]).digest(stage.reads.domains)  # type: ignore[arg-type]
    signers = {recover(digest, again.args[5][start : start + 65]) for start in (0, 65)}
    assert signers == {stage.address(KEEPERS[0]), stage.address(KEEPERS[2])}


def test_what_is_on_chain_is_reported_once(stage: Stage) -> None:
    """Whatever fails or changes afterwards."""
    actors = keepers(stage)
    first = outage(stage, actors)
    assert talk(actors, stage.view(81), everybody(reported(stage, first, 81))) == []

    late = [failed(first, "NotGatekeeper"), removed(stage, 82, "gatekeeper-2"), LeadChanged("x")]
    assert reports(talk(actors, stage.view(82), {KEEPERS[0]: late})) == []


def test_a_report_under_way_is_not_made_twice(stage: Stage) -> None:
    actors = keepers(stage)
    outage(stage, actors)
    told = [removed(stage, 81, "gatekeeper-2"), LeadChanged("gatekeeper-1")]
    assert reports(talk(actors, stage.view(81), {KEEPERS[0]: told})) == []


@pytest.mark.parametrize("again", ["GatekeeperAdded", "GatekeeperRemoved", "PerfQuorumChanged"])
def test_an_outage_out_of_a_quorum_s_reach_is_proposed_again_when_that_may_change(
    stage: Stage, again: str
) -> None:
    """L1: it is charged once enough of those that saw it may sign."""
    actors = keepers(stage)
    stage.reads.gatekeepers -= {stage.address(name) for name in KEEPERS[1:]}
    seen = talk(actors, stage.view(20), everybody(stage.lost("worker-2", 20)))
    seen += talk(actors, stage.view(80), everybody(stage.back("worker-2", 80)))
    assert reports(seen) == []
    assert talk(actors, stage.view(81), everybody(None)) == []

    stage.reads.gatekeepers.add(stage.address(KEEPERS[1]))
    (report,) = reports(talk(actors, stage.view(82), {KEEPERS[0]: [happened(again, 82)]}))

    assert report.args[2:4] == (time_of(20), time_of(80))


def test_what_the_chain_refuses_otherwise_waits_for_another_lead(stage: Stage) -> None:
    """At once it would be refused again, for ever."""
    actors = keepers(stage)
    first = outage(stage, actors)
    unsent = failed(first, "NotTaken")
    assert talk(actors, stage.view(81), {KEEPERS[0]: [unsent]}) == []

    changed = LeadChanged(KEEPERS[0])
    (report,) = reports(talk(actors, stage.view(82), {KEEPERS[0]: [changed]}))
    assert report.args[:5] == first.args[:5]


@pytest.mark.parametrize(
    ("late", "start"), [(1699, 20), (1720, 41), (1758, 79), (1759, None)], ids=str
)
def test_what_is_made_again_late_is_cut_to_what_may_still_be_charged(
    stage: Stage, late: int, start: int | None
) -> None:
    """L5: 14 days are 1680 blocks; mined a block later, it must not begin before."""
    actors = keepers(stage)
    first = outage(stage, actors)
    found = reports(talk(actors, stage.view(late), {KEEPERS[0]: [failed(first, "NotGatekeeper")]}))
    spans = [report.args[2:4] for report in found]
    assert spans == ([] if start is None else [(time_of(start), time_of(80))])
