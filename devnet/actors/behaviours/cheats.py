"""Workers whose machines cheat in performance tests: as actors they do what others do.

What the machines do is the cluster's (`cluster.perftest.cheats`), which is told by
`cluster.interface.NodeSpec.cheat`.
"""

from __future__ import annotations

from devnet.actors.behaviours import behaves
from devnet.actors.worker import Worker
from devnet.spec.behaviours import (
    ANSWERS_BEFORE,
    COMPUTES_ELSEWHERE,
    SHARES_DISK,
    SWAPPED_NODE,
)


@behaves(COMPUTES_ELSEWHERE)
@behaves(ANSWERS_BEFORE)
@behaves(SHARES_DISK)
@behaves(SWAPPED_NODE)
class Cheats(Worker):
    """It asks to be measured, and hears why no gatekeeper signs."""
