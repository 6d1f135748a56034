"""What becomes of wishes, and what comes from outside."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

import devnet.actors.scheduler as scheduler_module
from cluster.interface import ClusterEvent, EventKind
from devnet.actors.messages import Ask, ClusterSeen, FeedRead, Measure, SendFailed
from devnet.actors.operations import Done, Fail, ReadFeed, Send
from tests.actors.scheduler_stage import (
    OBSERVED,
    Deployed,
    Scripted,
    Stand,
    Stands,
    does,
    pay,
)

# Wishes


def outcome(made: Stand, wish: int) -> tuple[str, str]:
    state = made.scheduler.wishes[wish]
    return state.outcome, state.error


def test_a_wish_is_served_once_all_that_closes_it_is_mined(
    stand: Stands, deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler_module, "SENDS_PER_BLOCK", 1)
    both = does(pay(deployed, "alice", "bob", 1, 4), pay(deployed, "alice", "bob", 2, 4))
    made = stand(Scripted("alice", both))
    made.scheduler.wish("alice", Measure(4))
    assert outcome(made, 4) == ("open", "")

    made.scheduler.drain(limit_block=made.head + 1)
    assert outcome(made, 4) == ("open", "")
    made.scheduler.drain()

    assert outcome(made, 4) == ("ok", "")


def test_a_wish_has_the_events_of_all_that_served_it_and_no_others(
    stand: Stands, deployed: Deployed
) -> None:
    three = (
        pay(deployed, "alice", "bob", amount, wish) for amount, wish in ((1, 4), (2, 0), (3, 4))
    )
    made = stand(Scripted("alice", does(*three)))
    made.scheduler.wish("alice", Measure(4))
    made.scheduler.drain()

    assert made.scheduler.wishes[4].values("Transfer", "value") == [1, 3]
    assert made.scheduler.wishes[4].values("Approval", "value") == []


def call(deployed: Deployed, wish: int, amount: int) -> Ask:
    return Ask(wish, "Kompute", "transfer", (deployed.directory.address("bob"), amount))


@pytest.mark.parametrize("account", ["arbiter", "alice"])
def test_what_nobody_acts_for_is_sent_as_it_stands(
    stand: Stands, deployed: Deployed, account: str
) -> None:
    made = stand(Scripted("treasury"))
    made.scheduler.send(pay(deployed, "treasury", account, 9, 1))
    made.scheduler.ask(account, call(deployed, 2, 3))
    made.scheduler.drain()

    assert outcome(made, 2) == ("ok", "")
    assert made.scheduler.wishes[2].values("Transfer", "from") == [
        deployed.directory.address(account)
    ]


def test_whoever_acts_for_an_account_is_asked_and_hears_of_no_refusal(
    stand: Stands, deployed: Deployed
) -> None:
    too_much = call(deployed, 3, 10**30)
    alice = Scripted("alice", lambda view, messages: Scripted("alice").otherwise(messages[0]))
    made = stand(alice)
    made.scheduler.ask("alice", too_much)
    made.scheduler.drain()

    assert outcome(made, 3) == ("failed", "ERC20InsufficientBalance")
    assert alice.turns == [(alice.turns[0][0], (too_much,))]
    assert made.scheduler.wishes[3].events == []


def test_a_wish_stays_open_while_nothing_closes_it(stand: Stands, deployed: Deployed) -> None:
    step = does(pay(deployed, "alice", "bob", 1, 5, closes=False))
    made = stand(Scripted("alice", step))
    made.scheduler.wish("alice", Measure(5))

    made.scheduler.drain()

    assert outcome(made, 5) == ("open", "")


def test_a_refused_transaction_fails_its_wish_by_the_contract_s_own_error(
    stand: Stands, deployed: Deployed
) -> None:
    too_much = does(pay(deployed, "alice", "bob", 10**30, 6, closes=False))
    alice, bob = Scripted("alice", too_much), Scripted("bob")
    made = stand(alice, bob)
    made.scheduler.wish("alice", Measure(6))

    made.scheduler.drain()

    assert outcome(made, 6) == ("failed", "ERC20InsufficientBalance")
    assert made.scheduler.wishes[6].reason.startswith("alice has ")
    args = (deployed.directory.address("bob"), 10**30)
    failed = SendFailed("Kompute", "transfer", args, "ERC20InsufficientBalance")
    assert alice.turns[1][1] == (failed,)
    assert bob.turns == []  # only its sender is told
    assert made.journal.completed_ == [(1, False)]


@pytest.mark.parametrize(
    ("account", "actor"), [("worker-1-owner", "worker-1"), ("oracle-2", "oracles")]
)
def test_a_refusal_reaches_the_actor_behind_the_account(
    stand: Stands, deployed: Deployed, account: str, actor: str
) -> None:
    other = Scripted("alice", does(pay(deployed, account, "bob", 10**30)))
    behind = Scripted(actor)
    made = stand(other, behind)
    other.at = made.now

    made.scheduler.drain()

    assert [m.error for m in behind.turns[0][1] if isinstance(m, SendFailed)] == [
        "ERC20InsufficientBalance"
    ]


def test_the_first_outcome_of_a_wish_stands(stand: Stands) -> None:
    made = stand(
        Scripted(
            "alice",
            does(Fail(7, "no", "NotServed"), Done(7)),
            does(Done(8), Fail(8, "late", "NotServed")),
        )
    )
    made.scheduler.wish("alice", Measure(7))
    made.scheduler.drain()
    made.scheduler.wish("alice", Measure(8))
    made.scheduler.drain()

    assert (made.scheduler.wishes[7].outcome, made.scheduler.wishes[7].reason) == ("failed", "no")
    assert (made.scheduler.wishes[8].outcome, made.scheduler.wishes[8].reason) == ("ok", "")


def test_the_journal_names_each_operation_before_and_after(
    stand: Stands, deployed: Deployed
) -> None:
    alice = Scripted(
        "alice", does(pay(deployed, "alice", "bob", 1), pay(deployed, "alice", "bob", 10**30))
    )
    made = stand(alice)
    alice.at = made.now
    following = made.head + 1

    made.scheduler.drain()

    assert made.journal.invoked_ == [(1, "transfer", following), (2, "transfer", following)]
    assert made.journal.completed_ == [(1, True), (2, False)]


# From outside


def test_who_runs_on_a_lost_node_has_nothing_due_until_it_is_back(stand: Stands) -> None:
    gone, here = Scripted("worker-1"), Scripted("worker-2")
    made = stand(gone, here)
    gone.at = made.now + 720
    loss, return_ = (
        ClusterEvent(kind, "worker-1") for kind in (EventKind.NODE_LOST, EventKind.NODE_READY)
    )
    assert made.scheduler.next_due() == gone.at

    made.scheduler.cluster_event(loss)
    assert made.scheduler.nodes.said("worker-1") is EventKind.NODE_LOST
    made.scheduler.advance(3)
    assert made.scheduler.next_due() is None
    assert gone.turns == here.turns == [(made.head - 3, (ClusterSeen(loss),))]

    made.scheduler.cluster_event(return_)
    made.scheduler.round()
    assert gone.turns[1:] == [(made.head, (ClusterSeen(return_),))]
    assert made.scheduler.nodes.was_lost("worker-1", made.now - 3 * 720, made.now)


def test_an_answer_reaches_who_asked_and_a_cluster_event_everybody(stand: Stands) -> None:
    asker, other = Scripted("asker", does(ReadFeed("Feed:x"))), Scripted("other")
    made = stand(asker, other)
    asker.at = made.now
    event = ClusterEvent(EventKind.NODE_LOST, "worker-1")

    made.scheduler.round()
    made.scheduler.round()
    made.scheduler.cluster_event(event)
    made.scheduler.round()

    assert made.outside.asked == [("asker", ReadFeed("Feed:x"))]
    assert asker.turns[1:] == [
        (made.head, (FeedRead("Feed:x", OBSERVED),)),
        (made.head, (ClusterSeen(event),)),
    ]
    assert other.turns == [(made.head, (ClusterSeen(event),))]
    assert made.journal.told_ == [  # the recorded inputs
        (made.head, "asker", FeedRead("Feed:x", OBSERVED)),
        (made.head, "all", ClusterSeen(event)),
    ]


def test_waiting_ends_with_what_comes_from_another_thread(stand: Stands) -> None:
    made = stand(Scripted("alice"))
    started = time.monotonic()
    threading.Timer(0.05, made.scheduler.wake).start()
    made.scheduler.wait(30)
    threading.Timer(0.05, made.scheduler.answer, ("alice", "word")).start()
    made.scheduler.wait(30)

    assert time.monotonic() - started < 15
    assert made.scheduler.round() is True


def test_the_view_is_that_of_the_head_block(stand: Stands, deployed: Deployed) -> None:
    made = stand(Scripted("alice"))
    view = made.scheduler.view()
    later = made.head + 10

    assert (view.head, view.now, view.block_seconds) == (deployed.chain.head, made.now, 720)
    assert view.time_of(later) == made.now + 7200
    assert view.cycle_of(deployed.genesis_block + 69) == 0
    assert view.cycle_of(deployed.genesis_block + 70) == 1
    assert view.cycle_of(made.head) == deployed.reads.current_cycle()


def test_a_transaction_that_no_actor_asked_for_fails_its_wish_and_tells_no_actor(
    stand: Callable[..., Stand],
) -> None:
    worker = Scripted("worker-1")
    made = stand(worker)
    node = made.deployed.directory.address("worker-1")
    made.scheduler.send(Send("worker-1-owner", "Staking", "withdraw", (node,), wish=901))
    made.scheduler.drain()
    state = made.scheduler.wishes[901]
    assert (state.outcome, state.error) == ("failed", "NotRegistered")
    told = [message for _, messages in worker.turns for message in messages]
    assert not any(isinstance(message, SendFailed) for message in told)
