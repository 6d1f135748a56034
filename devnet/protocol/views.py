"""Typed reads of the contracts' views at the latest block; `View.read` reads any other."""

from __future__ import annotations

from typing import cast

from devnet.protocol.market_views import MarketViews
from devnet.protocol.node_views import NodeViews
from devnet.protocol.states import ProposalState, Quorum


class View(NodeViews, MarketViews):
    """Reads by name. Amounts are wei, times seconds, ratios as the interfaces say.

    A resource is its name or number, a quorum its name or number. Every method raises
    ProtocolError when the contract refuses (a stale price, say).
    """

    # Kompute

    def balance_of(self, account: str) -> int:
        return self._integer("Kompute", "balanceOf", account)

    def allowance(self, owner: str, spender: str) -> int:
        return self._integer("Kompute", "allowance", owner, spender)

    def total_supply(self) -> int:
        return self._constant("Kompute", "totalSupply")  # T1: never changes

    # Gatekeepers

    def governance(self) -> str:
        return self._address("Gatekeepers", "governance")

    def is_gatekeeper(self, account: str) -> bool:
        return self._truth("Gatekeepers", "isGatekeeper", account)

    def gatekeeper_count(self) -> int:
        return self._integer("Gatekeepers", "count")

    def needed(self, quorum: Quorum | str | int) -> int:
        """How many signatures a quorum takes now (R4)."""
        number = Quorum[quorum] if isinstance(quorum, str) else Quorum(quorum)
        return self._integer("Gatekeepers", "needed", int(number))

    # ExecutionQueue

    def proposal(self, proposal: bytes) -> ProposalState:
        return ProposalState.of(self.read("ExecutionQueue", "proposalOf", proposal))

    def guardian(self) -> str:
        return self._address("ExecutionQueue", "guardian")

    def space(self) -> bytes:
        """The Snapshot space whose proposals are executed (G1)."""
        return cast(bytes, self.read("ExecutionQueue", "space"))

    def timelock(self) -> int:
        """Seconds between queueing and execution (G2)."""
        return self._constant("ExecutionQueue", "delay")

    # IncentiveVault

    def released(self) -> int:
        """Wei released so far (I1); raises UsageError where there is no vault."""
        return self._integer("IncentiveVault", "released")

    def releasable(self) -> int:
        return self._integer("IncentiveVault", "releasable")
