"""What the oracle nodes read: the vendors' services, KOMP's price, the cluster's utilization."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from cluster.interface import Cluster
from devnet.actors.oracle import KOMP_USD, UTILIZATION
from devnet.base.errors import UsageError
from devnet.oracles import (
    PriceFault,
    PriceServers,
    PriceUnavailable,
    Resource,
    Vendor,
    fetch,
    open_client,
)
from devnet.spec.network import NetworkSpec

FEED_DECIMALS = 18  # of the cloud feeds and utilization; Chainlink's 8 cannot say 2.5e-6 USD
KOMP_USD_DECIMALS = 8


class Sources:
    """Context manager over the price servers; each node's reading is its own fetch."""

    def __init__(self, spec: NetworkSpec, cluster: Cluster) -> None:
        self._nodes = spec.oracles.node_names()
        self._offline: set[str] = set()
        self._komp_usd_1e8 = spec.oracles.komp_usd
        self._cluster = cluster
        self.servers = PriceServers()
        self._client = open_client(loopback=True)

    def __enter__(self) -> Self:
        self.servers.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()
        self.servers.__exit__(kind, error, trace)

    def set_komp_usd(self, usd_1e8: int) -> None:
        self._komp_usd_1e8 = usd_1e8

    def fault_vendor(self, vendor: str, kind: str) -> None:
        self.servers.fault(Vendor(vendor), PriceFault(kind))

    def heal_vendor(self, vendor: str) -> None:
        self.servers.heal(Vendor(vendor))

    def fault_node(self, node: str) -> None:
        if node not in self._nodes:
            raise UsageError(
                f"no oracle node named {node}", hint=f"known: {', '.join(self._nodes)}"
            )
        self._offline.add(node)

    def heal_node(self, node: str) -> None:
        self._offline.discard(node)

    def read(self, feed: str) -> tuple[tuple[str, int], ...]:
        """What each node has seen that is up and whose source answers, in the feed's decimals."""
        up = (node for node in self._nodes if node not in self._offline)
        observations = ((node, self._observe(feed)) for node in up)
        return tuple((node, seen) for node, seen in observations if seen is not None)

    def urls(self) -> dict[str, str]:
        return {vendor.value: self.servers.base_url(vendor) for vendor in Vendor}

    def _observe(self, feed: str) -> int | None:
        if feed == KOMP_USD:
            return self._komp_usd_1e8
        if feed == UTILIZATION:
            return self._cluster.utilization().ratio_1e18()
        _, vendor, resource = feed.split(":")
        base_url = self.servers.base_url(Vendor(vendor))
        try:
            price = fetch(Vendor(vendor), Resource(resource), base_url, client=self._client)
        except PriceUnavailable:
            return None  # this node reports nothing for the vendor now
        return price.at_decimals(FEED_DECIMALS)
