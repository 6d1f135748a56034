"""What a devnet begins with: the contracts deployed, everybody funded, every allowance given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from devnet.actors.view import DEPLOYER, TREASURY, Directory, account_names, owner_of
from devnet.base import StartFailed, Toolchain
from devnet.chain import Chain, MinedBlock, Transaction, sign
from devnet.deploy import DeploymentParameters, compile_chainlink, compile_contracts, execute
from devnet.protocol import Contracts, Deployment, ObservedTransaction, observe
from devnet.protocol.states import UNLIMITED
from devnet.spec.network import NetworkSpec
from devnet.spec.rules import OWNER_WEI

GAS = 200_000
LINK_GAS = 2_000_000  # as many oracle nodes as there may be are authorized at once
LINK_EACH = 100 * 10**18

Observed = tuple[MinedBlock, tuple[ObservedTransaction, ...]]


@dataclass(frozen=True, slots=True)
class Genesis:
    """What a devnet begins with, and the blocks that made it."""

    parameters: DeploymentParameters
    deployment: Deployment
    contracts: Contracts
    blocks: list[Observed]


def deploy_network(
    spec: NetworkSpec,
    chain: Chain,
    directory: Directory,
    toolchain: Toolchain,
    say: Callable[[str], None],
) -> Genesis:
    """Three blocks: an empty one, the creations, and the funding.

    Raises StartFailed when anything of it is refused.
    """
    artifacts = compile_contracts(toolchain, say)
    if spec.oracles.request_response:
        artifacts = artifacts | compile_chainlink(toolchain, say)
    addresses = {name: account.address for name, account in directory.accounts.items()}
    parameters = DeploymentParameters.of(spec, addresses)
    blocks: list[MinedBlock] = []
    chain.observers.append(blocks.append)
    chain.prepare()
    deployment, _ = execute(parameters, artifacts, chain, directory.accounts[DEPLOYER])
    contracts = Contracts(deployment)
    chain.mine(_funding(spec, chain, directory, contracts))
    chain.observers.remove(blocks.append)
    observed = [(mined, observe(mined, contracts, chain)) for mined in blocks]
    for _, transactions in observed:
        for transaction in transactions:
            if not transaction.ok:
                raise StartFailed(f"{transaction.function}: {transaction.sentence}")
    return Genesis(parameters, deployment, contracts, observed)


def funding(
    spec: NetworkSpec, directory: Directory, contracts: Contracts
) -> list[tuple[str, str, tuple[object, ...]]]:
    """Everybody's tokens and allowances: sender, function of the token, arguments."""
    owners = [owner_of(worker.name) for worker in spec.workers]
    sends: list[tuple[str, str, tuple[object, ...]]] = [
        (TREASURY, "transfer", (directory.address(owner), OWNER_WEI)) for owner in owners
    ]
    sends += [
        (TREASURY, "transfer", (directory.address(client.name), client.balance))
        for client in spec.clients
    ]
    if spec.incentives is not None:  # I1: the vault begins with its total
        vault = contracts.address("IncentiveVault")
        sends.append((TREASURY, "transfer", (vault, spec.incentives.total)))
    allowances = [(owner, contract) for owner in owners for contract in ("Staking", "Slashing")]
    # L6: a client may operate a pool, and then appeals for it.
    allowances += [(c.name, contract) for c in spec.clients for contract in ("Market", "Slashing")]
    payers = (TREASURY, *(client.name for client in spec.clients), *owners)  # C2: anyone may
    allowances += [(payer, "Rewards") for payer in payers]
    sends += [
        (account, "approve", (contracts.address(contract), UNLIMITED))
        for account, contract in allowances
    ]
    return sends


def _funding(
    spec: NetworkSpec, chain: Chain, directory: Directory, contracts: Contracts
) -> list[bytes]:
    sends = funding(spec, directory, contracts)
    calls = [(account, "Kompute", function, args, GAS) for account, function, args in sends]
    if spec.oracles.request_response:
        calls += [(*call, LINK_GAS) for call in _link_calls(spec, directory, contracts)]
    lanes = chain.nonce_lanes()
    raws: list[bytes] = []
    for account, contract, function, args, gas in calls:
        call = contracts.encode(contract, function, *args)
        address = directory.address(account)
        transaction = Transaction(
            nonce=lanes.take(address),
            to=call.to,
            data=call.data,
            gas=gas,
            chain_id=chain.chain_id,
        )
        raws.append(sign(directory.accounts[account], transaction))
    return raws


def _link_calls(
    spec: NetworkSpec, directory: Directory, contracts: Contracts
) -> list[tuple[str, str, str, tuple[object, ...]]]:
    """LINK and an allowance for every client, and the operator told who its nodes are."""
    nodes = spec.oracles.node_names()
    senders = tuple(directory.address(node) for node in nodes)
    consumer = contracts.address("UtilizationConsumer")
    clients = [client.name for client in spec.clients]
    mint = [
        (DEPLOYER, "LinkToken", "mint", (directory.address(client), LINK_EACH))
        for client in clients
    ]
    approve = [(client, "LinkToken", "approve", (consumer, UNLIMITED)) for client in clients]
    return [
        (nodes[0], "Operator", "setAuthorizedSenders", (senders,)),
        (DEPLOYER, "LinkToken", "grantMintRole", (directory.address(DEPLOYER),)),
        *mint,
        *approve,
    ]


def genesis_document(
    spec: NetworkSpec, accounts: int, deployment: Deployment, directory: Directory
) -> dict[str, Any]:
    """`genesis.json`: all a fresh chain needs to repeat this one, and who is who on it."""
    return {
        "chain": {
            "genesis_timestamp": spec.chain.genesis_timestamp,
            "chain_id": spec.chain.chain_id,
            "block_seconds": spec.chain.block_seconds,
            "mnemonic": spec.accounts.mnemonic,
            "accounts": accounts,
            "prune_history": spec.chain.prune_history,
        },
        "deployment": {
            "block": deployment.genesis.block,
            "addresses": dict(deployment.addresses),
            "parameters": dict(deployment.parameters),
        },
        "accounts": {name: directory.address(name) for name in account_names(spec)},
    }
