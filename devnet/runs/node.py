"""The node of a devnet's chain: anvil with the accounts, the time and the id of its network."""

from __future__ import annotations

from pathlib import Path

from devnet.actors.view import account_names
from devnet.base import Toolchain
from devnet.chain import Anvil
from devnet.spec.network import NetworkSpec

OLDER_STATES = 16  # where others than the door's clients ask, nobody asks again for them
EXTRA_ACCOUNTS = 64  # of the mnemonic, funded with ETH for people and for load tests


def node_of(
    spec: NetworkSpec,
    toolchain: Toolchain,
    *,
    logs: Path,
    devnet_id: str,
    drops_blocks: bool = True,
) -> Anvil:
    """Not launched yet; its log lies in the folder `logs`. Of states it keeps the head's alone
    where it also drops blocks (`drops`)."""
    return Anvil(
        toolchain.anvil(),
        genesis_timestamp=spec.chain.genesis_timestamp,
        folder=logs,
        mnemonic=spec.accounts.mnemonic,
        accounts=funded_accounts(spec),
        devnet_id=devnet_id,
        prune_history=spec.chain.prune_history,
        older_states=0 if drops_blocks and drops(spec) else OLDER_STATES,
        chain_id=spec.chain.chain_id,
    )


def drops(spec: NetworkSpec) -> bool:
    """Whether its node may drop old blocks: through an open door somebody may go back to a
    snapshot of a block that is gone."""
    return spec.chain.prune_history and not spec.chain.open_rpc


def funded_accounts(spec: NetworkSpec) -> int:
    """How many accounts of the mnemonic are funded at genesis."""
    return len(account_names(spec)) + EXTRA_ACCOUNTS
