"""The seeded errors: one or more for each invariant, and how soon the machine finds them.

A patch under `seeded/` begins with the error in a sentence and applies to `contracts/`; its name
begins with the number of the invariant it breaks, or with 00 where only the model tells. The first
of each invariant were chosen before anybody looked at what the machine finds; the others are errors
that every test of the contracts had let pass.

    python -m devnet.base.toolchain python tests/properties/hunting.py [NUMBER…]

hunts them all (or those) and writes `docs/reference/seeded-errors.md`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

from devnet.base import CheckFailed
from devnet.base.solidity import link_libraries
from devnet.base.toolchain import Toolchain
from devnet.checking import INVARIANTS
from devnet.deploy import compile_contracts
from properties.action import Action
from properties.machine import Found, play
from properties.reducing import failure, reduced, same_as
from properties.scenario import save
from properties.tally import Tally
from properties.twins import NETWORK, Disagreement, Twins, in_process

ROOT: Final = Path(__file__).parents[2]
SEEDED: Final = Path(__file__).with_name("seeded")
PAGE: Final = ROOT / "docs" / "reference" / "seeded-errors.md"
COMPILED: Final = ("contracts", "ape-config.yaml", "package.json", "package-lock.json")
MOST_SEQUENCES: Final = 400


@dataclass(frozen=True, slots=True)
class Seeded:
    """One error: the invariant it breaks (0: none), the sentence, the patch."""

    invariant: int
    error: str
    patch: Path

    @property
    def title(self) -> str:
        """Of the invariant, with its number."""
        if not self.invariant:
            return "none: the model alone"
        title = next(i.title for i in INVARIANTS if i.number == self.invariant)
        return f"{self.invariant} {title}"


@dataclass(frozen=True, slots=True)
class Hunt:
    """`steps` and `seconds` until found; `actions` are the reduced ones."""

    seconds: float
    steps: int
    actions: tuple[Action, ...]
    wrong: Disagreement


def seeded_errors() -> tuple[Seeded, ...]:
    """All of them, in the order of the invariants."""
    return tuple(
        Seeded(int(path.name[:2]), path.read_text().partition("\n")[0], path)
        for path in sorted(SEEDED.glob("*.patch"))
    )


class PatchedToolchain(Toolchain):
    """Compiles and deploys the contracts of a patched copy; compilations are kept by content."""

    def __init__(self, project: Path) -> None:
        super().__init__()
        self._project = project

    def contracts_project(self) -> Path:
        link_libraries(self._project, self.contracts_libraries())
        return self._project


def patched(seeded: Seeded, into: Path) -> PatchedToolchain:
    """A copy of the contracts with the error in it; raises CheckFailed when it does not apply."""
    for name in COMPILED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, into / name, ignore=shutil.ignore_patterns(".cache"))
        else:
            shutil.copy(source, into / name)
    command = ["git", "apply", "--unidiff-zero", str(seeded.patch)]
    done = subprocess.run(command, cwd=into, capture_output=True, text=True)
    if done.returncode != 0:
        raise CheckFailed(f"{seeded.patch.name} does not apply: {done.stderr.strip()}")
    return PatchedToolchain(into)


def hunt(twins: Twins, sequences: int = MOST_SEQUENCES) -> Hunt | None:
    """Play until something is found and reduce it; None where nothing is."""
    tally, started = Tally(), time.monotonic()
    try:
        play(twins, tally, sequences)
    except Found as found:
        seconds = time.monotonic() - started
        actions = reduced(twins, found.actions, same_as(found.wrong, whole=True))
        again = failure(twins, actions)
        assert again is not None
        return Hunt(seconds, tally.steps + 1, actions, again[1])
    return None


def judging(seeded: Seeded, toolchain: Toolchain) -> tuple[Twins, Twins | None]:
    """Twins of the patched contracts: with every check, and with the seeded invariant's alone."""
    artifacts = compile_contracts(toolchain, toolchain.say)
    alone = in_process(artifacts, only=seeded.invariant) if seeded.invariant else None
    return in_process(artifacts), alone


def scenario_of(seeded: Seeded, twins: Twins, found: Hunt, folder: Path) -> Path:
    """The reduced actions as a file."""
    name = seeded.patch.stem
    return save(folder / f"{name}.yaml", name, NETWORK, twins.done, found.wrong)


def rows(chosen: Iterable[Seeded], folder: Path) -> Iterator[str]:
    """A line of the table for each."""
    for seeded in chosen:
        with tempfile.TemporaryDirectory() as copy:
            toolchain = patched(seeded, Path(copy))
            every, alone = judging(seeded, toolchain)
            first = hunt(every)
            if first is not None:
                scenario_of(seeded, every, first, folder)
            second = hunt(alone) if alone else None
            yield _row(seeded, first, second)


def _row(seeded: Seeded, first: Hunt | None, second: Hunt | None) -> str:
    cells = [seeded.title, seeded.error]
    for found, hunted in ((first, True), (second, seeded.invariant > 0)):
        if found is None:
            cells += ["not found" if hunted else "", "", ""]
        else:
            cells += [f"{found.steps:,}", f"{found.seconds:.1f}", str(len(found.actions))]
    row = "| " + " | ".join(cells) + " |"
    print(row, flush=True)
    return row


HEAD: Final = """# Seeded errors

Errors put into the contracts for the state machine (`tests/properties/`) to find; they are kept as
patches in `tests/properties/seeded/`. One for each of the sixteen invariants was chosen before
anybody looked at what the machine finds. At first it missed those of 5, 13 and 16: its moves were
tuned until it found them, too. The others came later: what the contract tests, or the moves of
then, let pass. The machine finds each of them, once with all its checks (model and invariants), and
once when nothing but the invariant is checked; no invariant knows of those without a number.
`steps` and `seconds` are until it fails, `left` is what remains of the sequence after reducing: so
many steps has the scenario.
`python -m devnet.base.toolchain python tests/properties/hunting.py` measures it again.

| invariant | error | all checks: steps | seconds | left | alone: steps | seconds | left |
|---|---|---:|---:|---:|---:|---:|---:|
"""


def main(numbers: list[str]) -> None:
    """Hunt those with the numbers, else all, and write the page."""
    chosen = [s for s in seeded_errors() if not numbers or str(s.invariant) in numbers]
    table = list(rows(chosen, Path(".devnet") / "found"))
    if not numbers:
        PAGE.write_text(HEAD + "\n".join(table) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
