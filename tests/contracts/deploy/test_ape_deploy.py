"""`ape run deploy` and our own signer make the same deployment of the same plan."""

from __future__ import annotations

import os
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from contracts_stage import GENESIS_TIMESTAMP

from devnet.actors.view import DEPLOYER, account_names
from devnet.base.toolchain import Toolchain
from devnet.chain import Anvil, Chain, Rpc, derive, keccak
from devnet.deploy import DeploymentParameters, execute
from devnet.deploy.compilation import APE
from devnet.protocol import Deployment
from devnet.protocol.artifacts import Artifacts
from devnet.spec import load_network

NETWORK = Path(__file__).parents[3] / "e2e" / "networks" / "small.yaml"
CONTRACTS = (
    "Kompute",
    "Gatekeepers",
    "Pricing",
    "Staking",
    "Slashing",
    "Rewards",
    "Market",
    "PoolFactory",
    "ExecutionQueue",
)


def by_ape(url: str, output: Path) -> Deployment:
    toolchain = Toolchain()
    words = ["run", "deploy", "--network", "ethereum:local:foundry", "--output", str(output)]
    ran = subprocess.run(
        [*APE, *words],
        cwd=toolchain.ape_project(),
        env={**os.environ, **toolchain.solc_environment(), "APE_FOUNDRY_HOST": url},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return Deployment.load(output)


@pytest.mark.timeout(300)
def test_addresses_and_code_hashes_are_the_same(artifacts: Artifacts, tmp_path: Path) -> None:
    binary = Toolchain().anvil()
    with (
        Anvil(binary, genesis_timestamp=GENESIS_TIMESTAMP, folder=tmp_path / "ape") as anvil,
        Rpc(anvil.url) as rpc,
    ):
        rpc.call("evm_setAutomine", True)  # Ape expects each transaction mined at once
        ape = by_ape(anvil.url, tmp_path / "deployment.json")
        theirs = Chain(rpc, 720)
        code_of_ape = {name: theirs.code(address) for name, address in ape.addresses.items()}

    spec = load_network(NETWORK)
    accounts = derive(spec.accounts.mnemonic, account_names(spec))
    parameters = DeploymentParameters.of(spec, {n: a.address for n, a in accounts.items()})
    with (
        Anvil(binary, genesis_timestamp=GENESIS_TIMESTAMP, folder=tmp_path / "ours") as anvil,
        Rpc(anvil.url) as rpc,
    ):
        chain = Chain(rpc, 720)
        chain.prepare()
        # Rewards keeps the block of its creation (C1); let it be the same.
        chain.advance(ape.genesis.block - 1 - chain.head.number)
        ours, _ = execute(parameters, artifacts, chain, accounts[DEPLOYER])
        code_of_ours = {name: chain.code(address) for name, address in ours.addresses.items()}

    assert ours.addresses == ape.addresses
    assert ours.genesis.block == ape.genesis.block
    assert ours.parameters == ape.parameters
    assert {n: keccak(c).hex() for n, c in code_of_ours.items()} == {
        n: keccak(c).hex() for n, c in code_of_ape.items()
    }
    assert all(code_of_ours.values())
    kinds = Counter(name.partition(":")[0] for name in ours.addresses)
    # Three providers' feeds for each resource, then KOMP/USD and utilization.
    assert kinds.pop("Feed") == 3 * len(spec.oracles.resources) + 2
    assert kinds == dict.fromkeys(CONTRACTS, 1)
    assert set(ours.abis) == set(ape.abis)
