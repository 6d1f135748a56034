"""Until when an order is paid for (M3)."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from devnet.actors.duties.tasks import Task
from devnet.model.market import cost
from tests.actors.stage import Stage, order_state

END = 10**9
STAGE = Stage()


def task(deposit: int, rate: int) -> Task:
    service = STAGE.spec.service("web")
    terms = order_state(STAGE.address("alice"), bytes(32), deposit=deposit, rate=rate, acceptedAt=0)
    return Task(1, service, "alice", terms, 3, END)


@given(
    deposit=st.integers(1, 10**21),
    rate=st.integers(0, 10**18),
    statements=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5_000)), max_size=6),
)
def test_the_deposit_lasts_until_the_second_in_which_all_of_it_is_due(
    deposit: int, rate: int, statements: list[tuple[int, int]]
) -> None:
    now = task(deposit, rate)
    at = 0
    for seq, (replicas, seconds) in enumerate(statements, start=1):
        at += seconds
        now = now.with_statement(replicas, seq, at)

    def c(second: int) -> int:
        """C, had it been settled up to that second, by the whole list of statements."""
        total, running, since = 0, 0, 0
        for replicas, seconds in statements:
            total, since = total + running * seconds, since + seconds
            running = replicas
        return cost(replace(now.terms, total=total + running * (second - since)))

    assert now.until <= END
    if c(at) == deposit:
        assert now.until == at
    elif now.until < END:
        assert (c(now.until), c(now.until - 1) < deposit) == (deposit, True)
    else:
        assert c(END - 1) < deposit


def test_a_statement_for_the_second_of_the_last_replaces_it() -> None:
    first = task(3_600, 1).with_statement(5, 1, 100)
    assert (first.until, first.with_statement(1, 2, 100).until) == (100 + 3_600 * 720, 12_960_100)
