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
from devnet.model.model import FOREIGN, NoSuchRule
from devnet.model.state import BlockHash
from devnet.protocol import ObservedTransaction


@dataclass(frozen=True, slots=True)
class Verdict:
    """The chain's ledger, and everything found wrong with it or with the model."""

    ledger: Ledger
    violations: tuple[Violation, ...]
    differences: tuple[Difference, ...]

    @property
    def ok(self) -> bool:
        return not self.violations and not self.differences


class Checker:
    """`observe` every transaction of the chain in order, from its first; `check` when asked.

    What was once found wrong stays wrong in later verdicts. `names` of addresses make the
    differences readable.
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

    def observe(self, transactions: Iterable[ObservedTransaction]) -> None:
        """Let the model decide what the chain has decided, and note what the events say."""
        observed = tuple(transactions)
        self.facts.observe(observed)
        for transaction in observed:
            difference = self._difference(transaction)
            if difference is not None:
                self._decided.append(difference)

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
        ours = any(event.contract not in FOREIGN for event in transaction.events)
        return unmodelled(transaction) if ours and not deploys else None

    def check(self, reads: Reads, head: Block, *, whole: bool = False) -> Verdict:
        """All invariants and the agreement at the head block.

        `whole` reads every value again, also what no event has touched since the last check:
        once, at the end of a run.
        """
        previous = None if whole else self._previous
        ledger = read_ledger(reads, head, self.facts, previous)
        found = (*self._violations, *check_all(ledger, self.facts))
        self._violations = tuple(dict.fromkeys(found))
        self._previous = ledger
        modelled = self.model.ledger(head.number, head.timestamp)
        differences = (*self._decided, *agreement(ledger, modelled, self._names))
        return Verdict(ledger, self._violations, differences)
