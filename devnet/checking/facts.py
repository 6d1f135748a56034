"""What the events alone say: sums and rows, folded transaction by transaction.

Independent of contract views and of the model: invariants compare the ledger with this.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from itertools import takewhile
from typing import Any, Final

from devnet.checking.amounts import (
    BONUS,
    NO_BONUS,
    cycle_at,
    due_share,
    due_v,
)
from devnet.checking.books import (
    CycleFacts,
    IncidentFacts,
    News,
    NodeFacts,
    OrderFacts,
)
from devnet.checking.governance import GovernanceFacts
from devnet.checking.incidents import INCIDENT_FOLDS
from devnet.checking.moves import tokens_between
from devnet.checking.pools import POOL_FOLDS, PoolFacts
from devnet.checking.rows import (
    Claiming,
    Ending,
    Publication,
    Registration,
    Settlement,
    Unrolled,
    Withdrawal,
)
from devnet.model import Parameters
from devnet.protocol import ObservedTransaction

ZERO_ADDRESS: Final = "0x" + 40 * "0"

Args = Mapping[str, Any]


class Facts:
    """Observe every transaction in order; after a check, `mark` begins the next `news`."""

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self.accounts: set[str] = {parameters.treasury}
        self.nodes: dict[str, NodeFacts] = {}
        self.orders: dict[int, OrderFacts] = {}
        self.reported: dict[int, IncidentFacts] = {}
        self.pools: dict[str, PoolFacts] = {}  # by contract name
        self.pool_addresses: dict[str, str] = {}  # and their names by address
        self.cycles: defaultdict[int, CycleFacts] = defaultdict(CycleFacts)
        self.added = 0
        self.paid = 0
        self.donated: defaultdict[str, int] = defaultdict(int)  # by contract
        if parameters.vault is not None:  # its funding is no gift (I1)
            self.donated["IncentiveVault"] = -parameters.vault.total
        self.incidents = 0
        self.invocations = 0
        self.news = News()
        self.ended_before = 0  # cycles below have been added to `ended_shares`
        # resource: what the price follows from, u, price
        self.last_prices: dict[int, tuple[object, int, int]] = {}
        self.governance = GovernanceFacts(parameters)
        self._hardware: dict[bytes, str] = {}
        self._place = 0  # of the event at hand in its transaction
        self.unshared: set[int] = set()  # cycles with reward and no V
        contracts = {a: n for n, a in parameters.addresses.items()}
        self._contracts: Mapping[str, str] = contracts
        self._folds: Mapping[str, Callable[[ObservedTransaction, Args], None]] = {
            "Transfer": self._transfer,
            "Staked": self._staked,
            "Restaked": self._restaked,
            "ToppedUp": self._topped_up,
            "ExitRequested": self._exit_requested,
            "Withdrawn": self._withdrawn,
            "Published": self._published,
            "RewardAdded": self._reward_added,
            "RewardRolled": self._reward_rolled,
            "Claimed": self._claimed,
            "ClaimedAll": self._claimed_all,
            "OrderCreated": self._order_created,
            "Settled": self._settled,
            "Finalized": self._finalized,
            "Invoked": self._invoked,
            **{name: partial(fold, self) for name, fold in INCIDENT_FOLDS.items()},
            **{name: partial(fold, self) for name, fold in POOL_FOLDS.items()},
            **self.governance.folds,
        }

    def observe(self, transactions: Iterable[ObservedTransaction]) -> None:
        """Fold more of the chain's transactions in, in their order."""
        for transaction in transactions:
            for self._place, event in enumerate(transaction.events):
                fold = self._folds.get(event.name)
                if fold is not None:
                    fold(transaction, event.args)

    def mark(self) -> None:
        """All news is checked."""
        self.news = News()
        self.governance.mark()

    def end_cycles(self, current: int) -> tuple[int, ...]:
        """Count the shares of cycles that have ended since; gives those cycles."""
        ended = tuple(c for c in sorted(self.cycles) if self.ended_before <= c < current)
        for cycle in ended:
            for node in self.cycles[cycle].v:
                self.nodes[node].ended_shares += self.share(cycle, node)
        self.ended_before = max(self.ended_before, current)
        return ended

    def share(self, cycle: int, node: str) -> int:
        """C3, by the events."""
        facts = self.cycles[cycle]
        return due_share(facts.reward, facts.v.get(node, 0), facts.total_v)

    # Tokens

    def _transfer(self, transaction: ObservedTransaction, args: Args) -> None:
        pair = {args["from"], args["to"]} - {ZERO_ADDRESS}
        self.accounts |= pair
        self.news.accounts |= pair
        contract = self._contracts.get(args["to"])
        if contract is not None and transaction.contract == "Kompute":
            self.donated[contract] += args["value"]
        pool = self.pool_addresses.get(args["to"])
        if pool is not None and transaction.contract == "Kompute":
            self.pools[pool].donated += args["value"]

    def _moved_next(self, transaction: ObservedTransaction, sender: str, to: str) -> int:
        """Wei between two addresses after the event at hand, before the market's next.

        A transaction may settle and refund to the same account: the company may be the client.
        """
        after = transaction.events[self._place + 1 :]
        return tokens_between(
            takewhile(lambda event: event.contract != "Market", after), sender, to
        )

    def emitter(self, transaction: ObservedTransaction) -> str:
        """The contract whose event is at hand."""
        return transaction.events[self._place].contract

    def address(self, contract: str) -> str:
        """Of a contract by name."""
        return self.parameters.addresses[contract]

    # Staking

    def node(self, args: Args) -> NodeFacts:
        """Of the event's node; of a node nobody staked for, one without stake: a check tells."""
        return self.nodes.setdefault(args["node"], NodeFacts(owner=ZERO_ADDRESS, stake_wei=0))

    def _staked(self, transaction: ObservedTransaction, args: Args) -> None:
        name, hardware_id = args["node"], args["hardwareId"]
        holder = self._hardware.get(hardware_id)
        live = holder if holder and self.nodes[holder].live else None
        again = name in self.nodes
        self.news.registrations.append(
            Registration(transaction.hash, name, hardware_id, again, live)
        )
        self._hardware[hardware_id] = name
        self.nodes[name] = NodeFacts(
            owner=args["owner"],
            bps=BONUS.get(args["months"], 0),
            unlock_at=args["unlockAt"],
            hardware_id=hardware_id,
        )

    def _restaked(self, transaction: ObservedTransaction, args: Args) -> None:
        node = self.node(args)
        node.bps, node.unlock_at = BONUS.get(args["months"], 0), args["unlockAt"]

    def _topped_up(self, transaction: ObservedTransaction, args: Args) -> None:
        self.node(args).stake_wei += args["amount"]

    def _exit_requested(self, transaction: ObservedTransaction, args: Args) -> None:
        self.node(args).exit_at = args["exitAt"]

    def _withdrawn(self, transaction: ObservedTransaction, args: Args) -> None:
        node = self.node(args)
        self.news.withdrawals.append(
            Withdrawal(
                transaction=transaction.hash,
                node=args["node"],
                amount=args["amount"],
                stake_wei=node.stake_wei,
                pending=node.pending,
                timestamp=transaction.timestamp,
                exit_at=node.exit_at,
                unlock_at=node.unlock_at,
            )
        )
        node.stake_wei, node.withdrawn = 0, True

    # Rewards

    def _published(self, transaction: ObservedTransaction, args: Args) -> None:
        name, cycle, node = args["node"], args["cycle"], self.node(args)
        node.published[cycle] = node.published.get(cycle, 0) + 1
        last = node.last
        node.last = Publication(
            transaction=transaction.hash,
            node=name,
            cycle=cycle,
            sequence=args["sequence"],
            v=args["v"],
            block=transaction.block,
            in_cycle=node.published[cycle],
            previous_block=last.block if last else None,
            previous_cycle=last.cycle if last else 0,
            previous_sequence=last.sequence if last else 0,
            stake_wei=node.stake_wei,
            exiting=node.exit_at != 0,
            severe=node.severe,
            due_v=_due(transaction, node),
        )
        self.news.publications.append(node.last)
        self._check_rolled(transaction, "Published", cycle)
        facts = self.cycles[cycle]
        facts.v[name] = facts.v.get(name, 0) + args["v"]
        facts.total_v += args["v"]
        node.unpaid[cycle] = None
        self.unshared.discard(cycle)

    def _reward_added(self, transaction: ObservedTransaction, args: Args) -> None:
        cycle = args["cycle"]
        self._check_rolled(transaction, "RewardAdded", cycle)
        self.cycles[cycle].reward += args["amount"]
        self.added += args["amount"]
        if not self.cycles[cycle].total_v:
            self.unshared.add(cycle)

    def _reward_rolled(self, transaction: ObservedTransaction, args: Args) -> None:
        source, target = args["from"], args["to"]
        self.cycles[source].reward -= args["amount"]
        self.cycles[target].reward += args["amount"]
        if not self.cycles[source].reward:
            self.unshared.discard(source)
        if not self.cycles[target].total_v:
            self.unshared.add(target)

    def _check_rolled(self, transaction: ObservedTransaction, event: str, cycle: int) -> None:
        left = tuple(sorted(c for c in self.unshared if c < cycle))
        if left:
            self.news.unrolled.append(Unrolled(transaction.hash, event, cycle, left))

    def _claimed(self, transaction: ObservedTransaction, args: Args) -> None:
        cycle = args["cycle"]
        due = self.share(cycle, args["node"]) if cycle < self.cycle(transaction) else 0
        self._paid(transaction, args, (cycle,), due)

    def _claimed_all(self, transaction: ObservedTransaction, args: Args) -> None:
        name, before = args["node"], args["before"]
        cycles = tuple(c for c in self.node(args).unpaid if c < before)
        due = sum(self.share(cycle, name) for cycle in cycles)
        self._paid(transaction, args, cycles, due)

    def _paid(
        self, transaction: ObservedTransaction, args: Args, cycles: tuple[int, ...], due: int
    ) -> None:
        node = self.node(args)
        again = sum(1 for cycle in cycles if cycle not in node.unpaid)
        for cycle in cycles:
            node.unpaid.pop(cycle, None)
        node.paid += args["amount"]
        self.paid += args["amount"]
        self.news.claims.append(
            Claiming(transaction.hash, args["node"], cycles, args["amount"], due, again)
        )

    def cycle(self, transaction: ObservedTransaction) -> int:
        """C1: the cycle it is mined in."""
        return cycle_at(
            transaction.block, self.parameters.genesis_block, self.parameters.cycle_blocks
        )

    # Market

    def _order_created(self, transaction: ObservedTransaction, args: Args) -> None:
        self.orders[args["id"]] = OrderFacts(args["client"], args["deposit"])
        self.news.orders.add(args["id"])

    def _settled(self, transaction: ObservedTransaction, args: Args) -> None:
        order = self.orders[args["id"]]
        market = self.address("Market")
        to_company = self._moved_next(transaction, market, self.parameters.company)
        to_rewards = self._moved_next(transaction, market, self.address("Rewards"))
        before = order.consumed
        order.consumed = args["consumed"]
        order.company += to_company
        order.rewards += to_rewards
        self.news.orders.add(args["id"])
        self.news.settlements.append(
            Settlement(
                transaction=transaction.hash,
                order=args["id"],
                consumed=args["consumed"],
                consumed_before=before,
                fee=args["fee"],
                reward=args["reward"],
                to_company=to_company,
                to_rewards=to_rewards,
                company_total=order.company,
                rewards_total=order.rewards,
                deposit=order.deposit,
            )
        )

    def _finalized(self, transaction: ObservedTransaction, args: Args) -> None:
        order = self.orders[args["id"]]
        order.refunded = self._moved_next(transaction, self.address("Market"), order.client)
        order.finalized = True
        self.news.orders.add(args["id"])
        self.news.endings.append(
            Ending(
                transaction=transaction.hash,
                order=args["id"],
                deposit=order.deposit,
                consumed=order.consumed,
                company_total=order.company,
                rewards_total=order.rewards,
                refund=args["refund"],
                refunded=order.refunded,
            )
        )

    def _invoked(self, transaction: ObservedTransaction, args: Args) -> None:
        self.invocations = max(self.invocations, args["invocation"])


def _due(transaction: ObservedTransaction, node: NodeFacts) -> int:
    """W1, of the result that was sent; nothing where none was."""
    result = transaction.args.get("result")
    if result is None:
        return 0
    s = node.bps if transaction.timestamp < node.unlock_at else NO_BONUS  # S3
    return due_v(result, s)
