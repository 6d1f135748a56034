"""Proposals that have passed: what a gatekeeper has seen of the tally, and who waits for it."""

from __future__ import annotations

from devnet.actors.attestations import Execution
from devnet.actors.messages import Govern


class Governing:
    """G2: a gatekeeper attests the calls of those proposals only that it saw pass itself."""

    def __init__(self) -> None:
        self._passed: set[Execution] = set()
        self._wishes: dict[Execution, int] = {}

    def passed(self, message: Govern) -> Execution:
        """Note what has passed; gives what may be attested of it."""
        execution = Execution(message.proposal, message.calls)
        self._passed.add(execution)
        self._wishes[execution] = message.id
        return execution

    def wish(self, execution: Execution) -> int:
        """Which wish a queueing serves."""
        return self._wishes.pop(execution, 0)

    def objection(self, execution: Execution) -> str | None:
        """Why it is not attested."""
        if execution in self._passed:
            return None
        return f"no tally passed proposal 0x{execution.proposal.hex()} with these calls"
