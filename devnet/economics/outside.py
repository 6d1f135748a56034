"""Prices from outside: three vendors' and KOMP/USD as random walks, told by the oracle nodes."""

from __future__ import annotations

from devnet.economics.chance import Chance
from devnet.economics.economy import Economy, signature_of
from devnet.oracles.prices import Resource, usd_1e18
from devnet.oracles.vendors import VENDORS
from devnet.protocol.reports import observers_word
from devnet.spec.feeds import KOMP_USD_FEED, UTILIZATION_FEED, feed_name
from devnet.spec.network import RESOURCES


class Outside:
    """What the clouds and the exchange ask now, and the feeds that say so (O1)."""

    def __init__(self, economy: Economy, seed: int) -> None:
        self._economy = economy
        self._vendors = {
            (vendor, resource): usd_1e18(vendor.prices[resource])
            for resource in Resource
            if resource.value in economy.spec.oracles.resources
            for vendor in VENDORS.values()
        }
        self.komp_usd_1e8 = economy.spec.oracles.komp_usd
        self._walks = Chance(seed, "vendors"), Chance(seed, "komp/usd")

    def step(self) -> None:
        """Every price goes on its walk."""
        assumed = self._economy.spec.economics.prices
        vendors, komp_usd = self._walks
        for key, price in self._vendors.items():
            vendor, resource = key
            walked = vendors.around(price, assumed.vendors)
            self._vendors[key] = self._within(feed_name(vendor.name, resource.value), walked)
        walked = komp_usd.around(self.komp_usd_1e8, assumed.komp_usd)
        self.komp_usd_1e8 = self._within(KOMP_USD_FEED, walked)

    def tell(self, utilization: int) -> None:
        """Every feed answers, then every median is stored (O2); `utilization` at 1e18."""
        for (vendor, resource), price in self._vendors.items():
            self._transmit(feed_name(vendor.name, resource.value), price)
        self._transmit(KOMP_USD_FEED, self.komp_usd_1e8)
        self._transmit(UTILIZATION_FEED, utilization)
        treasury = self._economy.accounts["treasury"]
        for priced in self._economy.spec.oracles.resources:
            asked = {"resource": RESOURCES.index(priced)}
            self._economy.send(treasury, "Pricing", "poke", asked)

    def _within(self, feed: str, price: int) -> int:
        """O1: no feed takes an answer beyond its bounds, so no walk goes there."""
        bounds = self._economy.parameters.feeds[feed].config
        return min(max(price, bounds.minimum), bounds.maximum)

    def _transmit(self, feed: str, answer: int) -> None:
        economy, operator = self._economy, self._economy.parameters.feeds[feed].operator
        state, now = economy.state, economy.now
        if operator:
            told = {"id": state.rounds[feed].id + 1, "answer": answer}
            told |= {"startedAt": now, "updatedAt": now}
            economy.require(operator, feed, "script", {"round": told})
            return
        given = state.configs[feed]
        observations = (answer,) * (2 * given.faulty + 1)
        report = {
            "configDigest": given.digest,
            "epoch": (state.epochs[feed] >> 8) + 1,
            "round": 1,
            "observationsTimestamp": now,
            "observers": observers_word(range(len(observations))),
            "observations": observations,
        }
        nodes = sorted(given.oracles)
        signatures = b"".join(signature_of(node) for node in nodes[: given.faulty + 1])
        economy.require(nodes[0], feed, "transmit", {"report": report, "signatures": signatures})
