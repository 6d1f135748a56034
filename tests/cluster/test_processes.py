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

from cluster.errors import ClusterLacks, ClusterStartFailed
from cluster.processes import Process, free_ports
from cluster.waiting import Seen, wait_for

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


def test_no_outgoing_connection_takes_a_free_port_meanwhile() -> None:
    start = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert max(free_ports(50)) < start
