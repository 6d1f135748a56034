"""S1 to S6."""

from __future__ import annotations

import pytest
from model_world import DAY, KOMP, World, address

from devnet.chain import mirrored
from devnet.chain.keccak import keccak
from devnet.model import NodeLedger
from devnet.model.calls import ZERO_ADDRESS


def node(world: World, worker: str = "worker-1") -> NodeLedger:
    return world.ledger().nodes[address(worker)]


def slashed(world: World) -> None:
    """worker-1, by 25 KOMP for twelve hours."""
    start = world.now
    world.wait(DAY // 2)
    assert world.report("worker-1", start, start + DAY // 2).ok
    world.wait(6 * 3600)
    assert world.execute(len(world.ledger().incidents)).ok


def test_s1_a_stake_costs_500_komp(world: World) -> None:
    assert world.stake("worker-1").ok
    assert node(world).stake == 500 * KOMP == world.balance("Staking")
    assert world.balance("worker-1-owner") == 9_500 * KOMP


@pytest.mark.parametrize(("months", "bps"), [(1, 10_000), (3, 10_500), (6, 11_000), (12, 12_000)])
def test_s2_the_period_gives_s_until_it_ends(world: World, months: int, bps: int) -> None:
    world.stake("worker-1", months)
    assert node(world).multiplier_bps == bps
    world.wait(months * 30 * DAY - 1)
    assert node(world).multiplier_bps == 10_000  # S3
    assert node(world).active


def test_s3_a_restake_must_unlock_later(world: World) -> None:
    world.stake("worker-1", 3)
    assert world.owner("worker-1", "restake", months=1).error == "UnlockNotLater"
    assert world.owner("worker-1", "restake", months=2).error == "UnknownPeriod"
    assert world.owner("worker-1", "restake", months=12).ok
    assert node(world).unlock_at == world.now + 360 * DAY


def test_s4_a_slashed_node_is_live_but_not_active_until_topped_up(world: World) -> None:
    world.stake("worker-1")
    assert world.owner("worker-1", "topUp", amount=KOMP).error == "NothingToTopUp"
    slashed(world)
    assert (node(world).active, node(world).live) == (False, True)
    assert world.owner("worker-1", "restake", months=12).error == "NotActive"
    assert world.owner("worker-1", "topUp", amount=26 * KOMP).error == "TopUpExceeds"
    assert world.owner("worker-1", "topUp", amount=25 * KOMP).ok
    assert node(world).active


def test_s5_an_exit_waits_for_delay_unlock_and_pending_slashes(world: World) -> None:
    world.stake("worker-1")
    assert world.owner("worker-1", "withdraw").error == "ExitNotDue"
    world.mine(100)
    start = world.now
    world.mine(100)
    assert world.owner("worker-1", "requestExit").ok
    assert world.owner("worker-1", "requestExit").error == "ExitAlreadyRequested"
    assert world.owner("worker-1", "topUp", amount=1).error == "ExitAlreadyRequested"
    due = node(world).exit_at
    assert due == max(world.now + 15 * DAY, node(world).unlock_at)
    assert world.report("worker-1", start, start + 7_200).ok
    world.wait(due - world.now)
    assert world.owner("worker-1", "withdraw").error == "SlashPending"
    assert world.execute(1).ok
    assert world.owner("worker-1", "withdraw").ok
    assert world.owner("worker-1", "withdraw").error == "NotLive"
    charged = 500 * KOMP * 7_200 // (10 * DAY)
    assert world.balance("worker-1-owner") == 10_000 * KOMP - charged
    assert (node(world).live, node(world).stake) == (False, 0)


def test_s6_hardware_belongs_to_one_live_node_and_a_key_registers_once(world: World) -> None:
    world.stake("worker-1")
    assert world.stake("worker-2", hardware="worker-1").error == "HardwareTaken"
    assert world.stake("worker-1", owner="mallory").error == "AlreadyRegistered"
    world.owner("worker-1", "requestExit")
    world.wait(31 * DAY)
    assert world.owner("worker-1", "withdraw").ok
    assert world.stake("worker-2", hardware="worker-1").ok
    assert world.stake("worker-1").error == "AlreadyRegistered"


def test_the_zero_address_is_no_node(world: World) -> None:
    args = {"node": ZERO_ADDRESS, "hardwareId": bytes(32), "months": 1, "deadline": world.now}
    signatures = {"signatures": b"", "nodeSignature": b""}
    refused = world.send("worker-1-owner", "Staking", "stake", **args, **signatures)
    assert refused.error == "ZeroNode"


def test_s6_registration_needs_an_admission_in_time(world: World) -> None:
    assert world.stake("worker-1", deadline=world.now - 1).error == "AdmissionExpired"
    assert world.stake("worker-1", signatures=b"x").error == "SignaturesMalformed"
    assert world.stake("worker-1", signatures=bytes(130)).error == "SignaturesMalformed"
    assert world.stake("worker-1", owner="gatekeeper-1").error == "OwnerIsGatekeeper"


def test_s6_registration_needs_the_keys_own_signature(world: World) -> None:
    owner, machine, deadline = address("worker-1-owner"), keccak(b"worker-1"), world.now + DAY
    digest = world.domains.admission(address("worker-1"), owner, machine, deadline)
    other = world.domains.admission(address("worker-1"), owner, machine, deadline + 1)
    agreed = world.signed(digest, "worker-1")
    for forged in (
        world.signed(digest, "mallory"),
        world.signed(other, "worker-1"),
        mirrored(agreed),
        agreed * 2,
        agreed[:-1],
        bytes(65),
    ):
        refused = world.stake("worker-1", deadline=deadline, node_signature=forged)
        assert refused.error == "NotSignedByNode"
    assert world.stake("worker-1", deadline=deadline, node_signature=agreed).ok


def test_a_refused_stake_leaves_nothing(world: World) -> None:
    world.send("worker-1-owner", "Kompute", "transfer", to=address("bob"), value=9_600 * KOMP)
    before = world.ledger()
    assert world.stake("worker-1").error == "ERC20InsufficientBalance"
    assert world.ledger() == before


def test_nobody_but_the_slashing_contract_slashes(world: World) -> None:
    world.stake("worker-1")
    args = {"node": address("worker-1"), "amount": KOMP}
    assert world.send("governance", "Staking", "slash", **args).error == "NotSlashing"
