"""Rounds and blocks on a real anvil with the real contracts; the actors follow a script, and the
outside answers what a test says (the real one is in `test_outside`)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest

import devnet.actors.scheduler as scheduler_module
from cluster.interface import ClusterEvent, EventKind
from devnet.actors.actor import Actor
from devnet.actors.messages import AddReward, ChainEvent, ClusterSeen, FeedRead, SendFailed
from devnet.actors.operations import Done, Fail, Operation, ReadFeed, Send, Tell
from devnet.actors.scheduler import Scheduler
from devnet.actors.view import Directory, View, account_names
from devnet.base import Toolchain
from devnet.chain import Anvil, Chain, MinedBlock, Rpc
from devnet.protocol import Contracts, ObservedTransaction
from devnet.protocol import View as Reads
from devnet.runs.genesis import deploy_network
from tests.actors.stage import BLOCK_SECONDS, directory, network

OBSERVED = (("oracle-1", 1), ("oracle-2", 2), ("oracle-3", 3))
Act = Callable[[View, Sequence[object]], list[Operation]]


@dataclass(frozen=True, slots=True)
class Deployed:
    """small.yaml's contracts on a chain of their own."""

    chain: Chain
    contracts: Contracts
    reads: Reads
    directory: Directory
    genesis_block: int


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    spec, toolchain = network(), Toolchain()
    who = directory(spec)
    with ExitStack() as stack:
        anvil = stack.enter_context(
            Anvil(
                toolchain.anvil(),
                genesis_timestamp=spec.chain.genesis_timestamp,
                folder=tmp_path_factory.mktemp("anvil"),
                accounts=len(account_names(spec)),
            )
        )
        chain = Chain(stack.enter_context(Rpc(anvil.url)), spec.chain.block_seconds)
        genesis = deploy_network(spec, chain, who, toolchain, lambda line: None)
        reads = Reads(chain, genesis.contracts, who.names)
        yield Deployed(chain, genesis.contracts, reads, who, genesis.deployment.genesis.block)


class Scripted(Actor):
    """Acts by its script, one line a turn; then it only listens."""

    def __init__(self, name: str, *script: Act, due: int | None = None) -> None:
        super().__init__(name)
        self.at = due
        self.turns: list[tuple[int, tuple[object, ...]]] = []  # block, messages
        self._script = list(script)

    def due(self) -> int | None:
        return self.at

    def act(self, view: View, messages: Sequence[object]) -> list[Operation]:
        self.turns.append((view.head.number, tuple(messages)))
        if self.at is not None and view.now >= self.at:
            self.at = None
        return self._script.pop(0)(view, messages) if self._script else []


@dataclass(slots=True)
class Told:
    """The journal: what was invoked, completed and told."""

    invoked_: list[tuple[int, str, int]] = field(default_factory=list)
    completed_: list[tuple[int, bool]] = field(default_factory=list)
    told_: list[tuple[int, str, object]] = field(default_factory=list)

    def invoked(self, identity: int, send: Send, block: int) -> None:
        self.invoked_.append((identity, send.function, block))

    def completed(self, identity: int, observed: ObservedTransaction) -> None:
        self.completed_.append((identity, observed.ok))

    def told(self, block: int, to: str, message: object) -> None:
        self.told_.append((block, to, message))


@dataclass(slots=True)
class AnsweringOutside:
    """Answers every feed with 1, 2, 3 (the sources are in `test_sources`)."""

    asked: list[tuple[str, object]] = field(default_factory=list)

    def busy(self) -> bool:
        return False

    def perform(
        self, asked: Sequence[tuple[str, object]], answer: Callable[[str, object], None]
    ) -> None:
        for actor, operation in asked:
            self.asked.append((actor, operation))
            if isinstance(operation, ReadFeed):
                answer(actor, FeedRead(operation.feed, OBSERVED))


@dataclass(slots=True)
class Stand:
    """A scheduler over scripted actors."""

    deployed: Deployed
    scheduler: Scheduler
    journal: Told
    outside: AnsweringOutside
    mined: list[tuple[MinedBlock, tuple[ObservedTransaction, ...]]]

    @property
    def head(self) -> int:
        return self.deployed.chain.head.number

    @property
    def now(self) -> int:
        return self.deployed.chain.head.timestamp

    def blocks(self) -> list[tuple[int, int, int]]:
        """(number, run, transactions) of everything mined."""
        return [(m.block.number, m.run, len(transactions)) for m, transactions in self.mined]


Stands = Callable[..., Stand]


@pytest.fixture()
def stand(deployed: Deployed) -> Stands:
    def make(*actors: Actor) -> Stand:
        journal, outside = Told(), AnsweringOutside()
        mined: list[tuple[MinedBlock, tuple[ObservedTransaction, ...]]] = []
        scheduler = Scheduler(
            chain=deployed.chain,
            contracts=deployed.contracts,
            reads=deployed.reads,
            directory=deployed.directory,
            actors=actors,
            outside=outside,
            journal=journal,
            genesis_block=deployed.genesis_block,
            on_block=lambda block, transactions: mined.append((block, transactions)),
        )
        return Stand(deployed, scheduler, journal, outside, mined)

    return make


def pay(
    stand: Deployed, account: str, to: str, amount: int, wish: int = 0, *, closes: bool = True
) -> Send:
    args = (stand.directory.address(to), amount)
    return Send(account, "Kompute", "transfer", args, wish, closes)


def does(*operations: Operation) -> Act:
    return lambda view, messages: list(operations)


def payments(messages: Sequence[object]) -> list[int]:
    """Amounts of the transfers among these messages."""
    return [m.event.args["value"] for m in messages if isinstance(m, ChainEvent)]


# --- rounds ---------------------------------------------------------------------------------


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
    made.scheduler.wish("b-messaged", AddReward(1, 1))  # no time of its own: now

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
    monkeypatch.setattr(scheduler_module, "MOST_ROUNDS", 6)

    class Echo(Scripted):
        def act(self, view: View, messages: Sequence[object]) -> list[Operation]:
            self.turns.append((view.head.number, tuple(messages)))
            return [Tell("echo", "again")]

    echo = Echo("echo", due=0)
    made = stand(echo)

    with pytest.raises(RuntimeError, match="no end of work after 6 rounds"):
        made.scheduler.drain()
    assert len(echo.turns) == 6


# --- blocks ---------------------------------------------------------------------------------


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
    monkeypatch.setattr(scheduler_module, "SENDS_PER_BLOCK", 3)
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


# --- wishes ---------------------------------------------------------------------------------


def outcome(made: Stand, wish: int) -> tuple[str, str]:
    state = made.scheduler.wishes[wish]
    return state.outcome, state.error


def test_a_wish_is_served_once_all_that_closes_it_is_mined(
    stand: Stands, deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler_module, "SENDS_PER_BLOCK", 1)
    both = does(pay(deployed, "alice", "bob", 1, 4), pay(deployed, "alice", "bob", 2, 4))
    made = stand(Scripted("alice", both))
    made.scheduler.wish("alice", AddReward(4, 0))
    assert outcome(made, 4) == ("open", "")

    made.scheduler.drain(limit_block=made.head + 1)
    assert outcome(made, 4) == ("open", "")
    made.scheduler.drain()

    assert outcome(made, 4) == ("ok", "")


def test_a_wish_stays_open_while_nothing_closes_it(stand: Stands, deployed: Deployed) -> None:
    step = does(pay(deployed, "alice", "bob", 1, 5, closes=False))
    made = stand(Scripted("alice", step))
    made.scheduler.wish("alice", AddReward(5, 0))

    made.scheduler.drain()

    assert outcome(made, 5) == ("open", "")


def test_a_refused_transaction_fails_its_wish_by_the_contract_s_own_error(
    stand: Stands, deployed: Deployed
) -> None:
    too_much = does(pay(deployed, "alice", "bob", 10**30, 6, closes=False))
    alice, bob = Scripted("alice", too_much), Scripted("bob")
    made = stand(alice, bob)
    made.scheduler.wish("alice", AddReward(6, 0))

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
    made.scheduler.wish("alice", AddReward(7, 0))
    made.scheduler.drain()
    made.scheduler.wish("alice", AddReward(8, 0))
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


# --- from outside ---------------------------------------------------------------------------


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
