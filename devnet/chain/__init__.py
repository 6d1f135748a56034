"""The chain under a devnet: an owned anvil, explicit blocks, raw JSON-RPC and a fast signer.

It knows no contract. Addresses and hashes are lower-case hex strings, calldata and return data
bytes, times seconds, ETH wei.
"""

from __future__ import annotations

from devnet.chain.accounts import DEFAULT_MNEMONIC, Account, derive
from devnet.chain.anvil import Anvil
from devnet.chain.block import Block, Log, MinedBlock, Receipt
from devnet.chain.chain import Chain
from devnet.chain.errors import (
    AnvilFailed,
    BlockDiffers,
    BlockTooFull,
    ChainError,
    ForeignState,
    NodeUnreachable,
    Refusal,
    Reverted,
    RpcError,
    TransactionRefused,
)
from devnet.chain.foreign import Foreign
from devnet.chain.keccak import keccak
from devnet.chain.nonces import NonceLanes, lane
from devnet.chain.rpc import Rpc
from devnet.chain.signer import mirrored, recover, sign, sign_digest
from devnet.chain.transaction import (
    Transaction,
    created_address,
    read_raw,
    transaction_hash,
)

__all__ = [
    "DEFAULT_MNEMONIC",
    "Account",
    "Anvil",
    "AnvilFailed",
    "Block",
    "BlockDiffers",
    "BlockTooFull",
    "Chain",
    "ChainError",
    "Foreign",
    "ForeignState",
    "Log",
    "MinedBlock",
    "NodeUnreachable",
    "NonceLanes",
    "Receipt",
    "Refusal",
    "Reverted",
    "Rpc",
    "RpcError",
    "Transaction",
    "TransactionRefused",
    "created_address",
    "derive",
    "keccak",
    "lane",
    "mirrored",
    "read_raw",
    "recover",
    "sign",
    "sign_digest",
    "transaction_hash",
]
