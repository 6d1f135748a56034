"""A worker: stakes, has itself measured, publishes V, accepts orders, settles them, claims."""

from __future__ import annotations

from collections.abc import Sequence

from cluster.interface import EventKind
from devnet.actors.actor import Actor
from devnet.actors.messages import (
    AdmissionAsked,
    AdmissionRefused,
    Admitted,
    Ask,
    ChainEvent,
    ClusterSeen,
    MachineAsked,
    MachineLent,
    MachineRefused,
    Measure,
    MeasureAsked,
    MeasureFailed,
    Publish,
    ResultSigned,
    SendFailed,
    Stake,
    TopUp,
)
from devnet.actors.operations import Done, Fail, Operation, Refusal, Send, Tell
from devnet.actors.view import View, hardware_id, owner_of
from devnet.chain import Account, sign_digest

SECONDS_PER_DAY = 86_400
HASH_REACH_BLOCKS = 256  # W4: a result names a block at most this far behind
# S4, C7: what may change who works.
ACTIVITY = (
    *("Staked", "ToppedUp", "ExitRequested", "Ejected", "Suspended", "Resumed"),
    "IncidentExecuted",
)


class Worker(Actor):
    """One node key, `account`, and its owner (R2)."""

    def __init__(self, account: Account, publishes_per_day: int) -> None:
        super().__init__(account.name)
        self._account = account
        self._owner = owner_of(account.name)
        self._interval = SECONDS_PER_DAY // publishes_per_day if publishes_per_day else None
        self._staking: Stake | None = None
        self._lending: MachineAsked | None = None  # by a pool's operator, until it is admitted
        self._publishing: list[int] = []  # wishes; 0 is its own will
        self._measuring: list[int] = []
        self._asked = False
        self._result: ResultSigned | None = None
        self._next_publication: int | None = None
        self._retry: int | None = None
        self._settle_due: int | None = None
        self._finalize_due: dict[int, int] = {}
        self._orders: set[int] = set()
        self._open: set[int] = set()  # created, and neither accepted nor closed
        self._accepting: set[int] = set()
        self._look = False  # who accepts the open orders may have changed

    @property
    def account(self) -> str:
        return self._owner

    def due(self) -> int | None:
        times = [
            self._next_publication,
            self._retry,
            self._settle_due,
            *self._finalize_due.values(),
        ]
        return min((time for time in times if time is not None), default=None)

    def act(self, view: View, messages: Sequence[object]) -> list[Operation]:
        operations: list[Operation] = []
        for message in messages:
            operations += self._take(view, message)
        operations += self._accept(view)
        if not view.nodes.is_lost(self.name):
            operations += self._settle(view)
            if self._next_publication is not None and view.now >= self._next_publication:
                works = view.reads.works(view.directory.address(self.name))
                if works and 0 not in self._publishing:  # S4, C7: others publish nothing
                    self._publishing.append(0)
                assert self._interval is not None
                missed = (view.now - self._next_publication) // self._interval
                self._next_publication += (1 + missed) * self._interval
            operations += self._pursue_publication(view)
        return operations

    def _take(self, view: View, message: object) -> list[Operation]:
        node = view.directory.address(self.name)
        match message:
            case Stake():
                self._staking = message
                return [self._ask_admission(view, view.directory.address(self._owner))]
            case MachineAsked():
                return self._lend(view, message)
            case Admitted() if self._lending is not None:
                asked, self._lending = self._lending, None
                signature = self._agree(view, asked.pool_address, message)
                return [Tell(asked.operator, MachineLent(self.name, message, signature))]
            case AdmissionRefused() if self._lending is not None:
                asked, self._lending = self._lending, None
                return [Tell(asked.operator, MachineRefused(self.name, message.reason))]
            case Admitted() if self._staking is not None:
                wish, self._staking = self._staking, None
                args = (
                    node,
                    message.hardware_id,
                    wish.months,
                    message.deadline,
                    message.signatures,
                    self._agree(view, view.directory.address(self._owner), message),
                )
                return [Send(self._owner, "Staking", "stake", args, wish.id)]
            case AdmissionRefused() if self._staking is not None:
                wish, self._staking = self._staking, None
                return [Fail(wish.id, message.reason, Refusal.NOT_ATTESTED)]
            case TopUp() | Ask() if self._of_node(message, node) and self._is_pooled(view):
                reason = f"{self.name} belongs to a pool, whose members decide (S7)"
                return [Fail(message.id, reason, Refusal.OWNED_BY_POOL)]
            case TopUp():
                amount = message.amount_wei
                if amount is None:
                    amount = 500 * 10**18 - view.reads.stake_of(node)  # S1
                return [Send(self._owner, "Staking", "topUp", (node, amount), message.id)]
            case Measure():
                self._measuring.append(message.id)
                return []
            case Publish():
                self._publishing.append(message.id)
                return []
            case MeasureFailed():
                self._asked = False
                wishes = [w for w in (*self._measuring, *self._publishing) if w]
                self._measuring, self._publishing = [], []
                error = Refusal.CHEATED if message.cheated else Refusal.NOT_MEASURED
                return [Fail(wish, message.reason, error) for wish in wishes]
            case ResultSigned():
                self._asked = False
                self._result = message
                wishes, self._measuring = self._measuring, []
                return [Done(wish) for wish in wishes]
            case ClusterSeen() if message.event.kind is EventKind.NODE_READY:
                self._look = True
                return []
            case SendFailed(function="publish"):
                return self._publication_failed(message.error)
            case SendFailed(function="accept", args=(order,)):
                self._accepting.discard(int(str(order)))
                return []
            case SendFailed(function="finalize", error="SettleFirst", args=(order,)):
                # M6: a settlement is bounded; the rest of the order is settled piece by piece.
                self._finalize_due[int(str(order))] = view.now
                return [Send(self.name, "Market", "settle", (order,))]
            case ChainEvent():
                return self._see(view, message)
            case _:
                return self.otherwise(message)

    def _ask_admission(self, view: View, owner: str) -> Operation:
        node = view.directory.address(self.name)
        machine = hardware_id(view.directory.seed, self.name)
        ask = AdmissionAsked(self.name, owner, node, machine)
        return Tell(view.lead, ask)

    def _agree(self, view: View, owner: str, admitted: Admitted) -> bytes:
        """S6: the key's own signature under what gatekeepers admitted."""
        terms = (owner, admitted.hardware_id, admitted.deadline)
        digest = view.reads.domains.admission(view.directory.address(self.name), *terms)
        return sign_digest(self._account, digest)

    def _lend(self, view: View, asked: MachineAsked) -> list[Operation]:
        """To one at a time, and not while its own owner is about to stake."""
        if self._staking is not None or self._lending is not None:
            refused = MachineRefused(self.name, "it is about to be staked for")
            return [Tell(asked.operator, refused)]
        self._lending = asked
        return [self._ask_admission(view, asked.pool_address)]

    @staticmethod
    def _of_node(wish: TopUp | Ask, node: str) -> bool:
        """Whether it is a matter of the node's own."""
        return not isinstance(wish, Ask) or node in wish.args

    def _is_pooled(self, view: View) -> bool:
        return view.reads.is_pool(view.reads.owner_of(view.directory.address(self.name)))

    def _see(self, view: View, seen: ChainEvent) -> list[Operation]:
        event, args = seen.event, seen.event.args
        mine = view.directory.address(self.name)
        self._see_orders(view, seen)
        match event.name:
            case "Staked" if args["node"] == mine:
                if self._interval is not None:
                    self._next_publication = seen.timestamp + self._interval
            case "ExitRequested" | "Ejected" if args["node"] == mine:
                self._next_publication = None
            case "Published" if args["node"] == mine:
                self._asked, self._result = False, None
                wishes, self._publishing = self._publishing, []
                return [Done(wish) for wish in wishes if wish]
            case "OrderAccepted" if args["node"] == mine:
                self._orders.add(args["id"])
                self._settle_due = self._settle_due or seen.timestamp + SECONDS_PER_DAY
                self._finalize_due[args["id"]] = self._finalize_at(view, args["id"])
            case "OrderClosed" if args["id"] in self._orders:
                self._finalize_due[args["id"]] = self._finalize_at(view, args["id"])
            case "Finalized" if args["id"] in self._orders:
                self._orders.discard(args["id"])
                self._finalize_due.pop(args["id"], None)
            case _:
                pass
        return []

    def _see_orders(self, view: View, seen: ChainEvent) -> None:
        """All keep the list of open orders that are valid: whose turn it is may change (M2)."""
        event, args = seen.event, seen.event.args
        match event.name:
            case "OrderCreated" if view.directory.service_of(args["spec"]):
                self._open.add(args["id"])  # others stay open: their clients close them
                self._look = True
            case "OrderAccepted" | "OrderClosed" | "Finalized":
                self._open.discard(args["id"])
                self._accepting.discard(args["id"])
            case name if name in ACTIVITY and self._open:
                self._look = True
            case _:
                pass

    def _accept(self, view: View) -> list[Operation]:
        """Active nodes that are online share orders in turn, so that one accepts each (M2)."""
        looks, self._look = self._look, False
        waiting = sorted(self._open - self._accepting)
        if not looks or not waiting:
            return []
        candidates = [
            worker.name
            for worker in view.directory.spec.workers
            if not view.nodes.is_lost(worker.name)
            and view.reads.works(view.directory.address(worker.name))
        ]
        if self.name not in candidates:
            return []
        mine = [n for n in waiting if candidates[n % len(candidates)] == self.name]
        self._accepting.update(mine)
        return [Send(self.name, "Market", "accept", (order,)) for order in mine]

    def _finalize_at(self, view: View, order: int) -> int:
        # M6: from end + haltDelay; the transaction lands one block after it is due.
        return view.reads.end_of(order) + view.reads.halt_delay() - view.block_seconds

    def _settle(self, view: View) -> list[Operation]:
        operations: list[Operation] = []
        for order, due in sorted(self._finalize_due.items()):
            if view.now >= due:
                del self._finalize_due[order]
                operations.append(Send(self.name, "Market", "finalize", (order,)))
                self._orders.discard(order)
        if self._settle_due is not None and view.now >= self._settle_due:
            operations += [
                Send(self.name, "Market", "settle", (order,)) for order in sorted(self._orders)
            ]
            self._settle_due = view.now + SECONDS_PER_DAY if self._orders else None
        return operations

    def _pursue_publication(self, view: View) -> list[Operation]:
        """Publish a result in hand as soon as W4 allows, else have a new one measured."""
        self._retry = None
        if not (self._publishing or self._measuring) or self._asked:
            return []
        node = view.directory.address(self.name)
        following = view.head.number + 1
        last = view.reads.last_published_block(node)
        earliest = max(following, last + view.directory.spec.cycle.gap_blocks if last else 0)
        if self._result is not None and not self._usable(view, self._result, earliest):
            self._result = None
        if self._result is None:
            # W4: last < measured, and measured and published in one cycle.
            if view.head.number > last and self._usable_at(view, view.head.number, earliest):
                self._asked = True
                return [Tell(view.lead, MeasureAsked(self.name))]
            self._retry = view.time_of(following)
            return []
        if self._measuring:
            return self._measured_already(self._result)
        if not self._publishing:
            return []
        if earliest > following:
            self._retry = view.time_of(earliest - 1)
            return []
        args = (self._result.result, self._result.signatures)
        self._asked = True  # until the chain has answered
        wish = next((wish for wish in self._publishing if wish), 0)
        return [Send(self.name, "Rewards", "publish", args, wish, closes=False)]

    def _measured_already(self, result: ResultSigned) -> list[Operation]:
        """R4: nobody signs a second result while the first can be published, so a test would come
        to nothing."""
        wishes, self._measuring = self._measuring, []
        reason = (
            f"measured already, in block {result.measured_block}, and that result "
            f"(sequence {result.sequence}) waits to be published: no second one is signed beside "
            f"it (R4); publish it, or measure in the next cycle"
        )
        return [Fail(wish, reason, Refusal.NOT_MEASURED) for wish in wishes]

    @staticmethod
    def _usable_at(view: View, measured: int, publication: int) -> bool:
        same_cycle = view.cycle_of(measured) == view.cycle_of(publication)
        return same_cycle and publication - measured <= HASH_REACH_BLOCKS

    def _usable(self, view: View, result: ResultSigned, publication: int) -> bool:
        sequence = view.reads.sequence_of(view.directory.address(self.name))
        return result.sequence == sequence + 1 and self._usable_at(
            view, result.measured_block, publication
        )

    def _publication_failed(self, error: str) -> list[Operation]:
        # The scheduler has already noted the error with the wish that was sent; others waited.
        wishes, self._publishing = self._publishing, []
        self._asked, self._result = False, None
        return [Fail(wish, f"publish: {error}", error) for wish in wishes if wish]
