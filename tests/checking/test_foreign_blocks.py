"""State changed by no transaction and used within the very block that somebody else mined."""

from __future__ import annotations

import pytest
from chain_world import ChainWorld
from foreign_world import Foreign
from model_world import ACCOUNTS, KOMP, address

from devnet.chain import keccak
from devnet.protocol import observe


@pytest.mark.parametrize("changed", [False, True])
def test_what_it_changes_of_ours_is_named_at_its_block(
    chain_world: ChainWorld, changed: bool
) -> None:
    """The block's root cannot tell, since a transaction changes it as well: the model does."""
    chain_world.mine()
    foreign, chain = Foreign(chain_world), chain_world.chain
    owner, amount = ACCOUNTS["mallory"].address, 20_000 * KOMP if changed else KOMP
    token = chain_world.contracts.address("Kompute")
    if changed:  # ERC20's first slot: balances by account
        slot = keccak(bytes(12) + bytes.fromhex(owner[2:]) + bytes(32)).hex()
        chain.rpc.call("anvil_setStorageAt", token, "0x" + slot, "0x" + f"{amount:064x}")
    raw = foreign.raw(*foreign.encoded("Kompute", "transfer", address("bob"), amount))
    chain.rpc.call("eth_sendRawTransaction", "0x" + raw.hex())
    chain.rpc.call("evm_mine")
    (mined,) = chain.catch_up()
    seen = observe(mined, chain_world.contracts, chain)
    assert [(one.function, one.ok) for one in seen] == [("transfer", True)]
    chain_world.checker.observe(seen)
    found = [str(one) for one in chain_world.check().differences]
    named = f"Kompute.transfer in block {mined.block.number} ({seen[0].hash}): chain accepts, "
    named += "model refuses with ERC20InsufficientBalance"
    assert (named in found) is changed
    assert bool(found) is changed
