"""`up` to `down` on sim: every verb answers, nothing is left, whatever was killed in between."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from devnet.base import wait_for
from devnet.base.folder import DevnetFolder
from tests.cli.conftest import Shell, Up

STATUS_KEYS = {"name", "cluster", "kubeconfig", "rpc", "urls", "block", "cycle", "workers", "run"}


def test_up_status_and_down(devnet: Shell, up: Up) -> None:
    status = up("tiny", "--block-time", "0.2")
    assert set(status) >= STATUS_KEYS
    assert (status["name"], status["cluster"], status["kubeconfig"]) == ("default", "sim", None)
    assert [worker["state"] for worker in status["workers"].values()] == ["ready"]
    folder = DevnetFolder(devnet.folder / ".devnet/default")
    assert folder.socket.stat().st_mode & 0o777 == 0o600

    seen = devnet("status", "--json").json()
    assert (seen["rpc"], seen["pid"]) == (status["rpc"], status["pid"])
    wait_for(
        "blocks by the wall clock",
        lambda: devnet("status", "--json").json()["block"]["number"] > seen["block"]["number"],
        limit_seconds=20,
    )

    down = devnet("down", "--json").json()
    assert (down["name"], down["was_running"]) == ("default", True)
    assert Path(down["bundle"]).is_file()
    report = (Path(status["run"]) / "report.html").read_text()
    assert "<dt>cluster</dt><dd>sim</dd>" in report
    assert devnet.marked() == []
    assert not folder.socket.exists()
    assert folder.state() == {}
    assert not any((folder.path / "state").glob("*"))
    assert devnet("status").code == 2


def test_a_devnet_that_was_down_replays(devnet: Shell, up: Up) -> None:
    up("tiny", "--block-time", "0.2")
    assert devnet("stake", "all").code == 0
    bundle = devnet("down", "--json").json()["bundle"]
    replayed = devnet("replay", bundle, "--json")
    assert replayed.code == 0, replayed.err
    assert replayed.json()["verdict"] == "equal"


def test_steps_say_what_they_did_and_fail_with_1(devnet: Shell, up: Up) -> None:
    up("tiny", "--block-time", "0.2")
    staked = devnet("stake", "worker-1")
    assert staked.code == 0, staked.err
    assert staked.out.startswith("stake: 500 KOMP each: worker-1 (blocks ")

    again = devnet("stake", "worker-1", "--json")
    assert again.code == 1
    outcome = again.json()
    assert (outcome["ok"], outcome["error"]) == (False, "AlreadyRegistered")

    expected = devnet("stake", "worker-1", "--expect-error", "AlreadyRegistered")
    assert expected.code == 0, expected.err
    assert devnet("expect", "--worker", "worker-1", "--stake", "500 KOMP").code == 0
    wrong = devnet("expect", "--worker", "worker-1", "--stake", "1 KOMP")
    assert wrong.code == 1
    assert "expected 1 KOMP, saw 500 KOMP" in wrong.err


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["stake", "worker-2"], "unknown worker; seen 'worker-2'; did you mean 'worker-1'?"),
        (["stake"], "worker"),
        (["advance", "1s"], "time moves by whole blocks of 12m"),
        (["add-reward", "--amount=-1 KOMP"], "an amount cannot be negative"),
        (["fault", "worker-1", "--kind", "oflfine"], "did you mean 'offline'?"),
        (["order", "alice", "web", "--deposit", "5 KOMP"], "unknown service; seen 'web'"),
        (["expect", "--event", "{name: lower}"], "not the name of an error; seen 'lower'"),
    ],
)
def test_a_step_that_cannot_be_is_exit_2(shared: Shell, words: list[str], error: str) -> None:
    ended = shared(*words)
    assert (ended.code, ended.out) == (2, "")
    assert error in ended.err


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """One tiny devnet for the tests that change nothing."""
    shell = Shell(tmp_path_factory.mktemp("shared"))
    ended = shell("up", "tiny", "--cluster", "sim")
    assert ended.code == 0, ended.err
    yield shell
    shell("down")
    assert shell.marked() == []


def test_faults_name_what_they_break_by_its_name(shared: Shell) -> None:
    for name, kind in (("worker-1", "offline"), ("aws", "outage"), ("oracle-1", "offline")):
        broken = shared("fault", name)
        assert broken.code == 0, broken.err
        assert broken.out.startswith(f"fault: {name} {kind} since block ")
        healed = shared("heal", name)
        assert healed.code == 0, healed.err


def test_a_node_breaks_in_more_ways_than_one(shared: Shell) -> None:
    for kind, state in (("paused", "lost"), ("slow", "ready")):
        broken = shared("fault", "worker-1", "--kind", kind)
        assert broken.code == 0, broken.err
        assert broken.out.startswith(f"fault: worker-1 {kind} since block ")
        assert shared("expect", "--worker", "worker-1", "--fault", kind).code == 0
        assert f" {state}, {kind}\n" in shared("status").out
        twice = shared("fault", "worker-1")  # one at a time
        why = {"paused": "node 'worker-1' is lost", "slow": "worker-1 has the fault 'slow' already"}
        assert twice.code == 1
        assert twice.err.splitlines()[0] == f"error: fault: {why[kind]} (heal it first)"
        assert shared("heal", "worker-1").code == 0
    crashed = shared("fault", "worker-1", "--kind", "crashed")
    assert crashed.code == 0, crashed.err
    assert crashed.out.startswith("fault: worker-1 crashed and back at block ")
    assert shared("expect", "--worker", "worker-1", "--fault", "none").code == 0
    healed = shared("heal", "worker-1")
    assert healed.code == 1
    assert "worker-1 is ready: there is nothing to heal" in healed.err


def test_logs_by_part(shared: Shell) -> None:
    listed = shared("logs")
    assert {line.split()[0] for line in listed.out.splitlines()} >= {"part", "daemon", "anvil"}
    assert "cluster sim" in shared("logs", "daemon").out
    missing = shared("logs", "anvli")
    assert missing.code == 2
    assert "did you mean 'anvil'?" in missing.err


def test_kubectl_needs_a_kubernetes(shared: Shell) -> None:
    ended = shared("kubectl", "get", "nodes")
    assert ended.code == 2
    assert "runs on sim, which has no Kubernetes API" in ended.err
    assert "devnet up --cluster native" in ended.err


def test_a_second_up_is_refused_and_harms_nothing(shared: Shell) -> None:
    before = shared("status", "--json").json()
    second = shared("up", "tiny", "--cluster", "sim")
    assert second.code == 2
    assert "is up already" in second.err
    assert shared("status", "--json").json()["pid"] == before["pid"]
    collected = shared("gc", "--json").json()
    assert [each["running"] for each in collected["devnets"]] == [True]
    assert shared("status", "--json").json()["pid"] == before["pid"]


def test_two_devnets_side_by_side(devnet: Shell, up: Up) -> None:
    first, second = up("tiny", name="one"), up("tiny", name="two")
    assert first["rpc"] != second["rpc"]
    assert devnet("stake", "all", "--devnet", "one").code == 0
    staked = ("expect", "--worker", "worker-1", "--stake", "500 KOMP")
    assert devnet(*staked, "--devnet", "one").code == 0
    assert devnet(*staked, "--devnet", "two").code == 1
    assert devnet("down", "--name", "one").code == 0
    assert devnet("status", "--name", "two").code == 0


def test_sigterm_ends_the_daemon_in_order(devnet: Shell, up: Up) -> None:
    status = up("tiny")
    os.kill(status["pid"], signal.SIGTERM)
    devnet.wait_until_nothing_is_left()
    assert Path(status["run"] + ".kompute.zip").is_file()
    ended = devnet("status")
    assert ended.code == 2
    assert "does not run" in ended.err


def test_sigterm_ends_a_long_step(devnet: Shell, up: Up) -> None:
    status = up("tiny")
    step = devnet.start("advance", "--cycles", "20000")
    wait_for(
        "the step to be under way",
        lambda: devnet("status", "--json").json()["step"] == "advance",
        limit_seconds=20,
    )
    os.kill(status["pid"], signal.SIGTERM)
    assert step.wait(30) == 4
    assert "error:" in (devnet.folder / "err").read_text()
    devnet.wait_until_nothing_is_left()


def test_gc_after_the_daemon_was_killed(devnet: Shell, up: Up) -> None:
    status = up("tiny")
    assert devnet("stake", "all").code == 0
    _kill(status["pid"])
    ended = devnet("stake", "all")
    assert ended.code == 2
    assert f"does not run any more: its daemon ({status['pid']}) was killed" in ended.err

    collected = devnet("gc", "--json")
    assert collected.code == 0, collected.err
    (cleared,) = collected.json()["devnets"]
    assert cleared["bundles"] == [status["run"] + ".kompute.zip"]
    devnet.wait_until_nothing_is_left()
    assert not DevnetFolder(devnet.folder / ".devnet/default").socket.exists()
    replayed = devnet("replay", cleared["bundles"][0], "--json")
    assert replayed.code == 0, replayed.err
    assert "clean" in devnet("gc").out


def test_a_part_that_dies_is_named_at_once_by_everything(devnet: Shell, up: Up) -> None:
    status = up("tiny", "--block-time", "60")
    (anvil,) = (
        child
        for child in psutil.Process(status["pid"]).children()
        if Path(child.cmdline()[0]).name == "anvil"
    )
    anvil.kill()
    wait_for(
        "the daemon's end", lambda: not psutil.pid_exists(status["pid"]) or None, limit_seconds=30
    )
    for words in (("status",), ("stake", "all"), ("status", "--json")):
        told = devnet(*words)
        assert told.code == 2
        assert "anvil was killed by SIGKILL: the devnet cannot go on" in told.err
    manifest = json.loads((Path(status["run"]) / "manifest.json").read_text())
    assert (manifest["verdict"], manifest["ended"]) == ("broken", ["anvil was killed by SIGKILL"])


@pytest.mark.parametrize("how", ["asked", "killed", "a part died", "killed, then gc"])
def test_down_names_the_bundle_however_the_devnet_ended(devnet: Shell, up: Up, how: str) -> None:
    status = up("tiny", "--block-time", "60")
    daemon = psutil.Process(status["pid"])
    if how.startswith("killed"):
        _kill(daemon.pid)
    elif how == "a part died":
        next(child for child in daemon.children() if child.name() == "anvil").kill()
        daemon.wait(30)
    if how.endswith("gc"):
        assert f"sealed {status['run']}.kompute.zip" in devnet("gc").out
        assert devnet("down").out == "default: was not running\n"
        return
    down = devnet("down")
    assert down.code == 0
    assert down.out.splitlines()[-2:] == ["default: down", f"bundle: {status['run']}.kompute.zip"]
    assert Path(f"{status['run']}.kompute.zip").is_file()


def test_up_after_the_daemon_was_killed(devnet: Shell, up: Up) -> None:
    status = up("tiny")
    _kill(status["pid"])
    again = up("tiny")
    assert again["pid"] != status["pid"]
    assert Path(status["run"] + ".kompute.zip").is_file()


def test_an_up_that_is_refused_touches_nothing_of_the_one_before(devnet: Shell, up: Up) -> None:
    status = up("tiny")
    _kill(status["pid"])
    folder = devnet.folder / ".devnet/default"

    def content() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    before = content()
    assert b"cluster sim" in before[folder / "logs/daemon.log"]
    refused = devnet("up", "tiny", "--set", "cycle.blocks=0")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith("error: --set: cycle.blocks: must be at least 1")
    assert content() == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_up_leaves_nothing(devnet: Shell, number: signal.Signals) -> None:
    command = devnet.start("up", "tiny", "--cluster", "sim")
    devnet.said("cluster sim")
    command.send_signal(number)
    assert command.wait(60) == 130
    assert (devnet.folder / "err").read_text().rstrip().endswith("error: interrupted")
    assert devnet.marked() == []
    assert list(devnet.folder.glob(".devnet/default/runs/*")) == []


def test_gc_after_up_was_killed(devnet: Shell) -> None:
    command = devnet.start("up", "tiny", "--cluster", "sim")
    devnet.said("cluster sim")
    command.kill()
    command.wait(10)
    assert devnet("gc").code == 0
    devnet.wait_until_nothing_is_left()
    assert list(devnet.folder.glob(".devnet/default/runs/*")) == []


def test_a_taken_port_is_one_error_and_nothing_is_left(devnet: Shell) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = devnet("up", "tiny", "--cluster", "sim", "--set", f"chain.port={port}")
    assert (ended.code, ended.out) == (4, "")
    assert f"error: port {port} for the chain is taken" in ended.err
    assert "hint: " in ended.err
    assert devnet.marked() == []
    assert list(devnet.folder.glob(".devnet/default/runs/*")) == []
    assert devnet("status").code == 2


def _kill(pid: int) -> None:
    process = psutil.Process(pid)
    process.kill()
    wait_for(
        "the killed daemon to be gone",
        lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE,
        limit_seconds=10,
    )
