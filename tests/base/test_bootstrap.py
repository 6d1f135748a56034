"""What `run` does on a bare machine: uv without pip, the right environment, one clear error."""

import hashlib
import http.server
import os
import platform
import re
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from devnet.base import bootstrap
from devnet.cli.catalogue import COMMANDS, STEPS

ROOT = Path(__file__).parents[2]


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Path]:
    """A package index in a folder, served to this process; UV_DEFAULT_INDEX names it."""
    folder = tmp_path / "index"
    (folder / "uv").mkdir(parents=True)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(folder))  # type: ignore[arg-type]

        def log_message(self, *args: object) -> None:
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    before = os.environ.get("UV_DEFAULT_INDEX")
    os.environ["UV_DEFAULT_INDEX"] = f"http://127.0.0.1:{server.server_port}"
    yield folder / "uv"
    server.shutdown()
    thread.join(10)
    server.server_close()
    os.environ.pop("UV_DEFAULT_INDEX")
    if before is not None:
        os.environ["UV_DEFAULT_INDEX"] = before


def put_wheel(index: Path, version: str, platform_tag: str, *, sha256: str = "") -> None:
    name = f"uv-{version}-py3-none-{platform_tag}.whl"
    with zipfile.ZipFile(index / name, "w") as wheel:
        wheel.writestr(f"uv-{version}.data/scripts/uv", f"#!/bin/sh\necho uv {version}\n")
    sha256 = sha256 or hashlib.sha256((index / name).read_bytes()).hexdigest()
    with (index / "index.html").open("a") as page:
        page.write(f'<a href="{name}#sha256={sha256}">{name}</a>\n')


def test_the_newest_wheel_for_this_machine_is_unpacked(index: Path, tmp_path: Path) -> None:
    machine = platform.machine()
    for version in ("0.9.9", "0.13.10", "0.13.9"):
        put_wheel(index, version, f"manylinux_2_17_{machine}.manylinux2014_{machine}")
    put_wheel(index, "0.14.0", "win_amd64")
    put_wheel(index, "0.14.0", "manylinux_2_17_riscv64")
    uv = bootstrap.uv_from_wheel(tmp_path / "uv")
    assert subprocess.run([uv], capture_output=True, text=True, check=True).stdout == "uv 0.13.10\n"


def test_a_wheel_that_is_not_the_indexs_is_refused(index: Path, tmp_path: Path) -> None:
    put_wheel(index, "0.13.9", f"manylinux_2_17_{platform.machine()}", sha256="0" * 64)
    with pytest.raises(ValueError, match="does not have its sha256"):
        bootstrap.uv_from_wheel(tmp_path / "uv")
    assert not (tmp_path / "uv" / "bin").exists()


def test_an_index_without_it_is_told(index: Path, tmp_path: Path) -> None:
    put_wheel(index, "0.14.0", "win_amd64")
    with pytest.raises(LookupError, match="has no uv for"):
        bootstrap.uv_from_wheel(tmp_path / "uv")


def test_without_any_way_it_names_the_one_command(
    index: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (index / "index.html").write_text("")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SystemExit) as left:
        bootstrap.find_uv(tmp_path / "uv")
    assert left.value.code == 3
    assert "sudo apt-get install python3-venv python3-pip" in capsys.readouterr().err


def test_the_cache_is_the_stores(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from devnet.base.store import default_cache

    monkeypatch.delenv("KOMPUTE_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert bootstrap.cache() == default_cache()
    monkeypatch.setenv("KOMPUTE_CACHE", str(tmp_path / "mine"))
    assert bootstrap.cache() == default_cache() == tmp_path / "mine"


def test_it_needs_the_standard_library_only() -> None:
    script = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import devnet.base.bootstrap;"
    script += "import devnet.base.registries; print('filelock' in sys.modules)"
    told = subprocess.run(
        [sys.executable, "-S", "-c", script], capture_output=True, text=True, check=True
    )
    assert told.stdout == "False\n"


def test_run_without_python_says_what_is_needed(tmp_path: Path) -> None:
    shell = ["/bin/sh", str(ROOT / "run"), "demo"]
    environment = {"PATH": os.defpath, "PYTHON": str(tmp_path / "no-python")}
    told = subprocess.run(shell, capture_output=True, text=True, env=environment, check=False)
    assert told.returncode == 3
    assert told.stderr == "run: Python 3.11 or newer is needed: sudo apt-get install python3\n"


@pytest.mark.parametrize("most", range(8, 16))
def test_python_is_not_missing_where_descriptors_are(most: int) -> None:
    """With so few that the shell cannot read `run` it says so itself."""
    told = subprocess.run(
        ["bash", "-c", f'ulimit -n {most}; exec "$0" version', ROOT / "run"],
        capture_output=True,
        text=True,
        check=False,
    )
    if most == 15 or told.returncode == 0:
        assert (told.returncode, told.stderr) == (0, "")
        assert told.stdout
    else:
        assert "Python" not in told.stderr
        assert re.search("Too many open files|Invalid argument", told.stderr)


CLOSED = (">&-", "2>&-", "<&-", ">&- 2>&-", "<&- >&- 2>&-")


@pytest.mark.parametrize("closed", CLOSED)
def test_nobody_has_to_listen_to_run(closed: str) -> None:
    for words, code in (("version", 0), ("nonsense", 2)):
        told = subprocess.run(
            ["bash", "-c", f'"$0" {words} {closed}', ROOT / "run"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert told.returncode == code, told.stderr
        heard = {1, 2} - {1 if word == ">&-" else 2 for word in closed.split() if ">" in word}
        assert told.stdout.startswith("devnet ") == (code == 0 and 1 in heard)
        assert told.stderr.startswith("error: no command") == (code == 2 and 2 in heard)
        assert told.stdout.count("\n") + told.stderr.count("\n") <= 2


def test_a_command_that_a_check_bears_the_name_of_is_reached_and_told() -> None:
    both = set(bootstrap.CHECKS) & set(COMMANDS)
    assert both == set(bootstrap.BOTH)
    for name in both:
        told = subprocess.run(
            [ROOT / "run", "devnet", name, "--help"], capture_output=True, text=True, check=True
        )
        assert told.stdout.startswith(f"Usage: devnet {name} ")
    assert not {bootstrap.DEVNET} & {*COMMANDS, *STEPS, *bootstrap.CHECKS}
