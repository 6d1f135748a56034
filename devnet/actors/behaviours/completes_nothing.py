"""A client that takes results and puts none on chain."""

from __future__ import annotations

from devnet.actors.behaviours import behaves
from devnet.actors.client import Client
from devnet.actors.messages import ResultFetched
from devnet.actors.operations import Operation
from devnet.spec.behaviours import COMPLETES_NOTHING


@behaves(COMPLETES_NOTHING)
class CompletesNothing(Client):
    """What was served is charged by the counters of gatekeepers all the same (M3, M5)."""

    def _complete(self, fetched: ResultFetched) -> list[Operation]:
        del self._served[fetched.invocation]
        return self._completed(fetched.invocation)
