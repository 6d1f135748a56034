"""What the load process is told survives the file; no account belongs to two users."""

from __future__ import annotations

from pathlib import Path

import pytest

from devnet.chain import DEFAULT_MNEMONIC, derive
from loadtests.plan import Plan, ServicePlan, user_accounts

PLAN = Plan(
    rpc="http://127.0.0.1:8545",
    portal="http://127.0.0.1:9000",
    deployment="deployment.json",
    stats="load.json",
    mnemonic=DEFAULT_MNEMONIC,
    first_account=20,
    users=50,
    seconds=30,
    spawn_per_second=16,
    step_milliseconds=1000,
    stop_seconds=60,
    most_late_steps=10,
    container=ServicePlan("0x" + "11" * 32, 50, 32),
    serverless=ServicePlan("0x" + "22" * 32, 100, 64),
    deposit_wei=5 * 10**18,
    order_seconds=86_400,
    stake_months=1,
    seed=7,
)


def test_a_plan_survives_its_file(tmp_path: Path) -> None:
    PLAN.save(tmp_path / "plan.json")
    assert Plan.load(tmp_path / "plan.json") == PLAN


def test_another_document_is_no_plan(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text('{"container": {}, "serverless": {}}')
    with pytest.raises(TypeError):
        Plan.load(tmp_path / "plan.json")


def test_users_own_the_accounts_below_the_mnemonic_that_follow_the_network_s() -> None:
    all_names = [f"account-{place}" for place in range(3 + 2 * 3)]
    expected = [account.address for account in derive(DEFAULT_MNEMONIC, all_names).values()]

    users = user_accounts(DEFAULT_MNEMONIC, 3, 2)

    assert [account.name for account in users[1].all()] == [
        "load-owner-1",
        "load-node-1",
        "load-client-1",
    ]
    assert [a.address for user in users for a in user.all()] == expected[3:]
