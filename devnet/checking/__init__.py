"""What a run is held to: the invariants of the protocol, and agreement of chain and model.

Pure functions of the ledger and of what the events say; only `read_ledger` asks a chain.
"""

from __future__ import annotations

from devnet.checking.agreement import Difference, agreement, outcome_difference
from devnet.checking.checker import Checker, Unmodelled, Verdict
from devnet.checking.folding import Facts
from devnet.checking.invariants import INVARIANTS, Invariant, Violation, check_all
from devnet.checking.reading import read_ledger

__all__ = [
    "INVARIANTS",
    "Checker",
    "Difference",
    "Facts",
    "Invariant",
    "Unmodelled",
    "Verdict",
    "Violation",
    "agreement",
    "check_all",
    "outcome_difference",
    "read_ledger",
]
