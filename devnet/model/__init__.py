"""The rules of the protocol in exact integers, fed with the chain's own transactions.

Each module holds one part's rules as pure functions and the transactions that use them; `Model`
decides every transaction by itself, so that it can be compared with what the chain decided.
"""

from __future__ import annotations

from devnet.model.ledger import (
    ConfigLedger,
    CycleLedger,
    Ledger,
    MemberLedger,
    NodeLedger,
    PoolLedger,
    PriceLedger,
    VaultLedger,
)
from devnet.model.model import Model, NoSuchRule, Outcome
from devnet.model.parameters import FeedConfig, FeedParameters, Parameters, VaultParameters

__all__ = [
    "ConfigLedger",
    "CycleLedger",
    "FeedConfig",
    "FeedParameters",
    "Ledger",
    "MemberLedger",
    "Model",
    "NoSuchRule",
    "NodeLedger",
    "Outcome",
    "Parameters",
    "PoolLedger",
    "PriceLedger",
    "VaultLedger",
    "VaultParameters",
]
