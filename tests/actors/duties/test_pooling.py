"""Clients in pools, and the worker that lends its node to one (S7)."""

from __future__ import annotations

import pytest

from devnet.actors.client import Client
from devnet.actors.messages import (
    ActivatePool,
    AdmissionRefused,
    Ask,
    MachineAsked,
    MachineRefused,
    PayIntoPool,
    Stake,
    TopUp,
    Wish,
)
from devnet.actors.operations import Fail, Send, Tell
from devnet.actors.view import hardware_id
from devnet.actors.worker import Worker
from devnet.chain import sign_digest
from devnet.protocol import PoolState
from tests.actors.stage import ACCOUNTS, Stage, gatekeeper, talk

KOMP = 10**18


@pytest.fixture()
def stage() -> Stage:
    stage = Stage()
    node = stage.address("worker-1")
    stage.reads.pools["Pool:1"] = PoolState(
        operator=stage.address("alice"),
        commissionBps=1_000,
        node=node,
        assets=500 * KOMP,
        closed=False,
        withdrawn=False,
        totalShares=500 * KOMP,
        rewardsPerShare=0,
    )
    return stage


@pytest.fixture()
def alice() -> Client:
    return Client("alice")


def pool_address(stage: Stage) -> str:
    return stage.reads.contracts.address("Pool:1")


def test_whoever_pays_in_allows_exactly_that_first(stage: Stage, alice: Client) -> None:
    paid = alice.act(stage.view(5), [PayIntoPool(1, "Pool:1", "join", 7 * KOMP)])
    allowance = (pool_address(stage), 7 * KOMP)
    assert paid == [
        Send("alice", "Kompute", "approve", allowance, 1, closes=False),
        Send("alice", "Pool:1", "join", (7 * KOMP,), 1),
    ]


def test_a_top_up_without_an_amount_is_what_the_node_lacks(stage: Stage, alice: Client) -> None:
    stage.reads.stakes[stage.address("worker-1")] = 475 * KOMP
    paid = alice.act(stage.view(5), [PayIntoPool(1, "Pool:1", "topUp", None, (7,))])
    assert paid[1] == Send("alice", "Pool:1", "topUp", (25 * KOMP, 7), 1)


def test_a_pool_is_activated_with_the_workers_admission(stage: Stage, alice: Client) -> None:
    keepers = [gatekeeper.name for gatekeeper in stage.spec.gatekeepers]
    actors = [
        alice,
        Worker(ACCOUNTS["worker-1"], 1),
        *(gatekeeper(stage, name, modelled=False) for name in keepers),
    ]
    view = stage.view(5)
    said = talk(actors, view, {"alice": [ActivatePool(1, "Pool:1", "worker-1", 3)]})
    ((who, send),) = said
    assert isinstance(send, Send)
    assert (who, send.account, send.contract, send.function) == (
        *("alice", "alice", "Pool:1"),
        "activate",
    )
    node, machine, months, deadline, signatures, agreed = send.args
    assert (node, machine, months) == (
        stage.address("worker-1"),
        hardware_id(stage.directory.seed, "worker-1"),
        3,
    )
    assert deadline == view.now + 86_400
    assert isinstance(signatures, bytes)
    assert len(signatures) == 2 * 65
    digest = view.reads.domains.admission(node, pool_address(stage), machine, deadline)
    assert agreed == sign_digest(ACCOUNTS["worker-1"], digest)  # S6


def test_nobody_but_its_owner_or_a_pool_gets_a_machine(stage: Stage, alice: Client) -> None:
    stage.reads.pools.clear()  # an address that is no pool's
    keepers = [gatekeeper.name for gatekeeper in stage.spec.gatekeepers]
    actors = [
        alice,
        Worker(ACCOUNTS["worker-1"], 1),
        *(gatekeeper(stage, name, modelled=False) for name in keepers),
    ]
    said = talk(actors, stage.view(5), {"alice": [ActivatePool(1, "Pool:1", "worker-1", 3)]})
    assert said == [
        ("alice", Fail(1, "worker-1: gatekeeper-1: not that machine's owner", "NotAttested")),
    ]


def test_a_worker_lends_its_machine_to_one_at_a_time(stage: Stage) -> None:
    worker, view = Worker(ACCOUNTS["worker-1"], 1), stage.view(5)
    asked = MachineAsked("alice", pool_address(stage))
    assert len(worker.act(view, [asked])) == 1
    busy = MachineRefused("worker-1", "it is about to be staked for")
    assert worker.act(view, [MachineAsked("bob", pool_address(stage))]) == [Tell("bob", busy)]
    refused = worker.act(view, [AdmissionRefused("no")])
    assert refused == [Tell("alice", MachineRefused("worker-1", "no"))]
    worker.act(view, [Stake(1, 1)])
    assert worker.act(view, [asked]) == [Tell("alice", busy)]


NODE = ACCOUNTS["worker-1"].address


@pytest.mark.parametrize(
    "wish", [TopUp(1, None), Ask(1, "Staking", "requestExit", (NODE,))], ids=str
)
def test_a_pools_worker_leaves_the_owners_verbs_to_the_pool(stage: Stage, wish: Wish) -> None:
    worker = Worker(ACCOUNTS["worker-1"], 1)
    stage.reads.owners[stage.address("worker-1")] = pool_address(stage)
    reason = "worker-1 belongs to a pool, whose members decide (S7)"
    assert worker.act(stage.view(5), [wish]) == [Fail(1, reason, "OwnedByPool")]
    added = worker.act(stage.view(5), [Ask(2, "Rewards", "addReward", (KOMP,))])
    assert added == [Send("worker-1-owner", "Rewards", "addReward", (KOMP,), 2)]
