"""Several transactions in one block, one after the other: both sides decide each by itself."""

from __future__ import annotations

from devnet.protocol import ObservedTransaction
from properties.action import Action, Advance, Send
from properties.reducing import failure_at_last, without
from properties.sight import KOMP
from properties.twins import Twins


def reward(amount: int, *, joins: bool = False) -> Send:
    return Send("treasury", "Rewards", "addReward", {"amount": amount}, joins=joins)


def acted(twins: Twins, *actions: Action) -> list[ObservedTransaction]:
    """What became of the transactions among them."""
    return [seen for seen in map(twins.act, actions) if seen is not None]


def test_a_transaction_joins_the_block_of_the_one_before(twins: Twins) -> None:
    head = twins.chain.head
    seen = acted(twins, reward(1), reward(0, joins=True), reward(3, joins=True), reward(4))
    places = [(one.block - head.number, one.index) for one in seen]
    assert places == [
        (1, 0),
        (1, 1),
        (1, 2),
        (2, 0),
    ]
    assert [one.error for one in seen] == [None, "ZeroAmount", None, None]
    assert {one.timestamp - head.timestamp for one in seen} == {1_800, 3_600}
    assert twins.chain.head.number == head.number + 2
    assert twins.chain.read("Rewards", "cycleReward", 0) == 8


def test_each_is_checked_before_the_next_joins(twins: Twins) -> None:
    acted(twins, reward(KOMP))
    assert twins.ledger().cycles[0].reward == KOMP
    acted(twins, reward(KOMP, joins=True))
    assert twins.ledger().cycles[0].reward == 2 * KOMP


def test_what_is_drawn_for_a_joined_block_is_drawn_for_its_second(twins: Twins) -> None:
    acted(twins, reward(1))
    assert twins.sight(joins=True).next == twins.chain.head
    assert twins.sight().next.number == twins.chain.head.number + 1


def test_where_nothing_is_to_be_joined_a_block_begins(twins: Twins) -> None:
    pool = Send("alice", "PoolFactory", "create", {"commissionBps": 0})
    head = twins.chain.head.number
    first, after_time, after_pool = acted(
        twins, reward(1, joins=True), Advance(1), reward(2, joins=True), pool
    )[:2] + acted(twins, reward(3, joins=True))
    assert [one.block - head for one in (first, after_time, after_pool)] == [1, 3, 5]
    assert not any(isinstance(action, Send) and action.joins for action, _ in twins.done)


def test_what_is_left_of_a_block_keeps_its_place(twins: Twins) -> None:
    """Whatever of these goes and leaves its time: the rest is mined in the blocks it was in."""
    actions: list[Action] = [
        *(reward(10), Advance(2), reward(11)),
        *(reward(12), reward(13, joins=True), reward(14, joins=True)),
        *(Advance(1), reward(15), reward(16, joins=True)),
    ]

    def blocks() -> dict[int, int]:
        return {seen.args["amount"]: seen.block for _, seen in twins.done if seen is not None}

    assert failure_at_last(twins, actions) is None
    whole, seen = blocks(), [seen for _, seen in twins.done]
    for start in range(len(actions)):
        for stop in range(start + 1, len(actions)):
            rest = without(actions, seen, start, stop, waiting=True)
            assert failure_at_last(twins, rest) is None
            kept = (*actions[:start], *actions[stop:])
            left = {action.args["amount"] for action in kept if isinstance(action, Send)}
            assert blocks() == {amount: whole[amount] for amount in left}
