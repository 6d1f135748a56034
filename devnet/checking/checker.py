"""Model, facts and ledger side by side: fed with every transaction, asked after every step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from devnet.chain import Block
from devnet.checking.agreement import (
    Difference,
    agreement,
    decision_difference,
    outcome_difference,
    told,
    undecided,
    unmodelled,
)
from devnet.checking.folding import Facts
from devnet.checking.inner import divided
from devnet.checking.invariants import Violation, check_all
from devnet.checking.reading import Reads, read_ledger
from devnet.model import Ledger, Model, Outcome, Parameters
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
            if transaction.unfollowed and self.unmodelled is None:
                self.unmodelled = _unmodelled(transaction)
            if self.unmodelled is not None:
                # The ledger still reads by the events, whosever they are.
                decided = replace(transaction, inner=())
            elif transaction.inner:
                decided = self._decide_inner(transaction)
            else:
                decided = transaction
                self._note(self._difference(transaction, self._outcome(transaction)))
            self.facts.observe([decided])

    def _decide_inner(self, transaction: ObservedTransaction) -> ObservedTransaction:
        """Call by call, then all events; gives it with each call's own events."""
        before, expected = len(self._decided), []
        for call in transaction.inner:
            outcome = self._outcome(call)
            if isinstance(outcome, Outcome):
                self._note(decision_difference(call, outcome))
                expected.append(told(outcome.events))
            else:
                self._note(outcome)
                expected.append([])
        decided, found = divided(transaction, expected)
        if len(self._decided) == before:  # where one is decided otherwise, events differ anyway
            self._note(found)
        return decided

    def _note(self, found: Difference | None) -> None:
        if found is not None:
            self._decided.append(found)

    def _outcome(self, transaction: ObservedTransaction) -> Outcome | Difference | None:
        """What the model says, or that it cannot; None where it is not for the rules to say."""
        try:
            return self.model.apply(transaction)
        except NoSuchRule:
            return unmodelled(transaction)
        except (ArithmeticError, LookupError, TypeError, ValueError) as fault:
            return undecided(transaction, fault)  # anybody may send any arguments

    def _difference(
        self, transaction: ObservedTransaction, outcome: Outcome | Difference | None
    ) -> Difference | None:
        if isinstance(outcome, Outcome):
            return outcome_difference(transaction, outcome)
        if outcome is not None:
            return outcome
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
        "nor the invariants are compared: the devnet goes on unchecked; devnet down and devnet up "
        "begin a checked one",
    )
