"""What the oracle nodes read: the vendors' services, KOMP's price, the cluster's utilization."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from cluster.faults import FaultKind
from cluster.interface import Cluster
from devnet.actors.messages import FeedRead
from devnet.base.errors import UsageError
from devnet.oracles import VENDORS, PriceServers, PriceUnavailable, Resource, fetch, open_client
from devnet.oracles.faults import DISTORTIONS, Reading
from devnet.spec.faults import ORACLE, VENDOR
from devnet.spec.feeds import FEED_PREFIX, KOMP_USD_FEED, UTILIZATION_FEED
from devnet.spec.network import NetworkSpec

FEED_DECIMALS = 18  # of the cloud feeds and utilization; Chainlink's 8 cannot say 2.5e-6 USD


class Sources:
    """Context manager over the price servers; each node's reading is its own fetch."""

    def __init__(self, spec: NetworkSpec, cluster: Cluster) -> None:
        self._nodes = spec.oracles.node_names()
        self._node_faults: dict[str, FaultKind] = {}
        self._feed_faults: dict[str, FaultKind] = {}  # by contract name
        self._frozen: dict[str, int | None] = {}  # what the source of a frozen feed still says
        self._turns: dict[tuple[str, str], int] = {}  # how often a feed was read under a fault
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

    def fault(self, kind: FaultKind, name: str) -> None:
        """From now on the vendor, the oracle node or the feed of that name fails this way.

        A feed's source fails for all nodes alike. Raises `UsageError` for an unknown node.
        """
        if kind.subject == VENDOR:
            self.servers.fault(VENDORS[name], kind)
        elif kind.subject == ORACLE:
            if name not in self._nodes:
                known = ", ".join(self._nodes)
                raise UsageError(f"no oracle node named {name}", hint=f"known: {known}")
            self._node_faults[name] = kind
        else:
            self._fault_feed(FEED_PREFIX + name, kind)

    def heal(self, subject: str, name: str) -> None:
        """Of whatever fault it has."""
        if subject == VENDOR:
            self.servers.heal(VENDORS[name])
        elif subject == ORACLE:
            self._node_faults.pop(name, None)
        else:
            self._feed_faults.pop(FEED_PREFIX + name, None)

    def _fault_feed(self, feed: str, kind: FaultKind) -> None:
        if self._feed_faults.get(feed) == kind:
            return
        if kind.name == "frozen":
            self._frozen[feed] = self._observe(feed)
        self._feed_faults[feed] = kind

    def read(self, feed: str) -> tuple[tuple[str, int], ...]:
        """What each node has seen that is up and whose source answers, in the feed's decimals."""
        kind = self._kind_of(feed)
        if kind == "stale":
            return ()
        turn = self._turns[feed, kind] = self._turns.get((feed, kind), 0) + 1
        up = [node for node in self._nodes if self._kind_of_node(node) != "offline"]
        observations = (
            (node, self._frozen[feed] if kind == "frozen" else self._observe(feed)) for node in up
        )
        return tuple(
            (node, self._distorted(node, Reading(feed, seen, turn)))
            for node, seen in observations
            if seen is not None
        )

    def look(self, feed: str) -> FeedRead:
        """`read`, and who or what of it is at fault."""
        lies = tuple((node, kind.name) for node, kind in sorted(self._node_faults.items()))
        return FeedRead(feed, self.read(feed), self._kind_of(feed), lies)

    def _kind_of(self, feed: str) -> str:
        fault = self._feed_faults.get(feed)
        return fault.name if fault else ""

    def _kind_of_node(self, node: str) -> str:
        fault = self._node_faults.get(node)
        return fault.name if fault else ""

    def _distorted(self, node: str, reading: Reading) -> int:
        """What a lying node says, or what a feed's failing source says to an honest one."""
        for fault in (self._node_faults.get(node), self._feed_faults.get(reading.feed)):
            if fault is not None and (fault.subject, fault.name) in DISTORTIONS:
                return DISTORTIONS[(fault.subject, fault.name)](fault, reading)
        return reading.seen

    def urls(self) -> dict[str, str]:
        return {name: self.servers.base_url(vendor) for name, vendor in VENDORS.items()}

    def _observe(self, feed: str) -> int | None:
        if feed == KOMP_USD_FEED:
            return self._komp_usd_1e8
        if feed == UTILIZATION_FEED:
            return self._cluster.utilization().ratio_1e18()
        _, vendor, resource = feed.split(":")
        base_url = self.servers.base_url(VENDORS[vendor])
        try:
            price = fetch(VENDORS[vendor], Resource(resource), base_url, client=self._client)
        except PriceUnavailable:
            return None  # this node reports nothing for the vendor now
        return price.at_decimals(FEED_DECIMALS)
