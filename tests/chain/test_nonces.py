"""Lanes never hand out a nonce twice and leave no hole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devnet.chain import NonceLanes, lane


def test_counting_starts_at_the_chain_and_asks_it_once() -> None:
    asked: list[str] = []

    def on_chain(address: str) -> int:
        asked.append(address)
        return 7

    lanes = NonceLanes(on_chain)
    assert [lanes.take("0xa") for _ in range(3)] == [7, 8, 9]
    assert lanes.take("0xb") == 7
    assert asked == ["0xa", "0xb"]


def test_returned_nonces_come_back_lowest_first() -> None:
    lanes = NonceLanes(lambda _: 0)
    taken = [lanes.take("0xa") for _ in range(5)]
    lanes.give_back("0xa", taken[3])
    lanes.give_back("0xa", taken[1])
    assert [lanes.take("0xa") for _ in range(3)] == [1, 3, 5]


def test_forgetting_reads_the_chain_again() -> None:
    nonces = {"0xa": 0}
    lanes = NonceLanes(nonces.__getitem__)
    assert lanes.take("0xa") == 0
    nonces["0xa"] = 40
    lanes.forget()
    assert lanes.take("0xa") == 40


@given(st.lists(st.booleans() | st.integers(0, 10), max_size=60))
def test_nonces_in_use_are_distinct_and_the_next_fills_the_lowest_hole(
    steps: list[bool | int],
) -> None:
    lanes = NonceLanes(lambda _: 0)
    in_use: list[int] = []
    for step in steps:
        if isinstance(step, bool) or not in_use:
            nonce = lanes.take("0xa")
            assert nonce == min(set(range(len(in_use) + 1)) - set(in_use))
            in_use.append(nonce)
        else:
            lanes.give_back("0xa", in_use.pop(step % len(in_use)))


@given(st.lists(st.integers(), unique=True, max_size=30), st.integers(1, 7))
def test_lanes_partition(items: list[int], workers: int) -> None:
    lanes = [lane(items, worker, workers) for worker in range(workers)]
    assert sorted(item for one in lanes for item in one) == sorted(items)


def test_a_worker_beyond_the_last_is_refused() -> None:
    with pytest.raises(ValueError, match="worker 2 of 2"):
        lane([1, 2, 3], 2, 2)
