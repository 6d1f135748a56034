"""The steps of pools fit their network, and later ones name a pool that was created (S7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from devnet.spec import STEPS, Step, step_from_mapping
from devnet.spec.expectation import Expect
from devnet.spec.pools import PoolCollect, PoolCreate

if TYPE_CHECKING:
    from tests.spec.conftest import Town

CREATED = "pool_create: {operator: alice, pool: harbour}"


def scenario(town: Town, *steps: str) -> None:
    lines = "".join(f"  - {step}\n" for step in steps)
    town.write_scenario(f"version: 1\nname: a day\nnetwork: network.yaml\nsteps:\n{lines}")


def test_a_commission_is_a_percentage() -> None:
    step = step_from_mapping("pool_create", {"operator": "a", "pool": "b", "commission": "12.5%"})
    assert isinstance(step, PoolCreate)
    assert step.commission_bps == 1_250
    assert PoolCreate(operator="a", pool="b").commission_bps == 0


def test_members_may_be_all_clients(town: Town) -> None:
    scenario(town, CREATED, "pool_collect: {pool: harbour, member: all}")
    collect = town.scenario().steps[1]
    assert isinstance(collect, PoolCollect)
    assert collect.member == tuple(c.name for c in town.scenario().network.clients)


@pytest.mark.parametrize(
    ("steps", "fault"),
    [
        (
            ["pool_create: {operator: alice, pool: harbour, commission: 0.001%}"],
            "commission: a commission is in whole hundredths of a percent (S7); seen '0.001%'",
        ),
        (
            ["pool_join: {pool: harbour, member: alice, amount: 1 KOMP}"],
            "pool: unknown pool; seen 'harbour'; known: none",
        ),
        (
            [CREATED, "pool_harvest: {pool: harbor}"],
            "pool: unknown pool; seen 'harbor'; did you mean 'harbour'?",
        ),
        ([CREATED, CREATED], "pool: a pool of this name was created on line 5; seen 'harbour'"),
        (
            [CREATED, "pool_join: {pool: harbour, member: worker-1, amount: 1 KOMP}"],
            "member: unknown client; seen 'worker-1'",
        ),
        (
            [CREATED, "expect: {pool: harbour, shares: 1 KOMP}"],
            "'shares' is asked of a pool's member; seen 'no member'",
        ),
        (
            [CREATED, "expect: {pool: harbour, member: alice, assets: 1 KOMP}"],
            "nothing is asked of the member; seen 'assets'",
        ),
        (["expect: {client: alice, assets: 1 KOMP}"], "'assets' is asked of a 'pool'"),
    ],
    ids=[
        *("fine commission", "no pool", "another pool", "twice", "no client"),
        *("no member", "no question", "no subject"),
    ],
)
def test_a_faulty_step_is_refused(town: Town, steps: list[str], fault: str) -> None:
    scenario(town, *steps)
    (said,) = town.faults_of_scenario()
    assert fault in said


def test_a_refused_creation_leaves_the_name_free(town: Town) -> None:
    refused = (
        "pool_create: {operator: alice, pool: harbour, commission: 30%, "
        "expect_error: CommissionTooHigh}"
    )
    scenario(town, refused, CREATED, "expect: {pool: harbour, member: alice, shares: 0 KOMP}")
    expect = town.scenario().steps[2]
    assert isinstance(expect, Expect)
    assert expect.asked() == ("shares",)


def test_every_verb_of_pools_is_known() -> None:
    verbs = [verb for verb in STEPS if verb.startswith("pool_")]
    assert len(verbs) == 11
    assert all(issubclass(STEPS[verb], Step) for verb in verbs)
