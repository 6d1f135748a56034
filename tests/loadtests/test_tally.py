"""Counts and percentiles are exact: a verdict stands on them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from loadtests.tally import MOST_EXAMPLES, Tally, percentile


def test_successes_and_failures_are_kept_apart_by_kind_and_name() -> None:
    tally = Tally()
    tally.on_request("TX", "stake", 12.5, 87_000)
    tally.on_request("TX", "stake", 7.25, 88_000, context={}, response=None)
    tally.on_request("TX", "stake", 3.0, 0, exception=ValueError("reverted with NotActive"))
    tally.on_request("RPC", "stake", 1.0, 40)

    entries = tally.document()["entries"]

    assert entries["TX stake"] == {
        "ok": 2,
        "failed": 1,
        "p50_us": 7_250,
        "p95_us": 12_500,
        "max_us": 12_500,
        "response_length": 175_000,
        "errors": {"reverted with NotActive": 1},
    }
    assert entries["RPC stake"]["ok"] == 1


def test_of_many_errors_a_few_are_shown_and_all_are_counted() -> None:
    tally = Tally()
    for number in range(20):
        tally.on_request("TX", "publish", 1.0, 0, exception=ValueError(f"error {number}"))
    entry = tally.document()["entries"]["TX publish"]
    assert entry["failed"] == 20
    assert list(entry["errors"]) == [f"error {number}" for number in range(MOST_EXAMPLES)]


@given(st.lists(st.integers(0, 10**9), min_size=1), st.integers(1, 100))
def test_a_percentile_is_a_value_with_that_share_at_or_below(
    values: list[int], percent: int
) -> None:
    found = percentile(values, percent)
    assert found in values
    assert 100 * sum(value <= found for value in values) >= percent * len(values)
    assert 100 * sum(value < found for value in values) < percent * len(values)


def test_a_percentile_of_nothing_is_zero() -> None:
    assert percentile([], 95) == 0
