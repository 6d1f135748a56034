"""What stands around a command: odd files, closed and broken pipes, two at once, deep folders."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from devnet.base import wait_for
from tests.cli.conftest import COMMAND, ROOT, RUN_SECONDS, Shell, Up, environment


@pytest.mark.parametrize("command", ["up", "run", "replay"])
@pytest.mark.parametrize("odd", ["pipe", "device", "folder", "binary", "large"])
def test_a_file_that_is_none_is_refused_at_once(devnet: Shell, command: str, odd: str) -> None:
    path = devnet.folder / "odd.yaml"
    if odd == "pipe":
        os.mkfifo(path)
    elif odd == "device":
        path = Path("/dev/zero")
    elif odd == "folder":
        path.mkdir()
    elif odd == "binary":
        path.write_bytes(bytes(range(256)) * 40)
    else:
        with path.open("wb") as stream:
            stream.truncate(1 << 30)
    ended = devnet(command, path, seconds=20)
    assert (ended.code, ended.out) == (2, "")
    assert str(path) in ended.err and "Traceback" not in ended.err


def shell_line(folder: Path, line: str) -> subprocess.CompletedProcess[str]:
    """`$D` is devnet."""
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        cwd=folder,
        env=environment(D=" ".join(COMMAND)),
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )


@pytest.mark.parametrize(
    "line",
    [
        "$D profiles >&-",
        "$D config small >&-",
        "$D profiles >&- 2>&-",
        "$D profiles <&- >&- 2>&-",
        "$D config small | head -1",
        "$D --help | head -1",
        "$D run --help | head -1",
        "$D config small | true",
    ],
)
def test_nobody_has_to_listen(tmp_path: Path, line: str) -> None:
    done = shell_line(tmp_path, line)
    assert done.stderr == ""
    assert done.returncode == 0 or "--help" in line  # click ends with 1 where its help is cut


@pytest.mark.parametrize("closed", [">&-", "<&-", "2>&-", "<&- >&- 2>&-", "2</dev/zero"])
def test_what_is_opened_does_not_take_the_place_of_a_closed_stream(
    tmp_path: Path, closed: str
) -> None:
    """Here and in a child, else what it prints would end up in it; and all may be written to."""
    script = """if True:
        import os, subprocess, sys
        from pathlib import Path
        from devnet.base.streams import hold_standard_streams
        hold_standard_streams()
        with open("own", "w") as own:
            own.write(str(own.fileno()))
        print("out"), print("err", file=sys.stderr, flush=True)
        child = "import os; print(os.open('of-child', os.O_CREAT), file=open('child', 'w'))"
        sys.exit(subprocess.run([sys.executable, "-c", child]).returncode)
    """
    (tmp_path / "script.py").write_text(script)
    done = shell_line(tmp_path, f"PYTHONPATH={ROOT} {sys.executable} script.py {closed}")
    assert done.returncode == 0, done.stderr
    assert int((tmp_path / "own").read_text()) > 2
    assert int((tmp_path / "child").read_text()) > 2


def test_a_fault_is_told_where_nobody_reads_the_results(tmp_path: Path) -> None:
    done = shell_line(tmp_path, "$D config nowhere.yaml >&-")
    assert done.returncode == 2
    assert done.stderr.startswith("error: nowhere.yaml: no such file")


def test_a_name_that_is_no_text_is_written_with_escapes(devnet: Shell) -> None:
    done = subprocess.run(
        [*map(os.fsencode, COMMAND), b"config", b"\xff\xfe.yaml"],
        cwd=devnet.folder,
        env=environment(PYTHONIOENCODING="ascii"),
        capture_output=True,
        timeout=RUN_SECONDS,
        check=False,
    )
    assert done.returncode == 2
    assert b"no such file" in done.stderr and b"Traceback" not in done.stderr


def test_of_two_that_start_the_same_devnet_one_says_so(devnet: Shell, up: Up) -> None:
    words = [*COMMAND, "up", "tiny", "--cluster", "sim"]
    both = [
        subprocess.Popen(
            words,
            cwd=devnet.folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    try:
        ends = [(*each.communicate(timeout=RUN_SECONDS), each.returncode) for each in both]
    finally:
        for each in both:
            each.kill()
    assert sorted(code for _, _, code in ends) == [0, 2], ends
    (said,) = [err for _, err, code in ends if code == 2]
    assert "is being started by another `devnet up`" in said or "is up already" in said
    assert devnet("status", "--json").json()["name"] == "default"
    third = devnet("up", "tiny", "--cluster", "sim")
    assert third.code == 2 and "is up already" in third.err
    assert devnet("down").code == 0


def test_a_devnet_in_a_deep_folder_answers_whatever_tmpdir_says(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 120) / ("e" * 120)
    deep.mkdir(parents=True)
    (tmp_path / "other").mkdir()
    shell = Shell(deep)
    ended = shell("up", "tiny", "--cluster", "sim", TMPDIR=str(deep))
    try:
        assert ended.code == 0, ended.err
        assert shell("status", "--json", TMPDIR=str(tmp_path / "other")).code == 0
        assert shell("status", "--json").json()["name"] == "default"
    finally:
        assert shell("down").code == 0
    wait_for("its end", lambda: not shell.marked(), limit_seconds=15)
