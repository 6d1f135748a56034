"""What the events of orders say: what was settled, and where deposits have gone (M1 to M6)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile

from devnet.checking.moves import tokens_between
from devnet.checking.part import Part
from devnet.model import Parameters
from devnet.protocol import Event, ObservedTransaction


@dataclass(slots=True)
class OrderFacts:
    """An order by its events and the tokens that moved with them."""

    client: str
    deposit: int
    consumed: int = 0
    company: int = 0
    rewards: int = 0
    refunded: int = 0
    finalized: bool = False


@dataclass(frozen=True, slots=True)
class Settlement:
    """A `Settled` event, and the tokens that left the market with it."""

    transaction: str
    order: int
    consumed: int
    consumed_before: int
    fee: int
    reward: int
    to_company: int
    to_rewards: int
    company_total: int
    rewards_total: int
    deposit: int


@dataclass(frozen=True, slots=True)
class Ending:
    """A `Finalized` event: where an order's deposit has gone."""

    transaction: str
    order: int
    deposit: int
    consumed: int
    company_total: int
    rewards_total: int
    refund: int
    refunded: int


class Market(Part):
    """`orders` by number; `settlements`, `endings` and the orders `touched` are news."""

    def __init__(self, parameters: Parameters) -> None:
        super().__init__(parameters)
        self.orders: dict[int, OrderFacts] = {}
        self.invocations = 0
        self.settlements: list[Settlement] = []
        self.endings: list[Ending] = []
        self.touched: set[int] = set()
        self.folds = {
            "OrderCreated": self._order_created,
            "Settled": self._settled,
            "Finalized": self._finalized,
            "Invoked": self._invoked,
        }

    def mark(self) -> None:
        self.settlements.clear()
        self.endings.clear()
        self.touched.clear()

    def _moved_next(
        self, transaction: ObservedTransaction, event: Event, sender: str, to: str
    ) -> int:
        """Wei between two addresses after an event, before the market's next.

        A transaction may settle and refund to the same account: the company may be the client.
        """
        place = next(n for n, one in enumerate(transaction.events) if one is event)
        after = transaction.events[place + 1 :]
        return tokens_between(takewhile(lambda one: one.contract != "Market", after), sender, to)

    def _order_created(self, transaction: ObservedTransaction, event: Event) -> None:
        self.orders[event.args["id"]] = OrderFacts(event.args["client"], event.args["deposit"])
        self.touched.add(event.args["id"])

    def _settled(self, transaction: ObservedTransaction, event: Event) -> None:
        args, market = event.args, self.address("Market")
        order = self.orders[args["id"]]
        to_company = self._moved_next(transaction, event, market, self.parameters.company)
        to_rewards = self._moved_next(transaction, event, market, self.address("Rewards"))
        before = order.consumed
        order.consumed = args["consumed"]
        order.company += to_company
        order.rewards += to_rewards
        self.touched.add(args["id"])
        self.settlements.append(
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

    def _finalized(self, transaction: ObservedTransaction, event: Event) -> None:
        args = event.args
        order = self.orders[args["id"]]
        market = self.address("Market")
        order.refunded = self._moved_next(transaction, event, market, order.client)
        order.finalized = True
        self.touched.add(args["id"])
        self.endings.append(
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

    def _invoked(self, transaction: ObservedTransaction, event: Event) -> None:
        self.invocations = max(self.invocations, event.args["invocation"])
