"""The plan carried out by our own signer: one block, one transaction a creation."""

from __future__ import annotations

from devnet.base import StartFailed
from devnet.chain import Account, Chain, MinedBlock, Transaction, sign
from devnet.deploy.parameters import DeploymentParameters
from devnet.deploy.plan import Creation, abi_sources, addresses, plan, resolved
from devnet.protocol import Deployment, Genesis
from devnet.protocol.artifacts import Artifact, Artifacts
from devnet.protocol.codec import Codec

CREATION_GAS = 8_000_000


def creation_code(artifact: Artifact, args: tuple[object, ...]) -> bytes:
    """The code that creates the contract with these constructor arguments."""
    constructor = next((entry for entry in artifact.abi if entry["type"] == "constructor"), None)
    encoded = Codec.of(constructor["inputs"]).encode(args) if constructor else b""
    return artifact.code + encoded


def execute(
    parameters: DeploymentParameters, artifacts: Artifacts, chain: Chain, deployer: Account
) -> tuple[Deployment, MinedBlock]:
    """Deploy in one block; raises StartFailed naming the creation that reverted.

    The deployment's genesis is that block, in which cycle 0 begins (C1).
    """
    creations = plan(parameters)
    nonce = chain.nonce(deployer.address)
    where = addresses(creations, deployer.address, nonce)
    raws = [
        sign(
            deployer,
            Transaction(
                nonce=nonce + place,
                to=None,
                data=creation_code(artifacts[creation.contract], _args(creation, where)),
                gas=CREATION_GAS,
                chain_id=chain.chain_id,
            ),
        )
        for place, creation in enumerate(creations)
    ]
    mined = chain.mine(raws)
    for creation, receipt in zip(creations, mined.receipts, strict=True):
        if not receipt.ok or receipt.contract_address != where[creation.name]:
            reason = chain.revert_data(receipt.hash).hex() or "out of gas"
            raise StartFailed(f"the creation of {creation.name} reverted: 0x{reason}")
    abis = {key: artifacts[name].abi for key, name in abi_sources(creations).items()}
    genesis = Genesis(chain.chain_id, chain_genesis_timestamp(mined, chain), mined.block.number)
    return Deployment(where, abis, parameters.document(), genesis), mined


def chain_genesis_timestamp(mined: MinedBlock, chain: Chain) -> int:
    """Block 0's time, since every block is its parent plus `block_seconds`."""
    return mined.block.timestamp - mined.block.number * chain.block_seconds


def _args(creation: Creation, where: dict[str, str]) -> tuple[object, ...]:
    return tuple(resolved(argument, where) for argument in creation.args)
