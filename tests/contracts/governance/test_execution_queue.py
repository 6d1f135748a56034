"""Passed proposals behind a timelock and a veto (G2, R5)."""

from __future__ import annotations

from typing import Any

import pytest
from contracts_stage import DAY, GATEKEEPERS, Stage, address

from devnet.chain import keccak
from devnet.protocol import calls_hash

DELAY = 2 * DAY
PROPOSAL = keccak(b"more value")
UNKNOWN, QUEUED, EXECUTED, VETOED = range(4)
ZERO = "0x" + "00" * 20


@pytest.fixture
def governed(stage: Stage) -> Stage:
    """The stage with a registry and a rewards contract that the queue governs."""
    queue = stage.address("ExecutionQueue")
    members = [address(name) for name in GATEKEEPERS]
    assert stage.create("Registry", "Gatekeepers", queue, members, 2) is None
    token, staking = stage.address("Kompute"), stage.address("Staking")
    parts = (token, stage.address("Registry"), staking, stage.address("Slashing"))
    assert stage.create("Paying", "Rewards", *parts, 70, 5, 10**20) is None
    return stage


def set_max_v(stage: Stage, value: int = 2 * 10**20) -> list[dict[str, Any]]:
    return [stage.call("Paying", "setMaxV", value)]


def queued(stage: Stage, calls: list[dict[str, Any]], proposal: bytes = PROPOSAL) -> int:
    """When it was queued."""
    sent = stage.send("mallory", "ExecutionQueue", "queue", *stage.execution(proposal, calls))
    return sent.timestamp


def refusal(stage: Stage, sender: str, function: str, *given: Any) -> tuple[str, dict[str, Any]]:
    error = stage.refused(sender, "ExecutionQueue", function, *given)
    return error.name, dict(error.values)


def state(stage: Stage, proposal: bytes = PROPOSAL) -> int:
    return int(stage.read("ExecutionQueue", "proposalOf", proposal)["state"])


def test_g2_a_passed_proposal_is_queued_waits_and_is_executed_by_anyone(governed: Stage) -> None:
    stage, calls = governed, set_max_v(governed)
    assert stage.read("ExecutionQueue", "proposalOf", PROPOSAL) == {
        "state": UNKNOWN,
        "queuedAt": 0,
        "calls": bytes(32),
    }
    sent = stage.send("mallory", "ExecutionQueue", "queue", *stage.execution(PROPOSAL, calls))
    due = sent.timestamp + DELAY
    assert sent.event("Queued") == {"proposal": PROPOSAL, "calls": tuple(calls), "due": due}
    assert stage.read("ExecutionQueue", "proposalOf", PROPOSAL) == {
        "state": QUEUED,
        "queuedAt": sent.timestamp,
        "calls": calls_hash(calls),
    }
    stage.until(due)
    done = stage.send("mallory", "ExecutionQueue", "execute", PROPOSAL, calls)
    assert done.names == ["Executed", "MaxVChanged"]
    assert done.event("Executed") == {"proposal": PROPOSAL}
    assert stage.read("Paying", "maxV") == 2 * 10**20
    assert state(stage) == EXECUTED


def test_g2_not_a_second_before_the_timelock_is_over(governed: Stage) -> None:
    stage, calls = governed, set_max_v(governed)
    due = queued(stage, calls) + DELAY
    stage.until(due - 1)
    assert refusal(stage, "alice", "execute", PROPOSAL, calls) == (
        "TimelockOpen",
        {"due": due, "timestamp": due - 1},
    )
    assert stage.read("Paying", "maxV") == 10**20
    stage.send("alice", "ExecutionQueue", "execute", PROPOSAL, calls)


def test_g2_once_only(governed: Stage) -> None:
    stage, calls = governed, set_max_v(governed)
    due = queued(stage, calls) + DELAY
    again = stage.execution(PROPOSAL, calls)
    assert refusal(stage, "alice", "queue", *again) == ("AlreadyQueued", {"proposal": PROPOSAL})
    stage.until(due)
    stage.send("alice", "ExecutionQueue", "execute", PROPOSAL, calls)
    assert refusal(stage, "alice", "execute", PROPOSAL, calls) == (
        "NotQueued",
        {"proposal": PROPOSAL, "state": EXECUTED},
    )
    assert refusal(stage, "alice", "queue", *again)[0] == "AlreadyQueued"
    assert refusal(stage, "guardian", "veto", PROPOSAL)[0] == "NotQueued"
    stage.send("alice", "ExecutionQueue", "queue", *stage.execution(keccak(b"again"), calls))


def test_g2_a_veto_is_the_guardian_s_and_for_ever(governed: Stage) -> None:
    stage, calls = governed, set_max_v(governed)
    assert refusal(stage, "guardian", "veto", PROPOSAL) == (
        "NotQueued",
        {"proposal": PROPOSAL, "state": UNKNOWN},
    )
    due = queued(stage, calls) + DELAY
    assert refusal(stage, "gatekeeper-1", "veto", PROPOSAL) == (
        "NotGuardian",
        {"caller": address("gatekeeper-1"), "guardian": address("guardian")},
    )
    stage.until(due)  # also when it might be executed already
    sent = stage.send("guardian", "ExecutionQueue", "veto", PROPOSAL)
    assert sent.event("Vetoed") == {"proposal": PROPOSAL}
    assert refusal(stage, "alice", "execute", PROPOSAL, calls)[1]["state"] == VETOED
    assert refusal(stage, "guardian", "veto", PROPOSAL)[0] == "NotQueued"
    again = stage.execution(PROPOSAL, calls)
    assert refusal(stage, "alice", "queue", *again)[0] == "AlreadyQueued"
    assert state(stage) == VETOED


@pytest.mark.parametrize(
    ("signers", "name"),
    [
        ((), "TooFewSignatures"),
        (GATEKEEPERS[:2], "TooFewSignatures"),  # CRITICAL of three is all three (R4)
        ((*GATEKEEPERS[:2], "mallory"), "NotGatekeeper"),
    ],
    ids=["nobody", "two of three", "a stranger"],
)
def test_g2_a_critical_quorum_attests_the_tally(
    stage: Stage, signers: tuple[str, ...], name: str
) -> None:
    calls = [stage.call("Rewards", "setMaxV", 1)]
    *given, signatures = stage.execution(PROPOSAL, calls, *signers)
    if not signers:
        signatures = b""
    assert refusal(stage, "alice", "queue", *given, signatures)[0] == name
    assert state(stage) == UNKNOWN


def test_g2_an_attestation_binds_space_proposal_calls_and_deadline(stage: Stage) -> None:
    calls = [stage.call("Rewards", "setMaxV", 1)]
    others = [stage.call("Rewards", "setMaxV", 2)]
    *_, deadline, signatures = stage.execution(PROPOSAL, calls)
    given = (deadline, signatures)
    signers = {"NotGatekeeper", "SignersNotAscending"}  # of another digest, whoever they are
    assert refusal(stage, "alice", "queue", PROPOSAL, others, *given)[0] in signers
    assert refusal(stage, "alice", "queue", keccak(b"other"), calls, *given)[0] in signers
    longer = (deadline + 1, signatures)
    assert refusal(stage, "alice", "queue", PROPOSAL, calls, *longer)[0] in signers
    keepers, guardian = stage.address("Gatekeepers"), address("guardian")
    made = (keepers, guardian, keccak(b"another space"), DELAY)
    assert stage.create("Other", "ExecutionQueue", *made) is None
    error = stage.refused("alice", "Other", "queue", PROPOSAL, calls, *given)
    assert error.name in signers
    stage.send("alice", "ExecutionQueue", "queue", PROPOSAL, calls, *given)


def test_g2_what_is_attested_is_queued_until_its_deadline(stage: Stage) -> None:
    calls, deadline = [stage.call("Rewards", "setMaxV", 1)], stage.now + 100
    given = stage.execution(PROPOSAL, calls, deadline=deadline)
    stage.until(deadline + 1)
    assert refusal(stage, "alice", "queue", *given) == (
        "AttestationExpired",
        {"deadline": deadline, "timestamp": deadline + 1},
    )
    deadline = stage.now + 100
    given = stage.execution(PROPOSAL, calls, deadline=deadline)
    stage.until(deadline)
    stage.send("alice", "ExecutionQueue", "queue", *given)


def test_g2_it_executes_what_was_queued_and_nothing_else(governed: Stage) -> None:
    stage, calls = governed, set_max_v(governed)
    due = queued(stage, calls) + DELAY
    stage.until(due)
    for others in ([], calls * 2, set_max_v(stage, 5)):
        assert refusal(stage, "alice", "execute", PROPOSAL, others) == (
            "CallsMismatch",
            {"given": calls_hash(others), "queued": calls_hash(calls)},
        )


def test_g2_all_calls_or_none_with_the_failed_one_s_own_error(governed: Stage) -> None:
    stage = governed
    change = stage.call("Registry", "change", [], [address("mallory")], 2)
    calls = [*set_max_v(stage), change]
    due = queued(stage, calls) + DELAY
    stage.until(due)
    assert refusal(stage, "alice", "execute", PROPOSAL, calls) == (
        "NotGatekeeper",
        {"account": address("mallory")},
    )
    assert stage.read("Paying", "maxV") == 10**20
    assert state(stage) == QUEUED


@pytest.mark.parametrize(
    ("to", "data", "name"),
    [
        (address("alice"), b"\x12\x34\x56\x78", "AddressEmptyCode"),
        ("Paying", b"\x12\x34\x56\x78", "FailedCall"),
        ("Paying", b"", "FailedCall"),
    ],
    ids=["nobody's", "no function", "no ETH"],
)
def test_g2_a_call_that_reaches_nothing_fails(
    governed: Stage, to: str, data: bytes, name: str
) -> None:
    stage = governed
    where = stage.address(to) if to == "Paying" else to
    calls = [{"to": where, "data": data}]
    stage.until(queued(stage, calls) + DELAY)
    assert refusal(stage, "alice", "execute", PROPOSAL, calls)[0] == name


def test_g2_the_guardian_queues_the_removal_of_gatekeepers(stage: Stage) -> None:
    removed = [address("gatekeeper-1")]
    given = (PROPOSAL, removed)
    assert refusal(stage, "gatekeeper-2", "queueRemoval", *given)[0] == "NotGuardian"
    sent = stage.send("guardian", "ExecutionQueue", "queueRemoval", *given)
    change = stage.call("Gatekeepers", "remove", removed)
    queued_ = {"proposal": PROPOSAL, "calls": (change,), "due": sent.timestamp + DELAY}
    assert sent.event("Queued") == queued_
    found = stage.read("ExecutionQueue", "proposalOf", PROPOSAL)
    assert (found["state"], found["calls"]) == (QUEUED, calls_hash([change]))
    assert refusal(stage, "guardian", "queueRemoval", *given)[0] == "AlreadyQueued"
    stage.send("guardian", "ExecutionQueue", "veto", PROPOSAL)


def test_g2_a_removal_removes_somebody(stage: Stage) -> None:
    given = (PROPOSAL, [])
    assert refusal(stage, "guardian", "queueRemoval", *given) == (
        "NothingRemoved",
        {"proposal": PROPOSAL},
    )


def test_r5_the_queue_alone_appoints_the_guardian(stage: Stage) -> None:
    queue = stage.address("ExecutionQueue")
    for who in ("governance", "guardian"):
        assert refusal(stage, who, "setGuardian", address("mallory")) == (
            "NotGovernance",
            {"caller": address(who), "governance": queue},
        )
    calls = [stage.call("ExecutionQueue", "setGuardian", address("bob"))]
    stage.until(queued(stage, calls) + DELAY)
    sent = stage.send("alice", "ExecutionQueue", "execute", PROPOSAL, calls)
    assert sent.event("GuardianChanged") == {"guardian": address("bob")}
    assert stage.read("ExecutionQueue", "guardian") == address("bob")
    assert refusal(stage, "guardian", "veto", PROPOSAL)[0] == "NotGuardian"


def test_g2_a_proposal_cannot_execute_itself_again(governed: Stage) -> None:
    stage = governed
    inner = stage.call("ExecutionQueue", "execute", PROPOSAL, [])
    stage.until(queued(stage, [inner]) + DELAY)
    assert refusal(stage, "alice", "execute", PROPOSAL, [inner]) == (
        "NotQueued",
        {"proposal": PROPOSAL, "state": EXECUTED},
    )
    assert state(stage) == QUEUED


def test_the_queue_as_it_was_created(stage: Stage) -> None:
    assert stage.read("ExecutionQueue", "guardian") == address("guardian")
    assert stage.read("ExecutionQueue", "delay") == DELAY
    assert stage.read("ExecutionQueue", "space") == keccak(b"kompute.eth")
