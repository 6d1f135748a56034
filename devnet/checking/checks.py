"""What a run is held to after every step: the checkers' verdict, asked once a block."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from devnet.chain import Chain
from devnet.checking import Checker, Unmodelled, Verdict
from devnet.checking.parameters import model_parameters
from devnet.deploy import DeploymentParameters
from devnet.protocol import Deployment, ObservedTransaction
from devnet.protocol import View as Reads
from devnet.record.encoding import plain

MOST_SHOWN = 10


class Checks:
    """Feeds the checker every transaction in order; `names` of addresses make faults readable."""

    def __init__(
        self,
        reads: Reads,
        given: DeploymentParameters,
        deployment: Deployment,
        chain: Chain,
        names: Mapping[str, str],
    ) -> None:
        self._reads = reads
        self._chain = chain
        parameters = model_parameters(given, deployment)
        self._checker = Checker(parameters, reads.block_hash, names)
        self._verdict: tuple[int, Verdict] | None = None

    def observe(self, observed: tuple[ObservedTransaction, ...]) -> None:
        """Let the model decide what the chain has decided."""
        self._checker.observe(observed)

    @property
    def unmodelled(self) -> Unmodelled | None:
        """Where the checks ended: at a transaction that nobody can follow."""
        return self._checker.unmodelled

    def verdict(self) -> Verdict:
        """The verdict at the head."""
        head = self._chain.head
        if self._verdict is None or self._verdict[0] != head.number:
            self._verdict = (head.number, self._checker.check(self._reads, head))
        return self._verdict[1]

    def last_word(self) -> list[str]:
        """Every fault at the end of a run, with every value read again (empty: none).

        State that somebody changed from outside is one: no replay would come to it. So is a
        transaction at which the checks ended.
        """
        verdict = self._checker.check(self._reads, self._chain.head, whole=True)
        foreign = [f"foreign state: {f.seen}" for f in self._chain.foreign if not f.replays]
        return _told((*foreign, *self._ended(), *verdict.violations, *verdict.differences))

    def violations(self) -> list[str]:
        """Every invariant that does not hold, with its numbers; or that none is looked at."""
        return _told((*self._ended(), *self.verdict().violations))

    def differences(self) -> list[str]:
        """Where model and chain differ, in decisions and in values; or that nobody looks."""
        return _told((*self._ended(), *self.verdict().differences))

    def after_step(self) -> list[str]:
        """Every fault; a transaction at which the checks ended is none of the step's."""
        verdict = self.verdict()
        return [*_told(verdict.violations), *_told(verdict.differences)]

    def _ended(self) -> tuple[str, ...]:
        return (f"unmodelled: {self.unmodelled.seen}",) if self.unmodelled else ()

    def snapshot(self) -> Any:
        """The ledger as JSON."""
        return plain(self.verdict().ledger)


def _told(faults: tuple[object, ...]) -> list[str]:
    shown = [str(fault) for fault in faults[:MOST_SHOWN]]
    if len(faults) > MOST_SHOWN:
        shown.append(f"and {len(faults) - MOST_SHOWN} more")
    return shown
