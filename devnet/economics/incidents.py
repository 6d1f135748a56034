"""Incidents: who is reported, and what becomes of it (L1 to L7)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from devnet.economics.agenda import Agenda
from devnet.economics.chance import Chance
from devnet.economics.economy import Economy, added
from devnet.economics.population import Worker
from devnet.economics.tally import SLASHES, Tally
from devnet.model import Outcome, staking
from devnet.model.appeals import appellant_of
from devnet.model.gatekeepers import Quorum
from devnet.model.slashing import MALICIOUS, OFFLINE, SERIOUS
from devnet.protocol.states import IncidentStatus
from devnet.spec.economics import WHOLE_PPM

EVIDENCE: Final = bytes(32)
LEVELS: Final = (OFFLINE, MALICIOUS, SERIOUS)


class Incidents:
    """All reports, appeals, rulings and executions."""

    def __init__(
        self,
        economy: Economy,
        workers: Sequence[Worker],
        tally: Tally,
        agenda: Agenda,
        seed: int,
    ) -> None:
        self._economy, self._workers, self._tally = economy, workers, tally
        self._agenda = agenda
        assumed = economy.spec.economics.incidents
        self._assumed = assumed
        self._chances = {level: Chance(seed, f"level {level}") for level in LEVELS}
        self._appeals = Chance(seed, "appeals")
        self._rates = {
            OFFLINE: assumed.level_1,
            MALICIOUS: assumed.level_2,
            SERIOUS: assumed.level_3,
        }
        self._longest = {OFFLINE: assumed.level_1_longest, MALICIOUS: assumed.level_2_longest}

    def happen(self) -> None:
        """Every live node's risk, once a cycle."""
        nodes = self._economy.state.nodes
        for level in LEVELS:
            chance, rate = self._chances[level], self._rates[level]
            for worker in self._workers:
                if chance.happens(rate) and staking.is_live(nodes[worker.node]):
                    self._report(worker, level, chance)

    def _report(self, worker: Worker, level: int, chance: Chance) -> None:
        economy, now = self._economy, self._economy.now
        start, end, quorum = now, now, Quorum.CRITICAL  # L6: level 3 has the second of its finding
        if level != SERIOUS:
            longest = min(self._longest[level], economy.parameters.max_age)
            start, quorum = now - 1 - chance.below(longest), Quorum.SLASH
        charge = {
            "node": worker.node,
            "level": level,
            "from": start,
            "to": end,
            "evidence": EVIDENCE,
            "signatures": economy.signatures(quorum),
        }
        gatekeeper = min(economy.parameters.gatekeepers)
        if not economy.send(gatekeeper, "Slashing", "report", charge).ok:
            return
        identity = len(economy.state.incidents)
        if self._appeals.happens(self._assumed.appeal) and self._appeal(worker, identity):
            return
        self._later(economy.parameters.appeal_window, identity)

    def _appeal(self, worker: Worker, identity: int) -> bool:
        """At once, in the block of the report; a window of 0 s leaves no time for it."""
        economy = self._economy
        payer = appellant_of(economy.state, worker.node)
        if not economy.send(payer, "Slashing", "appeal", {"id": identity}).ok:
            return False
        drawn, assumed = self._appeals.below(WHOLE_PPM), self._assumed
        if drawn < assumed.ignore:
            self._later(economy.parameters.arbiter_window, identity)
            return True
        upheld = drawn >= assumed.ignore + assumed.overturn
        self._agenda.enter(economy.block, lambda: self._rule(identity, upheld))
        return True

    def _later(self, seconds: int, identity: int) -> None:
        """Executed in the first block at least so many seconds after the one at hand."""
        blocks = -(-seconds // self._economy.spec.chain.block_seconds)
        due = self._economy.block + blocks
        self._agenda.enter(due, lambda: self._execute(identity))

    def _rule(self, identity: int, upheld: bool) -> None:
        arbiter = self._economy.state.arbiter.value
        args = {"id": identity, "upheld": upheld}
        ruled = self._economy.send(arbiter, "Slashing", "rule", args)
        self._ended(identity, ruled)

    def _execute(self, identity: int) -> None:
        anyone = self._economy.accounts["treasury"]
        args = {"id": identity}
        self._ended(identity, self._economy.send(anyone, "Slashing", "execute", args))

    def _ended(self, identity: int, outcome: Outcome) -> None:
        incident = self._economy.state.incidents[identity]
        if not outcome.ok or incident.state is not IncidentStatus.EXECUTED:
            return
        self._tally.slash(incident.node, incident.level, incident.amount)
        self._tally.reward(SLASHES, added(outcome))
        for event in outcome.events:
            if event.name == "BondLost":
                self._tally.lose_bond(incident.node, event.args["amount"])
