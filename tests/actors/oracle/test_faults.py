"""Faulty oracle nodes and mocked feeds: what they send, and that the others go on."""

from __future__ import annotations

import pytest

from devnet.actors.messages import FeedRead, Poke, SendFailed
from devnet.actors.operations import Send
from devnet.actors.oracle import Oracles
from devnet.protocol import Report
from tests.actors.oracle.oracle_stage import (
    VCPU,
    everybody,
    read_all,
    request,
    sent,
    signers_of,
    steady,
)
from tests.actors.stage import Stage, network, time_of


def test_a_replaying_node_sends_the_last_report_first(stage: Stage, oracles: Oracles) -> None:
    before = read_all(oracles, stage.view(3), steady())
    (last,) = (o for o in before if isinstance(o, Send) and o.contract == VCPU[0])
    read = FeedRead(VCPU[0], everybody(1_000_000), faulty=(("oracle-2", "replay"),))
    replayed, honest, _ = request(oracles, stage, 4, read)
    assert replayed == Send("oracle-2", VCPU[0], "transmit", last.args, 5, False)
    assert isinstance(honest, Send)
    assert (honest.args != last.args, honest.wish, honest.closes) == (True, 5, True)


def test_a_forging_node_signs_with_a_key_of_no_oracle_node(stage: Stage, oracles: Oracles) -> None:
    read_all(oracles, stage.view(3), steady())
    read = FeedRead(VCPU[0], everybody(1_000_000), faulty=(("oracle-2", "wrong_key"),))
    forged, honest, _ = request(oracles, stage, 4, read)
    assert isinstance(forged, Send) and isinstance(honest, Send)
    assert (forged.account, forged.wish, forged.closes) == ("oracle-2", 5, False)
    signers = {send: signers_of(stage, send) for send in (forged, honest)}
    strangers = {stage.address("deployer")}
    assert signers[forged] == {stage.address("oracle-2")} | strangers
    assert len(signers[honest]) == 2
    assert not signers[honest] & (strangers | {stage.address("oracle-2")})  # peers leave it out


def test_what_a_faulty_node_tried_changes_nothing(stage: Stage, oracles: Oracles) -> None:
    read_all(oracles, stage.view(3), steady())
    read = FeedRead(VCPU[0], everybody(2_000_000), faulty=(("oracle-2", "wrong_key"),))
    forged, *_ = request(oracles, stage, 4, read)
    assert isinstance(forged, Send)
    oracles.act(stage.view(5), [SendFailed(VCPU[0], "transmit", forged.args, "NotOracle")])
    oracles.act(stage.view(5), [Poke(1, ("vcpu_hour",))])
    quiet = oracles.act(stage.view(5), [FeedRead(VCPU[0], everybody(2_000_000))])
    assert sent(quiet) == []  # against the answer of the honest report


def test_after_a_stale_report_the_chain_says_which_epoch_is_next(
    stage: Stage, oracles: Oracles
) -> None:
    before = read_all(oracles, stage.view(3), steady())
    (last,) = (o for o in before if isinstance(o, Send) and o.contract == VCPU[0])
    stage.reads.epochs[VCPU[0]] = 700 * 256 + 3
    oracles.act(stage.view(4), [SendFailed(VCPU[0], "transmit", last.args, "StaleReport")])
    (send, *_) = request(oracles, stage, 4, FeedRead(VCPU[0], everybody(1_000_000)))
    assert isinstance(send, Send) and isinstance(send.args[0], Report)
    assert send.args[0].epoch == 701


@pytest.fixture()
def mocking() -> tuple[Stage, Oracles]:
    """AWS is a mock."""
    changes = {"oracles.resources": "[vcpu_hour]", "services": "[]", "oracles.mocked": "[aws]"}
    stage = Stage(network(**changes))
    names = stage.spec.oracles.node_names()
    return stage, Oracles(stage.spec, [stage.directory.accounts[name] for name in names])


PHASE = 1 << 64


@pytest.mark.parametrize(
    ("kind", "number", "ahead"),
    [
        ("", PHASE + 2, 0),
        ("future_timestamp", PHASE + 2, 3600),
        ("round_gap", PHASE + 9, 0),
        ("phase_change", 2 * PHASE + 1, 0),
    ],
)
def test_a_mock_is_scripted_by_the_first_node(
    mocking: tuple[Stage, Oracles], kind: str, number: int, ahead: int
) -> None:
    stage, oracles = mocking
    first = read_all(oracles, stage.view(3), steady())
    at = time_of(3)
    expected = (PHASE + 1, 1_000_000, at, at)
    assert Send("oracle-1", VCPU[0], "script", (expected,)) in first
    send, *_ = request(oracles, stage, 4, FeedRead(VCPU[0], everybody(1_000_000), kind))
    at = time_of(4) + ahead
    assert send == Send("oracle-1", VCPU[0], "script", ((number, 1_000_000, at, at),), 5)


def test_a_mock_plays_a_fault_once_and_is_sound_again_when_healed(
    mocking: tuple[Stage, Oracles],
) -> None:
    stage, oracles = mocking
    read_all(oracles, stage.view(3), steady())
    starts = []
    for block, kind in ((4, "round_gap"), (5, "round_gap"), (6, ""), (7, "")):
        oracles.act(stage.view(block), [Poke(block, ("vcpu_hour",))])
        read = FeedRead(VCPU[0], everybody(1_000_000), kind)
        starts.append((VCPU[0], "script") in sent(oracles.act(stage.view(block), [read])))
    assert starts == [True, False, True, False]
