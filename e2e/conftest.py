"""What the end-to-end suites share: the CLI as a process, in a folder of the test's own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from cluster.native import groups
from cluster.providers import kinds
from devnet.base import Toolchain
from devnet.base.processes import ID_VARIABLE

ROOT = Path(__file__).resolve().parent.parent
SCENARIOS = ROOT / "e2e" / "scenarios"
RUN_SECONDS = 600


@dataclass(frozen=True)
class Ended:
    """A finished `devnet` process."""

    code: int
    out: str
    err: str

    def json(self) -> dict[str, Any]:
        """What `--json` printed; the assertion shows stderr when it is not JSON."""
        assert self.out.strip(), f"nothing on stdout; exit {self.code}; stderr:\n{self.err}"
        document: dict[str, Any] = json.loads(self.out)
        return document


Devnet = Callable[..., Ended]


def available_clusters() -> list[str]:
    """The clusters this machine serves, or those `KOMPUTE_E2E_CLUSTERS` names (comma separated)."""
    asked = os.environ.get("KOMPUTE_E2E_CLUSTERS")
    if asked:
        return asked.split(",")
    toolchain = Toolchain()
    return [kind.name for kind in kinds() if not kind.lacks(toolchain)]


def devnet_ids(folder: Path) -> set[str]:
    """Of the devnets below `folder`, which keep them when they are down."""
    return {path.read_text().strip() for path in folder.glob(".devnet/*/id")}


def marked(folder: Path) -> list[psutil.Process]:
    """Living processes that carry the id of a devnet below `folder`."""
    ids = devnet_ids(folder)
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(ID_VARIABLE) in ids:
                found.append(process)
        except psutil.Error:
            continue
    return found


def left(folder: Path) -> list[str]:
    """What devnets below `folder` have left on this machine: processes, control groups, mounts,
    loop devices."""
    ids = devnet_ids(folder)
    assert ids, f"no devnet was below {folder}"
    mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    behind = Path("/sys/block").glob("loop*/loop/backing_file")
    return [
        *(str(process) for process in marked(folder)),
        *(str(group) for each in ids for group in groups.places(each)),
        *(line for line in mounts if str(folder) in line),
        *(str(file) for file in behind if str(folder) in file.read_text(encoding="utf-8")),
    ]


@pytest.fixture
def devnet(tmp_path: Path) -> Devnet:
    """Run `devnet …` in the test's folder; afterwards nothing of it may be left running."""

    def run(*arguments: str | Path, seconds: float = RUN_SECONDS) -> Ended:
        done = subprocess.run(
            [sys.executable, "-m", "devnet.cli", *map(str, arguments)],
            cwd=tmp_path,
            env={**os.environ, "COLUMNS": "10000"},  # no line is broken
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    return run
