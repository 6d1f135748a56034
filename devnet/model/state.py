"""Everything the protocol remembers, in tables of frozen rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from devnet.model.calls import ZERO_ADDRESS
from devnet.model.parameters import FeedConfig, Parameters
from devnet.model.rows import (
    NEWCOMER,
    NO_CONFIG,
    NO_CONTINGENCY,
    NO_INCIDENT,
    NO_INVOCATION,
    NO_ORDER,
    NO_POOL,
    NO_PRICE,
    NO_PROPOSAL,
    NO_ROUND,
    NOBODY,
    STRANGER,
    Invocation,
    Member,
    Node,
    Pool,
    Pot,
    Publisher,
    Registry,
)
from devnet.model.tables import Cell, Journal, Table
from devnet.model.usage import UNUSED, Usage
from devnet.protocol.messages import Domains
from devnet.protocol.states import (
    UNLIMITED,
    ContingencyState,
    IncidentState,
    OrderState,
    ProposalState,
    RoundState,
    StoredPrice,
)

Recover = Callable[[bytes, bytes], str]
BlockHash = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Emitted:
    """An event as the contracts emit it; `args` by Solidity's names."""

    contract: str
    name: str
    args: Mapping[str, Any]


class State:
    """The tables, and what the rules may ask from outside.

    `recover` gives the lower-case address behind a digest and a 65-byte signature or raises
    ValueError; `block_hash` a block's 32 bytes.
    """

    def __init__(
        self, parameters: Parameters, domains: Domains, recover: Recover, block_hash: BlockHash
    ) -> None:
        self.parameters = parameters
        self.domains = domains
        self.recover = recover
        self.block_hash = block_hash
        self.journal = journal = Journal()
        self._emitted: list[Emitted] = []

        self.balances: Table[str, int] = Table(journal, 0)
        self.allowances: Table[tuple[str, str], int] = Table(journal, 0)
        self.permit_nonces: Table[str, int] = Table(journal, 0)

        members = Registry(parameters.gatekeepers, parameters.perf_quorum)
        self.registry: Cell[Registry] = Cell(journal, members)

        self.nodes: Table[str, Node] = Table(journal, NOBODY)
        self.hardware: Table[bytes, str] = Table(journal, ZERO_ADDRESS)
        self.total_stake: Cell[int] = Cell(journal, 0)

        self.publishers: Table[str, Publisher] = Table(journal, NEWCOMER)
        self.cycle_reward: Table[int, int] = Table(journal, 0)
        self.cycle_total_v: Table[int, int] = Table(journal, 0)
        self.account_v: Table[tuple[int, str], int] = Table(journal, 0)
        self.claimed: Table[tuple[str, int], bool] = Table(journal, False)
        self.pot: Cell[Pot] = Cell(journal, Pot(parameters.max_v))

        self.incidents: Table[int, IncidentState] = Table(journal, NO_INCIDENT)
        self.pending_incidents: Table[str, int] = Table(journal, 0)
        self.cursors: Table[tuple[str, int], int] = Table(journal, 0)
        self.escrow: Table[str, int] = Table(journal, 0)
        self.arbiter: Cell[str] = Cell(journal, parameters.arbiter)

        self.pools: Table[str, Pool] = Table(journal, NO_POOL)
        self.members: Table[tuple[str, str], Member] = Table(journal, STRANGER)

        self.rounds: Table[str, RoundState] = Table(journal, NO_ROUND)
        self.configs: Table[str, FeedConfig] = Table(journal, NO_CONFIG)
        self.epochs: Table[str, int] = Table(journal, 0)
        self.prices: Table[int, StoredPrice] = Table(journal, NO_PRICE)
        self.contingencies: Table[int, ContingencyState] = Table(journal, NO_CONTINGENCY)

        self.proposals: Table[bytes, ProposalState] = Table(journal, NO_PROPOSAL)
        self.guardian: Cell[str] = Cell(journal, parameters.guardian)
        self.released: Cell[int] = Cell(journal, 0)

        self.orders: Table[int, OrderState] = Table(journal, NO_ORDER)
        self.usage: Table[int, Usage] = Table(journal, UNUSED)
        self.invocations: Table[int, Invocation] = Table(journal, NO_INVOCATION)
        self.escrowed: Cell[int] = Cell(journal, 0)

        self._deploy()

    def emit(self, contract: str, name: str, args: Mapping[str, Any]) -> None:
        """An event of the transaction at hand."""
        self._emitted.append(Emitted(contract, name, args))

    def accept(self) -> tuple[Emitted, ...]:
        """The transaction at hand holds; gives its events."""
        self.journal.keep()
        emitted = tuple(self._emitted)
        self._emitted.clear()
        return emitted

    def refuse(self) -> None:
        """Nothing of the transaction at hand remains."""
        self.journal.undo()
        self._emitted.clear()

    def _deploy(self) -> None:
        """T1, L6, L7, M4, I1: the supply lies with the treasury; contracts let others pull.

        O1: every feed has its first config.
        """
        addresses = self.parameters.addresses
        self.balances[self.parameters.treasury] = self.parameters.supply
        for giver, taker in (
            ("Slashing", "Rewards"),
            ("Slashing", "Staking"),
            ("Market", "Rewards"),
            ("IncentiveVault", "Rewards"),
        ):
            if giver in addresses:
                self.allowances[addresses[giver], addresses[taker]] = UNLIMITED
        for name, feed in self.parameters.feeds.items():
            self.configs[name] = feed.config
        self.journal.keep()
