"""`python -m analysis [CHECK] [--deep] [ARGUMENT…]`: everything the contracts are held to.

The compiler's warnings and slither, the pages made of the contracts, the contract tests, the
property tests, the mutants; then their verdicts in a few lines. A CHECK runs alone and takes
arguments of its own; without one they are pytest's, and only the contract tests run.
Needs Ape's environment: `python -m devnet.base.toolchain python -m analysis`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
PYTEST: Final = ("-m", "pytest", "-p", "ape_test")
PAGES: Final = ("test_errors.py", "test_rules.py", "test_storage.py")
# pytest's last line and what failed, slither's verdict and what is open, the mutants' sum and what
# is wrong with one, the steps of the state machine.
VERDICT: Final = re.compile(
    r"^(=+ .*(passed|failed|error).* =+|(FAILED|ERROR) \S+.*"
    r"|slither: .*|(slither|solc) \S+ at .*|excuses.yaml: .*"
    r"|mutation score: .*|(survived|no end within|explained, but|no such mutant:|no mutant was) .*"
    r"|state machine: .*)$"
)


@dataclass(frozen=True, slots=True)
class Check:
    """One command of this Python; `deep` is what it takes for the whole of it."""

    name: str
    words: tuple[str, ...]
    deep: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a check: its exit code, seconds, and those lines that say it all."""

    name: str
    code: int
    seconds: int
    verdicts: tuple[str, ...]


CONTRACT_TESTS: Final = Check("tests", (*PYTEST, "tests/contracts"))


def checks() -> tuple[Check, ...]:
    """In order; the quickest to fail first."""
    return (
        Check("findings", ("-m", "analysis.findings")),
        Check("pages", (*PYTEST, *(f"tests/analysis/{page}" for page in PAGES))),
        CONTRACT_TESTS,
        Check("properties", (*PYTEST, "tests/properties"), ("--deep", "-n", "auto")),
        Check("mutants", ("-m", "analysis.mutation"), ("--deep",)),
    )


def run(check: Check, deep: bool, more: tuple[str, ...] = ()) -> Done:
    """Its output passes through as it comes."""
    start, verdicts = time.monotonic(), []
    print(f"--- {check.name}", flush=True)
    command = [sys.executable, *check.words, *(check.deep if deep else ()), *more]
    # Else two of these at once would share the anvil on Ape's usual port, and one would end it.
    env = {"APE_FOUNDRY_HOST": "auto", **os.environ}
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            if VERDICT.match(line.rstrip()):
                verdicts.append(line.strip())
    seconds = round(time.monotonic() - start)
    return Done(check.name, process.returncode, seconds, tuple(verdicts))


def chosen(arguments: Sequence[str]) -> tuple[tuple[Check, ...], bool, tuple[str, ...]]:
    """The checks to run, whether `--deep`, and further arguments, which only a single one takes."""
    named = [check for check in checks() if arguments and check.name == arguments[0]]
    words = arguments[1:] if named else arguments
    rest = tuple(word for word in words if word != "--deep")
    if not named and rest:
        named = [CONTRACT_TESTS]
    return tuple(named) or checks(), "--deep" in words, rest


def main(arguments: Sequence[str]) -> int:
    """0 when all hold."""
    wanted, deep, rest = chosen(arguments)
    done = [run(check, deep, rest) for check in wanted]
    if len(done) == 1:
        return done[0].code
    print("--- verdicts")
    for one in done:
        held = "held" if one.code == 0 else f"FAILED, exit {one.code}"
        print(f"{one.name}: {held}, {one.seconds} s")
        for line in one.verdicts:
            print(f"  {line}")
    return 0 if all(one.code == 0 for one in done) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
