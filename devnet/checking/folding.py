"""What the events alone say: sums and rows, folded transaction by transaction, part by part.

Independent of contract views and of the model: invariants compare the ledger with this.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from devnet.checking.amounts import ZERO_ADDRESS
from devnet.checking.feeds import Feeds
from devnet.checking.governance import Governance
from devnet.checking.incidents import Incidents
from devnet.checking.market import Market
from devnet.checking.nodes import Nodes
from devnet.checking.part import Part
from devnet.checking.pools import Pools
from devnet.checking.rewards import Rewards
from devnet.model import Parameters
from devnet.protocol import Event, ObservedTransaction


class Facts:
    """Observe every transaction in order; after a check, `mark` begins the next news.

    Holds the parts, and of itself only what concerns all of them: whose balances there are
    (`moved`: since the last check), what was given to contracts, and the last prices.
    """

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self.nodes = Nodes(parameters)
        self.rewards = Rewards(parameters, self.nodes)
        self.market = Market(parameters)
        self.incidents = Incidents(parameters, self.nodes, self.rewards)
        self.pools = Pools(parameters, self.nodes)
        self.governance = Governance(parameters)
        self.feeds = Feeds(parameters)
        self._parts: tuple[Part, ...] = (
            *(self.nodes, self.rewards, self.market),
            *(self.incidents, self.pools, self.governance, self.feeds),
        )
        self.accounts: set[str] = {parameters.treasury}
        self.moved: set[str] = set()
        self.donated: defaultdict[str, int] = defaultdict(int)  # by contract
        if parameters.vault is not None:  # its funding is no gift (I1)
            self.donated["IncentiveVault"] = -parameters.vault.total
        # resource: what the price follows from, u, price
        self.last_prices: dict[int, tuple[object, int, int]] = {}
        self._contracts = {address: name for name, address in parameters.addresses.items()}
        self._folds = {"Transfer": self._transfer}
        for part in self._parts:
            twice = self._folds.keys() & part.folds.keys()
            assert not twice, f"{twice} are folded by two parts"
            self._folds |= part.folds

    def observe(self, transactions: Iterable[ObservedTransaction]) -> None:
        """Fold more of the chain's transactions in, in their order."""
        for call in (call for transaction in transactions for call in transaction.calls):
            for event in call.events:
                fold = self._folds.get(event.name)
                if fold is not None:
                    fold(call, event)

    def mark(self) -> None:
        """All news is checked."""
        self.moved.clear()
        for part in self._parts:
            part.mark()

    def _transfer(self, transaction: ObservedTransaction, event: Event) -> None:
        args = event.args
        pair = {args["from"], args["to"]} - {ZERO_ADDRESS}
        self.accounts |= pair
        self.moved |= pair
        if transaction.contract != "Kompute":
            return
        contract, pool = self._contracts.get(args["to"]), self.pools.at(args["to"])
        if contract is not None:
            self.donated[contract] += args["value"]
        if pool is not None:
            pool.donated += args["value"]
