"""A load that did not happen never passes: Locust is stopped, killed and starved."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from devnet.base import Child, DevnetFolder, Toolchain, wait_for
from devnet.runs import load
from devnet.runs.judging import LoadVerdict
from devnet.runs.load import run_load
from tests.loadtests.test_plan import PLAN
from tests.runs.test_load import network

UNDER_WAY = re.compile(r"block \d+: (\d+) transactions")
OF_USERS = 20  # transactions: all of them have begun

Act = Callable[[psutil.Process], None]


def locust() -> psutil.Process:
    """The load process that this one has started."""
    (found,) = [
        child
        for child in psutil.Process().children(recursive=True)
        if "loadtests" in child.cmdline()
    ]
    return found


@pytest.fixture()
def loaded(
    tmp_path: Path, toolchain: Toolchain, monkeypatch: pytest.MonkeyPatch
) -> Callable[[int, Act], LoadVerdict]:
    """A load of so many seconds to whose Locust something is done once users have begun."""
    monkeypatch.setattr(load, "SAY_SECONDS", 0.3)
    monkeypatch.setattr(load, "STOP_SECONDS", 10)
    monkeypatch.setattr(load, "START_SECONDS", 10)

    def run(seconds: int, act: Act) -> LoadVerdict:
        done = threading.Event()
        counts: list[int] = []

        def say(text: str) -> None:
            seen = UNDER_WAY.match(text)
            if seen is None:
                return
            counts.append(int(seen[1]))
            if counts[-1] >= counts[0] + OF_USERS and not done.is_set():
                done.set()
                act(locust())

        result = run_load(
            network(),
            users=4,
            seconds=seconds,
            cluster="sim",
            seed=3,
            folder=DevnetFolder.open("load", tmp_path),
            toolchain=toolchain,
            say=say,
        )
        assert done.is_set(), "the load was over before anything was done to it"
        assert result.verdict.word == "failed"
        return result.verdict

    return run


def some(faults: tuple[str, ...], pattern: str) -> bool:
    return any(re.search(pattern, fault) for fault in faults)


def test_stopped_for_longer_than_its_whole_time(loaded: Callable[[int, Act], LoadVerdict]) -> None:
    def stop(process: psutil.Process) -> None:
        process.suspend()
        threading.Timer(9.0, process.resume).start()

    verdict = loaded(8, stop)

    assert 8_000 < verdict.stalled_milliseconds < 12_000
    assert some(verdict.faults, r"no user ran for (8|9|1\d)\.\d s of a load of 8 s")


def test_stopped_for_good(loaded: Callable[[int, Act], LoadVerdict]) -> None:
    """Nothing is waited for that cannot come: 25 s are for one that runs."""
    verdict = loaded(5, lambda process: process.suspend())
    told = r"locust was not at its end after 1\d s and was killed; it was stopped"
    assert some(verdict.faults, told), verdict.faults


@pytest.fixture()
def sleeper(tmp_path: Path) -> Iterator[Child]:
    with Child(
        "sleeper", ["sleep", "600"], devnet_id="0" * 16, log=tmp_path / "sleeper.log"
    ) as child:
        yield child


@pytest.mark.parametrize(
    ("stopped_at", "over_at", "said"),
    [(2, 20, "18"), (18, 28, "10"), (25, 35, "10"), (105, 110, "5")],
    ids=["long before its end", "shortly before", "in its last steps", "in its last words"],
)
def test_how_long_a_stopped_one_is_waited_for(
    sleeper: Child, stopped_at: int, over_at: int, said: str
) -> None:
    """Of 20 s, 60 for the last steps and 30 more; whoever is let go on has all of them again."""
    words: list[str] = []
    patience = load.Patience(sleeper, replace(PLAN, seconds=20, stop_seconds=60), words.append)
    process = psutil.Process(sleeper.pid)

    assert not any(map(patience.is_over, range(stopped_at)))
    process.suspend()
    wait_for("its stop", lambda: sleeper.state() == psutil.STATUS_STOPPED, limit_seconds=10)
    assert not any(map(patience.is_over, range(stopped_at, over_at + 1)))
    assert patience.is_over(over_at + 1)
    assert words == [
        f"locust is stopped (process {sleeper.pid}): kill -CONT lets it go on, else it is killed "
        f"in {said} s"
    ]
    process.resume()
    wait_for("its going on", lambda: sleeper.state() != psutil.STATUS_STOPPED, limit_seconds=10)
    assert not patience.is_over(109)
    assert patience.is_over(111)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_killed(loaded: Callable[[int, Act], LoadVerdict], number: signal.Signals) -> None:
    """At SIGTERM Locust writes its statistics, and they look fine."""
    verdict = loaded(10, lambda process: process.send_signal(number))
    assert some(
        verdict.faults,
        {
            signal.SIGKILL: r"locust was killed by SIGKILL after 0 kinds of request",
            signal.SIGTERM: r"users began \d+ of \d+ intended steps",
        }[number],
    )


@pytest.fixture()
def burners() -> Iterator[Callable[[int], None]]:
    """Processes that take all of one processor."""
    with ExitStack() as stack:

        def burn(cpu: int) -> None:
            for _ in range(3):
                process = stack.enter_context(
                    subprocess.Popen(
                        [sys.executable, "-c", "while True: pass"], start_new_session=True
                    )
                )
                stack.callback(process.kill)
                os.sched_setaffinity(process.pid, {cpu})

        yield burn


def test_starved(loaded: Callable[[int, Act], LoadVerdict], burners: Callable[[int], None]) -> None:
    def starve(process: psutil.Process) -> None:
        cpu = min(os.sched_getaffinity(0))
        for thread in process.threads():
            os.sched_setaffinity(thread.id, {cpu})
            os.sched_setscheduler(thread.id, os.SCHED_IDLE, os.sched_param(0))
        autogroup = Path(f"/proc/{process.pid}/autogroup")
        if autogroup.exists():  # else a session of its own has its own share
            autogroup.write_text("19")
        burners(cpu)

    verdict = loaded(8, starve)

    shown = r"no user ran|intended steps|dropped steps|p95 \d+ ms|locust was not at its end"
    assert some(verdict.faults, shown), verdict.faults
