"""A worker that is paid for being there and leaves the work to others."""

from __future__ import annotations

from devnet.actors.behaviours import behaves
from devnet.actors.operations import Operation
from devnet.actors.view import View
from devnet.actors.worker import Worker
from devnet.spec.behaviours import ACCEPTS_NOTHING


@behaves(ACCEPTS_NOTHING)
class AcceptsNothing(Worker):
    """An order whose turn is its own stays open until its client closes it (M2)."""

    def _accept(self, view: View) -> list[Operation]:
        return []
