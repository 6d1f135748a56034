"""A devnet raised by its commands, as a person raises one, and brought down again."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from benchmarks.children import environment
from devnet.base import CheckFailed

NAME: Final = "bench"
COMMAND_SECONDS: Final = 300


def devnet(folder: Path, *words: str) -> dict[str, Any]:
    """What the command answers, as JSON; raises CheckFailed when it fails."""
    done = subprocess.run(
        [sys.executable, "-m", "devnet.cli", *words, "--json"],
        cwd=folder,
        env=environment(folder / "bytecode"),
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )
    if done.returncode:
        raise CheckFailed(f"devnet {' '.join(words)} ended with {done.returncode}: {done.stderr}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@contextmanager
def raised(folder: Path, cluster: str, *options: str) -> Iterator[dict[str, Any]]:
    """Entered when `devnet up small` has returned, with what it answered."""
    status = devnet(folder, "up", "small", "--cluster", cluster, "--name", NAME, *options)
    try:
        yield status
    finally:
        devnet(folder, "down", "--name", NAME)
