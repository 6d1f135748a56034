"""Rounds of actors, and the blocks they make."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from devnet.actors import endless, scheduler
from devnet.actors.endless import EndlessWork
from devnet.actors.messages import ChainEvent, LeadChanged, Measure
from devnet.actors.operations import Done, Operation, Tell
from devnet.actors.view import View
from devnet.chain import Transaction, sign
from tests.actors.scheduler_stage import (
    Act,
    Deployed,
    Scripted,
    Stands,
    does,
    pay,
    payments,
)
from tests.actors.stage import BLOCK_SECONDS

# Rounds


def test_actors_act_in_the_order_of_their_time_then_of_their_name(stand: Stands) -> None:
    turns: list[str] = []

    def notes(name: str) -> Act:
        def act(view: View, messages: Sequence[object]) -> list[Operation]:
            turns.append(name)
            return []

        return act

    late, early, same = (Scripted(n, notes(n)) for n in ("a-late", "z-early", "c-same"))
    messaged = Scripted("b-messaged", notes("b-messaged"))
    never = Scripted("d-never", notes("d-never"))
    made = stand(late, early, same, messaged, never)
    late.at, early.at, same.at = made.now, made.now - 2, made.now - 2
    made.scheduler.wish("b-messaged", Measure(1))  # no time of its own: now

    made.scheduler.round()

    assert turns == ["c-same", "z-early", "a-late", "b-messaged"]


def test_a_round_without_anything_due_says_so_and_calls_nobody(stand: Stands) -> None:
    idle = Scripted("idle")
    made = stand(idle)
    idle.at = made.now + 1

    assert made.scheduler.round() is False
    assert idle.turns == []
    assert made.scheduler.next_due() == made.now + 1


def test_what_is_told_arrives_in_the_next_round_and_to_strangers_never(stand: Stands) -> None:
    speaker = Scripted(
        "speaker", does(Tell("listener", "one"), Tell("nobody", 0), Tell("listener", "two"))
    )
    listener = Scripted("listener")
    made = stand(speaker, listener)
    speaker.at = made.now

    made.scheduler.round()
    assert listener.turns == []
    made.scheduler.round()

    assert listener.turns == [(made.head, ("one", "two"))]
    assert made.blocks() == []


def test_actors_that_feed_each_other_for_ever_are_stopped(
    stand: Stands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endless, "MOST_ROUNDS", 6)

    class Echo(Scripted):
        def act(self, view: View, messages: Sequence[object]) -> list[Operation]:
            self.turns.append((view.head.number, tuple(messages)))
            return [Tell("echo", "again")]

    echo = Echo("echo", due=0)
    made = stand(echo)

    with pytest.raises(EndlessWork, match="no end of work after 6 rounds"):
        made.scheduler.drain()
    assert len(echo.turns) == 6


def test_work_that_its_own_blocks_make_due_is_stopped_and_named(
    stand: Stands, deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endless, "MOST_BLOCKS", 5)

    class Hasty(Scripted):
        def act(self, view: View, messages: Sequence[object]) -> list[Operation]:
            self.at = view.now + BLOCK_SECONDS  # the very block that its transaction takes
            return [pay(deployed, "treasury", "alice", 1)]

    made = stand(Hasty("hasty", due=0))
    before = made.head

    with pytest.raises(EndlessWork, match=r"in 5 blocks .* treasury Kompute\.transfer 5 times"):
        made.scheduler.drain()
    assert made.head == before + 5


# Blocks


def test_a_round_s_transactions_share_one_block_in_the_actors_order(
    stand: Stands, deployed: Deployed
) -> None:
    alice = Scripted(
        "alice", does(pay(deployed, "alice", "bob", 1), pay(deployed, "alice", "bob", 2))
    )
    bob = Scripted("bob", does(pay(deployed, "bob", "alice", 3)))
    made = stand(bob, alice)
    alice.at = bob.at = made.now
    first = made.head

    made.scheduler.drain()

    assert made.blocks() == [(first + 1, 1, 3)]
    ((_, transactions),) = made.mined
    assert [t.args["value"] for t in transactions] == [1, 2, 3]
    for actor in (alice, bob):  # everybody sees every event, in the next round
        block, messages = actor.turns[1]
        assert (block, payments(messages)) == (first + 1, [1, 2, 3])
        assert {m.timestamp for m in messages if isinstance(m, ChainEvent)} == {made.now}


def test_nothing_sent_mines_nothing(stand: Stands) -> None:
    talker = Scripted("talker", does(Tell("talker", 1)), does(Done(9)))
    made = stand(talker)
    talker.at = made.now
    first = made.head

    made.scheduler.drain()

    assert (made.head, made.blocks(), len(talker.turns)) == (first, [], 2)


def test_more_than_a_block_s_transactions_go_on_in_the_next(
    stand: Stands, deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler, "SENDS_PER_BLOCK", 3)
    alice = Scripted("alice", does(*(pay(deployed, "alice", "bob", n) for n in range(1, 8))))
    made = stand(alice)
    alice.at = made.now

    made.scheduler.drain()

    assert [transactions for _, _, transactions in made.blocks()] == [3, 3, 1]
    assert [t.args["value"] for _, block in made.mined for t in block] == [1, 2, 3, 4, 5, 6, 7]


def test_an_account_s_next_transaction_follows_its_last(stand: Stands, deployed: Deployed) -> None:
    alice = Scripted(
        "alice", does(pay(deployed, "alice", "bob", 1)), does(pay(deployed, "alice", "bob", 2))
    )
    made = stand(alice)
    alice.at = made.now
    first = made.head

    made.scheduler.drain()

    assert made.blocks() == [(first + 1, 1, 1), (first + 2, 1, 1)]


def test_advance_mines_exactly_and_stops_where_something_is_due(
    stand: Stands, deployed: Deployed
) -> None:
    # A second after block 3: block 4 is the first whose time reaches it.
    sleeper = Scripted("alice", does(pay(deployed, "alice", "bob", 1)))
    made = stand(sleeper)
    sleeper.at = made.now + 3 * BLOCK_SECONDS + 1
    first = made.head

    made.scheduler.advance(10)

    assert made.head == first + 10
    assert sleeper.turns[0] == (first + 4, ())
    assert made.blocks() == [(first + 4, 4, 0), (first + 5, 1, 1), (first + 10, 5, 0)]


def test_a_long_advance_goes_on_after_it_has_looked_at_what_came(
    stand: Stands, deployed: Deployed
) -> None:
    """A stranger's transaction that waits at its beginning; the node may drop blocks after it."""
    listener = Scripted("listener")
    made = stand(listener)
    first, alice = made.head, deployed.directory.accounts["alice"]
    nonce = deployed.chain.nonce(alice.address)
    call = deployed.contracts.encode("Kompute", "approve", alice.address, 5)
    raw = sign(alice, Transaction(nonce, call.to, call.data, gas=100_000))
    assert deployed.chain.pool.offer([raw]) == []

    made.scheduler.advance(2_500)

    assert made.blocks() == [
        (first + 1, 1, 1),
        (first + 1_001, 1_000, 0),
        (first + 2_500, 1_499, 0),
    ]
    ((block, (told,)),) = listener.turns
    assert isinstance(told, ChainEvent)
    assert (block, told.event.name) == (first + 1_001, "Approval")


def test_advance_stops_at_a_block_that_is_due_to_the_second(stand: Stands) -> None:
    sleeper = Scripted("sleeper")
    made = stand(sleeper)
    sleeper.at = made.now + 3 * BLOCK_SECONDS
    first = made.head

    made.scheduler.advance(3)

    assert sleeper.turns == [(first + 3, ())]
    assert made.blocks() == [(first + 3, 3, 0)]


def test_no_block_above_the_limit_and_what_is_left_waits(stand: Stands, deployed: Deployed) -> None:
    alice = Scripted("alice", does(pay(deployed, "alice", "bob", 5)))
    made = stand(alice)
    alice.at = made.now
    first = made.head

    made.scheduler.drain(limit_block=first)
    assert (made.head, made.blocks()) == (first, [])
    made.scheduler.drain(limit_block=first + 1)

    assert made.blocks() == [(first + 1, 1, 1)]


def test_advance_counts_the_blocks_of_transactions_too(stand: Stands, deployed: Deployed) -> None:
    script = [does(pay(deployed, "alice", "bob", n)) for n in range(1, 6)]  # one a round, five
    alice = Scripted("alice", *script)
    made = stand(alice)
    alice.at = made.now
    first = made.head

    made.scheduler.advance(3)
    assert (made.head, [b[2] for b in made.blocks()]) == (first + 3, [1, 1, 1])
    made.scheduler.drain()

    assert made.head == first + 5


# Who leads


def test_a_change_of_lead_reaches_everybody_and_the_record_the_first_answer_nobody(
    stand: Stands,
) -> None:
    leads = ["gatekeeper-1"]
    one, other = Scripted("one"), Scripted("other")
    made = stand(one, other, leader=lambda: leads[-1])
    assert made.scheduler.round() is False
    assert made.scheduler.view().lead == "gatekeeper-1"

    leads.append("gatekeeper-2")
    assert made.scheduler.round() is True
    assert made.scheduler.view().lead == "gatekeeper-2"
    assert made.scheduler.round() is False

    told = LeadChanged("gatekeeper-2")
    assert one.turns == other.turns == [(made.head, (told,))]
    assert made.journal.told_ == [(made.head, "all", told)]
