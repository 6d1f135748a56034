"""Everything wrong with a file is said at once; nothing is started, nothing is left behind."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import RUN_SECONDS, Ended, Shell, environment

NETWORK = """\
version: 1
name: mine
workers:
  - {name: worker-1}
  - {name: worker-2}
clients:
  - {name: alice}
services:
  - {name: web, kind: container, folder: ., command: [python3, -m, http.server], cpu: 50m,
     memory: 32Mi}
"""
SCENARIO = """\
version: 1
name: mine
network: network.yaml
steps:
"""


def write(shell: Shell, steps: str = "  - stake: {worker: all}\n", network: str = NETWORK) -> Path:
    (shell.folder / "network.yaml").write_text(network)
    path = shell.folder / "scenario.yaml"
    path.write_text(SCENARIO + steps)
    return path


def refused(shell: Shell, *words: str | Path) -> list[str]:
    """The lines of the error, once it is sure that nothing was made."""
    before = set(shell.folder.rglob("*"))
    ended = shell(*words)
    assert (ended.code, ended.out) == (2, "")
    assert set(shell.folder.rglob("*")) == before
    assert "Traceback" not in ended.err
    return ended.err.removeprefix("error: ").splitlines()


STEPS = [
    (
        "  - stake: {worker: worker-3}",
        "stake.worker: unknown worker; seen 'worker-3'; did you mean 'worker-2'?",
    ),
    ("  - stak: {worker: all}", "unknown verb; seen 'stak'; did you mean 'stake'?"),
    ("  - stake: {wroker: all}", "did you mean 'worker'?"),
    (
        "  - order: {client: alice, service: wbe, deposit: 5 KOMP}",
        "order.service: unknown service; seen 'wbe'; did you mean 'web'?",
    ),
    (
        "  - order: {client: alic, service: web, deposit: 5 KOMP}",
        "order.client: unknown client; seen 'alic'; did you mean 'alice'?",
    ),
    ("  - order: {client: alice, service: web, deposit: 5 KOMPS}", "did you mean 'KOMP'?"),
    ("  - order: {client: alice, service: web, deposit: -5 KOMP}", "cannot be negative"),
    ("  - order: {client: alice, service: web, deposit: 0.5 wei}", "wei"),
    ("  - advance: {time: 12 parsecs}", "parsecs"),
    ("  - advance: {time: 1s}", "time moves by whole blocks of 12m"),
    ("  - advance: {}", "takes exactly one of"),
    ("  - fault: {worker: worker-1, kind: tired}", "unknown kind of fault; seen 'tired'"),
    ("  - expect: {worker: worker-1}", "expects nothing"),
    ("  - claim", "a step is one verb with its values"),
]


@pytest.mark.parametrize(("step", "error"), STEPS, ids=[step.strip() for step, _ in STEPS])
def test_a_step_that_is_wrong_is_named_with_its_place(devnet: Shell, step: str, error: str) -> None:
    path = write(devnet, f"  - measure: {{worker: all}}\n{step}\n")
    lines = refused(devnet, "run", path, "--cluster", "sim")
    assert all(line.startswith(f"{path}:6: steps[1]") for line in lines)
    assert any(error in line for line in lines), lines


NETWORKS = [
    ("name: worker-2}", "name: worker-1}", 5, "workers[1].name: duplicate name; seen 'worker-1'"),
    ("{name: worker-2}", "{name: worker-2, profile: standrad}", 5, "did you mean 'standard'?"),
    ("{name: alice}", "{name: alice, balance: -5 KOMP}", 7, "an amount cannot be negative"),
    ("{name: alice}", "{name: alice, balance: 0.1 wei}", 7, "clients[0].balance"),
    (
        "name: mine",
        "name: mine\ncycle: {blocks: 70, gap_blocks: 6}",
        3,
        "2 * gap_blocks must be at most blocks / 7 (W4)",
    ),
    ("name: mine", "name: mine\nname: yours", 3, "duplicate key; first on line 2"),
    ("version: 1", "version: 2", 1, "only version 1 is known"),
    ("folder: .", "folder: nowhere", 9, "services[0].folder"),
    ("kind: container", "kind: contaner", 9, "did you mean 'container'?"),
]


@pytest.mark.parametrize(
    ("old", "new", "at", "error"), NETWORKS, ids=[error for _, _, _, error in NETWORKS]
)
@pytest.mark.parametrize("command", ["run", "up", "config"])
def test_a_network_that_is_wrong_is_named_with_its_place(
    devnet: Shell, command: str, old: str, new: str, at: int, error: str
) -> None:
    write(devnet, network=NETWORK.replace(old, new, 1))
    file = "scenario.yaml" if command == "run" else "network.yaml"
    lines = refused(devnet, command, file)
    assert any(line.startswith(f"network.yaml:{at}: ") and error in line for line in lines), lines


def test_all_faults_of_all_files_at_once(devnet: Shell) -> None:
    network = NETWORK.replace("worker-2}", "worker-1}").replace("name: alice", "name: Alice")
    path = write(devnet, "  - stak: {worker: all}\n  - advance: {time: 1x}\n", network)
    other = devnet.folder / "other.yaml"
    other.write_text(SCENARIO.replace("network.yaml", "netwrok.yaml") + "  - claim: {worker: all}")
    lines = refused(devnet, "run", path, other)
    assert [line.split(": ")[0] for line in lines] == [
        f"{path}:5",
        f"{path}:6",
        f"{devnet.folder}/network.yaml:5",
        f"{devnet.folder}/network.yaml:7",
        f"{other}:3",
    ]
    assert "did you mean 'network.yaml'?" in lines[-1]


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["run", "nowhere.yaml"], "nowhere.yaml: no such file"),
        (["run", "full-lop"], "full-lop: no such file, and no scenario of that name"),
        (["run", "."], "no scenario in .: no .yaml file with steps lies there"),
        (["run", "full-loop", "--cluster", "natve"], "no cluster named 'natve'"),
        (["run", "full-loop", "--set", "cycle.bocks=140"], "--set"),
        (["run", "full-loop", "--set", "cycle.blocks=seven"], "cycle.blocks"),
        (["run", "full-loop", "--junit", "no/such/folder.xml"], "there is no folder"),
        (["run", "full-loop", "--seed", "-1"], "--seed"),
        (["up", "nowhere.yaml"], "nowhere.yaml: no such file"),
        (["up", "smal"], "no network of that name"),
        (["up", "--name", "Not_A_Name"], "`Not_A_Name` cannot name a devnet"),
        (["up", "tiny", "--cluster", "natve"], "no cluster named 'natve'"),
        (["config", "nowhere.yaml"], "nowhere.yaml: no such file"),
        (["replay", "nowhere.zip"], "no bundle at nowhere.zip"),
        (["report"], "no bundle here yet"),
        (["status"], "there is no devnet `default` here"),
        (["down"], "there is no devnet `default` here"),
        (["logs"], "there is no devnet `default` here"),
        (["kubectl", "get", "nodes"], "there is no devnet `default` here"),
        (["stake", "all"], "there is no devnet `default` here"),
        (["load", "--time", "soon"], "--time"),
        (["load", "--users", "0"], "--users"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_does_not_exist_is_exit_2(devnet: Shell, words: list[str], error: str) -> None:
    lines = refused(devnet, *words)
    assert error in lines[0]


def test_a_load_needs_both_kinds_of_service(devnet: Shell) -> None:
    ended = devnet("load", "tiny")
    assert (ended.code, ended.out) == (2, "")
    assert "has no container service" in ended.err
    assert list(devnet.folder.glob(".devnet/load/runs/*")) == []


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"a: [", b"- 1\n", b"a: !!python/x y"])
def test_files_that_are_no_scenario(devnet: Shell, content: bytes) -> None:
    path = devnet.folder / "odd.yaml"
    path.write_bytes(content)
    assert all(line.startswith(f"{path}:") for line in refused(devnet, "run", path))


@pytest.mark.parametrize("command", ["replay", "report"])
def test_files_that_are_no_bundle(devnet: Shell, command: str) -> None:
    path = devnet.folder / "odd.kompute.zip"
    path.write_bytes(b"PK\x03\x04 and nothing else")
    (line,) = refused(devnet, command, path)
    assert line.startswith(f"{path} is no bundle")


def test_no_anvil_and_no_network_is_exit_3(devnet: Shell, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    ended = devnet(
        *("run", "full-loop", "--cluster", "sim"),
        KOMPUTE_CACHE=str(cache),
        npm_config_registry="http://127.0.0.1:9",
        npm_config_fetch_retries="0",
        UV_DEFAULT_INDEX="http://127.0.0.1:9",
        UV_HTTP_RETRIES="0",
    )
    assert (ended.code, ended.out) == (3, "")
    assert "error: npm ci" in ended.err
    assert "hint: check the network and npm's registry" in ended.err
    assert not any(path.is_dir() for path in cache.glob("npm/*"))
    assert list(devnet.folder.glob(".devnet/*/runs/*")) == []


def test_a_cache_that_cannot_be_written_is_exit_3(devnet: Shell) -> None:
    (devnet.folder / "file").write_text("")
    ended = devnet(
        *("run", "full-loop", "--cluster", "sim"), KOMPUTE_CACHE=str(devnet.folder / "file/cache")
    )
    assert (ended.code, ended.out) == (3, "")
    assert "the cache" in ended.err and "cannot be written" in ended.err
    assert list(devnet.folder.glob(".devnet/*/runs/*")) == []


def test_a_full_standard_output_is_exit_3(devnet: Shell) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "devnet.cli", "config", "small"],
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=RUN_SECONDS,
            check=False,
        )
    assert done.returncode == 3
    assert done.stderr.startswith("error: the disk is full\nhint: make room")


@pytest.mark.parametrize("words", ["run full-loop --cluster sim", "up tiny --cluster sim"])
def test_a_full_disk_is_exit_3(devnet: Shell, words: str) -> None:
    """In a folder on a file system of 200 kB, where this machine lets us make one; else where
    nothing may be written at all."""
    small = devnet.folder / "small"
    small.mkdir()
    ended = _in_a_small_folder(small, words)
    assert (ended.code, ended.out) == (3, ""), ended.err
    assert ended.err.count("error: ") == 1
    assert devnet.marked() == []


def _in_a_small_folder(small: Path, words: str) -> Ended:
    unshare = shutil.which("unshare")
    mount = f"mount -t tmpfs -o size=200k none {small} && cd {small}"
    allowed = unshare is not None and subprocess.run(
        [unshare, "-Urm", "sh", "-c", mount], capture_output=True, check=False, timeout=20
    )
    command = f"{sys.executable} -m devnet.cli {words}"
    if allowed and allowed.returncode == 0:
        fill = "head -c 150000 /dev/zero > fill" if words.startswith("up") else "true"
        shell = [str(unshare), "-Urm", "sh", "-c", f"{mount} && {fill} && exec {command}"]
        cwd = small
    else:
        shell, cwd = ["sh", "-c", f"exec {command}"], Path("/proc")
    done = subprocess.run(
        shell,
        cwd=cwd,
        env=environment(HOME=os.environ.get("HOME", "/")),
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)
