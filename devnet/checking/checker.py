"""Model, facts and ledger side by side: fed with every transaction, asked after every step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from devnet.chain import Block
from devnet.checking.agreement import (
    Difference,
    agreement,
    outcome_difference,
    undecided,
    unmodelled,
)
from devnet.checking.folding import Facts
from devnet.checking.invariants import Violation, check_all
from devnet.checking.reading import Reads, read_ledger
from devnet.model import Ledger, Model, Parameters
from devnet.model.model import NoSuchRule
from devnet.model.state import BlockHash
from devnet.protocol import ObservedTransaction
from devnet.protocol.deployment import CHAINLINK


@dataclass(frozen=True, slots=True)
class Unmodelled:
    """The transaction of `block` at which the checks ended; `seen` says so in a sentence."""

    block: int
    seen: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The chain's ledger, and everything found wrong with it or with the model.

    From `unmodelled` on nothing more was looked for.
    """

    ledger: Ledger
    violations: tuple[Violation, ...]
    differences: tuple[Difference, ...]
    unmodelled: Unmodelled | None = None

    @property
    def ok(self) -> bool:
        return not self.violations and not self.differences and self.unmodelled is None


class Checker:
    """`observe` every transaction of the chain in order, from its first; `check` when asked.

    What was once found wrong stays wrong in later verdicts. `names` of addresses make the
    differences readable. `unmodelled` is set for good by the first transaction that nobody can
    follow call by call: after it the model is not where the chain is, nor do events add up.
    """

    def __init__(
        self,
        parameters: Parameters,
        block_hash: BlockHash,
        names: Mapping[str, str] | None = None,
    ) -> None:
        self.model = Model(parameters, block_hash)
        self.facts = Facts(parameters)
        self._names = names or {}
        self._previous: Ledger | None = None
        self._violations: tuple[Violation, ...] = ()
        self._decided: list[Difference] = []
        self.unmodelled: Unmodelled | None = None

    def observe(self, transactions: Iterable[ObservedTransaction]) -> None:
        """Let the model decide what the chain has decided, and note what the events say."""
        for transaction in transactions:
            self.facts.observe([transaction])  # also of the unmodelled: the ledger reads by them
            if transaction.unfollowed and self.unmodelled is None:
                self.unmodelled = _unmodelled(transaction)
            if self.unmodelled is None:
                found = map(self._difference, transaction.calls)
                self._decided += (difference for difference in found if difference is not None)

    def _difference(self, transaction: ObservedTransaction) -> Difference | None:
        try:
            outcome = self.model.apply(transaction)
        except NoSuchRule:
            return unmodelled(transaction)
        except (ArithmeticError, LookupError, TypeError, ValueError) as fault:
            return undecided(transaction, fault)  # anybody may send any arguments
        if outcome is not None:
            return outcome_difference(transaction, outcome)
        deploys = transaction.block <= self.model.parameters.genesis_block
        # What foreign code had our contracts do, or call data only they can read.
        ours = any(event.contract not in CHAINLINK for event in transaction.events)
        return unmodelled(transaction) if ours and not deploys else None

    def check(self, reads: Reads, head: Block, *, whole: bool = False) -> Verdict:
        """All invariants and the agreement at the head block.

        `whole` reads every value again, also what no event has touched since the last check:
        once, at the end of a run.
        """
        previous = None if whole else self._previous
        ledger = read_ledger(reads, head, self.facts, previous)
        self._previous = ledger
        if self.unmodelled is not None:
            self.facts.mark()
            return Verdict(ledger, self._violations, tuple(self._decided), self.unmodelled)
        found = (*self._violations, *check_all(ledger, self.facts))
        self._violations = tuple(dict.fromkeys(found))
        modelled = self.model.ledger(head.number, head.timestamp)
        differences = (*self._decided, *agreement(ledger, modelled, self._names))
        return Verdict(ledger, self._violations, differences)


def _unmodelled(transaction: ObservedTransaction) -> Unmodelled:
    return Unmodelled(
        transaction.block,
        f"tx {transaction.hash} in block {transaction.block}: what it had contracts of the devnet "
        f"do cannot be followed: {transaction.unfollowed}. From this block on neither the model "
        "nor the invariants are compared",
    )
