"""What somebody else did to the chain, seen from the blocks alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from devnet.chain.block import Block, MinedBlock
from devnet.chain.keccak import keccak
from devnet.chain.transaction import transaction_hash

MOST_NAMED: Final = 5
NOBODY: Final = "0x" + 40 * "0"
# Its proof begins with the root of all accounts as they are now, also between two blocks.
PROOF: Final = ("eth_getProof", (NOBODY, (), "latest"))


@dataclass(frozen=True, slots=True)
class Foreign:
    """Something that no transaction and no command of the devnet did, noticed at `block`.

    `replays` says whether a fresh chain comes to the same block without it.
    """

    block: int
    seen: str
    replays: bool = False


def root_of(proof: Any) -> str:
    """The state's root by an answer to `PROOF`."""
    return "0x" + keccak(bytes.fromhex(proof["accountProof"][0][2:])).hex()


def changed_state(head: Block, root: str) -> Foreign:
    """Accounts are other than the head block left them."""
    return Foreign(
        head.number,
        f"the state was changed after block {head.number} by no transaction (as anvil_setBalance, "
        f"anvil_setCode and their like do): its root is {root}, the block left {head.state_root}",
    )


def changed_chain_id(head: Block, ours: int, seen: int) -> Foreign:
    """The node takes other signatures than it did, and contracts see the other id."""
    return Foreign(
        head.number,
        f"the chain's id is {seen} after block {head.number}, it was {ours} (as anvil_setChainId "
        "makes it): what is signed for the one is refused under the other",
    )


def foreign_blocks(first: int, last: int, due: int) -> Foreign:
    """More (or less) was mined than the devnet did itself; each such block is recorded."""
    what = f"block {first} was" if first == last else f"blocks {first} to {last} were"
    whom = "somebody else" if not due else f"somebody else, but for {due}"
    seen = f"{what} mined by {whom} (as after evm_mine or evm_setAutomine)"
    return Foreign(first, seen, replays=True)


def lost_transactions(head: Block, reasons: Mapping[str, str]) -> Foreign:
    """Waiting transactions, by hash, that the node took not again when old blocks were dropped."""
    named = [
        f"{item} ({reason or 'it does not say why'})"
        for item, reason in list(reasons.items())[:MOST_NAMED]
    ]
    if more := len(reasons) - len(named):
        named.append(f"and {more} more")
    what = "a transaction that waited is" if len(reasons) == 1 else "transactions that waited are"
    return Foreign(
        head.number,
        f"{what} not in the pool any more since old blocks were dropped at block {head.number} "
        f"(chain.prune_history): {', '.join(named)}. Whoever wants them sends them again",
        replays=True,
    )


def postponed_drop(head: Block, blocks: int) -> Foreign:
    """Old blocks are kept, since more gas waits than a block has; it was to be otherwise for so
    many `blocks`."""
    return Foreign(
        head.number,
        f"for {blocks} blocks up to block {head.number} no old blocks were dropped "
        "(chain.prune_history), since more gas waits in the pool than a block has: memory grows "
        "until blocks have taken it, or whoever sent it sends less",
        replays=True,
    )


def oddities(parent: Block, root: str, mined: MinedBlock, block_seconds: int) -> Iterator[Foreign]:
    """All that is wrong with a block that follows its parent, when the state had this root."""
    block, due = mined.block, parent.timestamp + block_seconds
    if block.timestamp != due:
        seen = f"block {block.number} has the time {block.timestamp} where {due} was due"
        yield Foreign(block.number, f"{seen} (as evm_setNextBlockTimestamp does)")
    if block.setting != parent.setting:
        seen = ", ".join(block.setting)
        yield Foreign(
            block.number,
            f"block {block.number} has other settings (as anvil_setCoinbase"
            f" and evm_setBlockGasLimit make them): {seen}",
        )
    if block.base_fee and not parent.base_fee:  # from then on it follows its own rule (EIP-1559)
        yield Foreign(
            block.number,
            f"block {block.number} has a base fee of {block.base_fee} wei where 0 was due (as "
            "anvil_setNextBlockBaseFeePerGas makes it): whoever offers less a gas is left out",
        )
    if not mined.receipts and block.state_root != root:
        yield Foreign(
            block.number,
            f"block {block.number} is empty and leaves another state than before "
            "(as anvil_setBalance, anvil_setCode and their like do)",
        )
    for raw, receipt in zip(mined.raw, mined.receipts, strict=True):
        if transaction_hash(raw) != receipt.hash:
            yield Foreign(
                block.number,
                f"transaction {receipt.hash} in block {block.number} was not signed by its sender "
                f"{receipt.sender} (as anvil_impersonateAccount allows)",
            )
