"""A pod as one local process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from cluster.process_pod import PodCommand, PodNotStarted, PodProcess, probe
from cluster.processes import free_ports
from cluster.waiting import Seen, wait_for

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 10.0


def command(folder: Path, *parts: str, **changes: object) -> PodCommand:
    fields = {
        "pod": "pod-1",
        "node": "worker-1",
        "folder": folder,
        "command": parts,
        "devnet_id": "test",
        "log": folder / "logs" / "pod-1.log",
    } | changes
    return PodCommand(**fields)  # type: ignore[arg-type]


def python(folder: Path, source: str, **changes: object) -> PodCommand:
    return command(folder, "python3", "-c", source, **changes)


def test_a_pod_is_told_who_it_is_and_little_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "not for pods")
    source = "import json, os; print(json.dumps(dict(os.environ)))"
    pod = PodProcess(python(tmp_path, source, port=1234, env={"GREETING": "hello"}))
    assert pod.wait(LIMIT)
    env = json.loads(pod.command.log.read_text())
    assert {name: env[name] for name in ("HOST", "PORT", "POD_NAME", "NODE_NAME", "GREETING")} == {
        "HOST": "127.0.0.1",
        "PORT": "1234",
        "POD_NAME": "pod-1",
        "NODE_NAME": "worker-1",
        "GREETING": "hello",
    }
    assert env["KOMPUTE_DEVNET_ID"] == "test"
    assert "SECRET" not in env


def test_a_job_has_stdin_and_an_output_apart_from_its_log(tmp_path: Path) -> None:
    source = "import sys; print(sys.stdin.read()[::-1]); print('aside', file=sys.stderr)"
    pod = PodProcess(python(tmp_path, source, payload=b"kompute"))
    assert pod.wait(LIMIT)
    assert pod.command.output.read_bytes() == b"etupmok\n"
    assert pod.command.log.read_bytes() == b"aside\n"


@pytest.mark.parametrize("folder", ["", "no/such/folder"])
def test_what_cannot_start_is_an_error_of_its_own(tmp_path: Path, folder: str) -> None:
    where = tmp_path / folder
    with pytest.raises(PodNotStarted, match="pod-1"):
        PodProcess(command(where, "./no-such-program", log=tmp_path / "pod-1.log"))


def test_stopping_is_gentle_first_and_takes_the_whole_session(tmp_path: Path) -> None:
    source = (
        "import signal, subprocess, sys, time\n"
        "def leave(*_): print('bye', flush=True); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, leave)\n"
        "child = subprocess.Popen(['sleep', '60'])\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    pod = PodProcess(python(tmp_path, source))
    log = pod.command.log
    wait_for("the child", lambda: Seen(log.read_text().endswith("\n")), LIMIT)
    child = int(log.read_text())
    pod.stop(LIMIT)
    assert pod.exit_code == 0
    assert log.read_text().splitlines() == [str(child), "bye"]
    wait_for("the child's end", lambda: Seen(not alive(child)), LIMIT)


def test_a_pod_that_ignores_sigterm_is_killed_after_the_grace(tmp_path: Path) -> None:
    source = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('deaf', flush=True); time.sleep(60)"
    )
    pod = PodProcess(python(tmp_path, source))
    wait_for("the start", lambda: Seen("deaf" in pod.command.log.read_text()), LIMIT)
    assert pod.memory_peak() > 1 << 20
    pod.stop(0.1)
    assert pod.exit_code == -signal.SIGKILL
    assert pod.memory_peak() == 0


def test_nobody_answers_a_probe_of_a_free_port() -> None:
    assert not probe(free_ports(1)[0], "/")


def test_a_pod_dies_with_its_keeper(tmp_path: Path) -> None:
    keeper = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from cluster.process_pod import PodCommand, PodProcess\n"
        "folder = Path(sys.argv[1])\n"
        "pod = PodProcess(PodCommand('p', 'n', folder, ('sleep', '60'), 'test', folder / 'log'))\n"
        "print(pod.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    owner = subprocess.Popen(
        [sys.executable, "-c", keeper, str(tmp_path)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    with owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        assert alive(pid)
        owner.kill()
    wait_for("the pod's end", lambda: Seen(not alive(pid)), LIMIT)


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
