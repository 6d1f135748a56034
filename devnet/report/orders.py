"""Orders and what they cost: deposit, consumption, the company's tenth, reward, refund (M3, M4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from devnet.report.events import Told

KINDS: Final = ("container", "serverless", "virtual machine")  # IMarket.Kind


@dataclass(slots=True)
class Order:
    """Amounts in wei; `consumed` = `fee` + `reward`. Filled while the events pass by."""

    id: int
    client: str
    kind: str
    deposit: int
    node: str = ""
    state: str = "open"
    consumed: int = 0
    fee: int = 0
    reward: int = 0
    refund: int = 0
    most_replicas: int = 0
    invoked: int = 0
    completed: int = 0
    failed: int = 0

    @property
    def adds_up(self) -> bool:
        """§11.13: C = fee + reward, and once finalized deposit = C + refund."""
        whole = self.state != "finalized" or self.consumed + self.refund == self.deposit
        return self.consumed == self.fee + self.reward and whole


def read_orders(events: Iterable[Told]) -> tuple[Order, ...]:
    """Every order in order of its creation."""
    orders: dict[int, Order] = {}
    for event in events:
        number = event.number
        if event.name == "OrderCreated":
            orders[number["id"]] = Order(
                number["id"], event.text["client"], _kind(number["kind"]), number["deposit"]
            )
        elif event.name in _CHANGES and number["id"] in orders:
            _apply(orders[number["id"]], event)
    return tuple(orders.values())


_CHANGES: Final = frozenset(
    {
        "OrderAccepted",
        "OrderClosed",
        "UsageReported",
        "Settled",
        "Finalized",
        "Invoked",
        "Completed",
    }
)


def _apply(order: Order, event: Told) -> None:
    number = event.number
    match event.name:
        case "OrderAccepted":
            order.node, order.state = event.text["node"], "running"
        case "OrderClosed":
            order.state = "closed"
        case "UsageReported":
            order.most_replicas = max(order.most_replicas, number["replicas"])
        case "Settled":
            order.consumed = number["consumed"]  # the sum so far; fee and reward are new each time
            order.fee += number["fee"]
            order.reward += number["reward"]
        case "Finalized":
            order.refund, order.state = number["refund"], "finalized"
        case "Invoked":
            order.invoked += 1
        case "Completed":
            order.completed += 1
            order.failed += number["exitCode"] != 0


def _kind(place: int) -> str:
    return KINDS[place] if 0 <= place < len(KINDS) else f"kind {place}"
