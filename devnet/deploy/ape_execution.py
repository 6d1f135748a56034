"""The plan carried out by Ape, on whatever network it is connected to."""

from __future__ import annotations

from typing import Any

from devnet.base import StartFailed, UsageError
from devnet.deploy.parameters import DeploymentParameters
from devnet.deploy.plan import abi_sources, addresses, plan, resolved
from devnet.protocol import Deployment, Genesis


def execute_with_ape(parameters: DeploymentParameters, deployer: Any) -> Deployment:
    """Deploy with an Ape account; the chain must mine each transaction by itself.

    The deployment's genesis is the block of `Rewards`, in which cycle 0 begins (C1).
    Raises UsageError for a network with Chainlink's own contracts, StartFailed when a creation
    lands elsewhere than the plan says, Ape's own errors when it fails.
    """
    import ape

    if parameters.request_response:
        raise UsageError(
            "Ape deploys no contracts of Chainlink's: they are compiled apart from its project",
            hint="leave oracles.request_response out of the network file, or use devnet up",
        )
    creations = plan(parameters)
    where = addresses(creations, deployer.address.lower(), deployer.nonce)
    genesis = 0
    for creation in creations:
        container = getattr(ape.project, creation.contract)
        args = tuple(resolved(argument, where) for argument in creation.args)
        contract = deployer.deploy(container, *args)
        if contract.address.lower() != where[creation.name]:
            raise StartFailed(
                f"{creation.name} is at {contract.address}, not at {where[creation.name]}",
                hint="nobody else may send from the deployer meanwhile",
            )
        if creation.name == "Rewards":
            genesis = int(contract.genesis())
    abis = {
        key: [
            entry.model_dump(mode="json", by_alias=True, exclude_none=True)
            for entry in getattr(ape.project, name).contract_type.abi
        ]
        for key, name in abi_sources(creations).items()
    }
    provider = ape.networks.provider
    first = provider.get_block(0)
    found = Genesis(provider.chain_id, first.timestamp, genesis)
    return Deployment(where, abis, parameters.document(), found)
