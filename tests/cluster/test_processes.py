"""Child processes: logs, bounded stop, and death with the parent."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cluster.errors import ClusterError, ClusterLacks, ClusterStartFailed
from cluster.processes import Process, end_all, free_ports, is_free, stop_all
from cluster.waiting import Seen, wait_for
from tests.cluster.grouped import frozen

PARENT = """
import os, pathlib, sys
from cluster.processes import Process
child = Process("child", ["sleep", "60"], log=pathlib.Path(sys.argv[1]), env=dict(os.environ))
print(child.pid, flush=True)
sys.stdin.read()
"""


def alive(pid: int) -> Seen:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return Seen(True, "gone")
    return Seen(state == "Z", state)


def start(tmp_path: Path, script: str) -> Process:
    return Process("part", ["sh", "-c", script], log=tmp_path / "part.log", env=dict(os.environ))


def test_an_early_end_is_told_with_the_log(tmp_path: Path) -> None:
    process = start(tmp_path, "echo no such flag >&2; exit 3")
    wait_for("the end", lambda: Seen(not process.running), 5)

    with pytest.raises(ClusterStartFailed, match=r"exit code 3\n.*\nno such flag"):
        process.check()


def test_stop_is_bounded_for_one_who_does_not_listen(tmp_path: Path) -> None:
    process = start(tmp_path, "trap '' TERM; echo up; while :; do sleep 1; done")
    wait_for("the trap", lambda: Seen("up" in process.tail()), 5)

    began = time.monotonic()
    process.stop(0.2)

    assert process._popen.returncode == -signal.SIGKILL
    assert 0.2 <= time.monotonic() - began < 3


def test_a_child_is_asked_to_end_once(tmp_path: Path) -> None:
    process = start(
        tmp_path,
        f"trap 'echo asked' TERM; echo up; "
        f"until grep -q asked {tmp_path}/part.log; do sleep 0.05; done; sleep 0.5",
    )
    wait_for("the trap", lambda: Seen("up" in process.tail()), 5)

    process.terminate()
    wait_for("the first", lambda: Seen("asked" in process.tail()), 5)
    process.stop(5)

    assert process.tail().count("asked") == 1


def test_whoever_has_the_number_of_an_ended_child_is_not_killed(tmp_path: Path) -> None:
    ended = start(tmp_path, "exit 0")
    wait_for("the end", lambda: Seen(not ended.running), 5)
    other = start(tmp_path, "exec sleep 60")
    ended._popen.pid = other.pid  # as if the kernel had given the number away

    ended.kill()

    with pytest.raises(subprocess.TimeoutExpired):
        other._popen.wait(0.3)
    other.kill()


def test_what_an_ended_child_left_is_killed(tmp_path: Path) -> None:
    ended = start(tmp_path, "sleep 60 & echo $!")
    wait_for("the end", lambda: Seen(not ended.running and bool(ended.tail())), 5)
    left = int(ended.tail())

    ended.kill()

    wait_for("its end", lambda: alive(left), 5)


def deaf(tmp_path: Path, name: str) -> Process:
    """It does not end by SIGTERM."""
    log = tmp_path / f"{name}.log"
    script = "trap '' TERM; echo up; while :; do sleep 1; done"
    process = Process(name, ["sh", "-c", script], log=log, env=dict(os.environ))
    wait_for("the trap", lambda: Seen("up" in process.tail()), 5)
    return process


def test_many_that_do_not_listen_have_one_limit(tmp_path: Path) -> None:
    processes = [deaf(tmp_path, f"part-{number}") for number in range(6)]
    began = time.monotonic()

    stop_all(processes, 0.5)

    assert not any(process.running for process in processes)
    assert 0.5 <= time.monotonic() - began < 2.0  # each its own: 3 s


def test_who_is_not_ended_by_a_kill_is_named_and_the_others_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was a TimeoutExpired, which ended the ending of all others."""
    monkeypatch.setattr("cluster.processes._KILL_SECONDS", 0.3)
    stuck, other = start(tmp_path, "exec sleep 60"), start(tmp_path, "exec sleep 60")
    ended: list[str] = []
    with frozen(stuck.pid):
        with pytest.raises(ClusterError) as told:
            end_all([lambda: stop_all([stuck, other], 0.2), lambda: ended.append("store")])
        assert str(told.value) == f"not ended 0.3 s after SIGKILL: part (pid {stuck.pid})"
        assert "devnet gc" in told.value.hint
        assert (other.running, ended) == (False, ["store"])


def test_all_that_could_not_be_ended_is_told_at_once() -> None:
    def fails(what: str) -> None:
        raise ClusterError(f"{what} is left", hint=f"look at {what}")

    with pytest.raises(ClusterError) as told:
        end_all([lambda: fails("one"), lambda: None, lambda: fails("two")])
    assert (str(told.value), told.value.hint) == ("one is left; two is left", "look at one")


def test_a_missing_program_is_a_lack(tmp_path: Path) -> None:
    with pytest.raises(ClusterLacks, match=r"no program at .*/nothing"):
        Process("part", [tmp_path / "nothing"], log=tmp_path / "log", env={})


def test_children_die_with_a_killed_parent(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path / "log")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert not alive(child).holds
        parent.send_signal(signal.SIGKILL)

    wait_for("the child's end", lambda: alive(child), 5)


def test_free_ports_differ_and_can_be_listened_on() -> None:
    ports = free_ports(20)
    assert len(set(ports)) == 20
    for port in ports:
        socket.create_server(("127.0.0.1", port)).close()


def test_a_port_is_free_as_long_as_nobody_has_it() -> None:
    (port,) = free_ports(1)
    with socket.create_server(("127.0.0.1", port)):
        assert not is_free(port)
    assert is_free(port)


def test_no_outgoing_connection_takes_a_free_port_meanwhile() -> None:
    start = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert max(free_ports(50)) < start
