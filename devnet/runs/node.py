"""The node of a devnet's chain: anvil with the accounts, the time and the id of its network."""

from __future__ import annotations

from pathlib import Path

from devnet.actors.view import account_names
from devnet.base import Toolchain
from devnet.chain import Anvil
from devnet.spec.network import NetworkSpec

EXTRA_ACCOUNTS = 64  # of the mnemonic, funded with ETH for people and for load tests


def node_of(spec: NetworkSpec, toolchain: Toolchain, *, logs: Path, devnet_id: str) -> Anvil:
    """Not launched yet; its log lies in the folder `logs`."""
    return Anvil(
        toolchain.anvil(),
        genesis_timestamp=spec.chain.genesis_timestamp,
        folder=logs,
        mnemonic=spec.accounts.mnemonic,
        accounts=funded_accounts(spec),
        devnet_id=devnet_id,
        prune_history=spec.chain.prune_history,
        chain_id=spec.chain.chain_id,
    )


def funded_accounts(spec: NetworkSpec) -> int:
    """How many accounts of the mnemonic are funded at genesis."""
    return len(account_names(spec)) + EXTRA_ACCOUNTS
