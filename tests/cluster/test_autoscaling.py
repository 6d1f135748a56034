"""What an autoscaler makes of a usage."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.autoscaling import wished
from cluster.interface import Autoscale, Usage

BOTH = Autoscale(1, 10, cpu_percent=50, memory_percent=80)


@pytest.mark.parametrize(
    ("replicas", "usage", "expected"),
    [
        pytest.param(1, Usage(90, 0), 2, id="up"),
        pytest.param(4, Usage(90, 0), 2, id="down"),
        pytest.param(2, Usage(110, 0), 2, id="a tenth above its target"),
        pytest.param(2, Usage(111, 0), 3, id="more than that"),
        pytest.param(2, Usage(90, 90), 2, id="a tenth below its target"),
        pytest.param(1, Usage(60, 330), 5, id="memory wishes for more"),
        pytest.param(5, Usage(260, 0), 5, id="within a tenth"),
        pytest.param(3, Usage(0, 0), 1, id="nothing is used"),
        pytest.param(1, Usage(9_000, 0), 10, id="no more than the most"),
        pytest.param(0, Usage(9_000, 0), 0, id="halted"),
    ],
)
def test_the_mean_is_brought_to_its_target(replicas: int, usage: Usage, expected: int) -> None:
    assert wished(BOTH, replicas, usage) == expected


def test_what_is_no_target_is_not_looked_at() -> None:
    assert wished(Autoscale(1, 10, memory_percent=80), 2, Usage(900, 160)) == 2


uses = st.builds(Usage, st.integers(0, 5_000), st.integers(0, 5_000))


@given(uses, st.integers(1, 40), st.integers(1, 90), st.integers(0, 90))
def test_it_stays_within_its_bounds_and_comes_to_rest(
    usage: Usage, replicas: int, cpu: int, memory: int
) -> None:
    autoscale = Autoscale(2, 30, cpu, memory)
    once = wished(autoscale, replicas, usage)
    assert 2 <= once <= 30
    assert wished(autoscale, once, usage) == once
