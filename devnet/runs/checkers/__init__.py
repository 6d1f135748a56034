"""What a run is held to: the invariants of the protocol, and agreement of chain and model.

Pure functions of the ledger and of what the events say; only `read_ledger` asks a chain.
"""

from __future__ import annotations

from devnet.runs.checkers.agreement import Difference, agreement, outcome_difference
from devnet.runs.checkers.checker import Checker, Verdict
from devnet.runs.checkers.facts import Facts
from devnet.runs.checkers.invariants import INVARIANTS, Invariant, Violation, check_all
from devnet.runs.checkers.reading import read_ledger

__all__ = [
    "INVARIANTS",
    "Checker",
    "Difference",
    "Facts",
    "Invariant",
    "Verdict",
    "Violation",
    "agreement",
    "check_all",
    "outcome_difference",
    "read_ledger",
]
