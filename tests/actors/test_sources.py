"""What each oracle node reads: the vendors' documents over HTTP, KOMP's price, utilization."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from cluster.interface import Capacity, NodeSpec, Workload
from cluster.sim import SimCluster
from devnet.actors.sources import Sources
from devnet.base.errors import UsageError
from devnet.oracles import Resource, Vendor
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
    sources.servers.set_price(Vendor.AZURE, Resource.VCPU_HOUR, "0.05")

    assert sources.read("Feed:azure:vcpu_hour") == everybody(5 * 10**16)


def test_an_offline_node_observes_nothing_until_it_is_healed(sources: Sources) -> None:
    sources.fault_node("oracle-2")
    seen = sources.read("Feed:aws:vcpu_hour")
    assert [node for node, _ in seen] == ["oracle-1", "oracle-3", "oracle-4"]
    assert len(sources.read("Feed:komp_usd")) == 3
    sources.heal_node("oracle-2")
    assert len(sources.read("Feed:aws:vcpu_hour")) == 4


def test_an_unknown_node_is_named_with_those_there_are(sources: Sources) -> None:
    with pytest.raises(UsageError, match="no oracle node named oracle-9") as caught:
        sources.fault_node("oracle-9")
    assert caught.value.hint == "known: oracle-1, oracle-2, oracle-3, oracle-4"


def test_a_vendor_that_is_down_is_observed_by_nobody_the_others_still(sources: Sources) -> None:
    sources.fault_vendor("aws", "outage")
    assert sources.read("Feed:aws:vcpu_hour") == ()
    assert len(sources.read("Feed:gcp:vcpu_hour")) == 4
    sources.heal_vendor("aws")
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
