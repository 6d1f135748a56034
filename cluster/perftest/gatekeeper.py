"""The gatekeeper's side of a test: a job on the node, commanded and timed from here."""

from __future__ import annotations

import hashlib
import json
import secrets
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BufferedRWPair
from pathlib import Path
from typing import Any, Protocol

from cluster.errors import ClusterError, JobFailed, UnknownSubject
from cluster.interface import Capacity, Job, JobResult, Measurement, Node
from cluster.perftest import program, quota, rules
from cluster.perftest.cheats import HONEST, playing
from cluster.perftest.transcript import ChainRun, Filled, Processor, Transcript, Transfer
from cluster.scores import proven_memory, proven_storage

Clock = Callable[[], int]
Spent = Callable[[], int | None]
"""Nanoseconds of the processor that all pods of a node have had so far; None: not to be seen."""

_HOST = "127.0.0.1"
_DEADLINE_SECONDS = 120
_PATIENCE_SECONDS = 40.0  # with runs that do not count
_ACCEPT_LOOK_SECONDS = 0.1
_END_SECONDS = 30.0
_NOTHING = Capacity(0, 0)  # so it always fits; the whole node's limits hold it


class Overloaded(JobFailed):
    """The node did not get what its quota gives for as long as it was tried: no figure is true."""


class Cheated(JobFailed):
    """What answered was not the node, or not within what it has."""


class RunsJobs(Protocol):
    """The part of a cluster that a test needs."""

    def nodes(self) -> tuple[Node, ...]: ...
    def run_job(self, job: Job) -> JobResult: ...


@dataclass(frozen=True, slots=True)
class Machine:
    """What really answers when a node is tested: the node of that name, and what it plays."""

    node: str
    cheat: str


def _unseen() -> int | None:
    return None


def measure(
    cluster: RunsJobs,
    node: str,
    seed: bytes,
    spent: Spent = _unseen,
    machine: Machine | None = None,
) -> Measurement:
    """Test one node of a cluster. Raises `UnknownSubject`, `JobFailed`."""
    for each in cluster.nodes():
        if each.spec.name == node:
            return run_test(
                cluster.run_job, node, each.allocatable, seed, spent=spent, machine=machine
            )
    raise UnknownSubject(f"no node {node!r} to measure")


def run_test(
    run_job: Callable[[Job], JobResult],
    node: str,
    capacity: Capacity,
    seed: bytes,
    clock: Clock = time.monotonic_ns,
    spent: Spent = _unseen,
    machine: Machine | None = None,
) -> Measurement:
    """One performance test under the node's limits; `clock` gives nanoseconds.

    `capacity` is what the node may give to pods. What they use meanwhile is missing in the result;
    `spent` tells it from what the machine kept back. `machine` answers in the place of an honest
    node.
    Seeds are shown command by command and
    challenges are drawn after the fill, so nothing can be prepared. Raises `JobFailed`; where the
    machine was too busy to give the node its quota, `Overloaded`.
    """
    token = secrets.token_hex(16)
    answers = machine or Machine(node, HONEST)
    with (
        tempfile.TemporaryDirectory(prefix="perftest-") as name,
        playing(answers.cheat, Path(name)) as command,
        socket.create_server((_HOST, 0)) as listener,
    ):
        folder = Path(name)
        folder.chmod(0o755)
        order = {
            "host": _HOST,
            "port": listener.getsockname()[1],
            "token": token,
            "milli_cpu": capacity.milli_cpu,
        }
        job = Job(
            name=f"perftest-{node}-{token[:8]}",
            folder=folder,
            command=command,
            payload=json.dumps(order).encode(),
            requests=_NOTHING,
            node=answers.node,
            deadline_seconds=_DEADLINE_SECONDS,
        )
        worker = _JobThread(run_job, job)
        worker.start()
        try:
            with _accept(listener, token, worker) as stream:
                transcript = _Commands(stream, clock, spent).test(seed, capacity)
        except (Overloaded, Cheated) as error:
            worker.join(_END_SECONDS)
            raise type(error)(f"the test of {node} gave no result: {error}") from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            worker.join(_END_SECONDS)
            raise JobFailed(f"the test of {node} broke off: {worker.fate()} ({error!r})") from error
        worker.join(_END_SECONDS)
        if (where := worker.ran_on()) is None:
            raise JobFailed(f"the test of {node} gave no result: {worker.fate()}")
        if where != node:
            raise Cheated(f"the test of {node} gave no result: it ran on {where}")
    return transcript.measurement(node, seed, capacity)


class _JobThread(threading.Thread):
    """`run_job` blocks until the job's end, and the test happens meanwhile."""

    def __init__(self, run_job: Callable[[Job], JobResult], job: Job) -> None:
        super().__init__(name=job.name, daemon=True)
        self._run_job, self._job = run_job, job
        self._result: JobResult | None = None
        self._error: ClusterError | None = None

    def run(self) -> None:
        try:
            self._result = self._run_job(self._job)
        except ClusterError as error:
            self._error = error

    def ran_on(self) -> str | None:
        """The node that the cluster says the job ran on; None where it left no result."""
        return self._result.node if self._result is not None else None

    def fate(self) -> str:
        if self._error is not None:
            return str(self._error)
        if self._result is not None:
            return f"exit code {self._result.exit_code}, {self._result.output[-300:]!r}"
        return "its job still runs"


def _accept(listener: socket.socket, token: str, worker: _JobThread) -> BufferedRWPair:
    """The program's connection; others that come by are dropped."""
    listener.settimeout(_ACCEPT_LOOK_SECONDS)
    end = time.monotonic() + _DEADLINE_SECONDS
    while time.monotonic() < end:
        try:
            link, _ = listener.accept()
        except TimeoutError:
            if not worker.is_alive():
                raise ConnectionError("the program never connected") from None
            continue
        link.settimeout(_DEADLINE_SECONDS)
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stream = link.makefile("rwb")
        link.close()  # the stream keeps it
        greeting = json.loads(stream.readline(1000) or b"{}")
        if secrets.compare_digest(str(greeting.get("token", "")), token):
            return stream
        stream.close()
    raise ConnectionError(f"the program did not connect within {_DEADLINE_SECONDS} s")


class _Commands:
    """Says one command after the other and times each."""

    def __init__(self, stream: BufferedRWPair, clock: Clock, spent: Spent) -> None:
        self._stream, self._clock, self._spent = stream, clock, spent

    def test(self, seed: bytes, capacity: Capacity) -> Transcript:
        chains, refused = self._chains(seed, capacity)
        memory, slow_memory = self._proven("memory", seed, proven_memory(capacity))
        disk, slow_disk = self._proven("disk", seed, proven_storage(capacity))
        refused += slow_memory + slow_disk
        down, up = self._transfers(rules.transfer_bytes(capacity))
        self._say({"do": "end"})
        return Transcript(chains, memory, disk, down, up, refused)

    def _chains(
        self, seed: bytes, capacity: Capacity
    ) -> tuple[tuple[ChainRun, ...], tuple[str, ...]]:
        """The runs that count, and why others do not: those are repeated, for a while."""
        chains: list[ChainRun] = []
        refused: list[str] = []
        end = time.monotonic() + _PATIENCE_SECONDS
        for number in range(rules.MOST_RUNS):
            run = self._chain(seed, number, capacity)
            if why := quota.excess(run, capacity):
                raise Cheated(f"chain run {number}: {why}")
            if why := quota.shortfall(run, capacity):
                refused.append(f"chain run {number}: {why}")
                if time.monotonic() > end:
                    break
            else:
                chains.append(run)
            if len(chains) == rules.RUNS:
                return tuple(chains), tuple(refused)
        raise Overloaded(
            f"overloaded: {len(refused)} of {len(refused) + len(chains)} runs do not count; the "
            f"last that does not: {refused[-1]}; measure again once less runs on this machine, or "
            "divide its nodes by a smaller network.scale"
        )

    def _chain(self, seed: bytes, run: int, capacity: Capacity) -> ChainRun:
        steps = rules.chain_steps(capacity)
        every = rules.checkpoint_every(steps)
        seeds = [
            rules.chain_seed(seed, run, chain).hex() for chain in range(rules.chain_count(capacity))
        ]
        before = self._spent()
        reply, took = self._ask({"do": "chain", "seeds": seeds, "steps": steps, "every": every})
        node_ns = program.since(before, self._spent())
        checkpoints = tuple(tuple(map(str, each)) for each in reply["checkpoints"])
        return ChainRun(
            run, steps, every, checkpoints, took, Processor(**reply["processor"], node_ns=node_ns)
        )

    def _proven(self, what: str, seed: bytes, total: int) -> tuple[Filled, tuple[str, ...]]:
        """The fill whose challenge counts, and why others do not: those are repeated."""
        refused: list[str] = []
        for _ in range(rules.MOST_FILLS):
            filled = self._filled(what, seed, total)
            if not (why := filled.shortfall(what)):
                return filled, tuple(refused)
            refused.append(why)
        raise Overloaded(
            f"overloaded: {refused[-1]}, {len(refused)} times; measure again once less runs on "
            "this machine"
        )

    def _filled(self, what: str, seed: bytes, total: int) -> Filled:
        own_seed = rules.fill_seed(seed, what).hex()
        reply, took = self._ask({"do": f"fill {what}", "seed": own_seed, "bytes": total})
        nonce = secrets.token_hex(16)
        blocks = _challenge(len(program.block_sizes(total)))
        answers, challenge_took = self._ask(
            {"do": f"read {what}", "nonce": nonce, "blocks": blocks}
        )
        return Filled(
            total=total,
            tails=tuple(map(str, reply["tails"])),
            nanoseconds=took,
            nonce=nonce,
            blocks=tuple(blocks),
            answers=tuple(map(str, answers["answers"])),
            challenge_nanoseconds=challenge_took,
        )

    def _transfers(self, total: int) -> tuple[Transfer, Transfer]:
        made = secrets.token_bytes(total)
        began = self._clock()
        self._say({"do": "down", "bytes": total}, made)
        reply = json.loads(self._stream.readline())
        down = Transfer(total, self._clock() - began)
        if reply["digest"] != hashlib.sha256(made).hexdigest():
            raise ValueError("the bytes sent did not arrive")
        began = self._clock()
        self._say({"do": "up"})
        back = self._stream.read(total)
        up = Transfer(total, self._clock() - began)
        if back != made:
            raise ValueError("the bytes sent did not come back")
        return down, up

    def _ask(self, command: dict[str, Any]) -> tuple[dict[str, Any], int]:
        began = self._clock()
        self._say(command)
        line = self._stream.readline()
        took = self._clock() - began
        if not line:
            raise ConnectionError(f"no answer to {command['do']!r}")
        reply: dict[str, Any] = json.loads(line)
        return reply, took

    def _say(self, command: dict[str, Any], data: bytes = b"") -> None:
        self._stream.write(json.dumps(command).encode() + b"\n" + data)
        self._stream.flush()


def _challenge(count: int) -> Sequence[int]:
    chosen = secrets.SystemRandom().sample(range(count), min(count, rules.CHALLENGED_BLOCKS))
    return sorted(chosen)
