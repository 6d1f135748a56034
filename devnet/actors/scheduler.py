"""One synchronous scheduler: drains actors in the order (due, name) and mines what they send.

A round: every actor with messages, or whose time has come, acts once; what it asks of the outside
is done; all transactions of the round go into one block; their events reach everyone's inbox.
"""

from __future__ import annotations

import queue
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

from cluster.interface import ClusterEvent
from devnet.actors import endless
from devnet.actors.actor import Actor
from devnet.actors.messages import (
    Ask,
    ChainEvent,
    ClusterSeen,
    Forwarded,
    LeadChanged,
    SendFailed,
    Wish,
)
from devnet.actors.nodes import Nodes
from devnet.actors.operations import Done, External, Fail, Operation, Refusal, Send, Tell
from devnet.actors.outbox import Outbox, Parcel, Returned
from devnet.actors.surroundings import Journal, Outside
from devnet.actors.view import PORTAL, Directory, View
from devnet.actors.wishes import WishState
from devnet.chain import Chain, Foreign, ForeignState, MinedBlock, RpcError
from devnet.protocol import Contracts, ObservedTransaction, ProtocolError, observe
from devnet.protocol import View as Reads

SENDS_PER_BLOCK = 900  # a block's gas limit over a transaction's
DEVNET = "devnet"  # to whom the record says what others did to the chain


class Scheduler:
    """Owns the outbox, the inboxes and the order of everything."""

    def __init__(
        self,
        *,
        chain: Chain,
        contracts: Contracts,
        reads: Reads,
        directory: Directory,
        actors: Sequence[Actor],
        outside: Outside,
        journal: Journal,
        genesis_block: int,
        on_block: Callable[[MinedBlock, tuple[ObservedTransaction, ...]], None],
        leader: Callable[[], str],
    ) -> None:
        """`leader` answers who leads now; a change of it is told to all, as what else comes from
        outside."""
        self._chain = chain
        self._contracts = contracts
        self._reads = reads
        self._directory = directory
        self._actors = {actor.name: actor for actor in actors}
        self._inboxes: dict[str, list[object]] = {actor.name: [] for actor in actors}
        self._outside = outside
        self._journal = journal
        self._genesis_block = genesis_block
        self._on_block = on_block
        self._leader = leader
        self._lead = ""  # as it was told last
        self._external: queue.SimpleQueue[tuple[str | None, object]] = queue.SimpleQueue()
        self._arrived = threading.Event()
        self._outbox = Outbox(chain, contracts, directory)
        self._lost: list[Parcel] = []
        self._foreign_told = 0
        self._sends = 0
        self._backlog: list[Send] = []
        self._open_sends: dict[int, int] = {}  # of a wish, those that close it
        self._foreign: set[int] = set()  # wishes of transactions that no actor asked for
        self.wishes: dict[int, WishState] = {}
        # Called between rounds and between blocks, where an end of the step does no harm: raises
        # to end it.
        self.go_on: Callable[[], None] = lambda: None
        self.follows = True  # what strangers' contracts call, until nobody can
        self.nodes = Nodes(directory.spec.parameters.incident_max_age)

    # What comes in

    def cluster_event(self, event: ClusterEvent) -> None:
        """The cluster's sink; any thread."""
        self._external.put((None, ClusterSeen(event)))
        self.nodes.hear(event)  # whoever waits for it finds it delivered
        self._arrived.set()

    def answer(self, actor: str, message: object) -> None:
        """An answer from the outside; any thread."""
        self._external.put((actor, message))
        self._arrived.set()

    def wish(self, actor: str, wish: Wish) -> None:
        """Ask an actor for something; its state is in `wishes` from now on."""
        self.wishes[wish.id] = WishState()
        self._inboxes[actor].append(wish)

    def ask(self, account: str, ask: Ask) -> None:
        """Ask whoever acts in an account's name for one call; where nobody does (the arbiter, a
        stranger, an idle network) it is sent as it stands. Its state is in `wishes` from now on.

        Who acts in the account's name is not told of a refusal: it was not its own will.
        """
        actor = next((a for a in self._actors.values() if a.account == account), None)
        if actor is None:
            call = ask.contract, ask.function, ask.args
            return self.send(Send(account, *call, ask.id))
        self._foreign.add(ask.id)
        return self.wish(actor.name, ask)

    def send(self, operation: Send) -> None:
        """A transaction that no actor asked for (a step's); its wish is in `wishes` from now on."""
        self.wishes[operation.wish] = WishState()
        self._foreign.add(operation.wish)
        self._enqueue(operation)

    def wait(self, seconds: float) -> None:
        """Until something comes from outside, at most that long."""
        self._arrived.wait(seconds)
        self._arrived.clear()

    def wake(self) -> None:
        """End a `wait`; any thread."""
        self._arrived.set()

    def lead(self) -> str:
        """Who leads now."""
        lead = self._leader()
        if self._lead and lead != self._lead:
            self._external.put((None, LeadChanged(lead)))
        self._lead = lead
        return lead

    def _take_external(self) -> None:
        self.lead()
        while True:
            try:
                actor, message = self._external.get_nowait()
            except queue.Empty:
                return
            self._journal.told(self._chain.head.number, actor or "all", message)
            if isinstance(message, ClusterSeen):
                self.nodes.tell(message.event, self._chain.head.timestamp)
            for name in [actor] if actor is not None else self._inboxes:
                self._inboxes[name].append(message)

    def quiet(self) -> bool:
        """Whether nobody has anything to do or to send now."""
        now = self._chain.head.timestamp
        if self._backlog or self._lost or any(self._inboxes.values()) or self._outside.busy():
            return False
        if not self._external.empty():
            return False
        due = self.next_due()
        return due is None or due > now

    # Rounds

    def view(self) -> View:
        return View(
            head=self._chain.head,
            lead=self.lead(),
            reads=self._reads,
            directory=self._directory,
            block_seconds=self._chain.block_seconds,
            genesis_block=self._genesis_block,
            cycle_blocks=self._directory.spec.cycle.blocks,
            nodes=self.nodes,
        )

    def _due(self, actor: Actor) -> int | None:
        """When it wants to act by itself; who runs on a lost node does not."""
        return None if self.nodes.is_lost(actor.name) else actor.due()

    def next_due(self) -> int | None:
        """The earliest second at which an actor wants to act by itself."""
        dues = map(self._due, self._actors.values())
        return min((due for due in dues if due is not None), default=None)

    def round(self) -> bool:
        """Let everyone act once, without mining; False when nobody had anything to do."""
        dues = {name: self._due(actor) for name, actor in self._actors.items()}
        self._take_external()
        now = self._chain.head.timestamp
        ready: list[tuple[int, str]] = []
        for name, due in dues.items():
            if self._inboxes[name]:
                ready.append((now if due is None else min(due, now), name))
            elif due is not None and due <= now:
                ready.append((due, name))
        if not ready:
            return False
        view = self.view()
        asked: list[tuple[str, External]] = []
        told: list[Tell] = []
        for _, name in sorted(ready):
            messages, self._inboxes[name] = self._inboxes[name], []
            for operation in self._act(name, view, messages):
                self._sort(name, operation, asked, told)
        for tell in told:
            self._post(tell)
        if asked:
            self._outside.perform(asked, self.answer)
        return True

    def _act(self, name: str, view: View, messages: Sequence[object]) -> list[Operation]:
        try:
            return self._actors[name].act(view, messages)
        except (ProtocolError, RpcError) as unreadable:
            if not self._chain.foreign:
                raise
            # Of contracts that somebody has put others in the place of, nothing can be expected.
            seen = f"{name} cannot act on the changed state: {unreadable}"
            self._chain.note(Foreign(view.head.number, seen))
            self._tell_foreign()
            return []

    def _post(self, tell: Tell) -> None:
        if tell.to in self._inboxes:
            self._inboxes[tell.to].append(tell.message)
        elif PORTAL in self._inboxes:
            self._inboxes[PORTAL].append(Forwarded(tell.to, tell.message))

    def _sort(
        self,
        actor: str,
        operation: Operation,
        asked: list[tuple[str, External]],
        told: list[Tell],
    ) -> None:
        match operation:
            case Send():
                self._enqueue(operation)
            case Tell():
                told.append(operation)
            case Done():
                self._close(operation.wish, "ok")
            case Fail():
                self._close(
                    operation.wish, "failed", error=str(operation.error), reason=operation.reason
                )
            case _:
                asked.append((actor, operation))

    def _enqueue(self, send: Send) -> None:
        self._backlog.append(send)
        if send.wish and send.closes:
            self._open_sends[send.wish] = self._open_sends.get(send.wish, 0) + 1

    def _close(self, wish: int, outcome: str, *, error: str = "", reason: str = "") -> None:
        state = self.wishes.get(wish)
        if state is not None and state.outcome == "open":
            state.outcome, state.error, state.reason = outcome, error, reason

    def drain(self, limit_block: int | None = None) -> None:
        """Rounds until nobody has anything to do; blocks only for what was sent.

        With `limit_block`, no block above it is mined; what is left waits for the next drain.
        """
        first = self._chain.head.number
        sent: Counter[str] = Counter()
        for _ in range(endless.MOST_ROUNDS):
            self.go_on()
            busy = self.round()
            if self._backlog or self._lost:
                if limit_block is not None and self._chain.head.number >= limit_block:
                    return
                if self._chain.head.number - first >= endless.MOST_BLOCKS:
                    break
                sent.update(f"{s.account} {s.contract}.{s.function}" for s in self._backlog)
                self.mine()
            elif not busy:
                return
        raise endless.EndlessWork(self._chain.head.number - first, sent)

    def advance(self, blocks: int) -> None:
        """Exactly `blocks` further blocks, stopping at everything due on the way."""
        target = self._chain.head.number + blocks
        while True:
            self.drain(limit_block=target)
            head = self._chain.head
            if head.number >= target:
                return
            due = self.next_due()
            step = target - head.number
            if due is not None:
                # The first block whose time reaches `due`; what is due now has just been drained.
                step = min(step, max(1, -(-(due - head.timestamp) // self._chain.block_seconds)))
            self._catch_up()
            further = max(0, min(step, target - self._chain.head.number))
            self._observe_of(partial(self._chain.advance, further, in_parts=True))

    def mine(self) -> None:
        """One block with the backlog (and whatever else the pool holds)."""
        self._catch_up()
        sends, self._backlog = self._backlog[:SENDS_PER_BLOCK], self._backlog[SENDS_PER_BLOCK:]
        parcels, self._lost = self._lost, []
        block = self._chain.head.number + 1
        for send in sends:
            self._sends += 1
            parcels.append(Parcel(self._sends, send))
            self._journal.invoked(self._sends, send, block)
        for returned in self._outbox.put(parcels):
            self._take_back(returned, block)
        self._observe_of(lambda: self._chain.include(self._outbox.raws))
        self._lost = self._outbox.lost()

    def _take_back(self, returned: Returned, block: int) -> None:
        send, error = returned.parcel.send, str(Refusal.NOT_TAKEN)
        self._journal.refused(returned.parcel.identity, block, returned.reason)
        reason = f"the chain takes no transaction of {send.account}: {returned.reason}"
        self._fail_send(send, error, reason)

    def _settle_send(self, send: Send, transaction: ObservedTransaction) -> None:
        state = self.wishes.get(send.wish)
        if state is not None:
            state.place = (transaction.block, transaction.index)
            state.events += transaction.events  # none where it was refused
        if not transaction.ok:
            self._fail_send(send, transaction.error or "unknown", transaction.sentence)
        elif send.wish and send.closes:
            self._open_sends[send.wish] -= 1
            if not self._open_sends[send.wish]:
                self._close(send.wish, "ok")

    def _fail_send(self, send: Send, error: str, reason: str) -> None:
        self._close(send.wish, "failed", error=error, reason=reason)
        if send.wish in self._foreign:
            return
        failed = SendFailed(send.contract, send.function, send.args, error)
        sender = self._sender(send)
        if sender is not None:
            self._inboxes[sender].append(failed)

    def _sender(self, send: Send) -> str | None:
        """Which actor a transaction's account belongs to."""
        for name in (send.account, send.account.removesuffix("-owner")):
            if name in self._inboxes:
                return name
        return "oracles" if send.account.startswith("oracle-") else None

    def _observe(self, blocks: Sequence[MinedBlock]) -> None:
        for mined in blocks:
            names = self._directory.names
            observed = observe(mined, self._contracts, self._chain, names, follows=self.follows)
            for parcel, transaction in self._outbox.arrived(observed):
                self._journal.completed(parcel.identity, transaction)
                self._settle_send(parcel.send, transaction)
            self._deliver(mined, observed)
        self._tell_foreign()

    def _catch_up(self) -> None:
        self._observe_of(self._chain.catch_up)

    def _observe_of(self, mine: Callable[[], Sequence[MinedBlock]]) -> None:
        try:
            self._observe(mine())
        except ForeignState as gone:
            # Up to here the record is whole and replays.
            self._chain.note(Foreign(gone.block, gone.seen, replays=True))
            self._tell_foreign()
            raise

    def _tell_foreign(self) -> None:
        found = self._chain.foreign
        for foreign in found[self._foreign_told :]:
            self._journal.told(foreign.block, DEVNET, foreign)
        self._foreign_told = len(found)

    def _deliver(self, mined: MinedBlock, observed: tuple[ObservedTransaction, ...]) -> None:
        self._on_block(mined, observed)
        for transaction in observed:
            for event in transaction.events:
                message = ChainEvent(event, mined.block.timestamp)
                for inbox in self._inboxes.values():
                    inbox.append(message)
