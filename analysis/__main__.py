"""`python -m analysis [--deep] [PYTEST ARGUMENT…]`: everything the contracts are held to.

The compiler's warnings and slither, the contract tests, the property tests, the mutants; then
their verdicts in a few lines. With arguments for pytest only the contract tests run, with those.
Needs Ape's environment: `python -m devnet.base.toolchain python -m analysis`.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
PYTEST: Final = ("-m", "pytest", "-p", "ape_test")
# pytest's last line and what failed, slither's verdict, the mutants' sum and those that survived
# unexplained, the steps of the state machine.
VERDICT: Final = re.compile(
    r"^(=+ .*(passed|failed|error).* =+|(FAILED|ERROR) \S+.*|survived  .*"
    r"|slither: .*|mutation score: .*|state machine: .*)$"
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


def checks() -> tuple[Check, ...]:
    """In order; the quickest to fail first."""
    return (
        Check("findings", ("-m", "analysis.findings")),
        Check("contract tests", (*PYTEST, "tests/contracts")),
        Check("properties", (*PYTEST, "tests/properties"), ("--deep",)),
        Check("mutants", ("-m", "analysis.mutation"), ("--deep",)),
    )


def run(check: Check, deep: bool, more: tuple[str, ...] = ()) -> Done:
    """Its output passes through as it comes."""
    start, verdicts = time.monotonic(), []
    print(f"--- {check.name}", flush=True)
    command = [sys.executable, *check.words, *(check.deep if deep else ()), *more]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            if VERDICT.match(line.rstrip()):
                verdicts.append(line.strip())
    seconds = round(time.monotonic() - start)
    return Done(check.name, process.returncode, seconds, tuple(verdicts))


def main(arguments: list[str]) -> int:
    """0 when all hold."""
    deep = "--deep" in arguments
    rest = tuple(word for word in arguments if word != "--deep")
    if rest:
        return run(Check("contract tests", (*PYTEST, "tests/contracts")), False, rest).code
    done = [run(check, deep) for check in checks()]
    print("--- verdicts")
    for one in done:
        held = "held" if one.code == 0 else f"FAILED, exit {one.code}"
        print(f"{one.name}: {held}, {one.seconds} s")
        for line in one.verdicts:
            print(f"  {line}")
    return 0 if all(one.code == 0 for one in done) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
