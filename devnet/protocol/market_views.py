"""Typed reads of prices, feeds and orders."""

from __future__ import annotations

from typing import cast

from devnet.base.errors import UsageError
from devnet.protocol.reader import Reader
from devnet.protocol.states import ContingencyState, OrderState, RoundState, StoredPrice
from devnet.spec.network import RESOURCES


class MarketViews(Reader):
    """Of Pricing, the feeds and Market; a resource is its name or number."""

    # Pricing

    def stored_price(self, resource: str | int) -> StoredPrice:
        return StoredPrice.of(self.read("Pricing", "stored", resource_number(resource)))

    def market_price(self, resource: str | int) -> int:
        return self._integer("Pricing", "marketPrice", resource_number(resource))

    def price(self, resource: str | int) -> int:
        return self._integer("Pricing", "price", resource_number(resource))

    def utilization(self) -> int:
        return self._integer("Pricing", "utilization")

    def komp_usd(self) -> int:
        return self._integer("Pricing", "kompUsd")

    def price_in_komp(self, resource: str | int) -> int:
        return self._integer("Pricing", "priceInKomp", resource_number(resource))

    def prices_in_komp(self, first: str | int, second: str | int) -> tuple[int, int]:
        """`price_in_komp` of two resources in one call."""
        numbers = (resource_number(first), resource_number(second))
        one, other = self.read("Pricing", "pricesInKomp", *numbers).values()
        return one, other

    def beats_all(self, resource: str | int) -> bool:
        return self._truth("Pricing", "beatsAll", resource_number(resource))

    def feed_of(self, resource: str | int, vendor: int) -> str:
        return self._address("Pricing", "feedOf", resource_number(resource), vendor)

    def heartbeat(self, resource: str | int) -> int:
        return self._integer("Pricing", "heartbeat", resource_number(resource))

    def contingency(self, resource: str | int) -> ContingencyState:
        return ContingencyState.of(self.read("Pricing", "contingencyOf", resource_number(resource)))

    # Feeds

    def latest_round(self, feed: str) -> RoundState:
        """The last round of a feed by its contract name."""
        return RoundState.of(self.read(feed, "latestRoundData"))

    def config_digest(self, feed: str) -> bytes:
        """What every report to a feed must name now (O1, O7)."""
        return cast(bytes, self.read(feed, "configDigest"))

    def epoch_and_round(self, feed: str) -> int:
        """Of the last report: epoch * 256 + round."""
        return self._integer(feed, "latestEpochAndRound")

    def feed_deviation_bps(self, feed: str) -> int:
        return self._constant(feed, "deviationBps")

    def feed_heartbeat(self, feed: str) -> int:
        return self._constant(feed, "heartbeat")

    def feed_decimals(self, feed: str) -> int:
        return self._constant(feed, "decimals")

    def feed_bounds(self, feed: str) -> tuple[int, int]:
        """The least and the largest answer a feed takes now (O2, O7)."""
        return self._integer(feed, "minAnswer"), self._integer(feed, "maxAnswer")

    def feed_nodes(self, feed: str) -> tuple[str, ...]:
        """The oracle nodes that a feed takes reports of now (O7)."""
        return tuple(self.read(feed, "oracles"))

    def feed_faulty(self, feed: str) -> int:
        """f: how many of them may lie (O1)."""
        return self._integer(feed, "faulty")

    # Market

    def order(self, order: int) -> OrderState:
        return OrderState.of(self.read("Market", "orderOf", order))

    def order_count(self) -> int:
        return self._integer("Market", "orderCount")

    def invocation_count(self) -> int:
        return self._integer("Market", "invocationCount")

    def end_of(self, order: int) -> int:
        return self._integer("Market", "endOf", order)

    def halt_delay(self) -> int:
        return self._constant("Market", "haltDelay")

    def company(self) -> str:
        return self._address("Market", "company")

    def escrowed(self) -> int:
        return self._integer("Market", "escrowed")


def resource_number(resource: str | int) -> int:
    """IPricing.Resource of a resource's name in the network file; raises UsageError for others."""
    if isinstance(resource, int):
        return resource
    try:
        return RESOURCES.index(resource)
    except ValueError:
        raise UsageError(
            f"no resource is named {resource!r}", hint=f"known: {', '.join(RESOURCES)}"
        ) from None
