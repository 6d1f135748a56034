"""The contract tests over given contracts: pytest in a process of its own, on its own anvil."""

from __future__ import annotations

import os
import re
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from devnet.base import WaitExpired, wait_for
from devnet.protocol.artifacts import Artifacts

TESTS: Final = Path("tests") / "contracts"
# Ape's own deployment is of Ape's own compilation and would see no mutant; the snapshot of gas
# would see every one, for no more than its gas.
APART: Final = (TESTS / "deploy", TESTS / "test_gas_snapshot.py")
FAILED: Final = re.compile(r"^(?:FAILED|ERROR) (\S+?(?:\[.*?\])?)(?: - .*)?$", re.MULTILINE)
LOOK_SECONDS: Final = 0.02
# Its limit for one test would end the process without a word of which; `play` has its own.
WORDS: Final = (
    *("-x", "-q", "--no-header", "--tb=no", "-o", "timeout=0"),
    *("-p", "no:cacheprovider", "-p", "no:xdist"),
)


@dataclass(frozen=True, slots=True)
class Played:
    """`by` is the test that failed first, None where all passed or time was over (`late`)."""

    by: str | None
    late: bool
    seconds: float


def all_tests(root: Path) -> list[Path]:
    """Folders and modules of tests that a mutant may fail, from `root`."""
    found = (path.relative_to(root) for path in sorted((root / TESTS).iterdir()))
    return [
        path
        for path in found
        if ((root / path).is_dir() or path.name.startswith("test_"))
        and not path.name.startswith("__")
        and path not in APART
    ]


def warm() -> None:
    """Imported once, before the forks, what every child needs."""
    import hypothesis
    import pytest

    import devnet.chain
    import devnet.deploy
    import devnet.protocol

    assert all((hypothesis, pytest, devnet.chain, devnet.deploy, devnet.protocol))


def play(
    artifacts: Artifacts,
    tests: Sequence[str],
    root: Path,
    limit_seconds: float,
    first: Sequence[str] = (),
) -> Played:
    """These tests with these contracts, until one fails.

    `first` are the ids of those that come before all others. Raises RuntimeError when pytest ends
    otherwise than by passed or failed tests.
    """
    start = time.monotonic()
    with tempfile.TemporaryFile("w+") as output:
        child = os.fork()
        if child == 0:
            _become_pytest(artifacts, root, output.fileno(), Order(tests, first))
        status = _waited(child, limit_seconds)
        output.seek(0)
        text = output.read()
    seconds = time.monotonic() - start
    if status == 0:
        return Played(None, False, seconds)
    if (match := FAILED.search(text)) is not None:
        return Played(match.group(1), False, seconds)
    if status is None:
        return Played(None, True, seconds)
    raise RuntimeError(f"pytest ended with {status} and no failed test:\n{text[-2000:]}")


class Order:
    """A plugin of pytest: `tests` (paths), but before them those with the ids of `first`."""

    def __init__(self, tests: Sequence[str], first: Sequence[str]) -> None:
        self._tests = tuple(tests)
        self._rank = {name: rank for rank, name in enumerate(first)}

    @property
    def paths(self) -> list[str]:
        """What pytest has to collect: an id's module, since an unknown id would be an error."""
        modules = (name.partition("::")[0] for name in self._rank if not self._is_inside(name))
        return [*self._tests, *dict.fromkeys(modules)]

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        last = len(self._rank)
        items[:] = sorted(
            (one for one in items if one.nodeid in self._rank or self._is_inside(one.nodeid)),
            key=lambda one: self._rank.get(one.nodeid, last),
        )

    def _is_inside(self, name: str) -> bool:
        return name.startswith(tuple(f"{path}{mark}" for path in self._tests for mark in "/:"))


def _become_pytest(
    artifacts: Artifacts, root: Path, output: int, order: Order
) -> None:  # pragma: no cover - in the child
    """Never returns. Fixtures find the given contracts where they would compile them."""
    status = 70
    try:
        os.setpgid(0, 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        sys.stdout = sys.stderr = os.fdopen(1, "w")
        os.chdir(root)
        import pytest

        import devnet.deploy

        devnet.deploy.compile_contracts = lambda *_: artifacts
        status = int(pytest.main([*WORDS, *order.paths], plugins=[order]))
    except BaseException:  # noqa: BLE001  the edge of the process: else nobody would hear of it
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(status)


def _waited(child: int, limit_seconds: float) -> int | None:
    """The child's exit code, negative for a signal; None where the limit ended its whole group."""
    parent = os.getppid()

    def ended() -> int | None:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if os.getppid() != parent:  # a worker whose command was stopped belongs to nobody
            _kill(child)
            os._exit(1)
        return None

    try:
        return wait_for("pytest", ended, limit_seconds=limit_seconds, every_seconds=LOOK_SECONDS)
    except WaitExpired:
        _kill(child)
        return None


def _kill(child: int) -> None:
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
