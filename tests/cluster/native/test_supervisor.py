"""Who ends is named and started again, within bounds: real processes, a clock set by hand."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from subprocess import SubprocessError

import pytest

from cluster.ended import Ended, Outlook, dead_of
from cluster.errors import ClusterLacks, ClusterStartFailed
from cluster.native.supervisor import STOPPED, Backoff, Supervisor
from cluster.processes import Process
from cluster.waiting import Seen, wait_for

BACKOFF = Backoff(pauses=(0.0, 1.0, 4.0), window_seconds=60.0)


class Bench:
    """A supervisor of shells in `folder`; `now` is its clock."""

    def __init__(self, folder: Path) -> None:
        self.now = 1000.0
        self.folder = folder
        self.supervisor = Supervisor(logging.getLogger("tests"), BACKOFF, lambda: self.now)
        self.works = True
        self.dies_answering = False
        self.start_error: Exception | None = None

    def keep(self, name: str, script: str = "exec sleep 60", node: str = "") -> Process:
        def start() -> Process:
            if self.start_error is not None:
                raise self.start_error
            log = self.folder / f"{name}.log"
            return Process(name, ["sh", "-c", script], log=log, env=dict(os.environ))

        def works() -> bool:
            if self.dies_answering:
                self.kill(name)
                return True
            return self.works

        return self.supervisor.keep(name, start, works, node)

    def process(self, name: str) -> Process:
        found = self.supervisor.process(name)
        assert found is not None
        return found

    def kill(self, name: str) -> None:
        process = self.process(name)
        os.kill(process.pid, signal.SIGKILL)
        wait_for("its end", lambda: Seen(not process.running), 5)

    def said(self) -> list[str]:
        return [str(incident) for incident in self.supervisor.incidents()]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    for name in ("store", "api"):
        process = made.supervisor.release(name)
        if process is not None:
            process.kill()


@pytest.mark.parametrize(
    ("moments", "pause"),
    [
        ([0], 0.0),
        ([0, 1], 1.0),
        ([0, 1, 2], 4.0),
        ([0, 1, 2, 3], None),
        ([0, 1, 2, 60.5], 4.0),  # the first is forgotten
        ([0, 1, 2, 100], 0.0),
    ],
)
def test_pauses_grow_and_end(moments: list[float], pause: float | None) -> None:
    assert BACKOFF.pause(moments, moments[-1]) == pause


def test_who_dies_is_named_at_once_and_is_back_once_it_works(bench: Bench) -> None:
    first = bench.keep("store")
    bench.keep("api")
    bench.supervisor.tick()
    assert bench.supervisor.ended() == ()

    bench.kill("store")
    log = bench.folder / "store.log"
    how = "was killed by SIGKILL; it is started again"
    assert bench.supervisor.ended() == (Ended("store", how, log, "", Outlook.RETURNS),)

    bench.works = False
    bench.supervisor.tick()
    assert bench.process("store").running and bench.process("store").pid != first.pid
    how = "was killed by SIGKILL; it is starting again"
    assert bench.supervisor.ended() == (Ended("store", how, log, "", Outlook.RETURNS),)
    bench.supervisor.check()

    bench.works = True
    bench.now += 2.5
    bench.supervisor.tick()
    assert bench.supervisor.ended() == ()
    assert bench.said() == ["store was killed by SIGKILL", "store is back after 2.5 s, start 2"]
    assert dead_of(bench.supervisor.incidents()) == ["store was killed by SIGKILL"]


def test_who_keeps_dying_is_given_up(bench: Bench) -> None:
    bench.keep("store")
    bench.supervisor.tick()
    starts = {bench.process("store").pid}
    for pause in (0.0, 1.0, 4.0):
        bench.kill("store")
        bench.supervisor.tick()
        if pause:
            bench.now += pause - 0.01
            bench.supervisor.tick()
            assert not bench.process("store").running
            bench.now += 0.02
            bench.supervisor.tick()
        assert bench.process("store").running
        starts.add(bench.process("store").pid)
    bench.kill("store")
    bench.supervisor.tick()
    bench.now += 1000
    bench.supervisor.tick()

    (gone,) = bench.supervisor.ended()
    assert (str(gone), gone.outlook) == (
        "store was killed by SIGKILL, for the 4. time in a minute",
        Outlook.GONE,
    )
    assert bench.said()[-1] == "store is not started again: it ended 4 times in a minute"
    assert len(starts) == 4
    with pytest.raises(ClusterStartFailed, match="store was killed by SIGKILL"):
        bench.supervisor.check()


def test_ends_of_long_ago_are_not_counted(bench: Bench) -> None:
    """It said "for the 6. time in a minute" of four."""
    bench.keep("store")
    for wait in (0.0, 100.0, 100.0, 0.0, 1.1, 4.1):
        bench.now += wait
        bench.supervisor.tick()
        bench.kill("store")
        bench.supervisor.tick()

    (gone,) = bench.supervisor.ended()
    assert str(gone) == "store was killed by SIGKILL, for the 4. time in a minute"
    assert bench.said()[-1] == "store is not started again: it ended 4 times in a minute"


def test_ends_that_were_asked_for_are_not_counted(bench: Bench) -> None:
    """The sixth `crashed` of a node within a minute ended the devnet."""
    bench.keep("store")
    bench.supervisor.tick()
    for _ in range(2 * len(BACKOFF.pauses)):
        bench.kill("store")
        bench.supervisor.tick()
        assert bench.process("store").running  # at once: nothing is held against it
        bench.supervisor.forgive("store")
    assert bench.supervisor.ended() == ()
    assert len(bench.said()) == 4 * len(BACKOFF.pauses)  # and each of them is told

    for pause in (*BACKOFF.pauses, 0.0):  # those of its own are counted as ever
        bench.kill("store")
        bench.supervisor.tick()
        bench.now += pause
        bench.supervisor.tick()
    bench.supervisor.forgive("store")  # too late
    bench.supervisor.forgive("nobody")
    (gone,) = bench.supervisor.ended()
    assert (str(gone), gone.outlook) == (
        "store was killed by SIGKILL, for the 4. time in a minute",
        Outlook.GONE,
    )


def test_who_has_never_worked_is_not_started_again(bench: Bench) -> None:
    """Its log says why: an unknown flag will be unknown the next time."""
    bench.works = False
    process = bench.keep("store", "echo 'unknown flag' >&2; exit 2")
    wait_for("its end", lambda: Seen(not process.running), 5)
    for _ in range(3):
        (gone,) = bench.supervisor.ended()
        assert (str(gone), gone.outlook) == ("store ended with exit code 2", Outlook.GONE)
        bench.supervisor.tick()
    assert bench.said()[-1] == "store is not started again: it has never worked"
    with pytest.raises(ClusterStartFailed, match=r"(?s)exit code 2.*unknown flag"):
        bench.supervisor.check()


def test_the_window_is_told_as_it_is(tmp_path: Path) -> None:
    assert Backoff().window == "a minute"
    made = Bench(tmp_path)
    made.supervisor = Supervisor(
        logging.getLogger("tests"), Backoff((0.0,), window_seconds=7.5), lambda: made.now
    )
    made.keep("store")
    made.supervisor.tick()
    for _ in range(2):
        made.kill("store")
        made.supervisor.tick()
    (gone,) = made.supervisor.ended()
    assert str(gone) == "store was killed by SIGKILL, for the 2. time in 7.5 s"
    assert made.said()[-1] == "store is not started again: it ended 2 times in 7.5 s"


def test_who_dies_once_it_has_answered_is_not_back(bench: Bench) -> None:
    """It said "is back" of a part that was dead."""
    bench.keep("store")
    bench.supervisor.tick()
    bench.kill("store")
    bench.works = False
    bench.supervisor.tick()
    bench.dies_answering = True
    bench.supervisor.tick()

    (away,) = bench.supervisor.ended()
    assert (away.name, away.outlook) == ("store", Outlook.RETURNS)
    assert bench.said() == ["store was killed by SIGKILL"]
    bench.dies_answering, bench.works = False, True
    bench.supervisor.tick()
    bench.now += 1.5
    bench.supervisor.tick()
    assert bench.said()[-1] == "store is back after 1.5 s, start 3"


def test_a_watch_that_dies_is_named(bench: Bench) -> None:
    """Nothing was started again any more, and nobody was told."""

    def works() -> bool:
        raise ValueError("a port of text")

    process = Process("store", ["sleep", "60"], log=bench.folder / "log", env=dict(os.environ))
    bench.supervisor.keep("store", lambda: process, works)
    bench.supervisor.watch()
    wait_for("its end", lambda: Seen(bool(bench.supervisor.ended())), 5)

    (watch,) = bench.supervisor.ended()
    how = "ended by ValueError: a port of text; no part is started again any more"
    assert watch == Ended("supervisor", how)
    with pytest.raises(ClusterStartFailed, match=f"supervisor {how}"):
        bench.supervisor.check()
    bench.supervisor.stop()


@pytest.mark.parametrize("error", [ClusterLacks("no etcd"), OSError("no"), SubprocessError("no")])
def test_who_cannot_be_started_again_has_died_again(bench: Bench, error: Exception) -> None:
    bench.keep("store")
    bench.supervisor.tick()
    bench.kill("store")
    bench.start_error = error
    bench.supervisor.tick()
    bench.supervisor.tick()
    assert bench.said()[:2] == [
        "store was killed by SIGKILL",
        f"store cannot be started again: {error}",
    ]
    bench.start_error = None
    bench.now += 1.5
    bench.supervisor.tick()
    assert bench.said()[-1] == "store is back after 1.5 s, start 3"


def test_who_is_stopped_is_named_and_left_alone(bench: Bench) -> None:
    process = bench.keep("store")
    bench.supervisor.tick()
    os.kill(process.pid, signal.SIGSTOP)
    wait_for("its stop", lambda: Seen(process.stopped()), 5)
    bench.supervisor.tick()

    log = bench.folder / "store.log"
    stopped = Ended("store", STOPPED, log, "", Outlook.STOPPED, process.pid)
    assert bench.supervisor.ended() == (stopped,)
    bench.supervisor.check()

    process.resume()
    wait_for("its going on", lambda: Seen(not process.stopped()), 5)
    bench.supervisor.tick()
    assert bench.supervisor.ended() == ()
    assert bench.process("store") is process
    assert bench.said() == [f"store {STOPPED}", "store goes on"]
    assert dead_of(bench.supervisor.incidents()) == []


def test_who_was_stopped_on_purpose_is_not_named(bench: Bench) -> None:
    process = bench.keep("store")
    bench.supervisor.tick()
    bench.supervisor.excuse("store", excused=True)
    os.kill(process.pid, signal.SIGSTOP)
    wait_for("its stop", lambda: Seen(process.stopped()), 5)
    bench.supervisor.tick()
    assert bench.supervisor.ended() == bench.supervisor.incidents() == ()

    process.resume()
    bench.supervisor.excuse("store", excused=False)
    wait_for("its going on", lambda: Seen(not process.stopped()), 5)
    bench.supervisor.tick()
    assert bench.supervisor.ended() == bench.supervisor.incidents() == ()
    bench.kill("store")
    bench.supervisor.tick()
    assert bench.said()[0] == "store was killed by SIGKILL"


def test_who_was_released_is_nobodys_loss(bench: Bench) -> None:
    bench.keep("store")
    bench.supervisor.tick()
    process = bench.supervisor.release("store")
    assert process is not None
    process.kill()
    bench.supervisor.tick()
    assert bench.supervisor.ended() == bench.supervisor.incidents() == ()


def test_a_nodes_part_is_checked_for_its_node_alone(bench: Bench) -> None:
    bench.works = False
    process = bench.keep("store", "exit 2", node="worker-1")
    wait_for("its end", lambda: Seen(not process.running), 5)
    bench.supervisor.check()
    bench.supervisor.check("worker-2")
    with pytest.raises(ClusterStartFailed, match="store ended with exit code 2"):
        bench.supervisor.check("worker-1")
