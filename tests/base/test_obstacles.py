"""Full disks, missing rights and limits are named, with the path and with what helps."""

from __future__ import annotations

import errno
import json
import os
import resource
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from devnet.base import DevnetFolder, MachineLacks, Toolchain, assets, bootstrap, obstacles
from devnet.base.commands import run_tool
from devnet.base.node import get_node
from devnet.base.solidity import get_libraries, libraries_key, npm_environment
from devnet.base.store import Store
from devnet.chain.errors import AnvilFailed
from devnet.daemon.failures import failure_of
from devnet.record.folder import RunFolder

ROOT = Path(__file__).resolve().parents[2]
ROOM, OWN = "make room, or point KOMPUTE_CACHE", "point KOMPUTE_CACHE and the working folder at"
FILL = "import sys; open(sys.argv[1], 'wb').write(bytes(4 << 20))"


def mounted(folder: Path, options: str) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"this machine does not mount: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MiB."""
    yield from mounted(tmp_path / "small", "size=1m")


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    yield from mounted(tmp_path / "read-only", "ro,size=1m")


def test_a_full_cache_is_named(small: Path) -> None:
    with pytest.raises(MachineLacks) as met:
        Store(small).make("kind", "key", lambda into: (into / "x").write_bytes(bytes(4 << 20)))
    assert str(met.value) == f"the cache {small} cannot be written: the disk is full"
    assert met.value.hint.startswith(ROOM)
    assert not (small / "kind" / "key").exists()


def test_what_its_maker_did_not_notice_is_not_kept(small: Path) -> None:
    def careless(into: Path) -> None:
        with pytest.raises(OSError, match="No space left"):
            (into / "x").write_bytes(bytes(4 << 20))

    with pytest.raises(MachineLacks, match=r"cannot be written: the disk is full \(/") as met:
        Store(small).make("kind", "key", careless)
    assert met.value.hint.startswith(ROOM)
    assert not (small / "kind" / "key").exists()
    assert Store(small).make("kind", "key", lambda into: None).is_dir()


def test_what_npm_could_not_write_is_not_taken_for_installed(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends with 0, and half of anvil ends with SIGSEGV ever after."""
    source, package = tmp_path / "source", tmp_path / "package"
    for folder in (source, package):
        folder.mkdir()
    (package / "package.json").write_text('{"name": "large", "version": "1.0.0"}')
    (package / "zeros.bin").write_bytes(os.urandom(2 << 20))
    (package / "zeros.txt").write_text("after it")
    with tarfile.open(tmp_path / "large.tgz", "w:gz") as archive:
        archive.add(package, "package")
    wanted = {"dependencies": {"large": f"file:{tmp_path}/large.tgz"}}
    (source / "package.json").write_text(json.dumps(wanted))
    node = get_node(Toolchain().store, print)
    command = [*node.npm, "install", "--package-lock-only", "--no-audit"]
    run_tool("npm", command, cwd=source, env=npm_environment(node), limit_seconds=60)
    monkeypatch.setattr(assets, "root", lambda: source)

    said = r"npm ci: \d+ files are not whole in .*: the disk is full$"
    with pytest.raises(MachineLacks, match=said) as met:
        get_libraries(Store(small), print)

    assert met.value.hint.startswith(ROOM)
    assert Store(small).found("npm", libraries_key()) is None


def test_a_tool_on_a_full_disk_is_not_sent_to_the_network(small: Path) -> None:
    with pytest.raises(MachineLacks, match="No space left on device") as met:
        run_tool(
            "npm ci",
            [sys.executable, "-c", FILL, small / "x"],
            limit_seconds=20,
            hint="check the network",
        )
    assert met.value.hint.startswith(ROOM)


def test_run_on_a_full_cache_names_it(
    small: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KOMPUTE_CACHE", str(small))
    monkeypatch.setenv("COLUMNS", "10000")
    filling = [sys.executable, "-c", FILL, str(small / "x")]
    for act in (bootstrap.run, bootstrap.attempt):
        with pytest.raises(SystemExit) as left:
            act(filling)
        assert left.value.code == 3
        said = capsys.readouterr().err
        assert f"the disk is full (the cache is {small}); {ROOM}" in said
        assert "network" not in said


def test_run_on_a_read_only_cache_names_it(read_only: Path) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "devnet/base/bootstrap.py", ROOT, "demo"],
        env={**os.environ, "KOMPUTE_CACHE": str(read_only), "COLUMNS": "10000"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 3
    assert done.stderr == (
        f"run: the disk is read-only ({read_only}/run) (the cache is {read_only}); {OWN} places "
        "that are yours to write\n"
    )


def test_the_network_is_still_named_where_nothing_else_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        bootstrap.run([sys.executable, "-c", "raise SystemExit('no route to host')"])
    assert "ended with 1; check the network" in capsys.readouterr().err
    assert not bootstrap.attempt([sys.executable, "-c", "raise SystemExit('no pip')"])


def test_a_read_only_place_is_named(read_only: Path, tmp_path: Path) -> None:
    with pytest.raises(MachineLacks) as met:
        DevnetFolder.open(start=read_only)
    assert "the disk is read-only" in str(met.value) and str(read_only) in str(met.value)
    assert met.value.hint.startswith(OWN)


def test_the_systems_own_place_is_named() -> None:
    refused = r"cannot be written: (not permitted|permission denied)"
    with pytest.raises(MachineLacks, match=refused) as met:
        Store(Path("/sys")).make("kind", "key", lambda into: None)
    assert "(/sys/kind)" in str(met.value)
    assert met.value.hint.startswith(OWN)


def limited(limit: int, value: int, *words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    def narrow() -> None:
        resource.setrlimit(limit, (value, value))

    return subprocess.run(
        [sys.executable, "-m", "devnet.cli", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "10000"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        preexec_fn=narrow,
    )


@pytest.mark.parametrize("words", [("run", str(ROOT / "e2e/scenarios/pool.yaml")), ("up", "tiny")])
def test_a_limit_on_the_size_of_files_is_named(words: tuple[str, ...], tmp_path: Path) -> None:
    done = limited(resource.RLIMIT_FSIZE, 20_000, *words, "--cluster", "sim", folder=tmp_path)
    assert done.returncode in (3, 4), done.stderr
    assert "a file would be larger than the limit allows" in done.stderr
    assert "ulimit -f unlimited" in done.stderr
    assert str(tmp_path) in done.stderr
    assert "Traceback" not in done.stderr and "fault of devnet" not in done.stderr


@pytest.mark.parametrize("most", [10, 14, 20, 60, 255])
@pytest.mark.parametrize(
    "words", [("run", str(ROOT / "e2e/scenarios/order-refund.yaml")), ("up", "tiny")]
)
def test_a_limit_on_open_files_is_named(words: tuple[str, ...], most: int, tmp_path: Path) -> None:
    done = limited(resource.RLIMIT_NOFILE, most, *words, "--cluster", "sim", folder=tmp_path)
    assert done.returncode in (3, 4), done.stderr
    assert "too many open files" in done.stderr.lower()
    assert "ulimit -n 4096" in done.stderr
    assert "Traceback" not in done.stderr and "fault of devnet" not in done.stderr


def test_the_limit_on_open_files_is_raised_where_it_may_be() -> None:
    script = (
        "import resource; from devnet.base import obstacles\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (64, 1000))\n"
        "obstacles.require_open_files()\n"
        "print(resource.getrlimit(resource.RLIMIT_NOFILE))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stdout == b"(1000, 1000)\n"


def test_a_record_names_the_file_that_cannot_grow(small: Path) -> None:
    with RunFolder(small / "run") as record:
        with pytest.raises(OSError) as met:
            record.line("blocks.jsonl", {"x": "x" * (4 << 20)})
    failure = failure_of(met.value)
    assert failure.message == f"the disk is full ({small}/run/blocks.jsonl)"
    assert (failure.hint.startswith(ROOM), failure.exit_code) == (True, 3)


def test_the_obstacle_behind_an_error_gives_the_hint() -> None:
    def raised(number: int, hint: str) -> AnvilFailed:
        try:
            try:
                raise OSError(number, os.strerror(number), "/a/path")
            except OSError as cause:
                raise AnvilFailed("no chain", hint=hint) from cause
        except AnvilFailed as error:
            return error

    failure = failure_of(raised(errno.EMFILE, "check the network"))
    assert failure.message == "no chain: too many open files (/a/path)"
    assert failure.hint.endswith("ulimit -n 4096")
    assert failure_of(raised(errno.EACCES, "ask your admin")).hint == "ask your admin"
    assert failure_of(raised(errno.EACCES, "")).hint.startswith(OWN)
    assert failure_of(raised(errno.ECONNREFUSED, "")).message == "no chain"


def test_a_signal_of_a_limit_is_named() -> None:
    assert obstacles.ended(-25) == (
        "was ended by SIGXFSZ (a file would be larger than the limit allows)"
    )
    assert (obstacles.ended(-9), obstacles.ended(2)) == ("was ended by SIGKILL", "ended with 2")
