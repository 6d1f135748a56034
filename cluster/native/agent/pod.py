"""One pod of this node: started, probed, restarted, ended and reported by one asyncio task."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from pathlib import Path

from cluster.kubernetes import names
from cluster.native.agent import documents
from cluster.native.agent.api import API_TROUBLE, STRATEGIC, ApiAnswer, Document, NodeApi
from cluster.native.agent.documents import PodSpec, Seen
from cluster.native.agent.limits import NodeLimits
from cluster.native.agent.node import now_text
from cluster.process_pod import HOST, PodCommand, PodNotStarted, PodProcess
from cluster.processes import free_ports

_LOG = logging.getLogger(__name__)
_EXIT_LOOK_SECONDS = 0.02
_FIRST_PROBE_SECONDS = 0.1
_BACKOFF_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)
_STEADY_SECONDS = 10.0  # a run this long starts the back-off anew
_MEMORY_LOOK_SECONDS = 0.1
_REPORT_SECONDS = 0.2
_NOT_STARTED = 127


@dataclass(frozen=True, slots=True)
class PodHome:
    """What every pod of a node shares."""

    devnet_id: str
    node: str
    logs: Path
    limits: NodeLimits
    api: NodeApi


class AgentPod:
    """Owns the pod's process. `start` its task; `finish` ends both and tells the API server."""

    def __init__(self, home: PodHome, spec: PodSpec, *, restarts: int = 0) -> None:
        """`restarts` continues the count of an earlier agent."""
        self.spec = spec
        self._home = home
        self._seen = Seen(started=now_text(), restarts=restarts)
        self._process: PodProcess | None = None
        self._task: asyncio.Task[None] | None = None
        self._peak = 0
        self.started_seconds = time.time()
        self.port = 0
        self.log = home.logs / f"{spec.namespace}_{spec.name}.log"

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.exit_code is None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def key(self) -> str:
        """The name of its control group."""
        return f"{self.spec.namespace}_{self.spec.name}"

    @property
    def ended(self) -> bool:
        """Succeeded or Failed."""
        return self._seen.phase in ("Succeeded", "Failed")

    def start(self) -> None:
        self._task = asyncio.create_task(self._live(), name=f"pod {self.spec.name}")

    def command(self) -> PodCommand:
        """Its process; `exec` takes folder and environment from it too."""
        spec = self.spec
        return PodCommand(
            pod=spec.name,
            node=self._home.node,
            folder=spec.folder,
            command=spec.command,
            devnet_id=self._home.devnet_id,
            log=self.log,
            port=self.port,
            env=spec.env,
            payload=spec.payload,
        )

    async def finish(self, grace_seconds: float) -> None:
        """SIGTERM, SIGKILL after the grace; nothing of the pod runs afterwards."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._process is not None:
            await asyncio.to_thread(self._process.stop, grace_seconds)
        await asyncio.to_thread(self._home.limits.leave, self.key)

    async def _live(self) -> None:
        failures = 0
        while True:
            began = time.monotonic_ns()
            exit_code = await self._run_once()
            took_ns = time.monotonic_ns() - began
            if not self.spec.restarts or (exit_code == 0 and not self.spec.restarts_after_success):
                await self._end(exit_code, took_ns)
                return
            failures = 1 if took_ns > _STEADY_SECONDS * 1e9 else failures + 1
            pause = _BACKOFF_SECONDS[min(failures, len(_BACKOFF_SECONDS)) - 1]
            self._seen.last_state = self._seen.state
            self._seen.state = {"waiting": {"reason": "CrashLoopBackOff"}}
            self._seen.restarts += 1
            self._seen.ready = False
            await self._report()
            await asyncio.sleep(pause)

    async def _run_once(self) -> int:
        """Start the process and follow it to its end; its exit code."""
        spec, home = self.spec, self._home
        self.port = free_ports(1)[0] if spec.restarts else 0
        self._seen.started = now_text()
        self.started_seconds = time.time()
        try:
            enter = await asyncio.to_thread(home.limits.enter, self.key, spec.limits)
            self._process = await asyncio.to_thread(PodProcess, self.command(), enter=enter)
        except (PodNotStarted, OSError) as error:
            with self.log.open("a", encoding="utf-8") as log:
                log.write(f"{error}\n")
            self._terminated(_NOT_STARTED)
            return _NOT_STARTED
        self._seen.phase = "Running"
        self._seen.state = {"running": {"startedAt": self._seen.started}}
        self._seen.ready = spec.probe is None
        reporting = asyncio.create_task(self._announce())
        probing = asyncio.create_task(self._probe(self._process))
        try:
            exit_code = await self._follow(self._process)
            # Running must not be reported after the end.
            await reporting
        finally:
            for task in (reporting, probing):
                task.cancel()
            await asyncio.gather(reporting, probing, return_exceptions=True)
        self._peak = max(self._peak, home.limits.peak(self.key))
        await asyncio.to_thread(self._process.kill)
        self._terminated(exit_code)
        return exit_code

    async def _announce(self) -> None:
        if self.port:
            address = {names.ADDRESS: f"{HOST}:{self.port}"}
            await self._patch("", {"metadata": {"annotations": address}})
        await self._report()

    async def _follow(self, process: PodProcess) -> int:
        next_look = 0.0
        while (exit_code := process.exit_code) is None:
            now = time.monotonic()
            if now >= next_look and self._home.limits.groups is None:
                self._peak = max(self._peak, process.memory_peak())
                next_look = now + _MEMORY_LOOK_SECONDS
            await asyncio.sleep(_EXIT_LOOK_SECONDS)
        return exit_code

    async def _probe(self, process: PodProcess) -> None:
        probe = self.spec.probe
        if probe is None:
            return
        failures = 0
        while True:
            await asyncio.sleep(probe.period_seconds if self._seen.ready else _FIRST_PROBE_SECONDS)
            good = await asyncio.to_thread(process.answers, probe.path, probe.timeout_seconds)
            failures = 0 if good else failures + 1
            ready = good or (self._seen.ready and failures < probe.failure_threshold)
            if ready != self._seen.ready:
                self._seen.ready = ready
                await self._report()

    def _terminated(self, exit_code: int) -> None:
        limit = self.spec.limits.memory_bytes
        full = bool(limit) and self._home.limits.groups is not None and self._peak >= limit
        self._seen.state = documents.terminated(
            exit_code, self._seen.started, now_text(), memory_full=full
        )

    async def _end(self, exit_code: int, took_ns: int) -> None:
        """Leave the result before the status says that there is one."""
        spec = self.spec
        output = b""
        if spec.payload is not None and self._process is not None:
            output = await asyncio.to_thread(self._collect)
        result = documents.result_annotations(spec, output, took_ns // 1_000_000, self._peak)
        await self._patch("", {"metadata": {"annotations": result}})
        self._seen.phase = "Succeeded" if exit_code == 0 else "Failed"
        await self._report()
        await asyncio.to_thread(self._home.limits.leave, self.key)

    def _collect(self) -> bytes:
        """A job's stdout, which moves to its log so that `kubectl logs` shows both streams."""
        path = self.command().output
        output = path.read_bytes()
        with self.log.open("ab") as log:
            log.write(output)
        path.unlink()
        return output

    async def _report(self) -> None:
        body = {"status": documents.status(self.spec, self._seen, now_text())}
        await self._patch("/status", body)

    async def _patch(self, below: str, body: Document) -> None:
        """Try until it is written or the pod is gone: a status must not be lost in a hiccup."""
        # The uid makes the API server refuse when another pod of this name has come.
        body.setdefault("metadata", {})["uid"] = self.spec.uid
        while True:
            try:
                await self._home.api.patch(self.spec.path + below, body, STRATEGIC)
            except ApiAnswer as error:
                if 400 <= error.status < 500:
                    _LOG.info("pod %s: %s", self.spec.name, error)
                    return
                _LOG.warning("pod %s: %s", self.spec.name, error)
            except API_TROUBLE as error:
                _LOG.warning("pod %s: %r", self.spec.name, error)
            else:
                return
            await asyncio.sleep(_REPORT_SECONDS)
