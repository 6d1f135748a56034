"""The plan is data: its order, its references and the addresses that follow from a nonce."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from devnet.actors.view import account_names
from devnet.chain import derive
from devnet.deploy import DeploymentParameters, Ref, plan
from devnet.deploy.feeds import feeds
from devnet.deploy.parameters import VaultParameters
from devnet.deploy.plan import ZERO_ADDRESS, abi_key, addresses, resolved
from devnet.spec import load_network

NETWORK = Path(__file__).parents[2] / "e2e" / "networks" / "small.yaml"
SPEC = load_network(NETWORK)
ACCOUNTS = derive(SPEC.accounts.mnemonic, account_names(SPEC))
PARAMETERS = DeploymentParameters.of(SPEC, {n: a.address for n, a in ACCOUNTS.items()})
DEPLOYER = ACCOUNTS["deployer"].address


def references(value: object) -> set[str]:
    if isinstance(value, Ref):
        return {value.name}
    return (
        {name for entry in value for name in references(entry)}
        if (isinstance(value, tuple))
        else set()
    )


def test_the_order() -> None:
    names = [creation.name for creation in plan(PARAMETERS)]
    assert names[:5] == ["Kompute", "Gatekeepers", "Staking", "Slashing", "Rewards"]
    assert names[-4:] == ["Pricing", "Market", "PoolFactory", "ExecutionQueue"]
    assert len(names) == len(set(names)) == 9 + 3 * len(SPEC.oracles.resources) + 2
    assert "Feed:azure:million_requests" in names


@pytest.mark.parametrize("more", ["", "incentives", "request_response"])
def test_steps_know_the_contracts_by_their_names(more: str) -> None:
    given = {
        "incentives": {"incentives": "{total: 1000 KOMP, cycles: 12}"},
        "request_response": {"oracles.request_response": "true"},
    }
    spec = load_network(NETWORK, given.get(more))
    parameters = DeploymentParameters.of(spec, {n: a.address for n, a in ACCOUNTS.items()})
    assert sorted(spec.contract_names()) == sorted(c.name for c in plan(parameters))


def test_who_refers_to_what_comes_later() -> None:
    seen: set[str] = set()
    later: dict[str, set[str]] = {}
    for creation in plan(PARAMETERS):
        seen.add(creation.name)
        ahead = references(creation.args) - seen
        if ahead:
            later[creation.name] = ahead
    assert later == {
        "Gatekeepers": {"ExecutionQueue"},
        "Staking": {"Slashing"},
        "Slashing": {"Rewards", "PoolFactory"},
        **{feed.name: {"ExecutionQueue"} for feed in feeds(PARAMETERS)},
    }


def test_a_vault_is_created_where_the_network_has_incentives() -> None:
    given = replace(PARAMETERS, vault=VaultParameters(10**20, 12, 3))
    vault = plan(given)[-1]
    assert (vault.name, vault.args[2:]) == ("IncentiveVault", (10**20, 12, 3))
    assert given.document()["vault"]["total_wei"] == str(10**20)


def test_addresses_follow_from_deployer_and_nonce() -> None:
    where = addresses(plan(PARAMETERS), "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266")
    # anvil's and hardhat's well known first contracts
    assert where["Kompute"] == "0x5fbdb2315678afecb367f032d93f642f64180aa3"
    assert where["Gatekeepers"] == "0xe7f1725e7734ce288f8367e1bb143e90bb3f0512"
    moved = addresses(plan(PARAMETERS), DEPLOYER, nonce=1)
    assert moved["Kompute"] == where["Gatekeepers"]
    assert set(where) == set(moved)


def test_resolving_leaves_no_reference() -> None:
    creations = plan(PARAMETERS)
    where = addresses(creations, DEPLOYER)
    for creation in creations:
        assert references(tuple(resolved(argument, where) for argument in creation.args)) == set()


@pytest.mark.parametrize("resources", [("vcpu_hour",), ("vcpu_hour", "gib_hour")])
def test_a_resource_left_out_has_no_feeds(resources: tuple[str, ...]) -> None:
    creations = plan(replace(PARAMETERS, resources=resources))
    table = next(c.args[0] for c in creations if c.name == "Pricing")
    assert isinstance(table, tuple)
    assert [row[0] == ZERO_ADDRESS for row in table] == [
        name not in resources
        for name in (
            *("vcpu_hour", "gib_hour", "storage_gib_month"),
            *("egress_gib", "function_gib_second", "million_requests"),
        )
    ]
    assert sum(c.contract == "OcrAggregator" for c in creations) == 3 * len(resources) + 2


def test_a_mocked_vendor_s_feeds_answer_what_the_first_oracle_node_scripts() -> None:
    creations = {c.name: c for c in plan(replace(PARAMETERS, mocked=("gcp",)))}
    mocks = {name for name, creation in creations.items() if creation.contract == "ScriptedFeed"}
    assert mocks == {f"Feed:gcp:{resource}" for resource in PARAMETERS.resources}
    mock = creations["Feed:gcp:vcpu_hour"]
    heartbeat, bounds = PARAMETERS.heartbeat_seconds, (1, 10**22)
    said = ("gcp vcpu_hour / USD", 18, PARAMETERS.oracles[0])
    assert mock.args == (*said, heartbeat, *bounds)
    assert abi_key(mock) == "Feed:gcp:vcpu_hour"
    assert abi_key(creations["Feed:aws:vcpu_hour"]) == "OcrAggregator"


def test_chainlink_s_own_contracts_come_last_where_they_are_asked_for() -> None:
    usual, asked = plan(PARAMETERS), plan(replace(PARAMETERS, request_response=True))
    assert asked[: len(usual)] == usual
    link, operator, consumer = asked[len(usual) :]
    assert (link.contract, link.args) == ("LinkToken", ())
    assert (operator.contract, operator.args) == (
        "Operator",
        (Ref("LinkToken"), PARAMETERS.oracles[0]),
    )
    assert consumer.args[:2] == (Ref("LinkToken"), Ref("Operator"))


def test_parameters_are_the_networks() -> None:
    assert PARAMETERS.month_seconds == 30 * 86_400
    assert PARAMETERS.exit_delay_seconds == 15 * 86_400
    assert PARAMETERS.appeal_window_seconds == 6 * 3_600
    assert (PARAMETERS.cycle_blocks, PARAMETERS.gap_blocks) == (70, 5)
    assert PARAMETERS.supply_wei == 10**26
    assert PARAMETERS.document()["supply_wei"] == str(10**26)
    assert PARAMETERS.document()["cycle_blocks"] == 70
