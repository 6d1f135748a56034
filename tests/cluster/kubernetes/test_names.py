"""Capacities and Kubernetes resource quantities."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cluster.interface import Capacity
from cluster.kubernetes.names import add, to_capacity, to_resources

AMOUNT = st.integers(0, 2**60)
CAPACITY = st.builds(Capacity, *[AMOUNT] * 6)


@given(CAPACITY)
def test_a_capacity_survives_the_way_through_kubernetes(capacity: Capacity) -> None:
    assert to_capacity(to_resources(capacity)) == capacity


@given(CAPACITY, CAPACITY)
def test_addition_commutes_and_zero_is_neutral(one: Capacity, other: Capacity) -> None:
    assert add(one, other) == add(other, one)
    assert add(one, Capacity(0, 0)) == one


def test_what_a_machine_lacks_is_not_named() -> None:
    assert to_resources(Capacity(500, 1024)) == {"cpu": "500m", "memory": "1024"}


def test_kubernetes_own_notation_is_understood() -> None:
    resources = {"cpu": "2", "memory": "64Mi", "pods": "110", "sgx.intel.com/epc": "1Mi"}
    assert to_capacity(resources) == Capacity(2000, 64 << 20, sgx_epc_bytes=1 << 20)
