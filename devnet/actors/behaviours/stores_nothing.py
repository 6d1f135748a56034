"""Oracle nodes that report, and store no price of their own accord."""

from __future__ import annotations

from devnet.actors.behaviours import behaves
from devnet.actors.operations import Operation
from devnet.actors.oracle import Oracles
from devnet.actors.view import View
from devnet.spec.behaviours import STORES_NOTHING


@behaves(STORES_NOTHING)
class StoresNothing(Oracles):
    """A price is stored where somebody asks for it: anyone may (O2)."""

    def _pokes(self, view: View) -> list[Operation]:
        self._to_poke.clear()
        return super()._pokes(view)
