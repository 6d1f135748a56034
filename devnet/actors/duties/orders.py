"""Accepted orders become workloads; what runs is stated, what was invoked is run and counted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cluster.interface import EventKind, Job, JobResult
from devnet.actors.attestations import Attestation, Counters, Running
from devnet.actors.duties.duty import Duty
from devnet.actors.duties.tasks import Task, requests_of, workload_of
from devnet.actors.messages import (
    ChainEvent,
    ClusterSeen,
    Counted,
    InvocationServed,
    JobEnded,
    JobsCounted,
    PayloadGiven,
    ReadyCounted,
    SendFailed,
    WorkloadReady,
)
from devnet.actors.operations import (
    AwaitReady,
    CountJobs,
    CountReady,
    Deploy,
    Operation,
    Remove,
    RunJob,
    Send,
    StoreResult,
    Tell,
)
from devnet.actors.view import View, is_guest
from devnet.chain.keccak import keccak

RECHECK_SECONDS = 3600  # until a workload short of pods, or refused counters, are seen to again
FRESH_BLOCKS = 2  # M6: how long ago a count may be that somebody signs
NO_RESULT_EXIT_CODE = 255


class Orders(Duty):
    """Market orders of all clients, from acceptance to their end; `account` sends statements."""

    attests = (Running, Counters)

    def __init__(self, account: str) -> None:
        self._account = account
        self._tasks: dict[int, Task] = {}
        self._scaled: dict[int, int] = {}
        self._deploy: set[int] = set()
        self._await: set[int] = set()
        self._remove: set[int] = set()
        self._ready: dict[int, int] = {}
        self._proposed: dict[int, Running] = {}  # the last statement of an order, not on chain yet
        self._recheck: dict[int, int] = {}
        self._invoked: dict[int, tuple[int, bytes]] = {}  # invocation -> order, payload hash
        self._payloads: dict[int, bytes] = {}
        self._started: set[int] = set()
        self._invocations: dict[int, int] = {}  # order -> how many were invoked on chain
        self._served: list[JobEnded] = []
        self._counted: dict[int, tuple[int, int]] = {}  # order -> invocations, MiB-milliseconds
        self._dirty: set[int] = set()
        self._held: dict[int, int] = {}  # order -> when its refused counters are proposed again

    def due(self) -> int | None:
        ends = (task.until for task in self._tasks.values())
        return min((*ends, *self._recheck.values(), *self._held.values()), default=None)

    def take(self, view: View, message: object, *, leads: bool) -> list[Operation]:
        match message:
            case ChainEvent():
                self._see(view, message, leads=leads)
            case ClusterSeen() if is_guest(message.event.subject):
                pass  # it carries no pods
            case ClusterSeen() if message.event.kind is not EventKind.NODE_READY:
                self._await |= {t.order for t in self._tasks.values() if self._runs(t.order)}
            case WorkloadReady() if message.order in self._tasks:
                self._ready[message.order] = message.ready
            case SendFailed(function="reportRunning", args=(int(order), *_)) if leads:
                self._proposed.pop(order, None)
                if order in self._tasks:
                    self._recheck[order] = view.now + view.block_seconds
            case PayloadGiven() if leads:
                self._payloads[message.invocation] = message.payload
            case JobEnded() if message.order in self._tasks:
                self._served.append(message)
            case JobEnded():  # its order ended first; others' counters must not wait for it
                self._started.discard(message.invocation)
            case _:
                pass
        return []

    def _runs(self, order: int) -> bool:
        return self._tasks[order].service.kind != "serverless"

    def _see(self, view: View, seen: ChainEvent, *, leads: bool) -> None:
        args = seen.event.args
        match seen.event.name:
            case "OrderAccepted":
                self._accept(view, args["id"])
            case "OrderScaled":
                if args["id"] in self._tasks:
                    task = replace(self._tasks[args["id"]], replicas=args["replicas"])
                    self._tasks[args["id"]] = task
                    self._deploy.add(args["id"])
                else:
                    self._scaled[args["id"]] = args["replicas"]  # until it is accepted
            case "UsageReported" if args["id"] in self._tasks:
                task = self._tasks[args["id"]]
                self._tasks[args["id"]] = task.with_statement(
                    args["replicas"], args["seq"], args["at"]
                )
            case "OrderClosed" | "Finalized" if args["id"] in self._tasks:
                self._tasks[args["id"]] = replace(self._tasks[args["id"]], end=seen.timestamp)
                self._remove.add(args["id"])
            case "OrderClosed" | "Finalized":
                self._scaled.pop(args["id"], None)
            case "Completed" if not leads:
                self._invoked.pop(args["invocation"], None)
            case "Invoked" if args["id"] in self._tasks:
                self._invocations[args["id"]] = self._invocations.get(args["id"], 0) + 1
                self._invoked[args["invocation"]] = (args["id"], args["payloadHash"])
            case _:
                pass

    def _accept(self, view: View, identity: int) -> None:
        order = view.reads.order(identity)
        service = view.directory.service_of(order.spec)
        if service is None:
            return  # accepted by a stranger's node: nobody here runs it, so nothing is ever charged
        self._tasks[identity] = Task(
            order=identity,
            service=service,
            client=view.directory.name(order.client),
            terms=order,
            replicas=self._scaled.pop(identity, order.maxReplicas),
            end=view.reads.end_of(identity),
        )
        if self._runs(identity):
            self._deploy.add(identity)

    def wanted(self, view: View) -> tuple[Running | Counters, ...]:
        """Statements to propose now."""
        wanted: list[Running | Counters] = []
        for identity, ready in sorted(self._ready.items()):
            task = self._tasks.get(identity)
            if task is None:
                continue
            if ready < task.least:
                self._recheck[identity] = view.now + RECHECK_SECONDS
            seq, stated = self._last(view, task)
            if ready != stated and task.at <= view.now < task.until:
                self._proposed[identity] = Running(identity, seq + 1, ready, view.now)
                wanted.append(self._proposed[identity])
        self._ready = {}
        self._count()
        self._held = {order: at for order, at in self._held.items() if view.now < at}
        due = self._dirty - self._held.keys()
        if self._running_jobs():  # one statement for all of them, unless an order cannot wait
            due &= self._ended(view)
        for identity in sorted(due):
            self._dirty.discard(identity)
            invocations, mib_milliseconds = self._counted[identity]
            wanted.append(Counters(identity, invocations, mib_milliseconds))
        return tuple(wanted)

    def _last(self, view: View, task: Task) -> tuple[int, int | None]:
        """Sequence and replicas of the last statement, also of one on its way: what runs may
        change more than once in a block (M6)."""
        proposed = self._proposed.get(task.order)
        if proposed is None or proposed.seq <= task.seq or self._is_stale(view, proposed):
            return task.seq, task.stated
        return proposed.seq, proposed.replicas

    @staticmethod
    def _is_stale(view: View, statement: Running) -> bool:
        """Whether nobody signs it any more."""
        return view.now - statement.at > FRESH_BLOCKS * view.block_seconds

    def _ended(self, view: View) -> set[int]:
        return self._remove | {order for order, t in self._tasks.items() if view.now >= t.until}

    def _running_jobs(self) -> bool:
        return bool(self._started)

    def _count(self) -> None:
        for ended in self._served:
            task = self._tasks[ended.order]
            invocations, used = self._counted.get(ended.order, (0, 0))
            milliseconds = ended.result.milliseconds if ended.result else 0
            used += task.service.memory_mib * milliseconds
            self._counted[ended.order] = (invocations + 1, used)
            self._dirty.add(ended.order)
            self._invoked.pop(ended.invocation, None)
            self._payloads.pop(ended.invocation, None)
            self._started.discard(ended.invocation)

    def operations(self, view: View) -> list[Operation]:
        """What the cluster is asked to do now."""
        self._remove = self._ended(view)
        for identity, at in list(self._recheck.items()):
            if view.now >= at:
                del self._recheck[identity]
                self._await.add(identity)
        operations = self._serve()  # also what ended in the round in which its order ends
        for identity in sorted(self._remove):
            task = self._tasks[identity]
            self._forget(identity)
            if task.service.kind != "serverless":
                operations.append(Remove(identity, task.workload))
        for identity in sorted(self._deploy - self._remove):
            operations.append(Deploy(identity, workload_of(view, self._tasks[identity])))
        for identity in sorted((self._deploy | self._await) & self._tasks.keys()):
            task = self._tasks[identity]
            operations.append(AwaitReady(identity, task.workload, task.least, task.most))
        operations += self._jobs(view)
        self._remove, self._deploy, self._await = set(), set(), set()
        return operations

    def follow(self, view: View) -> None:
        """M6: of an order that may be finalized nobody states anything, nor signs it any more."""
        over = view.now - view.reads.halt_delay() - FRESH_BLOCKS * view.block_seconds
        for identity in [order for order, task in self._tasks.items() if task.until <= over]:
            self._forget(identity)

    def _forget(self, order: int) -> None:
        """It has ended."""
        del self._tasks[order]
        by_orders: tuple[dict[int, Any], ...] = (
            *(self._recheck, self._held, self._counted, self._invocations),
            *(self._ready, self._proposed),
        )
        for by_order in by_orders:
            by_order.pop(order, None)
        for orders in (self._dirty, self._deploy, self._await, self._remove):
            orders.discard(order)
        for invocation in [n for n, (of, _) in self._invoked.items() if of == order]:
            del self._invoked[invocation]
            self._payloads.pop(invocation, None)

    def _serve(self) -> list[Operation]:
        operations: list[Operation] = []
        for ended in self._served:
            task = self._tasks.get(ended.order)
            if task is None:
                continue
            operations += self._answer(task, ended.invocation, ended.result)
        self._served = []
        return operations

    def _answer(
        self, task: Task, invocation: int, result: JobResult | None, reason: str = ""
    ) -> tuple[Operation, Operation]:
        """What the client hears of its invocation; why, where it was not run."""
        output = result.output if result else b""
        served = InvocationServed(invocation, exit_code_of(result), keccak(output), reason)
        return StoreResult(invocation, output), Tell(task.client, served)

    def _jobs(self, view: View) -> list[Operation]:
        operations: list[Operation] = []
        for invocation, payload in sorted(self._payloads.items()):
            known = self._invoked.get(invocation)
            if known is None or known[0] not in self._tasks:
                continue
            order, payload_hash = known
            task = self._tasks[order]
            if keccak(payload) != payload_hash or invocation in self._started:
                continue
            if task.is_used_up(*self._counted.get(order, (0, 0))):  # M3: nobody would pay for it
                del self._invoked[invocation], self._payloads[invocation]
                reason = f"the deposit of order {order} is used up"
                operations += self._answer(task, invocation, None, reason)
                continue
            self._started.add(invocation)
            folder = view.directory.spec.service_folder(task.service.name).resolve()
            job = Job(
                name=f"invocation-{invocation}",
                folder=folder,
                command=task.service.command,
                payload=payload,
                requests=requests_of(task.service),
                deadline_seconds=task.service.timeout,
            )
            operations.append(RunJob(order, invocation, job))
        return operations

    def count(self, attestation: Attestation, asked_by: str) -> Operation | None:
        """A gatekeeper's own look at what runs, and at what the control plane has run."""
        assert isinstance(attestation, Running | Counters)
        if isinstance(attestation, Counters):
            return CountJobs(attestation, asked_by, attestation.order)
        task = self._tasks.get(attestation.order)
        if task is None or task.service.kind == "serverless":
            return None
        return CountReady(attestation, asked_by, task.workload)

    def counted(self, view: View, counted: Counted) -> str | None:
        attestation = counted.attestation
        reason = self.objection(view, attestation)
        match attestation, counted:
            case Running(), ReadyCounted():
                if counted.ready != attestation.replicas:
                    return f"{counted.ready} pods are ready, not {attestation.replicas}"
                return reason
            case Counters(), JobsCounted():
                return reason or self._overstated(attestation, counted)
        return "counted is something else"

    def objection(self, view: View, attestation: Attestation) -> str | None:
        """What a gatekeeper can check of a statement before it signs (M3, M6)."""
        assert isinstance(attestation, Running | Counters)
        statement = attestation
        order = view.reads.order(statement.order)
        task = self._tasks.get(statement.order)
        if task is None:
            return f"order {statement.order} is not running"
        if isinstance(statement, Running):
            if statement.replicas > order.maxReplicas:
                return f"more replicas than the order's {order.maxReplicas}"
            if not order.acceptedAt <= statement.at <= view.now:
                return "not a time of this order"
            if self._is_stale(view, statement):
                return f"{view.now - statement.at} s ago, and nobody knows what ran then"
            return None
        invoked = self._invocations.get(statement.order, 0)
        most = invoked * task.service.memory_mib * task.service.timeout * 1000
        if statement.invocations > invoked:
            return f"only {invoked} invocations are on chain"
        if statement.mib_milliseconds > most:
            return f"{statement.mib_milliseconds} MiB-ms is more than the timeout allows ({most})"
        return None

    def _overstated(self, statement: Counters, counted: JobsCounted) -> str | None:
        """M3: no more is charged than the control plane has run."""
        if statement.invocations > counted.jobs:
            return f"only {counted.jobs} jobs have ended, not {statement.invocations}"
        took = self._tasks[statement.order].service.memory_mib * counted.milliseconds
        if statement.mib_milliseconds > took:
            return f"{statement.mib_milliseconds} MiB-ms is more than the jobs took ({took})"
        return None

    def completed(self, view: View, attestation: Attestation, signatures: bytes) -> list[Operation]:
        match attestation:
            case Running(order=order, seq=seq, replicas=replicas, at=at):
                running = (order, seq, replicas, at, signatures)
                return [Send(self._account, "Market", "reportRunning", running)]
            case Counters(order=order, invocations=invocations, mib_milliseconds=used):
                counters = (order, invocations, used, signatures)
                return [Send(self._account, "Market", "reportCounters", counters)]
        return []

    def given_up(self, view: View, attestation: Attestation, reasons: str) -> list[Operation]:
        """Peers count otherwise: look again before the next statement."""
        assert isinstance(attestation, Running | Counters)
        order = attestation.order
        if self._proposed.get(order) == attestation:
            del self._proposed[order]
        if order in self._tasks and isinstance(attestation, Running):
            self._recheck[order] = view.now + view.block_seconds
        elif order in self._tasks:
            self._dirty.add(order)
            self._held[order] = view.now + RECHECK_SECONDS
        return []


def exit_code_of(result: JobResult | None) -> int:
    """The exit code put on chain (uint8)."""
    return result.exit_code & 0xFF if result else NO_RESULT_EXIT_CODE
