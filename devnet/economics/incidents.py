"""Incidents: who is reported, and what becomes of it (L1 to L7)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from devnet.economics.agenda import Agenda
from devnet.economics.chance import Chance
from devnet.economics.economy import Economy, added
from devnet.economics.population import Worker
from devnet.economics.tally import SLASHES, Tally
from devnet.model import staking
from devnet.model.gatekeepers import Quorum
from devnet.model.slashing import OFFLINE

EVIDENCE: Final = bytes(32)


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
        self._assumed = economy.spec.economics.incidents
        self._offline = Chance(seed, "level 1")

    def happen(self) -> None:
        """Every live node's risk, once a cycle."""
        nodes = self._economy.state.nodes
        for worker in self._workers:
            if self._offline.happens(self._assumed.level_1) and staking.is_live(nodes[worker.node]):
                self._report(worker, OFFLINE, self._assumed.level_1_longest, self._offline)

    def _report(self, worker: Worker, level: int, longest: int, chance: Chance) -> None:
        economy = self._economy
        seconds = 1 + chance.below(min(longest, economy.parameters.max_age))
        charge = {
            "node": worker.node,
            "level": level,
            "from": economy.now - seconds,
            "to": economy.now,
            "evidence": EVIDENCE,
            "signatures": economy.signatures(Quorum.SLASH),
        }
        gatekeeper = min(economy.parameters.gatekeepers)
        if economy.send(gatekeeper, "Slashing", "report", charge).ok:
            identity = len(economy.state.incidents)
            due = self._after(economy.parameters.appeal_window)
            self._agenda.enter(due, lambda: self._execute(identity))

    def _after(self, seconds: int) -> int:
        """The first block at least so many seconds after the one at hand, never the same."""
        blocks = -(-seconds // self._economy.spec.chain.block_seconds)
        return self._economy.block + max(1, blocks)

    def _execute(self, identity: int) -> None:
        economy = self._economy
        anyone = economy.accounts["treasury"]
        outcome = economy.send(anyone, "Slashing", "execute", {"id": identity})
        if outcome.ok:
            incident = economy.state.incidents[identity]
            self._tally.slash(incident.node, incident.level, incident.amount)
            self._tally.reward(SLASHES, added(outcome))
