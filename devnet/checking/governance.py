"""What events say of proposals, contingency prices and the incentive vault, and what must hold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from devnet.checking.amounts import due_release
from devnet.checking.part import Part
from devnet.model import Ledger, Parameters
from devnet.protocol import Event, ObservedTransaction


@dataclass(slots=True)
class ProposalFacts:
    """A proposal by its events: how often each happened, and when it is due (G2)."""

    queued: int = 0
    executed: int = 0
    vetoed: int = 0
    due: int | None = None


@dataclass(frozen=True, slots=True)
class Enactment:
    """A `Queued` or `Executed` event (G2), and what had happened to the proposal before.

    `due` is None where the proposal was never queued.
    """

    transaction: str
    event: str
    proposal: bytes
    timestamp: int
    due: int | None
    queued: int
    executed: int
    vetoed: int


@dataclass(frozen=True, slots=True)
class Release:
    """A `Released` event of the vault (I1) and what moved with it, wei.

    `due` is what the cycle's number gives, `received` what rewards got, `rise` what the cycle's
    reward rose by. `parts` is how many of the vault's cycles it catches up; `amount_before` and
    `parts_before` are the last release's, None before the first.
    """

    transaction: str
    cycle: int
    amount: int
    parts: int
    amount_before: int | None
    parts_before: int | None
    due: int
    received: int
    rise: int


class Governance(Part):
    """`proposals`, `contingencies` and what is `released`; `enactments` and `releases` are news."""

    def __init__(self, parameters: Parameters) -> None:
        super().__init__(parameters)
        self.contingencies: dict[int, tuple[int, int, bool]] = {}  # resource: cost, multiplier, on
        self.proposals: defaultdict[bytes, ProposalFacts] = defaultdict(ProposalFacts)
        self.released = 0
        self._last: Release | None = None
        self._parts = 0  # of the vault's cycles that are paid
        self.enactments: list[Enactment] = []
        self.releases: list[Release] = []
        self.folds = {
            "ContingencySet": self._contingency_set,
            "Queued": self._queued,
            "Executed": self._executed,
            "Vetoed": self._vetoed,
            "Released": self._released,
        }

    def mark(self) -> None:
        """All news is checked."""
        self.enactments.clear()
        self.releases.clear()

    def begun(self, cycle: int) -> int:
        """I1: how many of the vault's cycles have begun."""
        vault = self.parameters.vault
        return min(max(cycle - vault.start_cycle + 1, 0), vault.cycles) if vault else 0

    def _contingency_set(self, transaction: ObservedTransaction, event: Event) -> None:
        args = event.args
        given = args["costUsd1e18"], args["multiplier1e18"], args["on"]
        self.contingencies[args["resource"]] = given

    def _queued(self, transaction: ObservedTransaction, event: Event) -> None:
        seen = self._enacted(transaction, event)
        seen.queued += 1
        seen.due = transaction.timestamp + self.parameters.timelock

    def _executed(self, transaction: ObservedTransaction, event: Event) -> None:
        self._enacted(transaction, event).executed += 1

    def _vetoed(self, transaction: ObservedTransaction, event: Event) -> None:
        self.proposals[event.args["proposal"]].vetoed += 1

    def _enacted(self, transaction: ObservedTransaction, event: Event) -> ProposalFacts:
        proposal = event.args["proposal"]
        seen = self.proposals[proposal]
        before = seen.due, seen.queued, seen.executed, seen.vetoed
        self.enactments.append(
            Enactment(transaction.hash, event.name, proposal, transaction.timestamp, *before)
        )
        return seen

    def _released(self, transaction: ObservedTransaction, event: Event) -> None:
        given, addresses = self.parameters, self.parameters.addresses
        pair = addresses["IncentiveVault"], addresses["Rewards"]
        cycle = self.cycle(transaction)
        total, cycles = (given.vault.total, given.vault.cycles) if given.vault else (0, 1)
        moved = rise = 0
        for one in transaction.events:
            if one.name == "Transfer" and (one.args["from"], one.args["to"]) == pair:
                moved += one.args["value"]
            elif one.name == "RewardAdded" and one.args["from"] == pair[0]:
                rise += one.args["amount"]
        begun, last = self.begun(cycle), self._last
        self._last = Release(
            transaction=transaction.hash,
            cycle=cycle,
            amount=event.args["amount"],
            parts=begun - self._parts,
            amount_before=last.amount if last else None,
            parts_before=last.parts if last else None,
            due=due_release(total, cycles, begun) - self.released,
            received=moved,
            rise=rise,
        )
        self.releases.append(self._last)
        self.released += event.args["amount"]
        self._parts = begun


def check_vault(ledger: Ledger, facts: Governance) -> Iterator[str]:
    """Invariant 14: released = E(j) for some j ≤ N; E(k) - E(k-1) never rises."""
    for row in facts.releases:
        if len({row.amount, row.due, row.received, row.rise}) > 1:
            yield (
                f"{row.transaction}: released {row.amount} wei in cycle {row.cycle}, due "
                f"{row.due}; rewards got {row.received}, the cycle's reward rose by {row.rise}"
            )
        # Whatever E is: a mean of later parts is no more than one of earlier parts.
        before, parts = row.amount_before, row.parts_before
        if before is not None and parts is not None and row.amount * parts > before * row.parts:
            yield (
                f"{row.transaction}: {row.amount} wei for {row.parts} cycles of the vault are more "
                f"a cycle than the {before} for the {parts} before"
            )
    given, vault = facts.parameters.vault, ledger.vault
    if given is None or vault is None:
        return
    if vault.released != facts.released:
        yield f"{vault.released} wei are released, the events say {facts.released}"
    j = facts.begun(ledger.cycle)
    due = due_release(given.total, given.cycles, j)
    if vault.released + vault.releasable != due:
        yield f"{vault.releasable} wei are releasable after {vault.released}, E({j}) is {due}"


def check_enactments(facts: Governance) -> Iterator[str]:
    """Invariant 16: one proposal id ↔ at most one execution, due and not vetoed."""
    for row in facts.enactments:
        at = f"{row.transaction}: proposal 0x{row.proposal.hex()}"
        if row.event == "Queued":
            if row.queued:
                yield f"{at} was queued again"
            continue
        if row.executed:
            yield f"{at} was executed again"
        if row.vetoed:
            yield f"{at} was executed after its veto"
        if row.due is None or row.timestamp < row.due:
            yield f"{at} was executed at {row.timestamp}, due at {row.due}"
