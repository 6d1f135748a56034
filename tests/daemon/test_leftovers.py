"""What is cleared, and what is left alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from devnet.base.folder import DevnetFolder
from devnet.base.processes import ID_VARIABLE
from devnet.daemon.leftovers import alive, clear, clear_all, mark
from devnet.record.bundle import open_bundle

SLEEP = "import threading; threading.Event().wait(60)"


@pytest.fixture
def folder(tmp_path: Path) -> DevnetFolder:
    return DevnetFolder.open(start=tmp_path)


@pytest.fixture
def left(folder: DevnetFolder) -> Iterator[subprocess.Popen[bytes]]:
    """A process that carries the devnet's id, as a SIGKILL leaves it."""
    process = subprocess.Popen(
        [sys.executable, "-c", SLEEP], env={**os.environ, ID_VARIABLE: folder.id}
    )
    yield process
    process.kill()
    process.wait(10)


def test_processes_and_files_of_a_killed_devnet_go(
    folder: DevnetFolder, left: subprocess.Popen[bytes]
) -> None:
    folder.runs.mkdir()
    partial = folder.runs / ".x.kompute.zip.123.partial"
    half = folder.path / ".state.json.123"
    for path in (partial, half):
        path.write_text("half")
    folder.write_state({"phase": "running", "cluster": "sim"})
    cleared = clear(folder)
    left.wait(10)
    assert [text.split()[0] for text in cleared.processes] == [str(left.pid)]
    assert set(cleared.files) == {str(partial), str(half)}
    assert not partial.exists() and not half.exists()
    assert folder.state() == {}
    assert not clear(folder).anything


def test_what_an_unsandboxed_pod_left_goes_though_it_does_not_say_whose_it_is(
    folder: DevnetFolder,
) -> None:
    marks = {ID_VARIABLE: folder.id, "KOMPUTE_NODE": "worker-1", "PATH": os.environ["PATH"]}
    pod = subprocess.Popen(
        ["sh", "-c", "env -i sleep 600 & echo $!; exec sleep 600"],
        env=marks,
        start_new_session=True,
        stdout=subprocess.PIPE,
    )
    assert pod.stdout is not None
    child = psutil.Process(int(pod.stdout.readline()))
    with pod:
        try:
            cleared = clear(folder)
            child.wait(10)
        finally:
            pod.kill()
            with suppress(psutil.NoSuchProcess):
                child.kill()
    assert {text.split()[0] for text in cleared.processes} >= {str(pod.pid), str(child.pid)}
    assert cleared.left == ()


def test_a_process_that_does_not_end_is_named(
    folder: DevnetFolder, left: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kernel that does not end a process when it is asked to cannot be had everywhere."""
    monkeypatch.setattr("devnet.daemon.leftovers.end_processes", lambda processes: [])
    cleared = clear(folder)
    (stays,) = cleared.left
    assert stays.startswith(f"process {left.pid} ")
    assert cleared.anything


def test_a_devnet_that_is_held_is_left_alone(
    folder: DevnetFolder, left: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    with folder.held():
        (cleared,) = clear_all(tmp_path)
    assert cleared.running
    assert left.poll() is None


def test_a_run_cut_short_becomes_a_bundle_without_its_half_line(folder: DevnetFolder) -> None:
    run = folder.runs / "20260101-000000-mine-abcd"
    (run / "logs").mkdir(parents=True)
    (run / "scenario.yaml").write_text("version: 1\nname: mine\nseed: 3\nsteps: []\n")
    block = {"number": 1, "timestamp": 2, "hash": "0x" + "a" * 64, "run": 1, "transactions": []}
    whole = json.dumps(block) + "\n"
    (run / "blocks.jsonl").write_text(whole + '{"number": 2, "tim')
    state = folder.path / "state" / run.name / "logs"
    state.mkdir(parents=True)
    (state / "etcd.log").write_text("the end\n")
    folder.write_state({"cluster": "native"})
    (bundle,) = clear(folder).bundles
    with open_bundle(Path(bundle)) as opened:
        assert opened.manifest["verdict"] == "cut short"
        assert opened.manifest["cluster"] == "native"
        assert (opened.manifest["scenario"], opened.manifest["seed"]) == ("mine", 3)
        assert opened.manifest["last_block"] == {"number": 1, "hash": "0x" + "a" * 64}
        assert opened.text("blocks.jsonl") == whole
        assert opened.text("logs/logs-etcd.log") == "the end\n"
    assert "<dt>cluster</dt><dd>native</dd>" in (run / "report.html").read_text()
    assert not (folder.path / "state").exists()


@pytest.mark.parametrize("unsandboxed", [True, False])
def test_a_run_cut_short_says_whether_it_was_unsandboxed(
    folder: DevnetFolder, *, unsandboxed: bool
) -> None:
    run = folder.runs / "20260101-000000-mine-abcd"
    run.mkdir(parents=True)
    (run / "network.yaml").write_text(f"name: mine\nunsandboxed: {str(unsandboxed).lower()}\n")
    (run / "blocks.jsonl").write_text("")
    folder.write_state({"cluster": "native"})
    (bundle,) = clear(folder).bundles
    with open_bundle(Path(bundle)) as opened:
        assert opened.manifest.get("unsandboxed", False) is unsandboxed
    report = (run / "report.html").read_text()
    assert ("native, unsandboxed: pods were plain processes" in report) is unsandboxed


def test_a_reused_process_id_is_not_the_same_process() -> None:
    state = mark(os.getpid())
    assert alive(state) == psutil.Process(os.getpid())
    assert alive(state | {"pid_since": state["pid_since"] - 60}) is None
    assert alive({}) is None
