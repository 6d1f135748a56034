"""Keeps processes running: whoever ends by itself is named at once and, for a while, started again.

Everything that runs here may be: etcd keeps its data in its folder, the API server, the controller
manager, the scheduler and metrics-server keep nothing, and a kubelet ends what an earlier life left
before it takes its pods up again. A part that keeps ending is given up, and so is one that has
never worked: its log says why. One that a signal has stopped is named and left alone. Where the
watch itself ends by an error that nobody foresaw, it is named as a part that is gone.
"""

from __future__ import annotations

import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from logging import Logger

from cluster.ended import Ended, Incident, Outlook
from cluster.errors import ClusterError, ClusterStartFailed
from cluster.processes import Process

_EVERY_SECONDS = 0.1
_JOIN_SECONDS = 5.0
_MOST_INCIDENTS = 1000
_WATCH = "supervisor"
_MINUTE_SECONDS = 60.0
STOPPED = "is stopped by a signal (SIGSTOP, a debugger)"


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long a part rests before each new start; one that ends more often within `window_seconds`
    is given up."""

    pauses: tuple[float, ...] = (0.0, 0.5, 1.0, 2.0, 4.0)
    window_seconds: float = 60.0

    def pause(self, deaths: Sequence[float], now: float) -> float | None:
        """After the last of `deaths` (moments); None where it is given up."""
        recent = self.recent(deaths, now)
        return self.pauses[max(0, recent - 1)] if recent <= len(self.pauses) else None

    def recent(self, deaths: Sequence[float], now: float) -> int:
        """How many of them are no older than the window."""
        return sum(1 for moment in deaths if now - moment < self.window_seconds)

    @property
    def window(self) -> str:
        """The window in words."""
        if self.window_seconds == _MINUTE_SECONDS:
            return "a minute"
        return f"{self.window_seconds:g} s"


@dataclass(slots=True)
class _Part:
    """`due`: when it is started again; `absent`: since when it has not worked."""

    name: str
    node: str
    start: Callable[[], Process]
    works: Callable[[], bool]
    process: Process
    absent: float | None
    worked: bool = False
    stopped: bool = False
    excused: bool = False
    given_up: bool = False
    how: str = ""
    due: float | None = None
    starts: int = 0
    deaths: deque[float] = field(default_factory=lambda: deque(maxlen=32))


class Supervisor:
    """Owns the processes it keeps and, from `watch` to `stop`, a thread; all else is any thread's.

    `stop` ends the watch alone: whoever had a process kept takes it back with `release`.
    """

    def __init__(
        self,
        log: Logger,
        backoff: Backoff | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log, self._backoff, self._clock = log, backoff or Backoff(), clock
        self._parts: dict[str, _Part] = {}
        self._incidents: deque[Incident] = deque(maxlen=_MOST_INCIDENTS)
        self._noted = 0
        self._lock = threading.RLock()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._watch_ended = ""  # by what, in words

    def keep(
        self, name: str, start: Callable[[], Process], works: Callable[[], bool], node: str = ""
    ) -> Process:
        """Start a part and keep it running. `works`: whether it does its work; quick, bounded."""
        with self._lock:
            process = start()
            self._parts[name] = _Part(name, node, start, works, process, self._clock())
            return process

    def release(self, name: str) -> Process | None:
        """Keep it no longer; its process is the caller's to end. None where it is not kept."""
        with self._lock:
            part = self._parts.pop(name, None)
            return part.process if part else None

    def process(self, name: str) -> Process | None:
        with self._lock:
            part = self._parts.get(name)
            return part.process if part else None

    def excuse(self, name: str, *, excused: bool) -> None:
        """Whether nothing is said of it while a signal has it stopped: it was asked for."""
        with self._lock:
            self._parts[name].excused = excused

    def forgive(self, name: str) -> None:
        """Its last end was asked for: it does not count among those after which a part is given
        up."""
        with self._lock:
            if (part := self._parts.get(name)) is not None and part.deaths and not part.given_up:
                part.deaths.pop()

    def watch(self) -> None:
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join(_JOIN_SECONDS)

    def ended(self) -> tuple[Ended, ...]:
        """Every part that is not there now, whatever is to come of it; the watch is one."""
        with self._lock:
            states = [self._ended(part) for part in self._parts.values()]
            watch = (Ended(_WATCH, self._watch_ended),) if self._watch_ended else ()
        return (*watch, *(state for state in states if state is not None))

    def incidents(self) -> tuple[Incident, ...]:
        """What became of the parts so far, oldest first; the last thousand."""
        with self._lock:
            return tuple(self._incidents)

    def check(self, node: str = "") -> None:
        """Raise `ClusterStartFailed` naming the first part that has ended and does not return; of
        those of nodes, that of `node` alone is looked at."""
        with self._lock:
            if self._watch_ended:
                raise ClusterStartFailed(f"{_WATCH} {self._watch_ended}")
            gone = [
                part.process
                for part in self._parts.values()
                if part.node in ("", node)
                and (found := self._ended(part))
                and found.outlook is Outlook.GONE
            ]
        for process in gone:
            process.check()

    def tick(self) -> None:
        """One look at all parts."""
        with self._lock:
            for part in self._parts.values():
                self._look(part)
            asked = [p for p in self._parts.values() if p.absent is not None and p.due is None]
        for part in asked:  # a part's answer may take a moment: the lock is not held for it
            if part.process.running and not part.stopped and part.works():
                self._back(part)

    def _run(self) -> None:
        try:
            while not self._over.wait(_EVERY_SECONDS):
                self.tick()
        except BaseException as error:  # noqa: BLE001  a thread has nobody to raise it to
            with self._lock:
                self._watch_ended = (
                    f"ended by {type(error).__name__}: {error}; no part is started again any more"
                )
            self._log.exception("%s %s", _WATCH, self._watch_ended)

    def _look(self, part: _Part) -> None:
        now = self._clock()
        if part.given_up:
            return
        if part.due is not None:
            if now >= part.due:
                self._restart(part)
            return
        ended = part.process.ended()
        if ended is not None:
            self._died(part, ended.how, now)
        elif (stopped := self._stopped(part)) is not part.stopped:
            part.stopped = stopped
            self._note(part, STOPPED if stopped else "goes on")

    def _died(self, part: _Part, how: str, now: float) -> None:
        part.deaths.append(now)
        part.how, part.stopped = how, False
        part.absent = now if part.worked else part.absent
        self._note(part, how, died=True)
        pause = self._backoff.pause(part.deaths, now) if part.worked else None
        if pause is None:
            part.given_up = True
            self._note(part, f"is not started again: it {self._often(part)}")
            return
        part.due = now + pause
        if not pause:
            self._restart(part)

    def _restart(self, part: _Part) -> None:
        part.due, part.excused = None, False
        part.starts += 1
        try:
            part.process = part.start()
        except (ClusterError, OSError, subprocess.SubprocessError) as error:
            self._died(part, f"cannot be started again: {error}", self._clock())

    def _back(self, part: _Part) -> None:
        with self._lock:
            if self._parts.get(part.name) is not part or part.absent is None:
                return
            if not part.process.running:
                return  # it has died since it answered
            seconds = self._clock() - part.absent
            part.absent = None
            if part.worked:
                self._note(part, f"is back after {seconds:.1f} s, start {part.starts + 1}")
            part.worked = True

    def _ended(self, part: _Part) -> Ended | None:
        log = part.process.log
        if part.given_up:
            times = self._times(part)
            how = (
                part.how
                if times == 1
                else f"{part.how}, for the {times}. time in {self._backoff.window}"
            )
            return Ended(part.name, how, log, part.node)
        now = part.process.ended()
        if now is not None and not part.worked:
            return Ended(part.name, now.how, log, part.node)
        if part.due is not None or now is not None:
            how = f"{now.how if now else part.how}; it is started again"
            return Ended(part.name, how, log, part.node, Outlook.RETURNS)
        if self._stopped(part):
            pid = part.process.pid
            return Ended(part.name, STOPPED, log, part.node, Outlook.STOPPED, pid)
        if part.absent is not None and part.worked:
            how = f"{part.how}; it is starting again"
            return Ended(part.name, how, log, part.node, Outlook.RETURNS)
        return None

    @staticmethod
    def _stopped(part: _Part) -> bool:
        """Without having been asked to."""
        return not part.excused and part.process.stopped()

    def _times(self, part: _Part) -> int:
        """How often it had ended in the window of its last end: older ones are forgiven."""
        return self._backoff.recent(part.deaths, part.deaths[-1])

    def _often(self, part: _Part) -> str:
        if not part.worked:
            return "has never worked"
        return f"ended {self._times(part)} times in {self._backoff.window}"

    def _note(self, part: _Part, said: str, *, died: bool = False) -> None:
        self._noted += 1
        now = int(time.time())
        self._incidents.append(Incident(self._noted, part.name, said, now, part.node, died))
        self._log.warning("%s %s", part.name, said)
