"""Where `sim` places a pod."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cluster.interface import Capacity
from cluster.sim.placement import Place, choose, fits, total

ASK = Capacity(100, 100)


def place(
    node: str, zone: str = "a", *, region: str = "", used: int = 0, mine: int = 0, cpu: int = 1000
) -> Place:
    workloads = {"web": mine} if mine else {}
    return Place(node, region, zone, Capacity(cpu, 1000), Capacity(used, used), workloads)


def test_the_emptier_region_comes_before_the_emptier_zone() -> None:
    places = [
        place("n1", "a", region="eu", mine=1),
        place("n2", "b", region="eu"),
        place("n3", "c", region="us", used=700),
    ]
    assert choose("web", ASK, places) == "n3"


def test_the_emptier_zone_comes_before_the_emptier_node() -> None:
    places = [place("n1", "a", mine=1), place("n2", "a"), place("n3", "b", used=700)]
    assert choose("web", ASK, places) == "n3"


def test_within_a_zone_a_node_without_the_workload_comes_first() -> None:
    assert choose("web", ASK, [place("n1", mine=1), place("n2", used=500)]) == "n2"


def test_then_the_least_requested_share_and_then_the_name() -> None:
    assert choose("web", ASK, [place("n1", used=200), place("n2", used=100)]) == "n2"
    assert choose("web", ASK, [place("n2"), place("n1")]) == "n1"


def test_what_fits_nowhere_has_no_place() -> None:
    assert choose("web", ASK, [place("n1", used=901), place("n2", cpu=99)]) is None
    assert choose("web", ASK, []) is None


def test_an_enclave_needs_page_cache() -> None:
    assert not fits(Capacity(1, 1, sgx_epc_bytes=1), place("n1"))


@given(st.lists(st.tuples(st.integers(0, 1000), st.sampled_from("abc")), min_size=1, max_size=8))
def test_never_above_capacity_and_the_order_of_nodes_does_not_matter(
    nodes: list[tuple[int, str]],
) -> None:
    places = [place(f"n{i}", zone, used=used) for i, (used, zone) in enumerate(nodes)]
    chosen = choose("web", ASK, places)
    assert chosen == choose("web", ASK, places[::-1])
    fitting = {each.node for each in places if each.requested.milli_cpu + 100 <= 1000}
    assert (chosen in fitting) if fitting else chosen is None


def test_total_of_nothing_is_nothing() -> None:
    assert total([]) == Capacity(0, 0)
    assert total([Capacity(1, 2, 3, 4, 5, 6), ASK]) == Capacity(101, 102, 3, 4, 5, 6)
