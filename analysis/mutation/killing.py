"""Whether the contract tests notice a mutant: pytest in a process of its own, on its own anvil."""

from __future__ import annotations

import os
import re
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from analysis.mutation.building import Built, Sources, batches
from analysis.mutation.mutants import Mutant
from devnet.protocol.artifacts import Artifacts

TESTS: Final = Path("tests") / "contracts"
# Ape's own deployment is of Ape's own compilation and would see no mutant; the snapshot of gas
# would see every one, for no more than its gas.
APART: Final = (TESTS / "deploy", TESTS / "test_gas_snapshot.py")
# An endless loop ends at the gas limit, a chain that never comes at this.
LIMIT_SECONDS: Final = 240.0
FAILED: Final = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Outcome:
    """`by` is the test that failed; None for a survivor, `same code` where nothing changed."""

    mutant: Mutant
    by: str | None
    seconds: float

    @property
    def same(self) -> bool:
        return self.by == SAME

    @property
    def survived(self) -> bool:
        return self.by is None


SAME: Final = "same code"


def outcomes(
    sources: Sources, original: Artifacts, mutants: Sequence[Mutant], jobs: int
) -> Iterator[Outcome]:
    """As they come; mutants that do not compile are left out. `jobs` anvils run at once."""
    _warm()
    assert sources.trees  # once, before the workers copy it
    with ProcessPoolExecutor(jobs, mp_context=get_context("fork")) as pool:
        waiting = [
            pool.submit(_batch_outcomes, sources, original, batch) for batch in batches(mutants)
        ]
        for done in as_completed(waiting):
            yield from done.result()


def failing_before(original: Artifacts, root: Path) -> str | None:
    """The first test that fails without any mutant; it would notice every one."""
    _warm()
    return failing(original, [str(path) for path in sorted(_all_tests(root))], root)


def tests_of(file: str, root: Path) -> list[list[str]]:
    """Test paths in the order in which they are worth a try: those beside it, then all others."""
    folder = TESTS / Path(file).parent.name
    own = [folder] if (root / folder).is_dir() else []
    others = [path for path in _all_tests(root) if path not in own]
    return [[str(path) for path in many] for many in (own, others) if many]


def _all_tests(root: Path) -> list[Path]:
    """Folders and modules of tests that a mutant may fail, from `root`."""
    found = (path.relative_to(root) for path in sorted((root / TESTS).iterdir()))
    return [
        path
        for path in found
        if ((root / path).is_dir() or path.name.startswith("test_"))
        and not path.name.startswith("__")
        and path not in APART
    ]


def _batch_outcomes(
    sources: Sources, original: Artifacts, batch: Sequence[Mutant]
) -> list[Outcome]:
    return [_outcome(built, original, sources) for built in sources.build(batch)]


def _outcome(built: Built, original: Artifacts, sources: Sources) -> Outcome:
    start = time.monotonic()
    if not built.contracts:
        return Outcome(built.mutant, SAME, 0.0)
    artifacts = Artifacts({**original.contracts, **built.contracts})
    for tests in tests_of(built.mutant.file, sources.compiler.root):
        if (by := failing(artifacts, tests, sources.compiler.root)) is not None:
            return Outcome(built.mutant, by, time.monotonic() - start)
    return Outcome(built.mutant, None, time.monotonic() - start)


def failing(artifacts: Artifacts, tests: Sequence[str], root: Path) -> str | None:
    """The first test that fails with these contracts, None when all pass."""
    with tempfile.TemporaryFile("w+") as output:
        child = os.fork()
        if child == 0:
            _become_pytest(artifacts, tests, root, output.fileno())
        status = _waited(child)
        if status == 0:
            return None
        output.seek(0)
        text = output.read()
    if (match := FAILED.search(text)) is not None:
        return match.group(1)
    if status == -signal.SIGKILL:
        return f"{LIMIT_SECONDS:.0f} s of {tests[0]}"
    raise RuntimeError(f"pytest ended with {status} and no failed test:\n{text[-2000:]}")


def _become_pytest(
    artifacts: Artifacts, tests: Sequence[str], root: Path, output: int
) -> None:  # pragma: no cover - in the child
    """Never returns. Fixtures find the given contracts where they would compile them."""
    status = 70
    try:
        os.setpgid(0, 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.chdir(root)
        import pytest

        import devnet.deploy

        devnet.deploy.compile_contracts = lambda *_: artifacts
        words = ["-x", "-q", "--no-header", "--tb=no", "-p", "no:cacheprovider", "-p", "no:xdist"]
        status = int(pytest.main([*words, *tests]))
        sys.stdout.flush()
    finally:
        os._exit(status)


def _waited(child: int) -> int:
    """The child's exit code, negative for a signal; its whole group ends with the limit."""
    end, parent = time.monotonic() + LIMIT_SECONDS, os.getppid()
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        # A worker whose command was stopped belongs to nobody.
        if (left := os.getppid() != parent) or time.monotonic() > end:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            if left:
                os._exit(1)
            return -signal.SIGKILL
        time.sleep(0.02)


def _warm() -> None:
    """Imported once, before the forks, what every child needs."""
    import hypothesis
    import pytest

    import devnet.chain
    import devnet.deploy
    import devnet.protocol

    assert all((hypothesis, pytest, devnet.chain, devnet.deploy, devnet.protocol))


def by_contract(outcomes: Sequence[Outcome]) -> Mapping[str, list[Outcome]]:
    """Sorted by contract, then by place."""
    grouped: dict[str, list[Outcome]] = {}
    for outcome in sorted(outcomes, key=lambda one: (one.mutant.contract, one.mutant.line)):
        grouped.setdefault(outcome.mutant.contract, []).append(outcome)
    return grouped
