"""The CLI as a process, in a folder of the test's own; afterwards nothing of it may be running."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from devnet.base import wait_for
from devnet.base.processes import ID_VARIABLE

ROOT = Path(__file__).resolve().parent.parent.parent
COMMAND = [sys.executable, "-m", "devnet.cli"]
RUN_SECONDS = 100


@dataclass(frozen=True)
class Ended:
    """A finished `devnet` process."""

    code: int
    out: str
    err: str

    def json(self) -> dict[str, Any]:
        """What `--json` printed: one object on one line."""
        assert self.out.count("\n") == 1, f"exit {self.code}\n{self.out}\n{self.err}"
        document: dict[str, Any] = json.loads(self.out)
        return document


def environment(**more: str) -> dict[str, str]:
    """This process's, with the checkout's packages, no colour and no line broken."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    return {**os.environ, "PYTHONPATH": path, "COLUMNS": "10000", **more}


def python(script: str, *words: str, **env: str) -> Ended:
    """A script in an interpreter of its own."""
    done = subprocess.run(
        [sys.executable, "-c", script, *words],
        env=environment(**env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True)
class Shell:
    """Runs `devnet` in `folder`."""

    folder: Path

    def __call__(self, *words: str | Path, seconds: float = RUN_SECONDS, **env: str) -> Ended:
        done = subprocess.run(
            [*COMMAND, *map(str, words)],
            cwd=self.folder,
            env=environment(**env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def start(self, *words: str | Path) -> subprocess.Popen[str]:
        """Start it and leave it running; its output goes to files `out` and `err`."""
        with (self.folder / "out").open("w") as out, (self.folder / "err").open("w") as err:
            return subprocess.Popen(
                [*COMMAND, *map(str, words)],
                cwd=self.folder,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                text=True,
            )

    def said(self, text: str, seconds: float = RUN_SECONDS) -> None:
        """Wait until a started command has said `text` on stderr."""
        path = self.folder / "err"
        wait_for(
            f"`{text}`",
            lambda: text in path.read_text(),
            limit_seconds=seconds,
            log=path,
        )

    def marked(self) -> list[psutil.Process]:
        """Living processes of the devnets below the folder: daemons, and what carries their ids."""
        ids = {path.read_text().strip() for path in self.folder.glob(".devnet/*/id")}
        found = []
        for process in psutil.process_iter():
            try:
                ours = process.environ().get(ID_VARIABLE) in ids
                daemon = str(self.folder) in " ".join(process.cmdline())
                if (ours or daemon) and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def wait_until_nothing_is_left(self) -> None:
        wait_for(
            "every process of the devnets to end",
            lambda: not self.marked(),
            limit_seconds=15,
            seen=lambda: "; ".join(" ".join(p.cmdline())[:100] for p in self.marked()),
        )


@pytest.fixture
def devnet(tmp_path: Path) -> Iterator[Shell]:
    shell = Shell(tmp_path)
    yield shell
    left = shell.marked()
    for process in left:
        process.send_signal(signal.SIGKILL)
    assert [" ".join(process.cmdline()) for process in left if process.is_running()] == []


Up = Callable[..., dict[str, Any]]


@pytest.fixture
def up(devnet: Shell) -> Iterator[Up]:
    """Start a devnet; it is taken down afterwards."""
    names: list[str] = []

    def start(*words: str, name: str = "default") -> dict[str, Any]:
        names.append(name)
        asked = (words[0], "--cluster", "sim", "--name", name, *words[1:])
        ended = devnet("up", *asked, "--json")
        assert ended.code == 0, ended.err
        return ended.json()

    yield start
    for name in names:
        devnet("down", "--name", name)
