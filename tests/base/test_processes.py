"""Children: marked, logged, ended within a limit, found again after a SIGKILL of their parent."""

import os
import secrets
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from devnet.base import Child, StartFailed, end_processes, free_port, orphans, wait_for

SLEEPER = "import signal; print('up', flush=True); signal.pause()"
DEAF = "import signal; signal.signal(15, signal.SIG_IGN);" + SLEEPER


@pytest.fixture
def devnet_id() -> str:
    return secrets.token_hex(8)


def up(log: Path) -> None:
    wait_for("the child", lambda: log.exists() and "up" in log.read_text(), limit_seconds=20)


def test_is_marked_logged_and_stopped(tmp_path: Path, devnet_id: str) -> None:
    log = tmp_path / "logs" / "child.log"
    with Child("child", [sys.executable, "-c", SLEEPER], devnet_id=devnet_id, log=log) as child:
        up(log)
        assert [process.pid for process in orphans(devnet_id)] == [child.pid]
        assert os.getpgid(child.pid) == child.pid
        child.require_alive()
    assert child.returncode == -signal.SIGTERM
    assert orphans(devnet_id) == []


def test_one_that_ignores_term_is_killed(tmp_path: Path, devnet_id: str) -> None:
    log = tmp_path / "log"
    child = Child("deaf", [sys.executable, "-c", DEAF], devnet_id=devnet_id, log=log)
    up(log)
    assert child.stop(limit_seconds=0.2) == -signal.SIGKILL
    assert not child.alive()


def test_grandchildren_end_with_the_group(tmp_path: Path, devnet_id: str) -> None:
    log = tmp_path / "log"
    script = f"import subprocess,sys; subprocess.Popen([sys.executable,'-c',{DEAF!r}]);" + SLEEPER
    child = Child("parent", [sys.executable, "-c", script], devnet_id=devnet_id, log=log)
    wait_for("both", lambda: log.read_text().count("up") == 2, limit_seconds=20)
    assert len(orphans(devnet_id)) == 2
    child.stop()
    wait_for("none left", lambda: not orphans(devnet_id), limit_seconds=10)


def test_one_that_ended_tells_its_log(tmp_path: Path, devnet_id: str) -> None:
    log = tmp_path / "log"
    script = "print('port 8545 is taken'); raise SystemExit(3)"
    with Child("anvil", [sys.executable, "-c", script], devnet_id=devnet_id, log=log) as child:
        wait_for("its end", lambda: not child.alive(), limit_seconds=20)
        with pytest.raises(StartFailed, match=r"(?s)anvil ended with 3.*port 8545 is taken"):
            child.require_alive()


def test_a_missing_program_is_named(tmp_path: Path, devnet_id: str) -> None:
    with (
        pytest.raises((StartFailed), match="/no/such/program"),
        Child("etcd", ["/no/such/program"], devnet_id=devnet_id, log=tmp_path / "log") as child,
    ):
        wait_for("its end", lambda: not child.alive(), limit_seconds=20)
        child.require_alive()


def test_children_of_a_killed_parent_end(tmp_path: Path, devnet_id: str) -> None:
    log = tmp_path / "log"
    script = (
        "import signal, sys; from pathlib import Path; from devnet.base import Child;"
        f"Child('c', [sys.executable, '-c', {SLEEPER!r}], devnet_id={devnet_id!r},"
        f"log=Path({str(log)!r})); signal.pause()"
    )
    parent = subprocess.Popen([sys.executable, "-c", script])
    up(log)
    parent.kill()
    parent.wait(10)
    wait_for("no orphan", lambda: not orphans(devnet_id), limit_seconds=10)


def test_ends_what_is_left_and_says_what_had_to_be_killed(tmp_path: Path, devnet_id: str) -> None:
    kind, deaf = tmp_path / "kind", tmp_path / "deaf"
    with (
        Child("kind", [sys.executable, "-c", SLEEPER], devnet_id=devnet_id, log=kind) as first,
        Child("deaf", [sys.executable, "-c", DEAF], devnet_id=devnet_id, log=deaf) as second,
    ):
        up(kind)
        up(deaf)
        assert end_processes(orphans(devnet_id), limit_seconds=0.3) == [second.pid]
        assert not first.alive()


def test_other_devnets_are_left_alone(tmp_path: Path, devnet_id: str) -> None:
    log = tmp_path / "log"
    with Child("mine", [sys.executable, "-c", SLEEPER], devnet_id=devnet_id, log=log) as child:
        up(log)
        assert end_processes(orphans(secrets.token_hex(8))) == []
        assert psutil.pid_exists(child.pid)


def test_a_free_port_can_be_bound() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", free_port()))
