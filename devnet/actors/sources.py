"""What the oracle nodes read: the vendors' services, KOMP's price, the cluster's utilization."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from cluster.interface import Cluster
from devnet.actors.messages import FeedRead
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
OTHER_UNIT = 10**10  # between Chainlink's usual 8 decimals and our 18
OUTLIER = 10  # what a lying node multiplies by
FLAP = 2  # every other reading of a flapping source


class Sources:
    """Context manager over the price servers; each node's reading is its own fetch."""

    def __init__(self, spec: NetworkSpec, cluster: Cluster) -> None:
        self._nodes = spec.oracles.node_names()
        self._node_faults: dict[str, str] = {}
        self._feed_faults: dict[str, str] = {}
        self._frozen: dict[str, int | None] = {}  # what the source of a frozen feed still says
        self._flaps: dict[str, int] = {}
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

    def fault_node(self, node: str, kind: str = "offline") -> None:
        if node not in self._nodes:
            raise UsageError(
                f"no oracle node named {node}", hint=f"known: {', '.join(self._nodes)}"
            )
        self._node_faults[node] = kind

    def heal_node(self, node: str) -> None:
        self._node_faults.pop(node, None)

    def fault_feed(self, feed: str, kind: str) -> None:
        """From now on the source of one feed is what fails, for all nodes alike."""
        if kind == "frozen" and self._feed_faults.get(feed) != kind:
            self._frozen[feed] = self._observe(feed)
        self._feed_faults[feed] = kind

    def heal_feed(self, feed: str) -> None:
        self._feed_faults.pop(feed, None)

    def read(self, feed: str) -> tuple[tuple[str, int], ...]:
        """What each node has seen that is up and whose source answers, in the feed's decimals."""
        kind = self._feed_faults.get(feed, "")
        if kind == "stale":
            return ()
        if kind == "flapping":
            self._flaps[feed] = self._flaps.get(feed, 0) + 1
        up = [node for node in self._nodes if self._node_faults.get(node) != "offline"]
        observations = (
            (node, self._frozen[feed] if kind == "frozen" else self._observe(feed)) for node in up
        )
        return tuple(
            (node, self._distorted(feed, kind, node, seen))
            for node, seen in observations
            if seen is not None
        )

    def look(self, feed: str) -> FeedRead:
        """`read`, and who or what of it is at fault."""
        lies = tuple((node, kind) for node, kind in sorted(self._node_faults.items()))
        return FeedRead(feed, self.read(feed), self._feed_faults.get(feed, ""), lies)

    def _distorted(self, feed: str, kind: str, node: str, seen: int) -> int:
        if self._node_faults.get(node) == "outlier":
            return seen * OUTLIER
        match kind:
            case "zero":
                return 0
            case "negative":
                return -seen
            case "flapping" if self._flaps[feed] % 2:
                return seen * FLAP
            case "wrong_decimals" if feed == KOMP_USD:
                return seen * OTHER_UNIT
            case "wrong_decimals":
                return seen // OTHER_UNIT
        return seen

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
