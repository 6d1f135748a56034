"""Staking of nodes (S1 to S6)."""

from __future__ import annotations

import pytest
from contracts_stage import (
    DAY,
    GATEKEEPERS,
    HOUR,
    KOMP,
    MONTH,
    STAKE,
    Stage,
    address,
    signed,
)

from devnet.chain import mirrored

NODE, OWNER = address("node-1"), address("owner-1")
NOBODY = "0x" + "00" * 20


def slashed(stage: Stage, seconds: int = HOUR, n: int = 1) -> int:
    """The node was offline for so long; executed. Gives what it lost."""
    start = stage.now
    stage.until(start + seconds)
    reported = stage.send(
        "mallory", "Slashing", "report", *stage.incident(n, start, start + seconds)
    )
    stage.until(reported.timestamp + 6 * HOUR)
    executed = stage.send(
        "mallory", "Slashing", "execute", reported.event("IncidentReported")["id"]
    )
    return int(executed.event("IncidentExecuted")["amount"])


def exited(stage: Stage) -> None:
    """The node's exit is requested and due at the next transaction."""
    exit_at = stage.send("owner-1", "Staking", "requestExit", NODE).event("ExitRequested")["exitAt"]
    stage.until(exit_at)


def test_s1_a_node_stakes_exactly_500(stage: Stage) -> None:
    before = stage.balance("owner-1")
    sent = stage.stake(1)
    assert sent.event("Staked") == {
        "node": NODE,
        "owner": OWNER,
        "hardwareId": (1).to_bytes(32, "big"),
        "months": 1,
        "unlockAt": sent.timestamp + MONTH,
    }
    assert stage.balance("owner-1") == before - 500 * KOMP
    assert stage.balance("Staking") == stage.read("Staking", "totalStake") == STAKE
    assert stage.read("Staking", "nodeOf", NODE) == {
        "owner": OWNER,
        "registeredAt": sent.timestamp,
        "unlockAt": sent.timestamp + MONTH,
        "exitAt": 0,
        "exitRequestedAt": 0,
        "multiplierBps": 10_000,
        "ejected": False,
        "withdrawn": False,
        "forfeited": False,
        "suspensions": 0,
        "stake": STAKE,
    }
    assert stage.read("Staking", "isActive", NODE)
    assert stage.read("Staking", "isLive", NODE)
    assert stage.read("Staking", "ownerOf", NODE) == OWNER


def test_s1_without_the_tokens_nothing_happens(stage: Stage) -> None:
    stage.send("owner-1", "Kompute", "transfer", address("bob"), 9_501 * KOMP)
    refused = stage.refused("owner-1", "Staking", "stake", *stage.admission(1))
    assert refused.name == "ERC20InsufficientBalance"
    assert stage.read("Staking", "ownerOf", NODE) == "0x" + "00" * 20


@pytest.mark.parametrize(("months", "bps"), [(1, 10_000), (3, 10_500), (6, 11_000), (12, 12_000)])
def test_s2_s3_the_bonus_ends_with_the_period(stage: Stage, months: int, bps: int) -> None:
    unlock_at = stage.stake(1, months).event("Staked")["unlockAt"]
    assert stage.read("Staking", "multiplierBps", NODE) == bps
    stage.until(unlock_at - 1)
    stage.mine()
    assert (stage.now, stage.read("Staking", "multiplierBps", NODE)) == (unlock_at - 1, bps)
    stage.mine()
    assert (stage.now, stage.read("Staking", "multiplierBps", NODE)) == (unlock_at, 10_000)
    assert stage.read("Staking", "isActive", NODE)  # S3: it keeps working
    assert stage.read("Staking", "publisherOf", NODE) == {
        "owner": OWNER,
        "active": True,
        "suspended": False,
        "bps": 10_000,
    }


@pytest.mark.parametrize("months", [0, 2, 4, 13, 2**255])
def test_s2_other_periods_are_refused(stage: Stage, months: int) -> None:
    refused = stage.refused("owner-1", "Staking", "stake", *stage.admission(1, months))
    assert (refused.name, refused.values) == ("UnknownPeriod", {"months": months})


def test_who_never_staked_has_nothing(stage: Stage) -> None:
    assert stage.read("Staking", "isActive", NODE) is False
    assert stage.read("Staking", "isLive", NODE) is False
    assert stage.read("Staking", "stakeOf", NODE) == 0
    assert stage.refused("owner-1", "Staking", "requestExit", NODE).name == "NotRegistered"


def test_the_total_is_of_all_stakes(stage: Stage) -> None:
    stage.stake(1)
    stage.stake(2)
    assert stage.balance("Staking") == stage.read("Staking", "totalStake") == 2 * STAKE


def test_s3_a_restake_must_unlock_later(stage: Stage) -> None:
    unlock_at = stage.stake(1, 3).event("Staked")["unlockAt"]
    stage.until(unlock_at - MONTH)
    refused = stage.refused("owner-1", "Staking", "restake", NODE, 1)
    assert (refused.name, refused.values) == (
        "UnlockNotLater",
        {"unlockAt": unlock_at, "previous": unlock_at},
    )
    sent = stage.send("owner-1", "Staking", "restake", NODE, 1)
    assert sent.event("Restaked")["unlockAt"] == sent.timestamp + MONTH == unlock_at + 1
    assert stage.read("Staking", "nodeOf", NODE)["unlockAt"] == unlock_at + 1
    assert stage.read("Staking", "multiplierBps", NODE) == 10_000


@pytest.mark.parametrize(
    ("sender", "months", "name"),
    [("mallory", 12, "NotOwner"), ("owner-1", 2, "UnknownPeriod")],
)
def test_s3_refused_restakes(stage: Stage, sender: str, months: int, name: str) -> None:
    stage.stake(1)
    assert stage.refused(sender, "Staking", "restake", NODE, months).name == name


def test_s3_only_active_nodes_restake(stage: Stage) -> None:
    stage.stake(1)
    slashed(stage)
    assert stage.refused("owner-1", "Staking", "restake", NODE, 12).name == "NotActive"
    stage.stake(2)
    stage.send("owner-2", "Staking", "requestExit", address("node-2"))
    refused = stage.refused("owner-2", "Staking", "restake", address("node-2"), 12)
    assert refused.name == "NotActive"


def test_s4_a_top_up_leads_back_to_exactly_500(stage: Stage) -> None:
    stage.stake(1)
    assert stage.refused("owner-1", "Staking", "topUp", NODE, 1).name == "NothingToTopUp"
    lost = slashed(stage)
    assert lost == STAKE * 1_000 * HOUR // (10_000 * DAY)
    assert stage.read("Staking", "stakeOf", NODE) == STAKE - lost
    assert not stage.read("Staking", "isActive", NODE)
    assert stage.read("Staking", "isLive", NODE)
    for amount in (lost - 1, lost + 1, 0):
        refused = stage.refused("owner-1", "Staking", "topUp", NODE, amount)
        assert refused.values == {"amount": amount, "room": lost}
    assert stage.refused("owner-2", "Staking", "topUp", NODE, lost).name == "NotOwner"
    sent = stage.send("owner-1", "Staking", "topUp", NODE, lost)
    assert sent.event("ToppedUp") == {"node": NODE, "amount": lost}
    assert stage.read("Staking", "isActive", NODE)
    assert stage.read("Staking", "totalStake") == stage.balance("Staking") == STAKE


def test_s4_no_top_up_after_the_exit_request(stage: Stage) -> None:
    stage.stake(1)
    lost = slashed(stage)
    stage.send("owner-1", "Staking", "requestExit", NODE)
    refused = stage.refused("owner-1", "Staking", "topUp", NODE, lost)
    assert refused.name == "ExitAlreadyRequested"


@pytest.mark.parametrize(
    ("months", "waited", "delay"),
    [(1, 0, MONTH), (1, 20 * DAY, 15 * DAY), (1, 15 * DAY - 10, 15 * DAY + 10)],
    ids=["S5-unlockAt", "S5-exitDelay", "S5-unlockAt just later"],
)
def test_s5_exit_takes_the_later_of_both(
    stage: Stage, months: int, waited: int, delay: int
) -> None:
    staked = stage.stake(1, months).timestamp
    stage.until(staked + max(waited, 1))
    requested = stage.send("owner-1", "Staking", "requestExit", NODE)
    exit_at = requested.event("ExitRequested")["exitAt"]
    assert exit_at == max(requested.timestamp + 15 * DAY, staked + MONTH)
    assert exit_at == staked + max(waited, 0) + delay or waited == 0
    assert not stage.read("Staking", "isActive", NODE)
    assert stage.read("Staking", "isLive", NODE)
    again = stage.refused("owner-1", "Staking", "requestExit", NODE)
    assert again.values == {"node": NODE, "exitAt": exit_at}
    stage.until(exit_at - 1)
    early = stage.refused("owner-1", "Staking", "withdraw", NODE)
    assert early.values == {"exitAt": exit_at, "timestamp": exit_at - 1}
    withdrawn = stage.send("owner-1", "Staking", "withdraw", NODE)
    assert withdrawn.timestamp == exit_at
    assert withdrawn.event("Withdrawn") == {"node": NODE, "owner": OWNER, "amount": STAKE}
    assert stage.balance("Staking") == stage.read("Staking", "totalStake") == 0
    assert stage.balance("owner-1") == 10_000 * KOMP
    assert not stage.read("Staking", "isLive", NODE)
    assert stage.refused("owner-1", "Staking", "withdraw", NODE).name == "NotLive"


def test_s5_without_a_request_there_is_no_withdrawal(stage: Stage) -> None:
    staked = stage.stake(1).timestamp
    stage.until(staked + 12 * MONTH)
    refused = stage.refused("owner-1", "Staking", "withdraw", NODE)
    assert refused.values == {"exitAt": 0, "timestamp": staked + 12 * MONTH}
    assert stage.refused("mallory", "Staking", "withdraw", NODE).name == "NotOwner"
    assert stage.refused("mallory", "Staking", "requestExit", NODE).name == "NotOwner"
    other = address("node-2")
    assert stage.refused("mallory", "Staking", "requestExit", other).name == "NotRegistered"


def test_s5_dodging_a_slash_by_leaving_fails(stage: Stage) -> None:
    staked = stage.stake(1).timestamp
    stage.until(staked + MONTH)  # unlocked: the exit takes the delay alone
    start = stage.now
    stage.until(start + 12 * HOUR)
    requested = stage.send("owner-1", "Staking", "requestExit", NODE)
    exit_at = requested.event("ExitRequested")["exitAt"]
    stage.until(start + 14 * DAY)  # maxAge, a day before the exit
    reported = stage.send(
        "mallory", "Slashing", "report", *stage.incident(1, start, start + 12 * HOUR)
    )
    assert reported.timestamp < exit_at
    stage.until(exit_at)
    refused = stage.refused("owner-1", "Staking", "withdraw", NODE)
    assert (refused.name, refused.values) == ("SlashPending", {"node": NODE})
    stage.send("mallory", "Slashing", "execute", 1)
    withdrawn = stage.send("owner-1", "Staking", "withdraw", NODE)
    assert withdrawn.event("Withdrawn")["amount"] == 475 * KOMP


def test_s5_exit_delay_is_longer_than_incidents_last(stage: Stage) -> None:
    token, gatekeepers = stage.address("Kompute"), stage.address("Gatekeepers")
    made = (token, gatekeepers, stage.address("Slashing"), MONTH, DAY + 1)
    assert stage.create("Brief", "Staking", *made) is None
    others = (
        stage.address("Rewards"),
        stage.address("PoolFactory"),
        address("arbiter"),
        HOUR,
        HOUR,
    )
    where = (token, gatekeepers, stage.address("Brief"), *others)
    assert stage.create("Reaching", "Slashing", *where, DAY) is None
    refused = stage.create("Overreaching", "Slashing", *where, DAY + 1)
    assert refused is not None
    assert refused.values == {"exitDelay": DAY + 1, "maxAge": DAY + 1}


def test_s6_admission_binds_node_owner_hardware_and_deadline(stage: Stage) -> None:
    node, hardware, months, deadline, signatures, agreed = stage.admission(1)
    cases = [
        ("owner-2", "node-1", hardware, deadline),
        ("owner-1", "node-2", hardware, deadline),
        ("owner-1", "node-1", b"\x77" * 32, deadline),
        ("owner-1", "node-1", hardware, deadline - 1),
    ]
    for sender, key, machine, until in cases:
        digest = stage.domains.admission(address(key), address(sender), machine, until)
        given = (address(key), machine, months, until)
        refused = stage.refused(sender, "Staking", "stake", *given, signatures, signed(digest, key))
        assert refused.name in {"NotGatekeeper", "SignersNotAscending"}, given
        quorum = signed(digest, *GATEKEEPERS[:2])
        refused = stage.refused(sender, "Staking", "stake", *given, quorum, agreed)
        assert refused.name == "NotSignedByNode", given
    few = signed(stage.domains.admission(node, OWNER, hardware, deadline), GATEKEEPERS[0])
    given = (node, hardware, months, deadline, few, agreed)
    assert stage.refused("owner-1", "Staking", "stake", *given).name == "TooFewSignatures"
    # The period is the owner's own choice.
    stage.send("owner-1", "Staking", "stake", node, hardware, 12, deadline, signatures, agreed)


def test_s6_nobody_registers_a_key_that_is_not_his(stage: Stage) -> None:
    node, hardware, months, deadline, signatures, agreed = stage.admission(1)
    digest = stage.domains.admission(node, OWNER, hardware, deadline)
    forged = {
        "by a stranger": (signed(digest, "mallory"), address("mallory")),
        "by the owner": (signed(digest, "owner-1"), OWNER),
        "by nobody": (b"", NOBODY),
        "twice": (agreed * 2, NOBODY),
        "with a high s": (mirrored(agreed), NOBODY),
        "with a byte too few": (agreed[:-1], NOBODY),
    }
    for how, (signature, signer) in forged.items():
        given = (node, hardware, months, deadline, signatures, signature)
        refused = stage.refused("owner-1", "Staking", "stake", *given)
        assert (refused.name, refused.values) == (
            "NotSignedByNode",
            {"node": node, "signer": signer},
        ), how
    assert not stage.read("Staking", "isLive", node)
    stage.stake(1)


def test_r4_an_admission_needs_the_quorum_of_measurements(stage: Stage) -> None:
    stage.send("governance", "Gatekeepers", "change", [], [], 3)  # an incident still needs 2
    refused = stage.refused("owner-1", "Staking", "stake", *stage.admission(1))
    assert (refused.name, refused.values) == ("TooFewSignatures", {"given": 2, "needed": 3})


def test_s6_an_admission_holds_until_its_deadline(stage: Stage) -> None:
    deadline = stage.now + 100
    given = stage.admission(1, deadline=deadline)
    stage.until(deadline + 1)
    refused = stage.refused("owner-1", "Staking", "stake", *given)
    assert refused.values == {"deadline": deadline, "timestamp": deadline + 1}
    deadline = stage.now + 100
    given = stage.admission(1, deadline=deadline)
    stage.until(deadline)
    stage.send("owner-1", "Staking", "stake", *given)


def test_s6_one_machine_is_one_live_node(stage: Stage) -> None:
    hardware = b"\x0f" * 32
    stage.stake(1, hardware=hardware)
    assert stage.read("Staking", "hardwareHolder", hardware) == NODE
    refused = stage.refused("owner-2", "Staking", "stake", *stage.admission(2, 1, hardware))
    assert refused.values == {"hardwareId": hardware, "by": NODE}
    exited(stage)
    refused = stage.refused("owner-2", "Staking", "stake", *stage.admission(2, 1, hardware))
    assert refused.name == "HardwareTaken"
    stage.send("owner-1", "Staking", "withdraw", NODE)
    assert stage.read("Staking", "hardwareHolder", hardware) == "0x" + "00" * 20
    stage.stake(2, hardware=hardware)
    assert stage.read("Staking", "hardwareHolder", hardware) == address("node-2")


def test_the_zero_address_is_no_node(stage: Stage) -> None:
    """It stands for none: where a machine is free (S6), where a pool has no node (S7)."""
    hardware = b"\x01" * 32
    digest = stage.domains.admission(NOBODY, OWNER, hardware, 2**39)
    # No signature recovers to the zero address, and so does this one.
    given = (NOBODY, hardware, 1, 2**39, signed(digest, *GATEKEEPERS[:2]), b"")
    assert stage.refused("owner-1", "Staking", "stake", *given).name == "ZeroNode"
    assert not stage.read("Staking", "isLive", NOBODY)


def test_r2_a_key_registers_once_ever(stage: Stage) -> None:
    stage.stake(1)
    assert stage.refused("owner-1", "Staking", "stake", *stage.admission(1)).name == (
        "AlreadyRegistered"
    )
    exited(stage)
    stage.send("owner-1", "Staking", "withdraw", NODE)
    digest = stage.domains.admission(NODE, address("owner-2"), b"\x22" * 32, 2**39)
    given = (
        NODE,
        b"\x22" * 32,
        1,
        2**39,
        signed(digest, *GATEKEEPERS[:2]),
        signed(digest, "node-1"),
    )
    assert stage.refused("owner-2", "Staking", "stake", *given).name == "AlreadyRegistered"
    assert stage.read("Staking", "ownerOf", NODE) == OWNER


def test_r3_a_gatekeeper_owns_no_worker(stage: Stage) -> None:
    digest = stage.domains.admission(NODE, address("gatekeeper-1"), b"\x01" * 32, 2**39)
    given = (
        NODE,
        b"\x01" * 32,
        1,
        2**39,
        signed(digest, *GATEKEEPERS[:2]),
        signed(digest, "node-1"),
    )
    refused = stage.refused("gatekeeper-1", "Staking", "stake", *given)
    assert refused.values == {"owner": address("gatekeeper-1")}
