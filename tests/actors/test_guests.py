"""Machines from outside: admitted on their own word, measured as their profile, seen to fail."""

from __future__ import annotations

import pytest

from devnet.actors.messages import (
    AdmissionAsked,
    AdmissionRefused,
    Admitted,
    MeasureAsked,
    MeasureFailed,
    ResultSigned,
)
from devnet.actors.operations import Tell
from devnet.actors.view import guest_of, is_guest
from devnet.chain import recover
from devnet.chain.keccak import keccak
from devnet.protocol import Domains
from tests.actors.stage import (
    KEEPERS,
    LEAD,
    NOBODY,
    Stage,
    keepers,
    sends,
    talk,
    time_of,
)

NODE = "0x" + "a1" * 20
OWNER = "0x" + "b2" * 20
GUEST = guest_of(NODE)
HARDWARE = keccak(b"a guest's machine")


@pytest.fixture()
def stage() -> Stage:
    made = Stage()
    holders: dict[bytes, str] = {}
    made.reads.holders = holders  # type: ignore[attr-defined]
    made.reads.hardware_holder = lambda held: holders.get(held, NOBODY)  # type: ignore[attr-defined]
    return made


def told(stage: Stage, message: object) -> object:
    """What the guest is told once the gatekeepers have talked."""
    ((_, tell),) = talk(keepers(stage), stage.view(10), {LEAD: [message]})
    assert isinstance(tell, Tell)
    assert tell.to == GUEST
    return tell.message


def test_a_guest_is_known_by_its_node_s_address_alone(stage: Stage) -> None:
    assert f"guest-{NODE}" == GUEST
    assert is_guest(GUEST)
    assert not is_guest("guest-1")
    assert stage.directory.address(GUEST) == NODE
    assert stage.directory.profile_of(GUEST) == "standard"
    assert stage.directory.profile_of("worker-3") == "large"


def test_a_guest_is_admitted_on_a_machine_that_is_nobody_else_s(stage: Stage) -> None:
    admitted = told(stage, AdmissionAsked(GUEST, OWNER, NODE, HARDWARE))

    assert isinstance(admitted, Admitted)
    assert admitted.hardware_id == HARDWARE
    domains: Domains = stage.reads.domains
    digest = domains.admission(NODE, OWNER, HARDWARE, time_of(10) + 86_400)
    signers = {recover(digest, admitted.signatures[at : at + 65]) for at in (0, 65)}
    assert signers < {stage.address(name) for name in KEEPERS}


def test_a_guest_is_refused_on_a_machine_that_is_taken(stage: Stage) -> None:
    stage.reads.holders[HARDWARE] = stage.address("worker-2")  # type: ignore[attr-defined]

    refused = told(stage, AdmissionAsked(GUEST, OWNER, NODE, HARDWARE))

    assert refused == AdmissionRefused("gatekeeper-1: that hardware id is worker-2's")


def test_a_guest_is_refused_under_another_node_s_name_or_a_gatekeeper_s(stage: Stage) -> None:
    other = AdmissionAsked(GUEST, OWNER, OWNER, HARDWARE)
    assert told(stage, other) == AdmissionRefused("gatekeeper-1: not that machine's node key")
    stage.reads.gatekeepers.add(OWNER)
    refused = told(stage, AdmissionAsked(GUEST, OWNER, NODE, HARDWARE))
    assert refused == AdmissionRefused("gatekeeper-1: a gatekeeper owns no worker (R3)")


def test_the_zero_address_is_no_guest_s_node(stage: Stage) -> None:
    guest = guest_of(NOBODY)
    ask = AdmissionAsked(guest, OWNER, NOBODY, HARDWARE)
    ((_, tell),) = talk(keepers(stage), stage.view(10), {LEAD: [ask]})
    reason = AdmissionRefused("gatekeeper-1: the zero address is no node key")
    assert tell == Tell(guest, reason)


@pytest.mark.parametrize("node", [True, False], ids=["node", "owner"])
def test_no_account_of_the_devnet_comes_as_a_guest(stage: Stage, node: bool) -> None:
    known = stage.address("worker-1" if node else "worker-1-owner")
    guest = guest_of(known if node else NODE)
    ask = AdmissionAsked(guest, OWNER if node else known, known if node else NODE, HARDWARE)

    ((_, tell),) = talk(keepers(stage), stage.view(10), {LEAD: [ask]})

    name = "worker-1" if node else "worker-1-owner"
    assert tell == Tell(guest, AdmissionRefused(f"gatekeeper-1: {name} is no guest"))


def test_a_guest_is_measured_as_the_profile_it_declares_and_peers_check_it(stage: Stage) -> None:
    signed = told(stage, MeasureAsked(GUEST))

    assert isinstance(signed, ResultSigned)
    node, cycle, sequence, measured_block, _, sgx, b, c1, c2, c3 = signed.result
    assert (node, cycle, sequence, measured_block) == (NODE, 0, 1, 10)
    # The standard profile is the reference machine: c1 + c2 + c3 = b = 1 (W1).
    assert (sgx, b) == (1_000_000, 1_000_000)
    assert int(str(c1)) + int(str(c2)) + int(str(c3)) in range(999_997, 1_000_001)
    assert len(signed.signatures) == 130


def test_guests_do_not_wait_for_one_another_s_tests(stage: Stage) -> None:
    others = [guest_of("0x" + f"{n:02x}" * 20) for n in range(1, 6)]
    said = talk(keepers(stage), stage.view(10), {LEAD: [MeasureAsked(name) for name in others]})
    assert [tell.to for _, tell in said if isinstance(tell, Tell)] == others


def test_a_second_result_of_one_sequence_is_refused_while_the_first_can_be_published(
    stage: Stage,
) -> None:
    made = keepers(stage)
    talk(made, stage.view(10), {LEAD: [MeasureAsked(GUEST)]})
    ((_, tell),) = talk(made, stage.view(11), {LEAD: [MeasureAsked(GUEST)]})
    assert isinstance(tell, Tell)
    assert isinstance(tell.message, MeasureFailed)
    assert "sequence 1 is signed already" in tell.message.reason


def test_a_guest_s_outage_becomes_an_incident_over_exactly_its_seconds(stage: Stage) -> None:
    made = keepers(stage)
    talk(made, stage.view(20), {name: [stage.lost(GUEST, 20)] for name in KEEPERS})
    said = talk(made, stage.view(23), {name: [stage.back(GUEST, 23)] for name in KEEPERS})

    ((account, function, args),) = sends([operation for _, operation in said])
    assert (account, function) == (LEAD, "report")
    assert args[:4] == (NODE, 1, time_of(20), time_of(23))
