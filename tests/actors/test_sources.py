"""What each oracle node reads: the vendors' documents over HTTP, KOMP's price, utilization."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from cluster.interface import Capacity, NodeSpec, Workload
from cluster.sim.cluster import SimCluster
from devnet.actors.messages import FeedRead
from devnet.actors.sources import Sources
from devnet.base.errors import UsageError
from devnet.oracles import AWS, AZURE, Resource
from devnet.spec.faults import fault_kind
from tests.actors.stage import ROOT, network

NODE = Capacity(milli_cpu=200, memory_bytes=100 << 20)


@pytest.fixture()
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimCluster]:
    nodes = [NodeSpec("worker-1", "standard", "eu", "eu-a", NODE)]
    state = tmp_path_factory.mktemp("sim")
    with SimCluster(nodes, state, f"tests-sources-{os.getpid()}", modelled=True) as made:
        yield made


@pytest.fixture()
def sources(cluster: SimCluster) -> Iterator[Sources]:
    with ExitStack() as stack:
        yield stack.enter_context(Sources(network(), cluster))


def everybody(value: int) -> tuple[tuple[str, int], ...]:
    """All four nodes have seen the same."""
    return tuple((f"oracle-{n}", value) for n in range(1, 5))


def test_four_nodes_read_a_vendor_s_price_at_18_decimals(sources: Sources) -> None:
    assert sources.read("Feed:aws:vcpu_hour") == everybody(40_480_000_000_000_000)
    assert sources.read("Feed:gcp:function_gib_second") == everybody(2_500_000_000_000)


def test_a_changed_price_is_read(sources: Sources) -> None:
    sources.servers.set_price(AZURE, Resource.VCPU_HOUR, "0.05")

    assert sources.read("Feed:azure:vcpu_hour") == everybody(5 * 10**16)


def test_an_offline_node_observes_nothing_until_it_is_healed(sources: Sources) -> None:
    sources.fault(fault_kind("oracle", "offline"), "oracle-2")
    seen = sources.read("Feed:aws:vcpu_hour")
    assert [node for node, _ in seen] == ["oracle-1", "oracle-3", "oracle-4"]
    assert len(sources.read("Feed:komp_usd")) == 3
    sources.heal("oracle", "oracle-2")
    assert len(sources.read("Feed:aws:vcpu_hour")) == 4


def test_an_unknown_node_is_named_with_those_there_are(sources: Sources) -> None:
    with pytest.raises(UsageError, match="no oracle node named oracle-9") as caught:
        sources.fault(fault_kind("oracle", "offline"), "oracle-9")
    assert caught.value.hint == "known: oracle-1, oracle-2, oracle-3, oracle-4"


def test_a_vendor_that_is_down_is_observed_by_nobody_the_others_still(sources: Sources) -> None:
    sources.fault(fault_kind("vendor", "outage"), "aws")
    assert sources.read("Feed:aws:vcpu_hour") == ()
    assert len(sources.read("Feed:gcp:vcpu_hour")) == 4
    sources.heal("vendor", "aws")
    assert len(sources.read("Feed:aws:vcpu_hour")) == 4


def test_komp_usd_has_8_decimals_and_follows_the_step(sources: Sources) -> None:
    assert sources.read("Feed:komp_usd") == everybody(50_000_000)
    sources.set_komp_usd(75_000_000)
    assert sources.read("Feed:komp_usd") == everybody(75_000_000)


def test_utilization_is_the_cluster_s_at_18_decimals(sources: Sources, cluster: SimCluster) -> None:
    assert sources.read("Feed:utilization") == everybody(0)
    requests = Capacity(milli_cpu=50, memory_bytes=10 << 20)
    folder = ROOT / "e2e" / "services" / "web"
    cluster.apply(Workload("order-1", folder, ("python3", "server.py"), 2, requests))

    assert sources.read("Feed:utilization") == everybody(5 * 10**17)  # 100 of 200 milli-CPU


def test_the_servers_addresses_are_loopback(sources: Sources) -> None:
    urls = sources.urls()

    assert set(urls) == {"aws", "gcp", "azure"}
    assert all(url.startswith("http://127.0.0.1:") for url in urls.values())


NAME = "aws:vcpu_hour"
FEED = f"Feed:{NAME}"
SEEN = 40_480_000_000_000_000


def values(sources: Sources, feed: str = FEED) -> list[int]:
    return [value for _, value in sources.read(feed)]


def test_a_lying_node_sees_ten_times_as_much(sources: Sources) -> None:
    sources.fault(fault_kind("oracle", "outlier"), "oracle-2")
    assert values(sources) == [SEEN, 10 * SEEN, SEEN, SEEN]
    sources.heal("oracle", "oracle-2")
    assert values(sources) == [SEEN] * 4


@pytest.mark.parametrize(
    ("kind", "seen"),
    [("zero", 0), ("negative", -SEEN), ("wrong_decimals", SEEN // 10**10), ("round_gap", SEEN)],
)
def test_a_feed_s_source_answers_wrong_to_everybody(sources: Sources, kind: str, seen: int) -> None:
    sources.fault(fault_kind("feed", kind), NAME)
    assert values(sources) == [seen] * 4
    assert values(sources, "Feed:gcp:vcpu_hour")[0] != seen
    assert sources.look(FEED) == FeedRead(FEED, sources.read(FEED), kind, ())
    sources.heal("feed", NAME)
    assert values(sources) == [SEEN] * 4


def test_komp_usd_with_wrong_decimals_has_18(sources: Sources) -> None:
    sources.fault(fault_kind("feed", "wrong_decimals"), "komp_usd")
    assert values(sources, "Feed:komp_usd") == [5 * 10**17] * 4


def test_a_stale_feed_is_read_by_nobody(sources: Sources) -> None:
    sources.fault(fault_kind("feed", "stale"), NAME)
    assert sources.look(FEED) == FeedRead(FEED, (), "stale", ())


def test_a_frozen_source_says_what_it_said(sources: Sources) -> None:
    sources.fault(fault_kind("feed", "frozen"), NAME)
    sources.servers.set_price(AWS, Resource.VCPU_HOUR, "0.05")
    assert values(sources) == [SEEN] * 4
    sources.fault(fault_kind("oracle", "offline"), "oracle-1")
    assert values(sources) == [SEEN] * 3
    sources.heal("feed", NAME)
    assert values(sources) == [5 * 10**16] * 3


def test_a_source_is_frozen_for_nodes_that_were_down_too(sources: Sources) -> None:
    sources.fault(fault_kind("oracle", "offline"), "oracle-1")
    sources.fault(fault_kind("oracle", "offline"), "oracle-2")
    sources.fault(fault_kind("feed", "frozen"), NAME)
    sources.servers.set_price(AWS, Resource.VCPU_HOUR, "0.05")
    assert sources.read(FEED) == (("oracle-3", SEEN), ("oracle-4", SEEN))
    sources.heal("oracle", "oracle-1")
    sources.heal("oracle", "oracle-2")
    assert sources.read(FEED) == everybody(SEEN)


def test_a_lying_node_lies_about_a_frozen_source_too(sources: Sources) -> None:
    sources.fault(fault_kind("feed", "frozen"), NAME)
    sources.fault(fault_kind("oracle", "outlier"), "oracle-2")
    assert values(sources) == [SEEN, 10 * SEEN, SEEN, SEEN]


def test_a_stale_source_freezes_at_what_it_would_say(sources: Sources) -> None:
    sources.fault(fault_kind("feed", "stale"), NAME)
    sources.fault(fault_kind("feed", "frozen"), NAME)
    sources.servers.set_price(AWS, Resource.VCPU_HOUR, "0.05")
    assert values(sources) == [SEEN] * 4
    sources.fault(fault_kind("feed", "frozen"), NAME)
    assert values(sources) == [SEEN] * 4  # it froze before


def test_a_flapping_source_doubles_every_other_reading(sources: Sources) -> None:
    sources.fault(fault_kind("feed", "flapping"), NAME)
    assert [values(sources)[0] for _ in range(4)] == [2 * SEEN, SEEN, 2 * SEEN, SEEN]


def test_who_misbehaves_is_told_with_the_reading(sources: Sources) -> None:
    sources.fault(fault_kind("oracle", "replay"), "oracle-3")
    sources.fault(fault_kind("oracle", "wrong_key"), "oracle-2")
    read = sources.look(FEED)
    assert read.faulty == (("oracle-2", "wrong_key"), ("oracle-3", "replay"))
    assert len(read.observations) == 4
